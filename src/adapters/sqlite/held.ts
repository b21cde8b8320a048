/** Shards that we hold for others. */
import type { PeerId, ShardName } from '../../core/vocabulary/ids.ts';
import type { HeldRow, HeldStore } from '../../ports/stores.ts';
import type { Connection } from './connection.ts';
import { blobOf, idBlob, idIn, instantOf, integerOf, optionalOf, type Row } from './values.ts';

export class HeldTable implements HeldStore {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  put(row: HeldRow): void {
    this.#connection.run(
      `INSERT INTO held (owner, name, block_count, merkle_root, sha256, epoch, sequence, trashed_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET block_count = excluded.block_count,
         merkle_root = excluded.merkle_root, sha256 = excluded.sha256,
         epoch = excluded.epoch, sequence = excluded.sequence, trashed_at = excluded.trashed_at`,
      ...[idBlob(row.owner), idBlob(row.name), row.blockCount, row.merkleRoot, row.sha256],
      ...[row.epoch, row.sequence, row.trashedAt ?? null],
    );
  }

  get(owner: PeerId, name: ShardName): HeldRow | undefined {
    const sql = 'SELECT * FROM held WHERE owner = ? AND name = ?';
    const row = this.#connection.get(sql, idBlob(owner), idBlob(name));
    return row === undefined ? undefined : heldRow(row);
  }

  page(owner: PeerId, after: ShardName | undefined, limit: number): readonly HeldRow[] {
    const sql = `SELECT * FROM held WHERE owner = ? AND name > ? AND trashed_at IS NULL
      ORDER BY name LIMIT ?`;
    const start = after === undefined ? new Uint8Array(0) : idBlob(after);
    return this.#connection.all(sql, idBlob(owner), start, limit).map(heldRow);
  }

  blockCount(owner: PeerId): number {
    const sql = 'SELECT blocks FROM held_total WHERE owner = ?';
    const row = this.#connection.get(sql, idBlob(owner));
    return row === undefined ? 0 : integerOf(row['blocks']);
  }

  owners(): readonly PeerId[] {
    return this.#connection
      .all('SELECT owner FROM held_total ORDER BY owner')
      .map((row) => idIn<PeerId>(row['owner']));
  }

  trashed(owner: PeerId): readonly HeldRow[] {
    const sql = `SELECT * FROM held WHERE owner = ? AND trashed_at IS NOT NULL
      ORDER BY trashed_at, epoch, sequence, name`;
    return this.#connection.all(sql, idBlob(owner)).map(heldRow);
  }

  remove(owner: PeerId, name: ShardName): void {
    const sql = 'DELETE FROM held WHERE owner = ? AND name = ?';
    this.#connection.run(sql, idBlob(owner), idBlob(name));
  }
}

function heldRow(row: Row): HeldRow {
  return {
    owner: idIn(row['owner']),
    name: idIn(row['name']),
    blockCount: integerOf(row['block_count']),
    merkleRoot: blobOf(row['merkle_root']),
    sha256: blobOf(row['sha256']),
    epoch: integerOf(row['epoch']),
    sequence: integerOf(row['sequence']),
    trashedAt: optionalOf(row['trashed_at'], instantOf),
  };
}
