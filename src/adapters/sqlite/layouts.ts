/** Packs on their way to another stripe or other partners, and the shards that they leave behind. */
import { assert, present } from '../../base/assert.ts';
import type { PackId, PeerId, ShardName } from '../../core/vocabulary/ids.ts';
import type {
  LayoutReason,
  LayoutStore,
  NextLayoutRow,
  RetiredShardRow,
} from '../../ports/layout-store.ts';
import type { PackStore, ShardRow } from '../../ports/stores.ts';
import { codeIn, codeValues } from './code-columns.ts';
import type { Connection } from './connection.ts';
import type { PackStandings } from './pack-standings.ts';
import { shardRow } from './shards.ts';
import { idBlob, idIn, instantOf, integerOf, type Row, wordOf } from './values.ts';

const reasons: readonly LayoutReason[] = ['code', 'move', 'repair'];

export class LayoutTable implements LayoutStore {
  readonly #connection: Connection;
  readonly #standings: PackStandings;
  readonly #packs: PackStore;

  constructor(connection: Connection, standings: PackStandings, packs: PackStore) {
    this.#connection = connection;
    this.#standings = standings;
    this.#packs = packs;
  }

  begin(row: NextLayoutRow, shards: readonly ShardRow[]): void {
    const number = this.#numberOf(row.pack);
    assert(number !== undefined, 'a pack that is laid out anew is there');
    assert(ofOnePack(row.pack, shards), 'the shards of a layout are of its pack');
    this.#connection.together(() => {
      this.#connection.run('DELETE FROM next_layout WHERE number = ?', number);
      this.#connection.run(
        'INSERT INTO next_layout VALUES (?, ?, ?, ?, ?, ?, ?)',
        ...[number, ...codeValues(row.code), idBlob(row.stripe), row.reason, row.begunAt],
      );
      for (const shard of shards) this.#putShard(number, shard);
    });
  }

  get(pack: PackId): NextLayoutRow | undefined {
    const sql = 'SELECT next_layout.*, pack FROM next_layout JOIN pack USING (number)';
    const row = this.#connection.get(`${sql} WHERE pack = ?`, idBlob(pack));
    return row === undefined ? undefined : layoutRow(row);
  }

  all(): readonly NextLayoutRow[] {
    const sql = 'SELECT next_layout.*, pack FROM next_layout JOIN pack USING (number)';
    return this.#connection.all(`${sql} ORDER BY begun_at, pack`).map(layoutRow);
  }

  shards(pack: PackId): readonly ShardRow[] {
    const sql = `SELECT pack, shard_index, partner, phase FROM next_shard JOIN pack USING (number)
      WHERE pack = ? ORDER BY shard_index`;
    return this.#connection.all(sql, idBlob(pack)).map(shardRow);
  }

  putShard(row: ShardRow): void {
    const found = this.#connection.get(
      'SELECT number FROM next_layout JOIN pack USING (number) WHERE pack = ?',
      idBlob(row.pack),
    );
    assert(found !== undefined, 'a pack whose next layout changes has one');
    this.#putShard(integerOf(found['number']), row);
  }

  adopt(pack: PackId, retired: readonly RetiredShardRow[]): void {
    const next = this.get(pack);
    const shards = this.shards(pack);
    assert(next !== undefined && shards.length > 0, 'a layout that is adopted was begun');
    assert(
      shards.every(({ phase }) => phase === 'held'),
      'all shards of a layout that is adopted are held',
    );
    const number = present(this.#numberOf(pack), 'a layout is of a pack');
    this.#connection.together(() => {
      this.#connection.run('DELETE FROM shard WHERE number = ?', number);
      this.#connection.run(
        `INSERT INTO shard (number, shard_index, partner, phase)
         SELECT number, shard_index, partner, phase FROM next_shard WHERE number = ?`,
        number,
      );
      this.#connection.run('DELETE FROM next_layout WHERE number = ?', number);
      this.#packs.update(pack, { code: next.code, stripe: next.stripe, indexed: false });
      this.#standings.shardsChanged(pack);
      this.#addRetired(retired);
    });
  }

  drop(pack: PackId, retired: readonly RetiredShardRow[]): void {
    const number = this.#numberOf(pack);
    this.#connection.together(() => {
      if (number !== undefined)
        this.#connection.run('DELETE FROM next_layout WHERE number = ?', number);
      this.#addRetired(retired);
    });
  }

  retired(): readonly RetiredShardRow[] {
    return this.#connection
      .all('SELECT * FROM retired_shard ORDER BY retired_at, partner, name')
      .map(retiredRow);
  }

  retiredOf(pack: PackId): readonly RetiredShardRow[] {
    const sql = 'SELECT * FROM retired_shard WHERE pack = ? ORDER BY partner, name';
    return this.#connection.all(sql, idBlob(pack)).map(retiredRow);
  }

  retire(rows: readonly RetiredShardRow[]): void {
    this.#connection.together(() => this.#addRetired(rows));
  }

  forgetRetired(partner: PeerId, name: ShardName): void {
    const sql = 'DELETE FROM retired_shard WHERE partner = ? AND name = ?';
    this.#connection.run(sql, idBlob(partner), idBlob(name));
  }

  #addRetired(rows: readonly RetiredShardRow[]): void {
    for (const { partner, name, pack, retiredAt, reserve } of rows)
      this.#connection.run(
        'INSERT OR REPLACE INTO retired_shard VALUES (?, ?, ?, ?, ?)',
        ...[idBlob(partner), idBlob(name), idBlob(pack), retiredAt, Number(reserve)],
      );
  }

  #putShard(number: number, row: ShardRow): void {
    this.#connection.run(
      'INSERT OR REPLACE INTO next_shard VALUES (?, ?, ?, ?)',
      ...[number, row.index, idBlob(row.partner), row.phase],
    );
  }

  #numberOf(pack: PackId): number | undefined {
    const row = this.#connection.get('SELECT number FROM pack WHERE pack = ?', idBlob(pack));
    return row === undefined ? undefined : integerOf(row['number']);
  }
}

function ofOnePack(pack: PackId, shards: readonly ShardRow[]): boolean {
  return shards.every((shard) => shard.pack === pack);
}

function layoutRow(row: Row): NextLayoutRow {
  return {
    pack: idIn(row['pack']),
    code: present(codeIn(row), 'a next layout has a code'),
    stripe: idIn(row['stripe']),
    reason: wordOf(row['reason'], reasons),
    begunAt: instantOf(row['begun_at']),
  };
}

function retiredRow(row: Row): RetiredShardRow {
  return {
    partner: idIn(row['partner']),
    name: idIn(row['name']),
    pack: idIn(row['pack']),
    retiredAt: instantOf(row['retired_at']),
    reserve: integerOf(row['reserve']) === 1,
  };
}
