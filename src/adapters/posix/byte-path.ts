/**
 * Paths for `node:fs` from texts with one character for every byte (`textOfBytes`).
 *
 * Node.js writes text as UTF-8, which would double every byte above 0x7F; such paths go in as bytes. Plain ASCII, which nearly all paths
 * are, goes in as text, which is faster.
 */
import { isAscii } from '../../core/scan/exclusion.ts';

export type FsPath = string | Buffer;

export function fsPath(text: string): FsPath {
  return isAscii(text) ? text : Buffer.from(text, 'latin1');
}

/** The code of a failed system call, such as `ENOENT`. */
export function errnoOf(problem: unknown): string {
  if (problem instanceof Error && 'code' in problem && typeof problem.code === 'string')
    return problem.code;
  throw problem;
}
