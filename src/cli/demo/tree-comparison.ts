/**
 * Compares what is in a folder with what was restored of it: every byte of every file, and all metadata that a backup keeps. The folders themselves are not
 * compared: a restore into a folder that is there leaves that one as it is.
 *
 * Sparse files count as kept when the restored file takes no more room than the original and a little; that is compared on like file systems only, for
 * some compress.
 */
import { closeSync, openSync, readlinkSync, readSync, statfsSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { mebi } from '../../base/units.ts';
import { diskPath, type FoundEntry, findTree } from './tree-walk.ts';

export interface TreesToCompare {
  readonly original: string;
  readonly restored: string;
  /** What changed after this is none of the restore's business; milliseconds since 1970. */
  readonly capturedAtMs: number;
  /** Paths that the backup said it could not keep, one character for every byte, from the folder on. */
  readonly notKept: ReadonlySet<string>;
  readonly signal: AbortSignal;
  readonly progress: (bytesDone: number, entriesDone: number) => void;
}

export interface Difference {
  /** One character for every byte. */
  readonly path: string;
  readonly what: string;
}

export interface TreeComparison {
  readonly files: number;
  readonly folders: number;
  readonly symlinks: number;
  /** Names of files that have more than one. */
  readonly hardLinkNames: number;
  readonly sparseFiles: number;
  readonly bytes: number;
  /** Sockets, pipes and devices. */
  readonly special: number;
  /** The backup reported them: they were not compared. */
  readonly reported: number;
  /** Changed after they were captured: not compared. */
  readonly changedSince: number;
  readonly ownersNotRestored: number;
  readonly differences: readonly Difference[];
}

type Counts = { -readonly [Key in keyof Omit<TreeComparison, 'differences'>]: number };

const readBytes = 1 * mebi;
const yieldEveryEntries = 500;
const modeBits = 0o7777n;
const setIdBits = 0o6000n;
const blockSize = 512n;
/** A file counts as sparse from so many bytes of holes on, and may come back so much larger. */
const sparseSlack = 65_536n;

export function compareTrees(trees: TreesToCompare): Promise<TreeComparison> {
  return new Comparison(trees).run();
}

class Comparison {
  readonly #trees: TreesToCompare;
  readonly #counts: Counts = {
    files: 0,
    folders: 0,
    symlinks: 0,
    hardLinkNames: 0,
    sparseFiles: 0,
    bytes: 0,
    special: 0,
    reported: 0,
    changedSince: 0,
    ownersNotRestored: 0,
  };
  readonly #differences: Difference[] = [];
  readonly #changedFolders = new Set<string>();
  /** Inodes of the one tree by those of the other, for files of several names. */
  readonly #inodes = { there: new Map<string, string>(), back: new Map<string, string>() };
  readonly #likeFileSystems: boolean;
  /** Only the superuser can give files to others. */
  readonly #canGiveAway: boolean = process.geteuid?.() === 0;
  readonly #buffers: readonly [Buffer, Buffer] = [
    Buffer.allocUnsafe(readBytes),
    Buffer.allocUnsafe(readBytes),
  ];

  constructor(trees: TreesToCompare) {
    this.#trees = trees;
    const [left, right] = [trees.original, trees.restored].map((path) => statfsSync(path).type);
    this.#likeFileSystems = left === right;
  }

  async run(): Promise<TreeComparison> {
    const { original, restored, signal, progress } = this.#trees;
    const expected = findTree(original);
    const found = new Map(findTree(restored).entries.map((entry) => [entry.path, entry]));
    for (const { path, reason } of expected.unreadable) {
      if (!this.#isReported(path)) this.#differ(path, `cannot be read any more: ${reason}`);
      found.delete(path);
    }
    let done = 0;
    for (const entry of expected.entries) {
      this.#compare(entry, found.get(entry.path));
      found.delete(entry.path);
      done += 1;
      if (done % yieldEveryEntries !== 0) continue;
      progress(this.#counts.bytes, done);
      await setImmediate();
      signal.throwIfAborted();
    }
    for (const path of found.keys()) this.#judgeExtra(path);
    return { ...this.#counts, differences: this.#differences };
  }

  /** What is restored and not in the original any more. */
  #judgeExtra(path: string): void {
    if (this.#isReported(path)) return;
    const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    if (this.#changedFolders.has(folder)) {
      this.#counts.changedSince += 1;
      this.#changedFolders.add(path);
    } else this.#differ(path, 'was restored, but is not in the original');
  }

  #differ(path: string, what: string): void {
    this.#differences.push({ path, what });
  }

  /** Whether the backup reported the entry or a folder that it is in. */
  #isReported(path: string): boolean {
    const { notKept } = this.#trees;
    if (notKept.size === 0) return false;
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1))
      if (notKept.has(path.slice(0, end))) return true;
    return notKept.has('');
  }

  #compare(left: FoundEntry, right: FoundEntry | undefined): void {
    const { stat, path } = left;
    if (path === '') return;
    const isKept = stat.isFile() || stat.isDirectory() || stat.isSymbolicLink();
    if (!isKept) this.#counts.special += 1;
    else if (this.#isReported(path)) this.#counts.reported += 1;
    else if (Number(stat.ctimeMs) > this.#trees.capturedAtMs) this.#noteChanged(left);
    else if (right === undefined) this.#differ(path, 'was not restored');
    else if ((stat.mode ^ right.stat.mode) & ~modeBits) this.#differ(path, 'is of another kind');
    else this.#compareKept(left, right);
  }

  #noteChanged({ path, stat }: FoundEntry): void {
    this.#counts.changedSince += 1;
    if (stat.isDirectory()) this.#changedFolders.add(path);
  }

  #compareKept(left: FoundEntry, right: FoundEntry): void {
    this.#compareMetadata(left, right);
    if (left.stat.isDirectory()) this.#counts.folders += 1;
    else if (left.stat.isSymbolicLink()) this.#compareTargets(left.path);
    else this.#compareFiles(left, right);
    if (!left.stat.isDirectory()) this.#compareNames(left, right);
  }

  #compareMetadata({ path, stat }: FoundEntry, { stat: other }: FoundEntry): void {
    if (stat.mtimeNs !== other.mtimeNs)
      this.#differ(path, `was changed at ${stat.mtimeNs} ns, restored as ${other.mtimeNs} ns`);
    const sameOwner = stat.uid === other.uid && stat.gid === other.gid;
    const owner = `${stat.uid}:${stat.gid}`;
    if (!sameOwner && this.#canGiveAway)
      this.#differ(path, `belongs to ${owner}, restored to ${other.uid}:${other.gid}`);
    if (!sameOwner && !this.#canGiveAway) this.#counts.ownersNotRestored += 1;
    if (stat.isSymbolicLink()) return;
    // Set-id bits are not given to a file that another owner gets.
    const compared = sameOwner ? modeBits : modeBits & ~setIdBits;
    const [mode, otherMode] = [stat.mode & compared, other.mode & compared];
    if (mode !== otherMode)
      this.#differ(path, `has mode ${mode.toString(8)}, restored as ${otherMode.toString(8)}`);
  }

  #compareTargets(path: string): void {
    this.#counts.symlinks += 1;
    const [target, other] = [this.#trees.original, this.#trees.restored].map((folder) =>
      readlinkSync(diskPath(folder, path), { encoding: 'latin1' }),
    );
    if (target !== other) this.#differ(path, 'points elsewhere');
  }

  #compareFiles({ path, stat }: FoundEntry, { stat: other }: FoundEntry): void {
    this.#counts.files += 1;
    this.#counts.bytes += Number(stat.size);
    if (stat.size !== other.size)
      this.#differ(path, `has ${stat.size} bytes, restored with ${other.size}`);
    else this.#compareContents(path);
    const [room, otherRoom] = [stat.blocks * blockSize, other.blocks * blockSize];
    if (room + sparseSlack > stat.size || !this.#likeFileSystems) return;
    this.#counts.sparseFiles += 1;
    if (otherRoom > room + sparseSlack)
      this.#differ(path, `takes ${room} bytes of disk, restored ${otherRoom}: holes were filled`);
  }

  #compareContents(path: string): void {
    let left: number | undefined;
    let right: number | undefined;
    try {
      left = openSync(diskPath(this.#trees.original, path), 'r');
      right = openSync(diskPath(this.#trees.restored, path), 'r');
      if (!this.#sameBytes(left, right)) this.#differ(path, 'has other bytes');
    } catch (problem) {
      this.#differ(path, `cannot be read: ${(problem as NodeJS.ErrnoException).code}`);
    } finally {
      if (left !== undefined) closeSync(left);
      if (right !== undefined) closeSync(right);
    }
  }

  #sameBytes(left: number, right: number): boolean {
    const [first, second] = this.#buffers;
    for (;;) {
      const count = readSync(left, first);
      const otherCount = readSync(right, second);
      if (count !== otherCount) return false;
      if (count === 0) return true;
      if (first.compare(second, 0, count, 0, count) !== 0) return false;
    }
  }

  /** Two names of one file must be two names of one file again, and no others. */
  #compareNames({ path, stat }: FoundEntry, { stat: other }: FoundEntry): void {
    if (stat.nlink > 1n && stat.isFile()) this.#counts.hardLinkNames += 1;
    if (stat.nlink === 1n && other.nlink === 1n) return;
    const [here, there] = [`${stat.dev}:${stat.ino}`, `${other.dev}:${other.ino}`];
    const known = this.#inodes.there.get(here) ?? there;
    const knownBack = this.#inodes.back.get(there) ?? here;
    this.#inodes.there.set(here, there);
    this.#inodes.back.set(there, here);
    if (known !== there || knownBack !== here) this.#differ(path, 'is a name of another file');
  }
}
