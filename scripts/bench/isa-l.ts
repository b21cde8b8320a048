/** ISA-L as the measure of erasure codes: a small program of ours is compiled against it, where a compiler and the library are installed. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { failed, type Outcome, succeeded } from '../../src/base/outcome.ts';

export interface IsaLRound {
  readonly k: number;
  readonly m: number;
  readonly elementBytes: number;
  readonly milliseconds: number;
  readonly work: 'encode' | 'decode';
}

/** GB of data per second of processor time. */
export type IsaL = (round: IsaLRound) => number;

const headers = [
  '/usr/include/isa-l.h',
  '/usr/local/include/isa-l.h',
  '/opt/homebrew/include/isa-l.h',
];

/** Compiles into `folder`; the error says what is missing. */
export function compileIsaL(folder: string): Outcome<IsaL, string> {
  if (!headers.some((header) => existsSync(header)))
    return failed('ISA-L is not installed (libisal-dev)');
  const program = join(folder, 'isa-l');
  const source = join(import.meta.dirname, 'isa-l.c');
  try {
    execFileSync('gcc', ['-O3', '-march=native', '-o', program, source, '-lisal'], {
      stdio: 'pipe',
    });
  } catch (problem) {
    const missing = (problem as NodeJS.ErrnoException).code === 'ENOENT';
    return failed(missing ? 'gcc is not installed' : `gcc refuses: ${(problem as Error).message}`);
  }
  return succeeded(({ k, m, elementBytes, milliseconds, work }) =>
    Number(execFileSync(program, [k, m, elementBytes, milliseconds].map(String).concat(work))),
  );
}
