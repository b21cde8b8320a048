/**
 * The file system as a scan sees it. Calls are synchronous: the scan runs in a thread of its own, where a promise for every file would cost
 * more than the file. Paths and names are texts with one character for every byte (`textOfBytes`).
 */
import type { Bytes } from '../../base/bytes.ts';
import type { Outcome } from '../../base/outcome.ts';

export interface SourceFailure {
  readonly problem: 'unreadable' | 'vanished' | 'path-too-long';
  readonly detail: string;
}

export interface ScanSource {
  /** The names in a folder, in any order, without `.` and `..`. */
  list(folder: string): Outcome<string[], SourceFailure>;
  /** Writes the `statFields` of the entry itself, not of what it links to, from `offset` on. */
  stat(path: string, numbers: BigInt64Array, offset: number): SourceFailure | undefined;
  target(path: string): Outcome<Bytes, SourceFailure>;
  /** At most `limit` bytes from the start of a regular file; links are not followed. */
  start(path: string, limit: number): Outcome<Bytes, SourceFailure>;
  /** The path of a folder without links, `.` and `..` on its way. */
  realPath(path: string): Outcome<string, SourceFailure>;
}
