/** What the last scan remembers of a directory, and whether that still holds (C15). */

import { present } from '../../base/assert.ts';
import { type Bytes, concatBytes, equalBytes } from '../../base/bytes.ts';
import type { Instant } from '../../base/units.ts';
import {
  decodeColumns,
  kindAt,
  nameAt,
  type StatColumns,
  statAt,
  statOffset,
  statWidth,
  textOfBytes,
} from '../../core/scan/stat-columns.ts';
import { decodeTree } from '../../core/scan/tree-codec.ts';
import type { ScannedDirectory } from '../../core/scan/tree-walk.ts';
import { bytesOf, type ChunkId } from '../../core/vocabulary/ids.ts';
import type { ScanMemoryRow, Stores } from '../../ports/stores.ts';

/** What the last scan knew of the same directory. */
export interface Remembered {
  readonly row: ScanMemoryRow;
  readonly columns: StatColumns;
  readonly rows: ReadonlyMap<string, number>;
  readonly content: ReadonlyMap<string, readonly ChunkId[]>;
}

/** A file that changed this shortly before the scan may change again without its times telling: it is read again next time. */
const racyMs = 2_000;

/** What the last scan left of a directory, if its tree is still held. */
export function lastScanOf(stores: Stores, path: Bytes): ScanMemoryRow | undefined {
  const { scanMemory, chunks } = stores;
  const row = scanMemory.get(path);
  if (row === undefined) return undefined;
  const known = chunks.known(concatBytes(row.tree.map(bytesOf)));
  return known.every((flag) => flag === 1) ? row : undefined;
}

/** Nothing in the directory changed since the last scan, and it has no directories inside that could have. */
export function isUntouched(
  { signature, entries }: ScannedDirectory,
  last: ScanMemoryRow,
): boolean {
  if (!equalBytes(last.signature, signature)) return false;
  for (let row = 0; row < entries.count; row += 1)
    if (kindAt(entries, row) === 'directory') return false;
  return true;
}

/** The entries of a directory as the last scan saw them; undefined when they are not at hand. */
export function recall(stores: Stores, row: ScanMemoryRow): Remembered | undefined {
  const bodies: Bytes[] = [];
  for (const chunk of row.tree) {
    const body = stores.trees.get(chunk);
    if (body === undefined) return undefined;
    bodies.push(body);
  }
  const entries = decodeTree(bodies.length === 1 ? present(bodies[0], 'one') : concatBytes(bodies));
  if (!entries.ok) return undefined;
  const content = new Map(entries.value.map((entry) => [textOfBytes(entry.name), entry.content]));
  const columns = decodeColumns(row.columns);
  if (!columns.ok) return undefined;
  const rows = new Map<string, number>();
  for (let index = 0; index < columns.value.count; index += 1)
    rows.set(textOfBytes(nameAt(columns.value, index)), index);
  return { row, columns: columns.value, rows, content };
}

/** The columns with the change time of every racy row set to 0, which no file has, so that it counts as changed next time. */
export function withoutRacyTimes(
  columns: StatColumns,
  startedAt: Instant,
): { readonly columns: StatColumns; readonly racy: boolean } {
  const racyNs = BigInt(startedAt - racyMs) * 1_000_000n;
  let numbers: BigInt64Array | undefined;
  for (let row = 0; row < columns.count; row += 1) {
    if (kindAt(columns, row) !== 'file') continue;
    if (statAt(columns, row, 'ctimeNs') < racyNs) continue;
    numbers ??= columns.numbers.slice();
    numbers[row * statWidth + statOffset.ctimeNs] = 0n;
  }
  return numbers === undefined
    ? { columns, racy: false }
    : { columns: { ...columns, numbers }, racy: true };
}
