/** The scan's file system on POSIX: `readdir` and `lstat` in the calling thread, names as raw bytes. */
import {
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
} from 'node:fs';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import type { ScanSource, SourceFailure } from '../../core/scan/scan-source.ts';
import { errnoOf, fsPath } from './byte-path.ts';

const vanished: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ESTALE']);
const withBigint = { bigint: true, throwIfNoEntry: false } as const;

export const posixSource: ScanSource = {
  list: (folder) => attempt(() => readdirSync(fsPath(folder), { encoding: 'latin1' })),
  stat: (path, numbers, offset) => {
    try {
      return writeStat(path, numbers, offset);
    } catch (problem) {
      return failureOf(problem);
    }
  },
  target: (path) =>
    attempt(() => new Uint8Array(readlinkSync(fsPath(path), { encoding: 'buffer' }))),
  start: (path, limit) => attempt(() => readStart(path, limit)),
  realPath: (path) =>
    attempt(() => realpathSync.native(fsPath(path), { encoding: 'latin1' as BufferEncoding })),
};

function writeStat(
  path: string,
  numbers: BigInt64Array,
  offset: number,
): SourceFailure | undefined {
  const stat = lstatSync(fsPath(path), withBigint);
  if (stat === undefined) return { problem: 'vanished', detail: 'ENOENT' };
  numbers[offset] = stat.mode;
  numbers[offset + 1] = stat.uid;
  numbers[offset + 2] = stat.gid;
  numbers[offset + 3] = stat.size;
  numbers[offset + 4] = stat.mtimeNs;
  numbers[offset + 5] = stat.ctimeNs;
  numbers[offset + 6] = stat.ino;
  numbers[offset + 7] = stat.dev;
  numbers[offset + 8] = stat.nlink;
  numbers[offset + 9] = stat.rdev;
  numbers[offset + 10] = stat.birthtimeNs;
  numbers[offset + 11] = stat.blocks;
  return undefined;
}

function readStart(path: string, limit: number): Uint8Array<ArrayBuffer> {
  const file = openSync(
    fsPath(path),
    constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
  );
  try {
    const bytes = new Uint8Array(limit);
    let length = 0;
    for (let read = -1; read !== 0 && length < limit; length += read)
      read = readSync(file, bytes, length, limit - length, null);
    return bytes.slice(0, length);
  } finally {
    closeSync(file);
  }
}

function attempt<T>(work: () => T): Outcome<T, SourceFailure> {
  try {
    return succeeded(work());
  } catch (problem) {
    return failed(failureOf(problem));
  }
}

export function failureOf(problem: unknown): SourceFailure {
  const code = errnoOf(problem);
  if (vanished.has(code)) return { problem: 'vanished', detail: code };
  return { problem: code === 'ENAMETOOLONG' ? 'path-too-long' : 'unreadable', detail: code };
}
