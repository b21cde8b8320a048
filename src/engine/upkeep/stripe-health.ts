/**
 * How the stripes stand: how many are whole, how many are short of shards and by how many, and which are to be mended first.
 *
 * A shard counts when it is held by a partner that can be counted on; one that is suspended may come back, but until then what it has is counted as missing.
 */
import { bearableLosses, safetyShards } from '../../core/placement/code-choice.ts';
import { shardCount } from '../../core/vocabulary/code.ts';
import type { PackId } from '../../core/vocabulary/ids.ts';
import type { PackStanding, Stores } from '../../ports/stores.ts';
import { shardBytesOf } from '../partners/partner-space.ts';

export interface StripeHealth {
  /** Packs that were coded for partners. */
  readonly stripes: number;
  /** All of their shards are held by partners that can be counted on. */
  readonly whole: number;
  /** How many are short of so many shards, the shortest last; whole ones left out. */
  readonly short: readonly { readonly by: number; readonly stripes: number }[];
  /** Of the short ones: those that bear fewer losses than a protected pack does. */
  readonly endangered: number;
  /** Of these: fewer than k shards can be counted on. */
  readonly below: number;
}

/** What is being laid out anew at present. */
export interface RepairWork {
  readonly stripes: number;
  readonly shardsHeld: number;
  readonly shardsLeft: number;
  readonly bytesLeft: number;
}

/** Shards of each pack that are held by partners that cannot be counted on now. */
export function doubtfulShards(stores: Stores): ReadonlyMap<PackId, number> {
  const doubtful = new Map<PackId, number>();
  for (const row of stores.agreements.all()) {
    if (row.phase !== 'suspended') continue;
    for (const { pack, phase } of stores.shards.ofPartner(row.partner))
      if (phase === 'held') doubtful.set(pack, (doubtful.get(pack) ?? 0) + 1);
  }
  return doubtful;
}

export function stripeHealth(stores: Stores): StripeHealth {
  const doubtful = doubtfulShards(stores);
  const coded = stores.shards.standings().filter(({ code }) => code !== undefined);
  const short = new Map<number, number>();
  const counts = { whole: 0, endangered: 0, below: 0 };
  for (const standing of coded) {
    const { code } = standing;
    if (code === undefined) continue;
    const sound = soundShards(standing, doubtful);
    const by = Math.max(0, shardCount(code) - sound);
    if (by === 0) counts.whole += 1;
    else short.set(by, (short.get(by) ?? 0) + 1);
    if (by > 0 && sound < code.dataShards + safetyShards(code)) counts.endangered += 1;
    if (sound < code.dataShards) counts.below += 1;
  }
  return {
    stripes: coded.length,
    ...counts,
    short: [...short]
      .sort(([left], [right]) => left - right)
      .map(([by, stripes]) => ({ by, stripes })),
  };
}

/** Those that bear the fewest losses come first, older before younger. */
export function byEndangerment(
  doubtful: ReadonlyMap<PackId, number>,
): (left: PackStanding, right: PackStanding) => number {
  const bears = (standing: PackStanding): number =>
    standing.code === undefined
      ? 0
      : bearableLosses(soundShards(standing, doubtful), standing.code);
  return (left, right) => bears(left) - bears(right) || left.storedAt - right.storedAt;
}

export function repairWork({ layouts, packs }: Stores): RepairWork {
  const work = { stripes: 0, shardsHeld: 0, shardsLeft: 0, bytesLeft: 0 };
  for (const { pack, code } of layouts.all()) {
    const shards = layouts.shards(pack);
    const left = shards.filter(({ phase }) => phase !== 'held').length;
    work.stripes += 1;
    work.shardsLeft += left;
    work.shardsHeld += shards.length - left;
    work.bytesLeft += left * shardBytesOf(packs.get(pack)?.lengthBytes ?? 0, code);
  }
  return work;
}

/** Shards of a pack that can be counted on. */
export function soundShards(
  { pack, held }: Pick<PackStanding, 'pack' | 'held'>,
  doubtful: ReadonlyMap<PackId, number>,
): number {
  return Math.max(0, held - (doubtful.get(pack) ?? 0));
}
