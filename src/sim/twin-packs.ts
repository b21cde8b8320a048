/** The twins of packs, chunks and shards: what `adapters/sqlite` does, in maps. */
import { assert, present } from '../base/assert.ts';
import { hexText } from '../base/bytes.ts';
import type { FramePlace, PackContents } from '../core/packing/directory.ts';
import { type ChunkId, idBytes, type PackId, type PeerId } from '../core/vocabulary/ids.ts';
import type { NextLayoutRow } from '../ports/layout-store.ts';
import type {
  ChunkPlace,
  ChunkStore,
  PackRow,
  PackStanding,
  PackStore,
  ShardAmount,
  ShardRow,
  ShardStore,
} from '../ports/stores.ts';
import {
  type Journal,
  ownRow,
  shownRow,
  sortedBy,
  type TwinIndex,
  TwinTable,
} from './twin-table.ts';

interface StoredPack {
  /** Rises with every pack that is added. */
  readonly number: number;
  readonly row: PackRow;
  readonly contents: PackContents;
}

interface StoredPlace {
  readonly packNumber: number;
  readonly place: ChunkPlace;
}

export interface TwinPackImage {
  readonly packs: ReadonlyMap<string, StoredPack>;
  /** All places of a chunk, that of the oldest pack first. */
  readonly chunks: ReadonlyMap<string, readonly StoredPlace[]>;
  /** Rows of a pack in order of index. */
  readonly shards: ReadonlyMap<string, readonly ShardRow[]>;
  readonly counter: ReadonlyMap<string, number>;
  readonly layouts: ReadonlyMap<string, StoredLayout>;
}

/** The next layout of a pack. */
export interface StoredLayout {
  readonly row: NextLayoutRow;
  /** In order of index. */
  readonly shards: readonly ShardRow[];
}

const packIndex: TwinIndex<StoredPack> = { orderOf: ({ number }) => [number] };

type PackChange = Partial<Pick<PackRow, 'code' | 'stripe' | 'indexed' | 'spooled'>>;

export class TwinPacks implements PackStore, ChunkStore {
  readonly #journal: Journal;
  readonly #packs: TwinTable<StoredPack>;
  readonly #chunks: TwinTable<readonly StoredPlace[]>;
  readonly #shards: TwinTable<readonly ShardRow[]>;
  readonly #counter: TwinTable<number>;
  /** By pack. */
  readonly layouts: TwinTable<StoredLayout>;

  constructor(journal: Journal, image: TwinPackImage | undefined) {
    this.#journal = journal;
    this.#packs = new TwinTable(journal, image?.packs, packIndex);
    this.#chunks = new TwinTable(journal, image?.chunks);
    this.#shards = new TwinTable(journal, image?.shards);
    this.#counter = new TwinTable(journal, image?.counter);
    this.layouts = new TwinTable(journal, image?.layouts);
  }

  image(): TwinPackImage {
    return {
      packs: this.#packs.image(),
      chunks: this.#chunks.image(),
      shards: this.#shards.image(),
      counter: this.#counter.image(),
      layouts: this.layouts.image(),
    };
  }

  add(row: PackRow, contents: PackContents): void {
    const count = contents.chunkFrames.length;
    assert(contents.chunkIds.length === count * idBytes, 'every chunk has an id');
    assert(contents.chunkOffsets.length === count, 'every chunk has an offset');
    assert(contents.chunkLengths.length === count, 'every chunk has a length');
    if (this.#packs.has(row.pack)) return;
    this.#journal.change('packs.add', () => {
      const number = (this.#counter.get('pack') ?? 0) + 1;
      this.#counter.set('pack', number);
      this.#packs.set(row.pack, { number, row: ownRow(row), contents: ownContents(contents) });
      for (let chunk = 0; chunk < count; chunk += 1) {
        const id = chunkIdAt(contents.chunkIds, chunk);
        const place = placeIn(row.pack, contents, chunk);
        this.#chunks.set(id, [...(this.#chunks.get(id) ?? []), { packNumber: number, place }]);
      }
    });
  }

  get(pack: PackId): PackRow | undefined {
    return shownRow(this.#packs.get(pack)?.row);
  }

  all(): readonly PackRow[] {
    return this.inOrder().map(({ row }) => ({ ...row }));
  }

  ofStripe(beginning: Uint8Array): readonly PackRow[] {
    const prefix = hexText(beginning);
    return this.all().filter(({ stripe }) => stripe?.startsWith(prefix));
  }

  spooled(): readonly PackRow[] {
    const waiting = this.#packs.values().filter(({ row }) => row.spooled);
    return sortedBy(waiting, ({ row, number }) => [row.storedAt, number]).map(({ row }) => ({
      ...row,
    }));
  }

  update(pack: PackId, change: PackChange): void {
    const stored = this.#packs.get(pack);
    assert(stored !== undefined, 'a pack that is updated is there');
    const { code, stripe, indexed, spooled } = { ...stored.row, ...change };
    this.#journal.change('packs.update', () =>
      this.#packs.set(pack, { ...stored, row: { ...stored.row, code, stripe, indexed, spooled } }),
    );
  }

