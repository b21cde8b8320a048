/** Everything in a folder, by raw path, as `lstat` tells it. */
import { type BigIntStats, closeSync, lstatSync, openSync, readdirSync, readSync } from 'node:fs';

export interface FoundEntry {
  /** From the folder on, one character for every byte; empty for the folder itself. */
  readonly path: string;
  readonly stat: BigIntStats;
}

export interface FoundTree {
  /** Folders before what is in them. */
  readonly entries: readonly FoundEntry[];
  /** What could not be looked at, with the reason. */
  readonly unreadable: readonly { readonly path: string; readonly reason: string }[];
}

/** What stands for a path in the calls of the system. */
export function diskPath(folder: string, path: string): Buffer {
  const top = Buffer.from(folder);
  return path === '' ? top : Buffer.concat([top, Buffer.from(`/${path}`, 'latin1')]);
}

/** All that a backup of the folder takes in: a folder tagged as a cache gives nothing but its tag, and homes of covault are left out. */
export function findTree(folder: string): FoundTree {
  const entries: FoundEntry[] = [];
  const unreadable: { path: string; reason: string }[] = [];
  const waiting = [''];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    try {
      const stat = lstatSync(diskPath(folder, path), { bigint: true });
      const names = stat.isDirectory() ? namesIn(folder, path) : [];
      if (names === undefined) continue;
      entries.push({ path, stat });
      for (const name of names) waiting.push(path === '' ? name : `${path}/${name}`);
    } catch (problem) {
      unreadable.push({ path, reason: (problem as NodeJS.ErrnoException).code ?? String(problem) });
    }
  }
  return { entries, unreadable };
}

const homeMarker = 'covault-home';
const cacheTag = 'CACHEDIR.TAG';
/** https://bford.info/cachedir/ */
const cacheSignature = 'Signature: 8a477f597d28d172789f06886806bc55';

/** Undefined for a home of covault. */
function namesIn(folder: string, path: string): readonly string[] | undefined {
  const names = readdirSync(diskPath(folder, path), { encoding: 'latin1' }).sort().reverse();
  if (names.includes(homeMarker)) return undefined;
  const isCache = names.includes(cacheTag) && isTagged(diskPath(folder, `${path}/${cacheTag}`));
  return isCache ? [cacheTag] : names;
}

function isTagged(tag: Buffer): boolean {
  const start = Buffer.alloc(cacheSignature.length);
  const file = openSync(tag, 'r');
  try {
    const length = readSync(file, start, 0, start.length, 0);
    return start.toString('latin1', 0, length) === cacheSignature;
  } finally {
    closeSync(file);
  }
}
