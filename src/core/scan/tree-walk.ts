/**
 * The scan: every folder below the roots, once, after all folders inside it (C15, C44).
 *
 * That order lets the engine encode a folder's tree as soon as it arrives, for the trees that it names are known by then. A stack of our own
 * holds the folders on the way, so the depth of a tree is bounded by memory only. What cannot be looked at is reported, never skipped in silence.
 */
import { assertNever } from '../../base/assert.ts';
import { type Bytes, utf8Text } from '../../base/bytes.ts';
import {
  cacheTagName,
  cacheTagSignature,
  cheapPatterns,
  ExclusionRules,
  homeMarkerName,
  isCacheTag,
  patternFileMaximumBytes,
} from './exclusion.ts';
import { addRoot, newWay, realRoot, type Way } from './scan-roots.ts';
import type { ScanSource, SourceFailure } from './scan-source.ts';
import {
  bytesOfText,
  ColumnsBuilder,
  kindOfMode,
  noColumns,
  type StatColumns,
  signatureOf,
  statOffset,
  statWidth,
  textOfBytes,
} from './stat-columns.ts';

export type ReadProblem = {
  /** Absolute path, raw bytes. */
  readonly path: Bytes;
  readonly problem: 'unreadable' | 'vanished' | 'changed-while-read' | 'path-too-long';
  readonly detail: string;
};

export interface ScannedDirectory {
  /** Absolute path, raw bytes; `/` for the top. */
  readonly path: Bytes;
  readonly entries: StatColumns;
  /** SHA-256 over `entries`: equal signatures mean that nothing in this directory itself changed. */
  readonly signature: Bytes;
}

/**
 * Directories come after all directories inside them; the last of a scan is `/`. Every directory among the entries has come before, one that
 * could not be read (which is reported) or lies on another file system (which was not asked for) without entries.
 */
export interface ScanBatch {
  readonly directories: readonly ScannedDirectory[];
  readonly problems: readonly ReadProblem[];
}

export interface ScanRequest {
  /** Absolute paths of files and directories, raw bytes. */
  readonly roots: readonly Bytes[];
  /** Patterns in gitignore syntax, relative to each root. */
  readonly excludePatterns: readonly string[];
  /** Names of files which, where they stand, hold patterns for their folder, such as `.gitignore`. */
  readonly excludeFileNames: readonly string[];
  readonly oneFileSystem: boolean;
  /** Larger files are left out. */
  readonly maximumFileBytes: number | undefined;
  /** Folders with a CACHEDIR.TAG keep only the tag. */
  readonly skipCacheFolders: boolean;
}

/** A batch is given out when it holds this much. */
const batchEntryCount = 4_096;
const batchDirectoryCount = 1_024;

/** How much of a folder belongs to the scan. */
type Extent =
  /** Everything that no rule leaves out. */
  | { readonly type: 'all'; readonly rules: ExclusionRules; readonly device: bigint }
  /** Only the ways to roots further down. */
  | { readonly type: 'way' }
  | { readonly type: 'nothing' };

/** A folder that is being visited. */
interface Visit {
  /** Without the slash at its end: empty for `/`. */
  readonly path: string;
  readonly rows: ColumnsBuilder;
  readonly inner: Inner[];
  next: number;
}

/** What holds for the names in a folder. */
interface Within {
  readonly extent: Extent;
  readonly way: Way | undefined;
}

/** A folder to visit before the one that it is in is done. */
interface Inner {
  readonly row: number;
  readonly extent: Extent;
  readonly way: Way | undefined;
}

export function* walkTree(source: ScanSource, request: ScanRequest): Generator<ScanBatch, void> {
  const walk = new TreeWalk(source, request);
  while (walk.step()) if (walk.isBatchFull()) yield walk.takeBatch();
  yield walk.takeBatch();
}

class TreeWalk {
  readonly #source: ScanSource;
  readonly #request: ScanRequest;
  readonly #excludeFileNames: ReadonlySet<string>;
  readonly #stack: Visit[] = [];
  #directories: ScannedDirectory[] = [];
  #problems: ReadProblem[] = [];
  #entryCount = 0;

