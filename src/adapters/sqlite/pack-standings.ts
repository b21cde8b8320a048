/**
 * Where packs stand, in memory.
 *
 * How many shards of every pack are held is asked after every shard that goes out, and counting ten thousand packs' shards takes a quarter of a second. So it is
 * counted once, when first asked for, and kept up to date by those who change packs and shards. What was taken back is counted anew.
 */

import type { PackKind } from '../../core/packing/pack-header.ts';
import type { PackId } from '../../core/vocabulary/ids.ts';
import type { PackRow, PackStanding } from '../../ports/stores.ts';
import { codeIn } from './code-columns.ts';
import type { Connection } from './connection.ts';
import { flagOf, idBlob, idIn, instantOf, integerOf, type Row, wordOf } from './values.ts';

export const packKinds: readonly PackKind[] = ['data', 'tree', 'index'];

type Counts = Pick<PackStanding, 'placed' | 'held' | 'missing'>;

const counted = `count(phase) AS placed, count(*) FILTER (WHERE phase = 'held') AS held,
  count(*) FILTER (WHERE phase IN ('lost', 'wrong')) AS missing`;

export class PackStandings {
  readonly #connection: Connection;
  /** In the order in which packs were added: an entry that is replaced keeps its place. */
  #known: Map<PackId, PackStanding> | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
    connection.onUndone(() => {
      this.#known = undefined;
    });
  }

  all(): readonly PackStanding[] {
    this.#known ??= this.#count();
    return [...this.#known.values()];
  }

  added(row: PackRow): void {
    this.#known?.set(row.pack, standing(row, { placed: 0, held: 0, missing: 0 }));
  }

  updated(row: PackRow): void {
    const known = this.#known?.get(row.pack);
    if (known !== undefined) this.#known?.set(row.pack, standing(row, known));
  }

  removed(pack: PackId): void {
    this.#known?.delete(pack);
  }

  shardsChanged(pack: PackId): void {
    const known = this.#known?.get(pack);
    if (known === undefined) return;
    const sql = `SELECT ${counted} FROM shard JOIN pack USING (number) WHERE pack = ?`;
    try {
      const row = this.#connection.get(sql, idBlob(pack));
      if (row !== undefined) this.#known?.set(pack, { ...known, ...countsIn(row) });
    } catch {
      // The change itself went well and must not be reported as failed; all is counted anew when it is asked for.
      this.#known = undefined;
    }
  }

  #count(): Map<PackId, PackStanding> {
    const known = new Map<PackId, PackStanding>();
    const sql = `SELECT pack, kind, length_bytes, stored_at, code_id, data_shards, parity_shards,
        indexed, spooled, ${counted}
      FROM pack LEFT JOIN shard USING (number) GROUP BY number ORDER BY number`;
    this.#connection.each(sql, (row) => {
      const pack = idIn<PackId>(row['pack']);
      known.set(pack, {
        pack,
        kind: wordOf(row['kind'], packKinds),
        lengthBytes: integerOf(row['length_bytes']),
        storedAt: instantOf(row['stored_at']),
        code: codeIn(row),
        indexed: flagOf(row['indexed']),
        spooled: flagOf(row['spooled']),
        ...countsIn(row),
      });
    });
    return known;
  }
}

function standing(row: PackRow, { placed, held, missing }: Counts): PackStanding {
  const { pack, kind, lengthBytes, storedAt, indexed, spooled } = row;
  const code = row.code && { ...row.code };
  return { pack, kind, lengthBytes, storedAt, code, indexed, spooled, placed, held, missing };
}

function countsIn(row: Row): Counts {
  return {
    placed: integerOf(row['placed']),
    held: integerOf(row['held']),
    missing: integerOf(row['missing']),
  };
}
