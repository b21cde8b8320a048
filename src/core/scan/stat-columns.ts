/**
 * What `lstat` tells of the entries of one directory, in columns.
 *
 * A scan sees every file of the computer on every run. Columns keep a million entries in a few arrays: nothing is allocated per entry, a batch
 * moves between threads as it is, and two scans of one directory compare byte by byte.
 */
import { assert, present } from '../../base/assert.ts';
import { type Bytes, emptyBytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { sha256 } from '../../primitives/hash.ts';
import type { EntryKind } from './tree-entry.ts';

/** The columns of `StatColumns.numbers`, in this order. `mode` is st_mode with its type bits. */
export const statFields = [
  'mode',
  'uid',
  'gid',
  'size',
  'mtimeNs',
  'ctimeNs',
  'inode',
  'device',
  'linkCount',
  'rawDevice',
  'birthNs',
  'blocks',
] as const;

export type StatField = (typeof statFields)[number];

/** Everything that `lstat` tells of a number of entries; row r of `numbers` starts at r × statFields.length. */
export interface StatColumns {
  readonly count: number;
  /** All names, one after the other, raw bytes; name r ends at `nameEnds[r]`. Sorted by bytes. */
  readonly names: Bytes;
  readonly nameEnds: Uint32Array;
  readonly numbers: BigInt64Array;
  /** Targets of symbolic links by row. */
  readonly targets: ReadonlyMap<number, Bytes>;
}

export const statWidth: number = statFields.length;

/** The place of a field in its row. */
export const statOffset: Readonly<Record<StatField, number>> = {
  mode: 0,
  uid: 1,
  gid: 2,
  size: 3,
  mtimeNs: 4,
  ctimeNs: 5,
  inode: 6,
  device: 7,
  linkCount: 8,
  rawDevice: 9,
  birthNs: 10,
  blocks: 11,
};

export const noColumns: StatColumns = {
  count: 0,
  names: emptyBytes,
  nameEnds: new Uint32Array(0),
  numbers: new BigInt64Array(0),
  targets: new Map(),
};

const kinds: ReadonlyMap<number, EntryKind> = new Map([
  [0o100000, 'file'],
  [0o040000, 'directory'],
  [0o120000, 'symlink'],
  [0o010000, 'fifo'],
  [0o140000, 'socket'],
  [0o060000, 'block-device'],
  [0o020000, 'character-device'],
]);

const typeBits = 0o170000;

/** What kind of entry an st_mode is of; undefined for kinds that this system has and covault does not know. */
export function kindOfMode(mode: number): EntryKind | undefined {
  return kinds.get(mode & typeBits);
}

/** The name in a row: a view, not a copy. */
export function nameAt(columns: StatColumns, row: number): Bytes {
  const start = row === 0 ? 0 : columns.nameEnds[row - 1];
  return columns.names.subarray(start, columns.nameEnds[row]);
}

/** A number that may need 64 bits: a time, an inode, a device. */
export function statAt(columns: StatColumns, row: number, field: StatField): bigint {
  return present(columns.numbers[row * statWidth + statOffset[field]], 'a row of the columns');
}

/** A number that is known to be small: a mode, an owner, a size, a count. */
export function smallStatAt(columns: StatColumns, row: number, field: StatField): number {
  return Number(statAt(columns, row, field));
}

export function kindAt(columns: StatColumns, row: number): EntryKind | undefined {
  return kindOfMode(smallStatAt(columns, row, 'mode'));
}

/** SHA-256 over everything in the columns: equal signatures mean equal names, numbers and targets. */
export function signatureOf(columns: StatColumns): Bytes {
  return sha256(encodeColumns(columns));
}

export type ColumnsFailure = { readonly code: 'columns.malformed' };

const headerBytes = 16;
const targetHeadBytes = 8;

/**
 * The columns as bytes, in the byte order of this computer, on which they stay: count, length of names, number and length of targets (32 bits
 * each); numbers; name ends; row and length of every target; names; targets; zeros up to a multiple of eight.
 */
export function encodeColumns(columns: StatColumns): Bytes {
  const rows = [...columns.targets.keys()].sort((left, right) => left - right);
  let targetBytes = 0;
  for (const row of rows) targetBytes += targetOf(columns, row).length;
  const layout = layoutOf(columns.count, columns.names.length, rows.length, targetBytes);
  const bytes = new Uint8Array(layout.end);
  new Uint32Array(bytes.buffer, 0, 4).set([
    columns.count,
    columns.names.length,
    rows.length,
    targetBytes,
  ]);
  new BigInt64Array(bytes.buffer, headerBytes, columns.count * statWidth).set(columns.numbers);
  new Uint32Array(bytes.buffer, layout.nameEnds, columns.count).set(columns.nameEnds);
  bytes.set(columns.names, layout.names);
  const heads = new Uint32Array(bytes.buffer, layout.targetHeads, rows.length * 2);
  let offset = layout.targets;
  rows.forEach((row, index) => {
    const target = targetOf(columns, row);
    heads.set([row, target.length], index * 2);
    bytes.set(target, offset);
    offset += target.length;
  });
  return bytes;
}

/** The columns that `encodeColumns` made into bytes. They share the memory of `bytes` where its alignment allows. */
export function decodeColumns(bytes: Bytes): Outcome<StatColumns, ColumnsFailure> {
  if (bytes.byteOffset % 8 !== 0) return decodeColumns(bytes.slice());
  if (bytes.length < headerBytes) return failed({ code: 'columns.malformed' });
  const [count = 0, nameBytes = 0, targetCount = 0, targetBytes = 0] = new Uint32Array(
    bytes.buffer,
    bytes.byteOffset,
    4,
  );
  const layout = layoutOf(count, nameBytes, targetCount, targetBytes);
  if (layout.end !== bytes.length) return failed({ code: 'columns.malformed' });
  const start = bytes.byteOffset;
  const columns = {
    count,
    names: bytes.subarray(layout.names, layout.names + nameBytes),
    nameEnds: new Uint32Array(bytes.buffer, start + layout.nameEnds, count),
    numbers: new BigInt64Array(bytes.buffer, start + headerBytes, count * statWidth),
    targets: readTargets(bytes, layout, targetCount),
  };
  return wellFormed(columns) ? succeeded(columns) : failed({ code: 'columns.malformed' });
}

function readTargets(bytes: Bytes, layout: Layout, targetCount: number): Map<number, Bytes> {
  const targets = new Map<number, Bytes>();
  const heads = new Uint32Array(
    bytes.buffer,
    bytes.byteOffset + layout.targetHeads,
    targetCount * 2,
  );
  let offset = layout.targets;
  for (let index = 0; index < heads.length; index += 2) {
    const end = offset + (heads[index + 1] ?? 0);
    targets.set(heads[index] ?? 0, bytes.subarray(offset, end));
    offset = end;
  }
  return targets;
}

function wellFormed(columns: StatColumns): boolean {
  let previous = 0;
  for (const end of columns.nameEnds) {
    if (end < previous) return false;
    previous = end;
  }
  if (previous !== columns.names.length) return false;
  for (const row of columns.targets.keys()) if (row >= columns.count) return false;
  return true;
}

interface Layout {
  readonly nameEnds: number;
  readonly targetHeads: number;
  readonly names: number;
  readonly targets: number;
  readonly end: number;
}

function layoutOf(
  count: number,
  nameBytes: number,
  ...[targetCount, targetBytes]: readonly [number, number]
): Layout {
  const nameEnds = headerBytes + count * statWidth * 8;
  const targetHeads = nameEnds + count * 4;
  const names = targetHeads + targetCount * targetHeadBytes;
  const targets = names + nameBytes;
  return { nameEnds, targetHeads, names, targets, end: Math.ceil((targets + targetBytes) / 8) * 8 };
}

function targetOf(columns: StatColumns, row: number): Bytes {
  return present(columns.targets.get(row), 'a target of this row');
}

/** Collects the rows of one directory in the order of their names. */
export class ColumnsBuilder {
  readonly #names: string[] = [];
  #numbers: BigInt64Array;
  readonly #targets = new Map<number, Bytes>();
  readonly #dropped = new Set<number>();

  constructor(expectedCount: number) {
    this.#numbers = new BigInt64Array(expectedCount * statWidth);
  }

  get count(): number {
    return this.#names.length;
  }

  /** Where the numbers of the next row go; they count once `add` is called. */
  get numbers(): BigInt64Array {
    const needed = (this.#names.length + 1) * statWidth;
    if (needed > this.#numbers.length) {
      const grown = new BigInt64Array(needed * 2);
      grown.set(this.#numbers);
      this.#numbers = grown;
    }
    return this.#numbers;
  }

  get nextOffset(): number {
    return this.#names.length * statWidth;
  }

  /** `name` has one character for every byte. Gives the number of the row. */
  add(name: string, target?: Bytes): number {
    const row = this.#names.push(name) - 1;
    if (target !== undefined) this.#targets.set(row, target);
    return row;
  }

  nameOf(row: number): string {
    return present(this.#names[row], 'a row that was added');
  }

  /** Takes a row away that turned out not to belong. */
  drop(row: number): void {
    assert(row < this.#names.length, 'a row that was added');
    this.#dropped.add(row);
  }

  finish(): StatColumns {
    const rows = this.#names.map((_, row) => row).filter((row) => !this.#dropped.has(row));
    const names = rows.map((row) => this.nameOf(row));
    const nameEnds = new Uint32Array(rows.length);
    const numbers = new BigInt64Array(rows.length * statWidth);
    const targets = new Map<number, Bytes>();
    let end = 0;
    rows.forEach((row, index) => {
      end += this.nameOf(row).length;
      nameEnds[index] = end;
      numbers.set(this.#row(row), index * statWidth);
      const target = this.#targets.get(row);
      if (target !== undefined) targets.set(index, target);
    });
    return { count: rows.length, names: bytesOfText(names.join('')), nameEnds, numbers, targets };
  }

  #row(row: number): BigInt64Array {
    return this.#numbers.subarray(row * statWidth, (row + 1) * statWidth);
  }
}

/** The bytes of a text that has one character for every byte. */
export function bytesOfText(text: string): Bytes {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

/** The text with one character for every byte: it sorts as the bytes do, and loses nothing. */
export function textOfBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