  constructor(source: ScanSource, request: ScanRequest) {
    this.#source = source;
    this.#request = request;
    this.#excludeFileNames = new Set(request.excludeFileNames);
    this.#begin();
  }

  isBatchFull(): boolean {
    return this.#entryCount >= batchEntryCount || this.#directories.length >= batchDirectoryCount;
  }

  takeBatch(): ScanBatch {
    const batch = { directories: this.#directories, problems: this.#problems };
    this.#directories = [];
    this.#problems = [];
    this.#entryCount = 0;
    return batch;
  }

  /** Enters the next folder inside the one on top of the stack, or ends that one. False when nothing is left. */
  step(): boolean {
    const visit = this.#stack.at(-1);
    if (visit === undefined) return false;
    const inner = visit.inner[visit.next];
    if (inner === undefined) {
      this.#stack.pop();
      this.#give(visit.path, visit.rows.finish());
      return true;
    }
    visit.next += 1;
    const path = `${visit.path}/${visit.rows.nameOf(inner.row)}`;
    if (!this.#enter(path, inner.extent, inner.way)) visit.rows.drop(inner.row);
    return true;
  }

  #begin(): void {
    const top = newWay();
    for (const root of this.#request.roots) {
      const real = realRoot(this.#source, textOfBytes(root));
      if (real.ok) addRoot(top, real.value);
      else this.#problems.push({ path: root, ...real.error });
    }
    const numbers = new BigInt64Array(statWidth);
    const failure = this.#source.stat('/', numbers, 0);
    if (failure !== undefined) this.#report('/', failure);
    const device = numbers[statOffset.device] ?? 0n;
    const extent: Extent = top.isRoot ? this.#wholeRoot('', device) : { type: 'way' };
    if (!this.#enter('', extent, top)) this.#give('', noColumns);
  }

  #wholeRoot(path: string, device: bigint): Extent {
    const rules = ExclusionRules.none.within(path, this.#request.excludePatterns);
    return { type: 'all', rules, device };
  }

  /** Begins to visit a folder, or gives it out at once; false when it does not belong to the scan at all. */
  #enter(path: string, extent: Extent, way: Way | undefined): boolean {
    switch (extent.type) {
      case 'nothing':
        this.#give(path, noColumns);
        return true;
      case 'way':
        this.#visitWay(path, way);
        return true;
      case 'all':
        return this.#visitAll(path, extent, way);
      default:
        return assertNever(extent);
    }
  }

  /** Visits what lies on the way to roots, and `besides`. */
  #visitWay(path: string, way: Way | undefined, besides: readonly string[] = []): void {
    const names = [...new Set([...(way?.further.keys() ?? []), ...besides])].sort();
    this.#visitNames(path, names, { extent: { type: 'way' }, way });
  }

  #visitNames(path: string, names: readonly string[], within: Within): void {
    const visit: Visit = { path, rows: new ColumnsBuilder(names.length), inner: [], next: 0 };
    for (const name of names) this.#look(visit, name, within);
    this.#stack.push(visit);
  }

