/** What one part of the measurements found, as it is printed and as it stands in docs/benchmarks.md. */
import { type Spread, spreadText } from './spread.ts';

/** A bar that DESIGN §15 sets. */
export interface Bar {
  readonly what: string;
  readonly wanted: string;
  readonly measured: string;
  readonly met: boolean;
}

export interface Findings {
  readonly title: string;
  readonly table: readonly (readonly string[])[];
  readonly notes: readonly string[];
  readonly bars: readonly Bar[];
}

/** What was not measured, and why. */
export function skipped(title: string, reason: string): Findings {
  return { title, table: [], notes: [`Not measured: ${reason}.`], bars: [] };
}

/** A bar on a ratio that must be at least `least`, judged by its median. */
export function atLeast(what: string, least: number, ratio: Spread): Bar {
  return {
    what,
    wanted: `≥ ${least}×`,
    measured: `${spreadText(ratio)}×`,
    met: ratio.median >= least,
  };
}

export function markdownOf({ title, table, notes }: Findings): string {
  const parts = [`### ${title}`];
  if (table.length > 0) parts.push(tableText(table));
  if (notes.length > 0) parts.push(notes.map((note) => `- ${note}`).join('\n'));
  return parts.join('\n\n');
}

export function barsMarkdown(bars: readonly Bar[]): string {
  const rows = bars.map(({ what, wanted, measured, met }) => [
    what,
    wanted,
    measured,
    met ? 'met' : '**missed**',
  ]);
  return tableText([['bar', 'wanted', 'measured', ''], ...rows]);
}

function tableText([head = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}
