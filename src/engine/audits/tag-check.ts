/** Which shard of ours a partner's name means, and whether a block that it shows is the one that was sealed for its place (C37–C39). */
import { present } from '../../base/assert.ts';
import type { TagCheck } from '../../core/audits/verdict.ts';
import { ShardSealer } from '../../core/sealing/block.ts';
import type { OwnerKeys } from '../../core/sealing/keys.ts';
import type { PeerId, ShardName } from '../../core/vocabulary/ids.ts';
import { parseSuite, type Suite } from '../../core/vocabulary/suite.ts';
import type { Stores } from '../../ports/stores.ts';
import { ShardNames } from '../sending/shard-names.ts';
import { type PlacedShard, placesOf } from '../sending/shard-places.ts';

/** For one audit: stripes that are on their way to become a pack's are as they were when first asked about. */
export class NamedShards {
  readonly #stores: Stores;
  readonly #keys: OwnerKeys;
  readonly #partner: PeerId;
  readonly #names: ShardNames;

  constructor(stores: Stores, keys: OwnerKeys, partner: PeerId) {
    this.#stores = stores;
    this.#keys = keys;
    this.#partner = partner;
    this.#names = new ShardNames(stores, keys.shardNameKey, partner);
  }

  /** The shard that the name means, of the stripe that its pack has or of the one that it is to have; whether anything rests on it or not. */
  shardOf(name: ShardName): PlacedShard | undefined {
    return this.#names.find(name);
  }

  /** It was known, before it was asked for, that the partner does not have it: it counts as lost already, or nothing is to come of it any more. */
  isKnownLost(name: ShardName): boolean {
    const shard = this.shardOf(name);
    const places = shard && placesOf(this.#stores, shard);
    const row = places?.present ?? places?.next;
    if (row !== undefined) return row.phase === 'lost';
    return this.#stores.layouts
      .retired()
      .some((left) => left.partner === this.#partner && left.name === name && !left.reserve);
  }

  /** Undefined where the pack was forgotten: then only the partner's own signature tells what it should hold. */
  readonly hasGoodTag: TagCheck = ({ name, number }, block) => {
    const shard = this.shardOf(name);
    const row = shard && this.#stores.packs.get(shard.pack);
    if (shard === undefined || row === undefined) return undefined;
    const { stripe: stripeId, index, partner } = shard;
    const place = { suite: suiteOf(row.suite), owner: this.#keys.peerId, partner, stripeId, index };
    return new ShardSealer(this.#keys.sealKey, place).openBlock(number, block).ok;
  };
}

function suiteOf(value: number): Suite {
  return present(parseSuite(value), 'a suite of ours');
}
