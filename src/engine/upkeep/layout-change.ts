/**
 * The steps of laying a pack out anew, each durable as a whole: begun, adopted, dropped.
 *
 * The present shards count until all of the next are held; then the next take their place at once, and what is left behind is noted to be deleted. A
 * crash between two steps leaves what the last one made.
 */
import { present } from '../../base/assert.ts';
import { ShardNamer } from '../../core/sealing/shard-name.ts';
import type { Code } from '../../core/vocabulary/code.ts';
import type { PackId, PeerId, ShardName, StripeId } from '../../core/vocabulary/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { PackRow, ShardRow, Stores } from '../../ports/stores.ts';
import { shardBytesOf } from '../partners/partner-space.ts';
import { partnerTrash } from '../partners/partner-trash.ts';
import type { WantedLayout } from './layout-wish.ts';

interface NamedShard {
  readonly partner: PeerId;
  readonly name: ShardName;
  readonly phase: ShardRow['phase'];
  readonly bytes: number;
}

export class LayoutChange {
  readonly #stores: Stores;
  readonly #clock: Clock;
  readonly #shardNameKey: Uint8Array;
  readonly #namers = new Map<PeerId, ShardNamer>();

  constructor(stores: Stores, clock: Clock, shardNameKey: Uint8Array) {
    this.#stores = stores;
    this.#clock = clock;
    this.#shardNameKey = shardNameKey;
  }

  /** Begins, or begins otherwise: what is held already and part of it is carried over, what lies in reserve is taken back. */
  begin(row: PackRow, { code, stripe, reason, shards }: WantedLayout): void {
    const { layouts } = this.#stores;
    const { pack } = row;
    const there = new Set(this.#held(row, stripe));
    const reserve = this.#reserve(row, { code, stripe }, shards);
    for (const { index, partner } of reserve) there.add(`${index} ${partner}`);
    const next = [...shards].map(([index, partner]): ShardRow => {
      const isHeld = there.has(`${index} ${partner}`);
      return { pack, index, partner, phase: isHeld ? 'held' : 'planned' };
    });
    this.#stores.transact(() => {
      partnerTrash.takeBack(this.#stores, reserve);
      const before = this.#ofNext(row);
      layouts.begin({ pack, code, stripe, reason, begunAt: this.#clock.now() }, next);
      const wanted = this.#ofNext(row);
      this.#retire(pack, without(before, [...wanted, ...this.#ofPresent(row)]));
      // Some may have been on their way out: they are wanted again.
      for (const { partner, name } of wanted) layouts.forgetRetired(partner, name);
    });
  }

  /** How many of these shards no partner has yet: of the present layout, of the next, or in reserve. */
  leftToSend(row: PackRow, wanted: Pick<WantedLayout, 'code' | 'stripe' | 'shards'>): number {
    const there = new Set(this.#held(row, wanted.stripe));
    const reserve = this.#reserve(row, wanted, wanted.shards);
    for (const { index, partner } of reserve) there.add(`${index} ${partner}`);
    return [...wanted.shards].filter(([index, partner]) => !there.has(`${index} ${partner}`))
      .length;
  }

  /** Makes the next layout the present one, if all of it is held; whether it is. */
  adopt(pack: PackId): boolean {
    const { layouts, packs } = this.#stores;
    return this.#stores.transact(() => {
      this.#mirror(pack);
      const shards = layouts.shards(pack);
      if (shards.length === 0 || shards.some(({ phase }) => phase !== 'held')) return false;
      const row = present(packs.get(pack), 'the pack of a layout');
      const left = without(this.#ofPresent(row), this.#ofNext(row));
      layouts.adopt(pack, []);
      this.#retire(pack, left);
      return true;
    });
  }

  /** Gives the next layout up. */
  drop(row: PackRow): void {
    this.#stores.transact(() => {
      const left = without(this.#ofNext(row), this.#ofPresent(row));
      this.#stores.layouts.drop(row.pack, []);
      this.#retire(row.pack, left);
    });
  }

  /** Whether the present layout of a pack or its next one has a shard of this name. */
  isInUse(pack: PackId, partner: PeerId, name: ShardName): boolean {
    const row = this.#stores.packs.get(pack);
    if (row === undefined) return false;
    return [...this.#ofPresent(row), ...this.#ofNext(row)].some(
      (shard) => shard.partner === partner && shard.name === name,
    );
  }

  /** What is known of shards that both layouts have stands in the present one. */
  #mirror(pack: PackId): void {
    const { layouts, packs, shards } = this.#stores;
    if (layouts.get(pack)?.stripe !== packs.get(pack)?.stripe) return;
    const there = shards.ofPack(pack);
    for (const next of layouts.shards(pack)) {
      const same = there.find(
        ({ index, partner }) => index === next.index && partner === next.partner,
      );
      if (same !== undefined && same.phase !== next.phase) layouts.putShard(same);
    }
  }

