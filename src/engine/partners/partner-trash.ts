/**
 * What our deleted shards still take at partners: it counts against the space they lend until they have let go of it, after L of their own time at work.
 *
 * When that is only they know, so once L has passed here they are asked about the last shard of those deleted together. What is noted is an account, not
 * a record of shards: too much in it wastes space, too little ends in a refusal, and neither harms data.
 */
import { assert } from '../../base/assert.ts';
import { decodeCbor, encodeCbor } from '../../base/codec.ts';
import { dayMs, type Instant, instant } from '../../base/units.ts';
import { bytesOf, idOf, type PeerId, type ShardName } from '../../core/vocabulary/ids.ts';
import type { Stores } from '../../ports/stores.ts';

/** Shards let go of at one partner within a day. */
export interface TrashedLot {
  readonly partner: PeerId;
  /** The last of them. */
  readonly name: ShardName;
  readonly bytes: number;
  readonly since: Instant;
  readonly until: Instant;
}

const factName = 'trash-at-partners';
const factMaximumBytes = 1 << 26;
const lotMs: number = dayMs;

export const partnerTrash = {
  all(stores: Stores): readonly TrashedLot[] {
    const value = stores.facts.get(factName);
    if (value === undefined) return [];
    const decoded = decodeCbor(value, factMaximumBytes);
    assert(decoded.ok && Array.isArray(decoded.value), 'trash at partners is a list');
    return decoded.value.map((lot) => {
      assert(Array.isArray(lot), 'a lot of trash');
      const [partner, name, bytes, since, until] = lot as [Uint8Array, Uint8Array, ...number[]];
      const [from, to] = [instant(Number(since)), instant(Number(until))];
      return {
        partner: idOf(partner),
        name: idOf(name),
        bytes: Number(bytes),
        since: from,
        until: to,
      };
    });
  },

  bytesAt(stores: Stores, partner: PeerId): number {
    return this.all(stores)
      .filter((lot) => lot.partner === partner)
      .reduce((sum, { bytes }) => sum + bytes, 0);
  },

  /** Inside the step in which nothing rests on these shards any more. */
  add(
    stores: Stores,
    shards: readonly Pick<TrashedLot, 'partner' | 'name' | 'bytes'>[],
    now: Instant,
  ): void {
    if (shards.length === 0) return;
    const lots = [...this.all(stores)];
    for (const { partner, name, bytes } of shards) {
      const at = lots.findLastIndex((lot) => lot.partner === partner);
      const last = lots[at];
      // A clock that was set back begins another lot.
      if (last === undefined || now < last.since || now - last.since > lotMs)
        lots.push({ partner, name, bytes, since: now, until: now });
      else lots[at] = { ...last, name, bytes: last.bytes + bytes, until: now };
    }
    write(stores, lots);
  },

  /** Inside the step in which something rests on these shards again. */
  takeBack(
    stores: Stores,
    shards: readonly { readonly partner: PeerId; readonly bytes: number }[],
  ): void {
    if (shards.length === 0) return;
    const lots = [...this.all(stores)];
    for (const shard of shards) {
      let { bytes } = shard;
      for (const [at, lot] of lots.entries()) {
        if (lot.partner !== shard.partner) continue;
        const taken = Math.min(bytes, lot.bytes);
        lots[at] = { ...lot, bytes: lot.bytes - taken };
        bytes -= taken;
      }
    }
    write(
      stores,
      lots.filter(({ bytes }) => bytes > 0),
    );
  },

  /** The partner has let go of these, as they were when it was asked: one that grew meanwhile stays. */
  remove(stores: Stores, gone: readonly TrashedLot[]): void {
    const isGone = (lot: TrashedLot): boolean =>
      gone.some(
        ({ partner, since, until, name }) =>
          partner === lot.partner &&
          since === lot.since &&
          until === lot.until &&
          name === lot.name,
      );
    write(
      stores,
      this.all(stores).filter((lot) => !isGone(lot)),
    );
  },
} as const;

function write(stores: Stores, lots: readonly TrashedLot[]): void {
  const value = lots.map(({ partner, name, bytes, since, until }) => [
    bytesOf(partner),
    bytesOf(name),
    bytes,
    since,
    until,
  ]);
  stores.facts.put(factName, encodeCbor(value));
}
