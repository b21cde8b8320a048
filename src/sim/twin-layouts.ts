/** The twin of the layouts: what `adapters/sqlite` does, in maps. */
import { assert } from '../base/assert.ts';
import type { PackId, PeerId, ShardName } from '../core/vocabulary/ids.ts';
import type { LayoutStore, NextLayoutRow, RetiredShardRow } from '../ports/layout-store.ts';
import type { ShardRow } from '../ports/stores.ts';
import type { TwinPacks } from './twin-packs.ts';
import { type Journal, ownRow, sortedBy, type TwinIndex, TwinTable } from './twin-table.ts';

const retiredIndex: TwinIndex<RetiredShardRow> = {
  orderOf: ({ retiredAt, partner, name }) => [retiredAt, partner, name],
};

export class TwinLayouts implements LayoutStore {
  readonly #journal: Journal;
  readonly #packs: TwinPacks;
  readonly #retired: TwinTable<RetiredShardRow>;

  constructor(
    journal: Journal,
    packs: TwinPacks,
    retired: ReadonlyMap<string, RetiredShardRow> | undefined,
  ) {
    this.#journal = journal;
    this.#packs = packs;
    this.#retired = new TwinTable(journal, retired, retiredIndex);
  }

  image(): ReadonlyMap<string, RetiredShardRow> {
    return this.#retired.image();
  }

  begin(row: NextLayoutRow, shards: readonly ShardRow[]): void {
    assert(this.#packs.get(row.pack) !== undefined, 'a pack that is laid out anew is there');
    assert(
      shards.every((shard) => shard.pack === row.pack),
      'the shards of a layout are of its pack',
    );
    const byIndex = new Map(shards.map((shard) => [shard.index, ownRow(shard)]));
    const rows = sortedBy([...byIndex.values()], ({ index }) => [index]);
    this.#journal.change('layouts.begin', () =>
      this.#packs.layouts.set(row.pack, { row: ownLayout(row), shards: rows }),
    );
  }

  get(pack: PackId): NextLayoutRow | undefined {
    const stored = this.#packs.layouts.get(pack);
    return stored && ownLayout(stored.row);
  }

  all(): readonly NextLayoutRow[] {
    const rows = this.#packs.layouts.values().map(({ row }) => ownLayout(row));
    return sortedBy(rows, ({ begunAt, pack }) => [begunAt, pack]);
  }

  shards(pack: PackId): readonly ShardRow[] {
    return (this.#packs.layouts.get(pack)?.shards ?? []).map(ownRow);
  }

  putShard(row: ShardRow): void {
    const stored = this.#packs.layouts.get(row.pack);
    assert(stored !== undefined, 'a pack whose next layout changes has one');
    const others = stored.shards.filter(({ index }) => index !== row.index);
    const shards = sortedBy([...others, ownRow(row)], ({ index }) => [index]);
    this.#journal.change('layouts.put-shard', () =>
      this.#packs.layouts.set(row.pack, { row: stored.row, shards }),
    );
  }

  adopt(pack: PackId, retired: readonly RetiredShardRow[]): void {
    const stored = this.#packs.layouts.get(pack);
    assert(stored !== undefined && stored.shards.length > 0, 'a layout that is adopted was begun');
    assert(
      stored.shards.every(({ phase }) => phase === 'held'),
      'all shards of a layout that is adopted are held',
    );
    const { code, stripe } = stored.row;
    this.#journal.change('layouts.adopt', () => {
      this.#packs.replaceShards(pack, stored.shards);
      this.#packs.update(pack, { code: { ...code }, stripe, indexed: false });
      this.#packs.layouts.delete(pack);
      this.#addRetired(retired);
    });
  }

  drop(pack: PackId, retired: readonly RetiredShardRow[]): void {
    this.#journal.change('layouts.drop', () => {
      this.#packs.layouts.delete(pack);
      this.#addRetired(retired);
    });
  }

  retired(): readonly RetiredShardRow[] {
    return this.#retired.inOrder().map((row) => ({ ...row }));
  }

  retiredOf(pack: PackId): readonly RetiredShardRow[] {
    const ofPack = this.#retired.inOrder().filter((row) => row.pack === pack);
    return sortedBy(ofPack, ({ partner, name }) => [partner, name]).map((row) => ({ ...row }));
  }

  retire(rows: readonly RetiredShardRow[]): void {
    this.#journal.change('layouts.retire', () => this.#addRetired(rows));
  }

  forgetRetired(partner: PeerId, name: ShardName): void {
    this.#journal.change('layouts.forget-retired', () =>
      this.#retired.delete(`${partner}/${name}`),
    );
  }

  #addRetired(rows: readonly RetiredShardRow[]): void {
    for (const row of rows) this.#retired.set(`${row.partner}/${row.name}`, ownRow(row));
  }
}

function ownLayout(row: NextLayoutRow): NextLayoutRow {
  return { ...row, code: { ...row.code } };
}
