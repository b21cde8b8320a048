/** Which shard of ours a partner's name means: of the stripe that a pack has, or of the one that it is to have. */
import { hexText } from '../../base/bytes.ts';
import { ShardNamer } from '../../core/sealing/shard-name.ts';
import type { PeerId, ShardName } from '../../core/vocabulary/ids.ts';
import type { NextLayoutRow } from '../../ports/layout-store.ts';
import type { Stores } from '../../ports/stores.ts';
import type { PlacedShard } from './shard-places.ts';

/** For one piece of work: stripes that packs are to have are those of when the first was asked for. Whether anything rests on a shard, `placesOf` tells. */
export class ShardNames {
  readonly #stores: Pick<Stores, 'packs' | 'layouts'>;
  readonly #partner: PeerId;
  readonly #namer: ShardNamer;
  #next: readonly NextLayoutRow[] | undefined;

  constructor(
    stores: Pick<Stores, 'packs' | 'layouts'>,
    shardNameKey: Uint8Array,
    partner: PeerId,
  ) {
    this.#stores = stores;
    this.#partner = partner;
    this.#namer = namerOf(shardNameKey, partner);
  }

  /** Undefined when the name is of no stripe that a pack has or is to have. */
  find(name: ShardName): PlacedShard | undefined {
    const { stripePrefix, index } = this.#namer.read(name);
    const partner = this.#partner;
    const { packs, layouts } = this.#stores;
    for (const { pack, stripe } of packs.ofStripe(stripePrefix))
      if (stripe !== undefined) return { pack, stripe, index, partner };
    this.#next ??= layouts.all();
    const prefix = hexText(stripePrefix);
    const next = this.#next.find(({ stripe }) => stripe.startsWith(prefix));
    return next && { pack: next.pack, stripe: next.stripe, index, partner };
  }
}

/** By key, which lives as long as the computer runs. Making one takes as long as all the rest of a small audit. */
const namers = new WeakMap<Uint8Array, Map<PeerId, ShardNamer>>();
const namersMaximum = 1_024;

function namerOf(shardNameKey: Uint8Array, partner: PeerId): ShardNamer {
  const ours = namers.get(shardNameKey) ?? new Map<PeerId, ShardNamer>();
  namers.set(shardNameKey, ours);
  const known = ours.get(partner);
  if (known !== undefined) return known;
  if (ours.size >= namersMaximum) ours.clear();
  const namer = new ShardNamer(shardNameKey, partner);
  ours.set(partner, namer);
  return namer;
}
