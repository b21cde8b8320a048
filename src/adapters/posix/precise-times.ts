/**
 * Times of files to the nanosecond, and of symbolic links, which Node.js sets only to what a floating-point number of seconds can hold.
 *
 * The C library is called through koffi, which is loaded when it is first needed. Where it cannot be loaded, times are set as Node.js can, and
 * whoever asked is told.
 */
import { futimesSync, lutimesSync } from 'node:fs';
import { createRequire } from 'node:module';
import { assert } from '../../base/assert.ts';

/** Undefined: as exact as asked. Otherwise what is less than that. */
export type TimesShortfall = string | undefined;

export interface PreciseTimes {
  /** Of an open file or folder. */
  setOpen(handle: number, modifiedNs: bigint): TimesShortfall;
  /** Of what stands at a path, a link itself and not what it leads to. */
  setLink(path: Buffer, modifiedNs: bigint): TimesShortfall;
}

const billion = 1_000_000_000n;
const isMac: boolean = process.platform === 'darwin';
/** Constants of `<sys/stat.h>` and `<fcntl.h>`. */
const omit: bigint = isMac ? -2n : (1n << 30n) - 2n;
const currentFolder: number = isMac ? -2 : -100;
const withoutFollowing: number = isMac ? 0x20 : 0x100;

let loaded: PreciseTimes | undefined;

export function preciseTimes(): PreciseTimes {
  loaded ??= libraryTimes() ?? roundedTimes;
  return loaded;
}

function libraryTimes(): PreciseTimes | undefined {
  try {
    // Not an import: the package is optional at run time, and its loading costs time that most commands can save.
    const koffi: typeof import('koffi') = createRequire(import.meta.url)('koffi');
    const library = koffi.load(null);
    const futimens = library.func('int futimens(int file, const void *times)');
    const utimensat = library.func(
      'int utimensat(int folder, const void *path, const void *times, int flags)',
    );
    const outcome = (code: unknown): TimesShortfall =>
      code === 0 ? undefined : `times were not set (error ${koffi.errno()})`;
    return {
      setOpen: (handle, modifiedNs) => outcome(futimens(handle, timesOf(modifiedNs))),
      setLink: (path, modifiedNs) => {
        const text = Buffer.concat([path, Buffer.of(0)]);
        return outcome(utimensat(currentFolder, text, timesOf(modifiedNs), withoutFollowing));
      },
    };
  } catch {
    return undefined;
  }
}

/** Two `struct timespec`: the time of access stays, the time of modification is set. */
function timesOf(modifiedNs: bigint): BigInt64Array {
  const within = ((modifiedNs % billion) + billion) % billion;
  return BigInt64Array.of(0n, omit, (modifiedNs - within) / billion, within);
}

/** As exact as Node.js can. */
export const roundedTimes: PreciseTimes = {
  setOpen: (handle, modifiedNs) => {
    const seconds = Number(modifiedNs) / 1e9;
    futimesSync(handle, seconds, seconds);
    return shortfallOf(modifiedNs);
  },
  setLink: (path, modifiedNs) => {
    assert(path.length > 0, 'a path');
    const seconds = Number(modifiedNs) / 1e9;
    lutimesSync(path, seconds, seconds);
    return shortfallOf(modifiedNs);
  },
};

function shortfallOf(modifiedNs: bigint): TimesShortfall {
  return modifiedNs % 1_000_000n === 0n ? undefined : 'the time of modification was rounded';
}
