/**
 * From scanned directories and cut files to trees.
 *
 * Directories arrive after all directories inside them, but files of either may still be on their way through the pipeline. Each directory waits
 * here until all contents of its own are known, becomes a tree, and hands the tree's chunks to its parent. One that did not change since the
 * last scan is not built again (C15).
 */
import { assert, present } from '../../base/assert.ts';
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import type { Instant } from '../../base/units.ts';
import {
  encodeColumns,
  kindAt,
  nameAt,
  type StatColumns,
  smallStatAt,
  statAt,
  textOfBytes,
} from '../../core/scan/stat-columns.ts';
import { encodeTree, splitTree } from '../../core/scan/tree-codec.ts';
import type { TreeEntry } from '../../core/scan/tree-entry.ts';
import type { ScannedDirectory } from '../../core/scan/tree-walk.ts';
import type { ChunkNamer } from '../../core/sealing/chunk-id.ts';
import { bytesOf, type ChunkId, idBytes } from '../../core/vocabulary/ids.ts';
import type { ChunkToSeal, OwnerNames } from '../../ports/chunk-pipeline.ts';
import type { ScanMemoryRow, Stores } from '../../ports/stores.ts';
import { joinPath } from '../restore/path-join.ts';
import { isUntouched, lastScanOf, type Remembered, recall, withoutRacyTimes } from './last-scan.ts';

/** A file whose contents the assembly waits for. */
export interface WantedFile {
  readonly directory: PendingDirectory;
  readonly row: number;
  /** Absolute. */
  readonly path: Bytes;
}

/** What a finished tree leaves behind: chunks to be packed, and what the next scan remembers. */
export interface FinishedTree {
  readonly chunks: readonly ChunkToSeal[];
  /** Undefined for a tree that stands for no scanned directory. */
  readonly memory: ScanMemoryRow | undefined;
  readonly bodies: readonly { readonly chunk: ChunkId; readonly body: Bytes }[];
}

export interface AssemblyCounts {
  files: number;
  directories: number;
  symlinks: number;
  other: number;
  bytes: number;
  filesUnchanged: number;
}

/** A directory whose contents are not all known yet. */
export interface PendingDirectory {
  readonly path: Bytes;
  readonly columns: StatColumns;
  readonly signature: Bytes;
  /** By row; undefined: not known yet, or nothing to know; null: left out. */
  readonly content: (readonly ChunkId[] | null | undefined)[];
  readonly sizes: Map<number, number>;
  missing: number;
  parent: { readonly directory: PendingDirectory; readonly row: number } | undefined;
  remembered: Remembered | undefined;
}

export interface AssemblyOptions {
  readonly stores: Stores;
  readonly namer: ChunkNamer;
  readonly owners: OwnerNames;
  /** When the scan began. */
  readonly startedAt: Instant;
  readonly finished: (tree: FinishedTree) => void;
}

export class DirectoryAssembly {
  readonly counts: AssemblyCounts = {
    files: 0,
    directories: 0,
    symlinks: 0,
    other: 0,
    bytes: 0,
    filesUnchanged: 0,
  };
  readonly #options: AssemblyOptions;
  readonly #pending = new Map<string, PendingDirectory>();
  /** Trees whose parents were not scanned yet, by path. */
  readonly #trees = new Map<string, readonly ChunkId[]>();
  readonly #emptyTree: FinishedTree['bodies'];
  #emptyTreeGiven = false;
  /** Files with several names: the first is read, the others follow it. */
  readonly #links = new Map<
    string,
    { content?: readonly ChunkId[] | null; size: number; waiting: WantedFile[] }
  >();

  constructor(options: AssemblyOptions) {
    this.#options = options;
    this.#emptyTree = this.#chunksOf(encodeTree([]));
  }

