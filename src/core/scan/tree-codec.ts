/**
 * Trees as bytes: the entries of one directory, in columns. See docs/format.md#trees.
 *
 * Encoding is canonical, so that an unchanged directory has the same chunk id in every snapshot. A tree that is read may have been made by
 * anyone who got hold of the keys, and its names become paths: a name that could lead out of its directory is refused here, once, for all
 * who restore (the restore adapter trusts nothing and checks again).
 */
import { assert, present } from '../../base/assert.ts';
import { type Bytes, compareBytes, concatBytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { mebi } from '../../base/units.ts';
import { type ChunkId, idBytes } from '../vocabulary/ids.ts';
import { chunkMaximumBytes } from '../vocabulary/limits.ts';
import { BadColumn, ColumnReader, ColumnWriter } from './columns.ts';
import { OwnerTable, readOwners } from './owner-table.ts';
import {
  type EntryKind,
  entryKinds,
  modeMaximum,
  type Ownership,
  safeName,
  safeTarget,
  type TreeEntry,
} from './tree-entry.ts';
import { type ExtensionsOf, encodeExtensions, readExtensions } from './tree-extensions.ts';

/** No encoded tree is longer; a directory of ten million files stays below it. */
export const treeMaximumBytes: number = 1_024 * mebi;

export type TreeFailure =
  | { readonly code: 'tree.malformed'; readonly detail: string }
  | { readonly code: 'tree.too-long' | 'tree.wrong-magic' | 'tree.unknown-version' }
  | { readonly code: 'tree.hostile-name' | 'tree.hostile-target' | 'tree.not-sorted' };

const magic = 'covault/tree';
const version = 1;
const fieldCount = 17;
const billion = 1_000_000_000n;
const twoTo32 = 0x1_0000_0000;

const kindNumbers: ReadonlyMap<EntryKind, number> = new Map(
  entryKinds.map((kind, number) => [kind, number]),
);

/** Whether entries of this kind have chunks. */
function hasContent(kind: EntryKind): boolean {
  return kind === 'file' || kind === 'directory';
}

/** The canonical bytes of a directory. `entries` have strictly rising, safe names. */
export function encodeTree(entries: readonly TreeEntry[]): Bytes {
  checkOrder(entries);
  const owners = new OwnerTable();
  const numbers = encodeNumbers(entries, owners);
  const names = entries.map((entry) => entry.name);
  const targets = entries.flatMap((entry) => (entry.target === undefined ? [] : [entry.target]));
  const content = contentBytes(entries);
  const writer = new ColumnWriter(256 + 60 * entries.length + content.length);
  writer.array(fieldCount);
  writer.text(magic);
  writer.unsigned(version);
  writer.unsigned(entries.length);
  owners.write(writer);
  writer.bytes(numbers.kinds);
  writer.bytes(Uint8Array.from(names, (name) => name.length));
  writer.bytes(concatBytes(names));
  for (const column of numbers.wide) writer.bytes(column);
  writer.bytes(content);
  writer.bytes(lengthColumn(targets));
  writer.bytes(concatBytes(targets));
  writer.bytes(encodeExtensions(entries));
  const bytes = writer.finish();
  assert(bytes.length <= treeMaximumBytes, 'a tree keeps to its limit');
  return bytes;
}

/** The pieces that are stored as chunks, in order; joined again they are the tree. */
export function splitTree(bytes: Bytes): Bytes[] {
  const pieces: Bytes[] = [];
  for (let offset = 0; offset < bytes.length; offset += chunkMaximumBytes)
    pieces.push(bytes.subarray(offset, offset + chunkMaximumBytes));
  return pieces;
}

/** The entries of a tree, or why it is refused; nothing of a refused tree is returned. */
export function decodeTree(bytes: Uint8Array): Outcome<TreeEntry[], TreeFailure> {
  if (bytes.length > treeMaximumBytes) return failed({ code: 'tree.too-long' });
  try {
    return succeeded(readTree(new ColumnReader(bytes)));
  } catch (problem) {
    if (problem instanceof Refused) return failed(problem.failure);
    if (problem instanceof BadColumn)
      return failed({ code: 'tree.malformed', detail: problem.message });
    throw problem;
  }
}

/** Carries a failure out of the nested reading. */
class Refused extends Error {
  override readonly name = 'Refused';
  readonly failure: TreeFailure;

  constructor(failure: TreeFailure) {
    super(failure.code);
    this.failure = failure;
  }
}

function checkOrder(entries: readonly TreeEntry[]): void {
  let previous: Bytes | undefined;
  for (const { name } of entries) {
    assert(safeName(name), 'a name is safe');
    assert(previous === undefined || compareBytes(previous, name) < 0, 'names rise strictly');
    previous = name;
  }
}

interface NumberColumns {
  readonly kinds: Bytes;
  /** Modes, owners, seconds, nanoseconds, sizes, chunk counts. */
  readonly wide: readonly Bytes[];
}

function encodeNumbers(entries: readonly TreeEntry[], owners: OwnerTable): NumberColumns {
  const count = entries.length;
  const kinds = new Uint8Array(count);
  const views = [2, 4, 8, 4, 8, 4].map((width) => new DataView(new ArrayBuffer(width * count)));
  const [modes, owned, seconds, nanoseconds, sizes, chunks] = views as [
    DataView<ArrayBuffer>,
    DataView<ArrayBuffer>,
    DataView<ArrayBuffer>,
    DataView<ArrayBuffer>,
    DataView<ArrayBuffer>,
    DataView<ArrayBuffer>,
  ];
  for (let index = 0; index < count; index += 1) {
    const entry = present(entries[index], 'an entry of the tree');
    checkEntry(entry);
    kinds[index] = present(kindNumbers.get(entry.kind), 'every kind has a number');
    modes.setUint16(2 * index, entry.mode);
    owned.setUint32(4 * index, owners.indexOf(entry));
    const remainder = Number(entry.modifiedNs % billion);
    const within = remainder < 0 ? remainder + Number(billion) : remainder;
    seconds.setBigInt64(8 * index, (entry.modifiedNs - BigInt(within)) / billion);
    nanoseconds.setUint32(4 * index, within);
    sizes.setUint32(8 * index, Math.floor(entry.sizeBytes / twoTo32));
    sizes.setUint32(8 * index + 4, entry.sizeBytes % twoTo32);
    chunks.setUint32(4 * index, entry.content.length);
  }
  return { kinds, wide: views.map((view) => new Uint8Array(view.buffer)) };
}

function checkEntry(entry: TreeEntry): void {
  assert(entry.mode >= 0 && entry.mode <= modeMaximum, 'a mode has twelve bits');
  assert(entry.kind === 'file' || entry.sizeBytes === 0, 'only a file has a size');
  assert(Number.isSafeInteger(entry.sizeBytes) && entry.sizeBytes >= 0, 'a size is a length');
  assert(
    hasContent(entry.kind) || entry.content.length === 0,
    'only files and directories have chunks',
  );
  assert((entry.kind === 'symlink') === (entry.target !== undefined), 'a symlink has a target');
  assert(entry.target === undefined || safeTarget(entry.target), 'a target is safe');
}

function contentBytes(entries: readonly TreeEntry[]): Bytes {
  let hex = '';
  for (const entry of entries) for (const id of entry.content) hex += id;
  const bytes = new Uint8Array(hex.length / 2);
  // One conversion for the whole column: id by id it would cost more than everything else here.
  const written = Buffer.from(bytes.buffer).write(hex, 'hex');
  assert(written === bytes.length, 'a chunk id is hexadecimal');
  return bytes;
}

function lengthColumn(targets: readonly Bytes[]): Bytes {
  const view = new DataView(new ArrayBuffer(2 * targets.length));
  targets.forEach((target, index) => {
    view.setUint16(2 * index, target.length);
  });
  return new Uint8Array(view.buffer);
}

function readTree(reader: ColumnReader): TreeEntry[] {
  const fields = reader.array();
  if (reader.text(magic.length) !== magic) throw new Refused({ code: 'tree.wrong-magic' });
  if (reader.unsigned() !== version) throw new Refused({ code: 'tree.unknown-version' });
  if (fields !== fieldCount) throw new BadColumn('another number of columns');
  const count = reader.unsigned();
  const owners = readOwners(reader);
  const columns = readColumns(reader, count);
  reader.end();
  const reading = new EntryReading(columns, owners);
  const entries: TreeEntry[] = [];
  for (let index = 0; index < count; index += 1) entries.push(reading.entry(index));
  reading.end();
  return entries;
}

interface Columns {
  readonly kinds: Uint8Array;
  readonly nameLengths: Uint8Array;
  readonly names: Uint8Array;
  readonly modes: DataView;
  readonly owned: DataView;
  readonly seconds: DataView;
  readonly nanoseconds: DataView;
  readonly sizes: DataView;
  readonly chunks: DataView;
  readonly content: string;
  readonly targetLengths: DataView;
  readonly targets: Uint8Array;
  readonly extensions: ExtensionsOf;
}

function readColumns(reader: ColumnReader, count: number): Columns {
  return {
    kinds: reader.fixed(count),
    nameLengths: reader.fixed(count),
    names: reader.bytes(),
    modes: reader.view(2 * count),
    owned: reader.view(4 * count),
    seconds: reader.view(8 * count),
    nanoseconds: reader.view(4 * count),
    sizes: reader.view(8 * count),
    chunks: reader.view(4 * count),
    content: hexColumn(reader.bytes()),
    targetLengths: viewOf(reader.bytes()),
    targets: reader.bytes(),
    extensions: readExtensions(reader.bytes(), count),
  };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function hexColumn(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

/** Walks through the columns of variable width, entry by entry. */
class EntryReading {
  readonly #columns: Columns;
  readonly #owners: readonly Ownership[];
  #previousName: Bytes | undefined;
  #namesAt = 0;
  #contentAt = 0;
  #targetCount = 0;
  #targetsAt = 0;
  #ownersSeen = 0;

  constructor(columns: Columns, owners: readonly Ownership[]) {
    this.#columns = columns;
    this.#owners = owners;
  }

  entry(index: number): TreeEntry {
    const { modes, kinds, extensions } = this.#columns;
    const kind = entryKinds[kinds[index] ?? entryKinds.length];
    if (kind === undefined) throw new BadColumn('an unknown kind of entry');
    const mode = modes.getUint16(2 * index);
    if (mode > modeMaximum) throw new BadColumn('a mode of more than twelve bits');
    return {
      name: this.#name(index),
      kind,
      mode,
      ...this.#owner(index),
      modifiedNs: this.#modifiedNs(index),
      sizeBytes: this.#size(index, kind),
      content: this.#content(index, kind),
      ...(kind === 'symlink' ? { target: this.#target() } : {}),
      ...extensions.get(index),
    };
  }

  /** Refuses what no entry has claimed. */
  end(): void {
    const { names, content, targets, targetLengths } = this.#columns;
    if (this.#namesAt !== names.length) throw new BadColumn('more names than entries');
    if (this.#contentAt !== content.length) throw new BadColumn('more chunks than entries claim');
    if (this.#targetsAt !== targets.length || 2 * this.#targetCount !== targetLengths.byteLength)
      throw new BadColumn('more targets than symlinks');
    if (this.#ownersSeen !== this.#owners.length) throw new BadColumn('an owner of nothing');
  }

  #name(index: number): Bytes {
    const start = this.#namesAt;
    this.#namesAt += this.#columns.nameLengths[index] ?? 0;
    if (this.#namesAt > this.#columns.names.length) throw new BadColumn('a name that is cut short');
    const name = new Uint8Array(this.#columns.names.subarray(start, this.#namesAt));
    if (!safeName(name)) throw new Refused({ code: 'tree.hostile-name' });
    if (this.#previousName !== undefined && compareBytes(this.#previousName, name) >= 0)
      throw new Refused({ code: 'tree.not-sorted' });
    this.#previousName = name;
    return name;
  }

  /** Owners are numbered in order of first use, which makes their table canonical. */
  #owner(index: number): Ownership {
    const number = this.#columns.owned.getUint32(4 * index);
    const owner = this.#owners[number];
    if (owner === undefined || number > this.#ownersSeen)
      throw new BadColumn('an owner out of order');
    if (number === this.#ownersSeen) this.#ownersSeen += 1;
    return owner;
  }

  #modifiedNs(index: number): bigint {
    const within = this.#columns.nanoseconds.getUint32(4 * index);
    if (within >= Number(billion)) throw new BadColumn('a second or more of nanoseconds');
    return this.#columns.seconds.getBigInt64(8 * index) * billion + BigInt(within);
  }

  #size(index: number, kind: EntryKind): number {
    const { sizes } = this.#columns;
    const size = sizes.getUint32(8 * index) * twoTo32 + sizes.getUint32(8 * index + 4);
    if (!Number.isSafeInteger(size)) throw new BadColumn('a size that is too large');
    if (size > 0 && kind !== 'file') throw new BadColumn('a size of something that is no file');
    return size;
  }

  #content(index: number, kind: EntryKind): ChunkId[] {
    const count = this.#columns.chunks.getUint32(4 * index);
    if (count > 0 && !hasContent(kind)) throw new BadColumn('chunks of something without content');
    const ids: ChunkId[] = [];
    for (let chunk = 0; chunk < count; chunk += 1) {
      const end = this.#contentAt + 2 * idBytes;
      if (end > this.#columns.content.length) throw new BadColumn('fewer chunks than claimed');
      ids.push(this.#columns.content.slice(this.#contentAt, end) as ChunkId);
      this.#contentAt = end;
    }
    return ids;
  }

  #target(): Bytes {
    const { targetLengths, targets } = this.#columns;
    if (2 * this.#targetCount + 2 > targetLengths.byteLength)
      throw new BadColumn('fewer targets than symlinks');
    const end = this.#targetsAt + targetLengths.getUint16(2 * this.#targetCount);
    if (end > targets.length) throw new BadColumn('a target that is cut short');
    const target = new Uint8Array(targets.subarray(this.#targetsAt, end));
    if (!safeTarget(target)) throw new Refused({ code: 'tree.hostile-target' });
    this.#targetsAt = end;
    this.#targetCount += 1;
    return target;
  }
}
