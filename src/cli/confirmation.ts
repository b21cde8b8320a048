/**
 * Asks a person before something is lost that cannot be brought back.
 *
 * Only somebody at a terminal is asked: a script has nobody who could answer, and said already what it wants. Whoever types nothing keeps what there is.
 */
import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import type { GlobalOptions } from './session.ts';

interface Terminal {
  readonly stdin: { readonly isTTY?: boolean | undefined };
  readonly stdout: { readonly isTTY?: boolean | undefined };
}

export function asksFirst(
  { yes, json }: Pick<GlobalOptions, 'yes' | 'json'>,
  { stdin, stdout }: Terminal = process,
): boolean {
  return !yes && !json && stdin.isTTY === true && stdout.isTTY === true;
}

interface Dialogue {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  readonly signal: AbortSignal;
}

/** Whether the answer is `y` or `yes`. No answer, an end of input or a signal is none. */
export async function isConfirmed(
  question: string,
  { input, output, signal }: Dialogue,
): Promise<boolean> {
  // The terminal itself echoes and edits the line, and turns Ctrl-C into a signal.
  const lines = createInterface({ input, output, terminal: false });
  try {
    const ended = once(lines, 'close').then(() => '');
    const answer = await Promise.race([lines.question(`${question} [y/N] `, { signal }), ended]);
    return /^\s*y(es)?\s*$/i.test(answer);
  } catch (problem) {
    if (signal.aborted) return false;
    throw problem;
  } finally {
    lines.close();
  }
}