  /** Takes the next directory of the scan; gives the files of it that must be read. */
  add(scanned: ScannedDirectory): readonly WantedFile[] {
    const last = lastScanOf(this.#options.stores, scanned.path);
    if (last !== undefined && isUntouched(scanned, last)) {
      this.#keep(scanned, last.tree);
      return [];
    }
    const directory: PendingDirectory = {
      path: scanned.path,
      columns: scanned.entries,
      signature: scanned.signature,
      content: new Array(scanned.entries.count),
      sizes: new Map(),
      missing: 1,
      parent: undefined,
      remembered: last && recall(this.#options.stores, last),
    };
    this.#pending.set(textOfBytes(directory.path), directory);
    const wanted: WantedFile[] = [];
    for (let row = 0; row < scanned.entries.count; row += 1) this.#addRow(directory, row, wanted);
    this.#release(directory);
    return wanted;
  }

  /** The contents of a wanted file are known: its chunks in order, or null when it is to be left out. */
  settle(file: WantedFile, content: readonly ChunkId[] | null, sizeBytes: number): void {
    this.#fill(file, content, sizeBytes);
    const key = linkKey(file.directory.columns, file.row);
    const group = key === undefined ? undefined : this.#links.get(key);
    if (group === undefined) return;
    group.content = content;
    group.size = sizeBytes;
    for (const other of group.waiting.splice(0)) this.#fill(other, content, sizeBytes);
  }

  /** The tree of `/`, once everything is settled. */
  top(): readonly ChunkId[] {
    assert(this.#pending.size === 0, 'every directory is finished');
    return present(this.#trees.get('/'), 'a scan ends with the top');
  }

  /** A directory is as it was: only counted. */
  #keep({ path, entries }: ScannedDirectory, tree: readonly ChunkId[]): void {
    for (let row = 0; row < entries.count; row += 1) {
      const kind = kindAt(entries, row);
      if (kind === 'symlink') this.counts.symlinks += 1;
      else if (kind !== 'file') this.counts.other += 1;
      else if (this.#countFile(entries, row) > 0) this.counts.filesUnchanged += 1;
    }
    this.#trees.set(textOfBytes(path), tree);
  }

  /** Its size. */
  #countFile(columns: StatColumns, row: number): number {
    const size = Number(statAt(columns, row, 'size'));
    this.counts.files += 1;
    this.counts.bytes += size;
    return size;
  }

  #addRow(directory: PendingDirectory, row: number, wanted: WantedFile[]): void {
    const kind = kindAt(directory.columns, row);
    if (kind === 'file') this.#addFile(directory, row, wanted);
    else if (kind === 'directory') this.#addDirectory(directory, row);
    else if (kind === 'symlink') this.counts.symlinks += 1;
    else this.counts.other += 1;
  }

  #addDirectory(directory: PendingDirectory, row: number): void {
    this.counts.directories += 1;
    const key = textOfBytes(joinPath(directory.path, nameAt(directory.columns, row)));
    const pending = this.#pending.get(key);
    if (pending !== undefined) {
      pending.parent = { directory, row };
      directory.missing += 1;
      return;
    }
    const tree = this.#trees.get(key) ?? this.#treeOfNothing();
    this.#trees.delete(key);
    directory.content[row] = tree;
  }

  /** For a directory that was not scanned (unreadable, another file system): it is restored empty. */
  #treeOfNothing(): readonly ChunkId[] {
    if (!this.#emptyTreeGiven)
      this.#options.finished({
        chunks: this.#toSeal(this.#emptyTree),
        memory: undefined,
        bodies: this.#emptyTree,
      });
    this.#emptyTreeGiven = true;
    return this.#emptyTree.map(({ chunk }) => chunk);
  }

  #addFile(directory: PendingDirectory, row: number, wanted: WantedFile[]): void {
    if (this.#countFile(directory.columns, row) === 0) {
      directory.content[row] = [];
      return;
    }
    const unchanged = this.#unchangedContent(directory, row);
    if (unchanged !== undefined) {
      this.counts.filesUnchanged += 1;
      directory.content[row] = unchanged;
      return;
    }
    const file = {
      directory,
      row,
      path: joinPath(directory.path, nameAt(directory.columns, row)),
    };
    directory.missing += 1;
    if (!this.#joinLinks(file)) wanted.push(file);
  }

  /** Whether another name of the same file is being read, or was. */
  #joinLinks(file: WantedFile): boolean {
    const key = linkKey(file.directory.columns, file.row);
    if (key === undefined) return false;
    const group = this.#links.get(key);
    if (group === undefined) {
      this.#links.set(key, { size: 0, waiting: [] });
      return false;
    }
    if (group.content === undefined) group.waiting.push(file);
    else this.#fill(file, group.content, group.size);
    return true;
  }

  #unchangedContent(directory: PendingDirectory, row: number): readonly ChunkId[] | undefined {
    const { remembered, columns } = directory;
    if (remembered === undefined) return undefined;
    const name = textOfBytes(nameAt(columns, row));
    const old = remembered.rows.get(name);
    if (old === undefined) return undefined;
    for (const field of ['size', 'mtimeNs', 'ctimeNs', 'inode', 'device', 'mode'] as const)
      if (statAt(columns, row, field) !== statAt(remembered.columns, old, field)) return undefined;
    return remembered.content.get(name);
  }

  #fill(file: WantedFile, content: readonly ChunkId[] | null, sizeBytes: number): void {
    const { directory, row } = file;
    assert(directory.content[row] === undefined, 'a file is settled once');
    directory.content[row] = content;
    directory.sizes.set(row, sizeBytes);
    this.#release(directory);
  }

  /** One more thing of the directory is known; finished ones climb up to their parents. */
  #release(directory: PendingDirectory): void {
    let current: PendingDirectory | undefined = directory;
    while (current !== undefined) {
      current.missing -= 1;
      if (current.missing > 0) return;
      const tree = this.#finish(current);
      const key = textOfBytes(current.path);
      this.#pending.delete(key);
      if (current.parent === undefined) {
        this.#trees.set(key, tree);
        return;
      }
      current.parent.directory.content[current.parent.row] = tree;
      current = current.parent.directory;
    }
  }

  #finish(directory: PendingDirectory): readonly ChunkId[] {
    const { remembered } = directory;
    if (remembered !== undefined && this.#isUnchanged(directory, remembered))
      return remembered.row.tree;
    const bodies = this.#chunksOf(encodeTree(this.#entriesOf(directory)));
    const tree = bodies.map(({ chunk }) => chunk);
    const { columns, racy } = withoutRacyTimes(directory.columns, this.#options.startedAt);
    // A file that could not be read is tried again next time, whatever its times say.
    const leftOut = directory.content.includes(null);
    this.#options.finished({
      chunks: this.#toSeal(bodies),
      memory: {
        path: directory.path,
        signature: racy || leftOut ? new Uint8Array(idBytes) : directory.signature,
        columns: encodeColumns(columns),
        tree,
      },
      bodies,
    });
    return tree;
  }

  #isUnchanged(directory: PendingDirectory, remembered: Remembered): boolean {
    if (!equalBytes(remembered.row.signature, directory.signature)) return false;
    for (let row = 0; row < directory.columns.count; row += 1) {
      const content = directory.content[row];
      if (content === undefined) continue;
      const old = remembered.content.get(textOfBytes(nameAt(directory.columns, row)));
      if (content === null || old === undefined || old.join() !== content.join()) return false;
    }
    return true;
  }

  #entriesOf(directory: PendingDirectory): TreeEntry[] {
    const entries: TreeEntry[] = [];
    for (let row = 0; row < directory.columns.count; row += 1)
      if (directory.content[row] !== null) entries.push(this.#entryOf(directory, row));
    return entries;
  }

  #entryOf(directory: PendingDirectory, row: number): TreeEntry {
    const { columns } = directory;
    const kind = kindAt(columns, row) ?? 'socket';
    const uid = smallStatAt(columns, row, 'uid');
    const gid = smallStatAt(columns, row, 'gid');
    const userName = this.#options.owners.users.get(uid);
    const groupName = this.#options.owners.groups.get(gid);
    const target = columns.targets.get(row);
    const size = statAt(columns, row, 'size');
    const many = kind === 'file' && statAt(columns, row, 'linkCount') > 1n;
    return {
      name: nameAt(columns, row),
      kind,
      mode: smallStatAt(columns, row, 'mode') & 0o7777,
      uid,
      gid,
      ...(userName === undefined ? {} : { userName }),
      ...(groupName === undefined ? {} : { groupName }),
      modifiedNs: statAt(columns, row, 'mtimeNs'),
      sizeBytes: kind === 'file' ? (directory.sizes.get(row) ?? Number(size)) : 0,
      content: directory.content[row] ?? [],
      ...(kind === 'symlink' && target !== undefined ? { target } : {}),
      ...(many
        ? {
            hardLink: {
              device: statAt(columns, row, 'device'),
              inode: statAt(columns, row, 'inode'),
            },
          }
        : {}),
      ...(kind === 'file' && statAt(columns, row, 'blocks') * 512n < size ? { sparse: true } : {}),
    };
  }

  #toSeal(bodies: FinishedTree['bodies']): readonly ChunkToSeal[] {
    return bodies.map(({ chunk, body }) => ({ id: bytesOf(chunk), bytes: body }));
  }

  #chunksOf(tree: Bytes): FinishedTree['bodies'] {
    return splitTree(tree).map((body) => ({ chunk: this.#options.namer.idOf(body), body }));
  }
}

/** With size and times: a number of an inode may have been given to another file while the scan was under way. */
function linkKey(columns: StatColumns, row: number): string | undefined {
  if (statAt(columns, row, 'linkCount') <= 1n) return undefined;
  const fields = ['device', 'inode', 'size', 'mtimeNs', 'ctimeNs'] as const;
  return fields.map((field) => statAt(columns, row, field)).join(':');
}
