/** Our shards and who holds them. */
import { assert } from '../../base/assert.ts';
import type { Code } from '../../core/vocabulary/code.ts';
import type { PackId, PeerId } from '../../core/vocabulary/ids.ts';
import type { ShardRow, ShardStore } from '../../ports/stores.ts';
import { codeIn } from './code-columns.ts';
import type { Connection } from './connection.ts';
import { idBlob, idIn, integerOf, type Row, wordOf } from './values.ts';

const phases: readonly ShardRow['phase'][] = ['planned', 'held', 'lost'];

export class ShardTable implements ShardStore {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  put(row: ShardRow): void {
    const found = this.#connection.get('SELECT number FROM pack WHERE pack = ?', idBlob(row.pack));
    assert(found !== undefined, 'the pack of a shard is there');
    this.#connection.run(
      `INSERT INTO shard (number, shard_index, partner, phase) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET partner = excluded.partner, phase = excluded.phase`,
      ...[integerOf(found['number']), row.index, idBlob(row.partner), row.phase],
    );
  }

  ofPack(pack: PackId): readonly ShardRow[] {
    const sql = `SELECT pack, shard_index, partner, phase FROM shard JOIN pack USING (number)
      WHERE pack = ? ORDER BY shard_index`;
    return this.#connection.all(sql, idBlob(pack)).map(shardRow);
  }

  ofPartner(partner: PeerId): readonly ShardRow[] {
    const sql = `SELECT pack, shard_index, partner, phase FROM shard JOIN pack USING (number)
      WHERE partner = ? ORDER BY number, shard_index`;
    return this.#connection.all(sql, idBlob(partner)).map(shardRow);
  }

  incompletePacks(): readonly PackId[] {
    const sql = `SELECT pack FROM pack WHERE
        NOT EXISTS (SELECT 1 FROM shard WHERE shard.number = pack.number)
        OR EXISTS (SELECT 1 FROM shard WHERE shard.number = pack.number AND phase <> 'held')
      ORDER BY number`;
    return this.#connection.all(sql).map((row) => idIn<PackId>(row['pack']));
  }

  heldCounts(): readonly {
    readonly pack: PackId;
    readonly held: number;
    readonly code: Code | undefined;
  }[] {
    const sql = `SELECT pack, code_id, data_shards, parity_shards,
        count(*) FILTER (WHERE phase = 'held') AS held
      FROM pack LEFT JOIN shard USING (number)
      WHERE spooled = 1 OR shard_index IS NOT NULL
      GROUP BY number ORDER BY number`;
    return this.#connection.all(sql).map((row) => ({
      pack: idIn<PackId>(row['pack']),
      held: integerOf(row['held']),
      code: codeIn(row),
    }));
  }
}

function shardRow(row: Row): ShardRow {
  return {
    pack: idIn(row['pack']),
    index: integerOf(row['shard_index']),
    partner: idIn(row['partner']),
    phase: wordOf(row['phase'], phases),
  };
}
