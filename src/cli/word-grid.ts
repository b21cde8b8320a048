/** The 24 words of the recovery kit, laid out so that a person can copy them without losing the place. */

const columnCount = 4;

/** Rows of numbered words, numbered across. */
export function wordGrid(words: readonly string[]): string {
  const width = Math.max(...words.map((word) => word.length));
  const rows: string[] = [];
  for (let first = 0; first < words.length; first += columnCount) {
    const cells = words
      .slice(first, first + columnCount)
      .map((word, index) => `${String(first + index + 1).padStart(3)}. ${word.padEnd(width)}`);
    rows.push(`  ${cells.join('  ').trimEnd()}`);
  }
  return rows.join('\n');
}