  /** Shards of a stripe that are held, in whichever layout, as `index partner`. */
  #held({ pack, ...row }: PackRow, stripe: StripeId): readonly string[] {
    const { layouts, shards } = this.#stores;
    return [
      ...(row.stripe === stripe ? shards.ofPack(pack) : []),
      ...(layouts.get(pack)?.stripe === stripe ? layouts.shards(pack) : []),
    ]
      .filter(({ phase }) => phase === 'held')
      .map(({ index, partner }) => `${index} ${partner}`);
  }

  /** Those of the wanted shards that their partners still have from an earlier layout. */
  #reserve(
    { pack, lengthBytes }: PackRow,
    { code, stripe }: { readonly code: Code; readonly stripe: StripeId },
    shards: ReadonlyMap<number, PeerId>,
  ): readonly { readonly index: number; readonly partner: PeerId; readonly bytes: number }[] {
    const retired = this.#stores.layouts.retiredOf(pack).filter(({ reserve }) => reserve);
    if (retired.length === 0) return [];
    const bytes = shardBytesOf(lengthBytes, code);
    return [...shards]
      .filter(([index, partner]) => {
        const name = this.#namerOf(partner).nameOf(stripe, index);
        return retired.some((row) => row.partner === partner && row.name === name);
      })
      .map(([index, partner]) => ({ index, partner, bytes }));
  }

  #ofPresent(row: PackRow): readonly NamedShard[] {
    const { code, stripe } = row;
    if (code === undefined || stripe === undefined) return [];
    return this.#named(row, { code, stripe }, this.#stores.shards.ofPack(row.pack));
  }

  #ofNext(row: PackRow): readonly NamedShard[] {
    const next = this.#stores.layouts.get(row.pack);
    return next === undefined ? [] : this.#named(row, next, this.#stores.layouts.shards(row.pack));
  }

  #named(
    { lengthBytes }: PackRow,
    { code, stripe }: { readonly code: Code; readonly stripe: StripeId },
    rows: readonly ShardRow[],
  ): readonly NamedShard[] {
    const bytes = shardBytesOf(lengthBytes, code);
    return rows.map(({ partner, index, phase }) => ({
      ...{ partner, phase, bytes },
      name: this.#namerOf(partner).nameOf(stripe, index),
    }));
  }

  #namerOf(partner: PeerId): ShardNamer {
    const namer = this.#namers.get(partner) ?? new ShardNamer(this.#shardNameKey, partner);
    this.#namers.set(partner, namer);
    return namer;
  }

  /** Any of them may be at its partner, whatever is known: a reply may have been lost. */
  #retire(pack: PackId, shards: readonly NamedShard[]): void {
    if (shards.length === 0) return;
    const retiredAt = this.#clock.now();
    const rows = shards.map(({ partner, name, phase }) => ({
      ...{ partner, name, pack, retiredAt },
      reserve: phase === 'held',
    }));
    this.#stores.layouts.retire(rows);
    const there = shards.filter(({ phase }) => phase === 'held' || phase === 'wrong');
    partnerTrash.add(this.#stores, there, retiredAt);
  }
}

function without(
  shards: readonly NamedShard[],
  others: readonly NamedShard[],
): readonly NamedShard[] {
  return shards.filter(
    ({ partner, name }) =>
      !others.some((other) => other.partner === partner && other.name === name),
  );
}
