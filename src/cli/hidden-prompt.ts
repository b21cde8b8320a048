/** Asks for a line at the terminal without showing what is typed. */

const enter = /[\r\n]/;
const interrupt = '\u0003';
const endOfInput = '\u0004';
const eraseLine = '\u0015';
const rubouts: ReadonlySet<string> = new Set(['\u007f', '\b']);

/** The line, or undefined when the person gave up with Ctrl-C or Ctrl-D. */
export function promptHidden(question: string): Promise<string | undefined> {
  const { stdin, stderr } = process;
  stderr.write(question);
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  stdin.resume();
  return new Promise((resolve) => {
    let typed: readonly string[] = [];
    const end = (line: string | undefined): void => {
      stdin.off('data', take);
      stdin.setRawMode(false);
      stdin.pause();
      stderr.write('\n');
      resolve(line);
    };
    const take = (piece: string | Buffer): void => {
      for (const character of String(piece)) {
        if (enter.test(character)) {
          end(typed.join(''));
          return;
        }
        if (character === interrupt || (character === endOfInput && typed.length === 0)) {
          end(undefined);
          return;
        }
        typed = typedAfter(typed, character);
      }
    };
    stdin.on('data', take);
  });
}

/** Pure, for the sake of its test: what stands on the line after one more key. */
export function typedAfter(typed: readonly string[], character: string): readonly string[] {
  if (rubouts.has(character)) return typed.slice(0, -1);
  if (character === eraseLine) return [];
  return character < ' ' ? typed : [...typed, character];
}
