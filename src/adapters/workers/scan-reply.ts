/** A batch of a scan as one block of memory, so that its columns move between threads without being copied. */
import { assert, present } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import { decodeColumns, encodeColumns } from '../../core/scan/stat-columns.ts';
import type { ReadProblem, ScanBatch } from '../../core/scan/tree-walk.ts';
import { hashBytes } from '../../primitives/hash.ts';

export interface PackedBatch {
  /** Of each directory: its columns, a multiple of eight bytes long. */
  readonly columns: Bytes;
  /** Of each directory: signature, then path. */
  readonly names: Bytes;
  /** Of each directory: where its part of `columns` ends, and of `names`. */
  readonly ends: Uint32Array<ArrayBuffer>;
  readonly problems: readonly ReadProblem[];
}

export function packBatch(batch: ScanBatch): PackedBatch {
  const encoded = batch.directories.map(({ entries }) => encodeColumns(entries));
  const ends = new Uint32Array(batch.directories.length * 2);
  let columnsEnd = 0;
  let namesEnd = 0;
  batch.directories.forEach(({ path }, index) => {
    columnsEnd += present(encoded[index], 'columns of every directory').length;
    namesEnd += hashBytes + path.length;
    ends[index * 2] = columnsEnd;
    ends[index * 2 + 1] = namesEnd;
  });
  const columns = new Uint8Array(columnsEnd);
  const names = new Uint8Array(namesEnd);
  columnsEnd = 0;
  namesEnd = 0;
  batch.directories.forEach(({ path, signature }, index) => {
    columns.set(present(encoded[index], 'columns of every directory'), columnsEnd);
    names.set(signature, namesEnd);
    names.set(path, namesEnd + hashBytes);
    columnsEnd = ends[index * 2] ?? 0;
    namesEnd = ends[index * 2 + 1] ?? 0;
  });
  return { columns, names, ends, problems: batch.problems };
}

export function unpackBatch(packed: PackedBatch): ScanBatch {
  let columnsStart = 0;
  let namesStart = 0;
  const directories = Array.from({ length: packed.ends.length / 2 }, (_, index) => {
    const columnsEnd = packed.ends[index * 2] ?? 0;
    const namesEnd = packed.ends[index * 2 + 1] ?? 0;
    const entries = decodeColumns(packed.columns.subarray(columnsStart, columnsEnd));
    assert(entries.ok, 'the scanning thread sends whole columns');
    const signature = packed.names.subarray(namesStart, namesStart + hashBytes);
    const path = packed.names.subarray(namesStart + hashBytes, namesEnd);
    columnsStart = columnsEnd;
    namesStart = namesEnd;
    return { path, entries: entries.value, signature };
  });
  return { directories, problems: packed.problems };
}