  #visitAll(path: string, extent: Extent & { type: 'all' }, way: Way | undefined): boolean {
    const listed = this.#source.list(path === '' ? '/' : path);
    if (!listed.ok) {
      this.#report(path, listed.error);
      if (listed.error.problem === 'vanished') return false;
      this.#give(path, noColumns);
      return true;
    }
    const names = new Set(listed.value);
    if (names.has(homeMarkerName) && this.#isFile(`${path}/${homeMarkerName}`)) {
      if (way?.isRoot === true)
        this.#report(path, {
          problem: 'unreadable',
          detail: 'a home of covault is never backed up',
        });
      return false;
    }
    if (this.#isCache(path, names)) {
      this.#visitWay(path, way, [cacheTagName]);
      return true;
    }
    const rules = this.#rulesIn(path, names, extent.rules);
    this.#visitNames(path, listed.value.sort(), { extent: { ...extent, rules }, way });
    return true;
  }

  /** Takes one name of a folder into its rows, if it belongs there. */
  #look(visit: Visit, name: string, within: Within): void {
    const path = `${visit.path}/${name}`;
    const rows = visit.rows;
    const failure = this.#source.stat(path, rows.numbers, rows.nextOffset);
    if (failure !== undefined) {
      this.#report(path, failure);
      return;
    }
    const kind = kindOfMode(Number(rows.numbers[rows.nextOffset + statOffset.mode]));
    const way = within.way?.further.get(name);
    if (kind === 'directory') {
      const extent = this.#extentOf(path, within.extent, { way, rows });
      if (extent === undefined) return;
      visit.inner.push({ row: rows.add(name), extent, way });
    } else if (way === undefined && this.#isLeftOut(path, within.extent, rows)) {
      return;
    } else if (kind === 'symlink') {
      const target = this.#source.target(path);
      if (target.ok) rows.add(name, target.value);
      else this.#report(path, target.error);
    } else if (kind === undefined) {
      this.#report(path, { problem: 'unreadable', detail: 'an unknown kind of entry' });
    } else {
      rows.add(name);
    }
  }

  /** How much of a folder to scan, whose numbers are next in the rows; undefined when it is left out. */
  #extentOf(
    path: string,
    outer: Extent,
    here: { readonly way: Way | undefined; readonly rows: ColumnsBuilder },
  ): Extent | undefined {
    const device = here.rows.numbers[here.rows.nextOffset + statOffset.device] ?? 0n;
    if (here.way?.isRoot === true) return this.#wholeRoot(path, device);
    if (outer.type !== 'all') return outer;
    if (outer.rules.excludes(path, true)) return here.way && { type: 'way' };
    if (this.#request.oneFileSystem && device !== outer.device)
      return here.way === undefined ? { type: 'nothing' } : { type: 'way' };
    return { ...outer, rules: outer.rules.enter(path) };
  }

  #isLeftOut(path: string, extent: Extent, rows: ColumnsBuilder): boolean {
    if (extent.type !== 'all') return false;
    const maximum = this.#request.maximumFileBytes;
    const at = rows.nextOffset;
    if (maximum !== undefined && Number(rows.numbers[at + statOffset.size]) > maximum) {
      const mode = Number(rows.numbers[at + statOffset.mode]);
      if (kindOfMode(mode) === 'file') return true;
    }
    return extent.rules.excludes(path, false);
  }

  #isCache(path: string, names: ReadonlySet<string>): boolean {
    if (!this.#request.skipCacheFolders || !names.has(cacheTagName)) return false;
    const start = this.#source.start(`${path}/${cacheTagName}`, cacheTagSignature.length);
    return start.ok && isCacheTag(start.value);
  }

  #isFile(path: string): boolean {
    const numbers = new BigInt64Array(statWidth);
    if (this.#source.stat(path, numbers, 0) !== undefined) return false;
    return kindOfMode(Number(numbers[statOffset.mode])) === 'file';
  }

  /** The rules with those of the pattern files that stand in the folder. */
  #rulesIn(path: string, names: ReadonlySet<string>, outer: ExclusionRules): ExclusionRules {
    let rules = outer;
    for (const name of this.#excludeFileNames) {
      if (!names.has(name)) continue;
      const file = `${path}/${name}`;
      const start = this.#source.start(file, patternFileMaximumBytes);
      if (!start.ok) {
        this.#report(file, start.error);
        continue;
      }
      const text = utf8Text(start.value) ?? textOfBytes(start.value);
      const { patterns, problem } = cheapPatterns(text.split(/\r?\n/));
      if (problem !== undefined) this.#report(file, { problem: 'unreadable', detail: problem });
      rules = rules.within(path, patterns);
    }
    return rules;
  }

  #give(path: string, entries: StatColumns): void {
    this.#entryCount += entries.count;
    this.#directories.push({
      path: bytesOfText(path === '' ? '/' : path),
      entries,
      signature: signatureOf(entries),
    });
  }

  #report(path: string, failure: SourceFailure): void {
    this.#problems.push({ path: bytesOfText(path === '' ? '/' : path), ...failure });
  }
}