  contents(pack: PackId): PackContents | undefined {
    const stored = this.#packs.get(pack);
    return stored === undefined ? undefined : ownContents(stored.contents);
  }

  remove(pack: PackId): void {
    const stored = this.#packs.get(pack);
    if (stored === undefined) return;
    this.#journal.change('packs.remove', () => {
      this.#packs.delete(pack);
      this.#shards.delete(pack);
      this.layouts.delete(pack);
      for (let chunk = 0; chunk < stored.contents.chunkFrames.length; chunk += 1) {
        const id = chunkIdAt(stored.contents.chunkIds, chunk);
        const places = this.#chunks.get(id) ?? [];
        const others = places.filter(({ packNumber }) => packNumber !== stored.number);
        if (others.length === 0) this.#chunks.delete(id);
        else this.#chunks.set(id, others);
      }
    });
  }

  place(chunk: ChunkId): ChunkPlace | undefined {
    const places = this.#chunks.get(chunk);
    return places === undefined ? undefined : { ...present(places[0], 'a known chunk lies').place };
  }

  known(chunkIds: Uint8Array): Uint8Array {
    assert(chunkIds.length % idBytes === 0, 'a column of whole ids');
    return Uint8Array.from({ length: chunkIds.length / idBytes }, (_, row) =>
      this.#chunks.has(chunkIdAt(chunkIds, row)) ? 1 : 0,
    );
  }

  count(): number {
    return this.#chunks.size;
  }

  /** For the shards: packs in the order in which they were added. */
  inOrder(): readonly StoredPack[] {
    return this.#packs.inOrder();
  }

  shardsOf(pack: PackId): readonly ShardRow[] {
    return this.#shards.get(pack) ?? [];
  }

  putShard(row: ShardRow): void {
    assert(this.#packs.has(row.pack), 'the pack of a shard is there');
    const others = this.shardsOf(row.pack).filter(({ index }) => index !== row.index);
    const rows = sortedBy([...others, ownRow(row)], ({ index }) => [index]);
    this.#journal.change('shards.put', () => this.#shards.set(row.pack, rows));
  }

  /** In the place of all that the pack has. */
  replaceShards(pack: PackId, rows: readonly ShardRow[]): void {
    this.#journal.change('shards.replace', () => this.#shards.set(pack, rows));
  }
}

export class TwinShards implements ShardStore {
  readonly #packs: TwinPacks;

  constructor(packs: TwinPacks) {
    this.#packs = packs;
  }

  put(row: ShardRow): void {
    this.#packs.putShard(row);
  }

  ofPack(pack: PackId): readonly ShardRow[] {
    return this.#packs.shardsOf(pack).map((row) => ({ ...row }));
  }

  ofPartner(partner: PeerId): readonly ShardRow[] {
    return this.#packs
      .inOrder()
      .flatMap(({ row }) => this.#packs.shardsOf(row.pack))
      .filter((row) => row.partner === partner)
      .map((row) => ({ ...row }));
  }

  incompletePacks(): readonly PackId[] {
    return this.#packs
      .inOrder()
      .map(({ row }) => row.pack)
      .filter((pack) => {
        const rows = this.#packs.shardsOf(pack);
        return rows.length === 0 || rows.some(({ phase }) => phase !== 'held');
      });
  }

  standings(): readonly PackStanding[] {
    return this.#packs.inOrder().map(({ row }) => {
      const phases = this.#packs.shardsOf(row.pack).map(({ phase }) => phase);
      const { pack, kind, lengthBytes, storedAt, code, indexed, spooled } = row;
      return {
        ...{ pack, kind, lengthBytes, storedAt, code, indexed, spooled },
        placed: phases.length,
        held: phases.filter((phase) => phase === 'held').length,
        missing: phases.filter((phase) => phase === 'lost' || phase === 'wrong').length,
      };
    });
  }

  amountsAt(partner: PeerId): readonly ShardAmount[] {
    const amounts = new Map<string, ShardAmount>();
    for (const { row } of this.#packs.inOrder()) {
      const { lengthBytes, code } = row;
      const theirs = this.#packs.shardsOf(row.pack).filter((shard) => shard.partner === partner);
      if (theirs.length === 0) continue;
      const key = JSON.stringify([lengthBytes, code?.id, code?.dataShards, code?.parityShards]);
      const before = amounts.get(key)?.shards ?? 0;
      amounts.set(key, { lengthBytes, code, shards: before + theirs.length });
    }
    return [...amounts.values()];
  }
}

function chunkIdAt(column: Uint8Array, row: number): string {
  return hexText(column.subarray(row * idBytes, (row + 1) * idBytes));
}

function placeIn(pack: PackId, contents: PackContents, chunk: number): ChunkPlace {
  return {
    pack,
    frame: present(contents.chunkFrames[chunk], 'every chunk has a frame'),
    offset: present(contents.chunkOffsets[chunk], 'every chunk has an offset'),
    length: present(contents.chunkLengths[chunk], 'every chunk has a length'),
  };
}

function ownContents(contents: PackContents): PackContents {
  const frames = contents.frames.map(
    ({ offset, storedBytes, rawBytes }): FramePlace => ({ offset, storedBytes, rawBytes }),
  );
  return { ...ownRow(contents), frames };
}
