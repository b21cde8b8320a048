/** Our shards and who holds them. */
import { assert } from '../../base/assert.ts';
import type { PackId, PeerId } from '../../core/vocabulary/ids.ts';
import type { PackStanding, ShardAmount, ShardRow, ShardStore } from '../../ports/stores.ts';
import { codeIn } from './code-columns.ts';
import type { Connection } from './connection.ts';
import type { PackStandings } from './pack-standings.ts';
import { idBlob, idIn, integerOf, type Row, wordOf } from './values.ts';

const phases: readonly ShardRow['phase'][] = ['planned', 'held', 'lost', 'wrong'];

export class ShardTable implements ShardStore {
  readonly #connection: Connection;
  readonly #standings: PackStandings;

  constructor(connection: Connection, standings: PackStandings) {
    this.#connection = connection;
    this.#standings = standings;
  }

  put(row: ShardRow): void {
    const found = this.#connection.get('SELECT number FROM pack WHERE pack = ?', idBlob(row.pack));
    assert(found !== undefined, 'the pack of a shard is there');
    this.#connection.run(
      `INSERT INTO shard (number, shard_index, partner, phase) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET partner = excluded.partner, phase = excluded.phase`,
      ...[integerOf(found['number']), row.index, idBlob(row.partner), row.phase],
    );
    this.#standings.shardsChanged(row.pack);
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
    return this.#standings
      .all()
      .filter(({ placed, held }) => placed === 0 || held < placed)
      .map(({ pack }) => pack);
  }

  standings(): readonly PackStanding[] {
    return this.#standings.all();
  }

  amountsAt(partner: PeerId): readonly ShardAmount[] {
    const sql = `SELECT length_bytes, code_id, data_shards, parity_shards, count(*) AS shards
      FROM shard JOIN pack USING (number) WHERE partner = ?
      GROUP BY length_bytes, code_id, data_shards, parity_shards`;
    return this.#connection.all(sql, idBlob(partner)).map((row) => ({
      lengthBytes: integerOf(row['length_bytes']),
      code: codeIn(row),
      shards: integerOf(row['shards']),
    }));
  }
}

/** A row with the columns `pack, shard_index, partner, phase`. */
export function shardRow(row: Row): ShardRow {
  return {
    pack: idIn(row['pack']),
    index: integerOf(row['shard_index']),
    partner: idIn(row['partner']),
    phase: wordOf(row['phase'], phases),
  };
}
