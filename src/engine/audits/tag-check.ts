/** Which shard of ours a partner's name means, and whether a block that it shows is the one that was sealed for its place (C37–C39). */
import { present } from '../../base/assert.ts';
import { hexText } from '../../base/bytes.ts';
import type { TagCheck } from '../../core/audits/verdict.ts';
import { ShardSealer } from '../../core/sealing/block.ts';
import type { OwnerKeys } from '../../core/sealing/keys.ts';
import { ShardNamer } from '../../core/sealing/shard-name.ts';
import type { PackId, PeerId, ShardName, StripeId } from '../../core/vocabulary/ids.ts';
import { parseSuite, type Suite } from '../../core/vocabulary/suite.ts';
import type { ShardRow, Stores } from '../../ports/stores.ts';

interface NamedStripe {
  readonly pack: PackId;
  readonly stripe: StripeId;
  readonly suite: Suite;
}

/** Knows the stripes as they were when it was made; for one audit. */
export class NamedShards {
  readonly #stores: Stores;
  readonly #keys: OwnerKeys;
  readonly #partner: PeerId;
  readonly #namer: ShardNamer;
  #stripes: readonly NamedStripe[] | undefined;

  constructor(stores: Stores, keys: OwnerKeys, partner: PeerId) {
    this.#stores = stores;
    this.#keys = keys;
    this.#partner = partner;
    this.#namer = new ShardNamer(keys.shardNameKey, partner);
  }

  /** The shard as the catalogue has it; undefined when nothing rests on it any more. */
  shardOf(name: ShardName): ShardRow | undefined {
    const named = this.#find(name);
    if (named === undefined) return undefined;
    const { index } = this.#namer.read(name);
    return this.#stores.shards
      .ofPack(named.pack)
      .find((row) => row.index === index && row.partner === this.#partner);
  }

  /** Undefined where the pack was forgotten: then only the partner's own signature tells what it should hold. */
  readonly hasGoodTag: TagCheck = ({ name, number }, block) => {
    const named = this.#find(name);
    if (named === undefined) return undefined;
    const { suite, stripe: stripeId } = named;
    const { index } = this.#namer.read(name);
    const place = { suite, owner: this.#keys.peerId, partner: this.#partner, stripeId, index };
    return new ShardSealer(this.#keys.sealKey, place).openBlock(number, block).ok;
  };

  #find(name: ShardName): NamedStripe | undefined {
    const prefix = hexText(this.#namer.read(name).stripePrefix);
    return this.#known().find(({ stripe }) => stripe.startsWith(prefix));
  }

  #known(): readonly NamedStripe[] {
    this.#stripes ??= this.#read();
    return this.#stripes;
  }

  #read(): readonly NamedStripe[] {
    const { packs, layouts } = this.#stores;
    const named: NamedStripe[] = [];
    for (const { pack, stripe, suite } of packs.all())
      if (stripe !== undefined) named.push({ pack, stripe, suite: suiteOf(suite) });
    for (const { pack, stripe } of layouts.all()) {
      const row = packs.get(pack);
      if (row !== undefined) named.push({ pack, stripe, suite: suiteOf(row.suite) });
    }
    return named;
  }
}

function suiteOf(value: number): Suite {
  return present(parseSuite(value), 'a suite of ours');
}
