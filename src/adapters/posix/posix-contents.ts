/** Contents of files on POSIX, for cutting: opened without following links, waiting for pipes or, where the owner may, touching access times. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { ContentSource } from '../../core/chunking/file-cutter.ts';
import { errnoOf, type FsPath } from './byte-path.ts';
import { failureOf } from './posix-source.ts';

const cautious: number =
  constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
/** Linux only; the owner of a file may ask for it. */
const withoutAccessTime: number = constants.O_NOATIME ?? 0;
const withBigint = { bigint: true } as const;
/** What opening or reading says of something that is no file any more. */
const otherKind: ReadonlySet<string> = new Set([
  'ELOOP',
  'ENXIO',
  'EISDIR',
  'ENODEV',
  'EAGAIN',
  'ESPIPE',
]);

export const posixContents: ContentSource = {
  open: (path) => {
    try {
      return openCautiously(Buffer.from(path.buffer, path.byteOffset, path.length));
    } catch (problem) {
      return contentFailure(problem);
    }
  },
  read: (handle, area, position) => {
    try {
      return readSync(handle, area, 0, area.length, position);
    } catch (problem) {
      return contentFailure(problem);
    }
  },
  stat: (handle) => {
    const stat = fstatSync(handle, withBigint);
    return {
      isFile: stat.isFile(),
      size: Number(stat.size),
      mtimeNs: stat.mtimeNs,
      ctimeNs: stat.ctimeNs,
      inode: BigInt.asIntN(64, stat.ino),
    };
  },
  close: closeSync,
};

function openCautiously(path: FsPath): number {
  try {
    return openSync(path, cautious | withoutAccessTime);
  } catch (problem) {
    if (errnoOf(problem) !== 'EPERM') throw problem;
    return openSync(path, cautious);
  }
}

function contentFailure(problem: unknown): ReturnType<typeof failureOf> {
  const detail = errnoOf(problem);
  return otherKind.has(detail) ? { problem: 'vanished', detail } : failureOf(problem);
}
