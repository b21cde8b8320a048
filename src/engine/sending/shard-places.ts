/** Where a shard of ours counts: in the present layout of its pack, in the one that the pack is to have, in both, or nowhere any more. */
import type { PackId, PeerId, StripeId } from '../../core/vocabulary/ids.ts';
import type { ShardRow, Stores } from '../../ports/stores.ts';

/** A shard of a stripe, at a partner. */
export interface PlacedShard {
  readonly pack: PackId;
  readonly stripe: StripeId;
  readonly index: number;
  readonly partner: PeerId;
}

export interface ShardPlaces {
  readonly present: ShardRow | undefined;
  readonly next: ShardRow | undefined;
}

type Phase = ShardRow['phase'];
type LayoutStores = Pick<Stores, 'packs' | 'shards' | 'layouts'>;

export function placesOf(
  { packs, shards, layouts }: LayoutStores,
  { pack, stripe, index, partner }: PlacedShard,
): ShardPlaces {
  const isThis = (row: ShardRow): boolean => row.index === index && row.partner === partner;
  const isPresent = packs.get(pack)?.stripe === stripe;
  const isNext = layouts.get(pack)?.stripe === stripe;
  return {
    present: isPresent ? shards.ofPack(pack).find(isThis) : undefined,
    next: isNext ? layouts.shards(pack).find(isThis) : undefined,
  };
}

/** Wherever the shard counts as one of `from` it is `to` from now on; whether that was anywhere. Inside a step. */
export function changePhase(
  stores: LayoutStores,
  shard: PlacedShard,
  { from, to }: { readonly from: readonly Phase[]; readonly to: Phase },
): boolean {
  const { present, next } = placesOf(stores, shard);
  const changes = (row: ShardRow | undefined): row is ShardRow =>
    row !== undefined && from.includes(row.phase);
  if (changes(present)) stores.shards.put({ ...present, phase: to });
  if (changes(next)) stores.layouts.putShard({ ...next, phase: to });
  return changes(present) || changes(next);
}

/** All shards at a partner that count as one of `phases`, each once: what both layouts have stands in the present one. */
export function shardsAt(
  stores: LayoutStores,
  partner: PeerId,
  phases: readonly Phase[],
): readonly PlacedShard[] {
  const { packs, shards, layouts } = stores;
  const isThere = (row: ShardRow): boolean => row.partner === partner && phases.includes(row.phase);
  const present = shards.ofPartner(partner).filter(isThere);
  const next = layouts
    .all()
    .flatMap(({ pack, stripe }) =>
      layouts.shards(pack).map((row): ShardRow & PlacedShard => ({ ...row, stripe })),
    )
    .filter((row) => isThere(row) && placesOf(stores, row).present === undefined);
  return [
    ...present.flatMap(({ pack, index }) => {
      const stripe = packs.get(pack)?.stripe;
      return stripe === undefined ? [] : [{ pack, stripe, index, partner }];
    }),
    ...next.map(({ pack, stripe, index }) => ({ pack, stripe, index, partner })),
  ];
}
