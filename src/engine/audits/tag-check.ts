/** Which shard of ours a partner's name means, and whether a block that it shows is the one that was sealed for its place (C37–C39). */
import { present } from '../../base/assert.ts';
import { hexText } from '../../base/bytes.ts';
import type { TagCheck } from '../../core/audits/verdict.ts';
import { ShardSealer } from '../../core/sealing/block.ts';
import type { OwnerKeys } from '../../core/sealing/keys.ts';
import { ShardNamer } from '../../core/sealing/shard-name.ts';
import type { PackId, PeerId, ShardName, StripeId } from '../../core/vocabulary/ids.ts';
import { parseSuite, type Suite } from '../../core/vocabulary/suite.ts';
import type { NextLayoutRow } from '../../ports/layout-store.ts';
import type { ShardRow, Stores } from '../../ports/stores.ts';

interface NamedStripe {
  readonly pack: PackId;
  readonly stripe: StripeId;
  readonly suite: Suite;
  /** It is the one that the pack's shards are of now, and not one that is to take its place. */
  readonly isPresent: boolean;
}

/** For one audit: stripes that are on their way to become a pack's are as they were when first asked about. */
export class NamedShards {
  readonly #stores: Stores;
  readonly #keys: OwnerKeys;
  readonly #partner: PeerId;
  readonly #namer: ShardNamer;
  #next: readonly NextLayoutRow[] | undefined;

  constructor(stores: Stores, keys: OwnerKeys, partner: PeerId) {
    this.#stores = stores;
    this.#keys = keys;
    this.#partner = partner;
    this.#namer = namerOf(keys.shardNameKey, partner);
  }

  /** The shard of a pack's present stripe, as the catalogue has it; undefined when nothing rests on it. */
  shardOf(name: ShardName): ShardRow | undefined {
    const named = this.#find(name);
    return named?.isPresent === true
      ? this.#rowIn(this.#stores.shards.ofPack(named.pack), name)
      : undefined;
  }

  /** It was known, before it was asked for, that the partner does not have it: it counts as lost already, or nothing is to come of it any more. */
  isKnownLost(name: ShardName): boolean {
    const { layouts } = this.#stores;
    const named = this.#find(name);
    const next = named && this.#rowIn(layouts.shards(named.pack), name);
    const row = this.shardOf(name) ?? (named?.isPresent === false ? next : undefined);
    if (row !== undefined) return row.phase === 'lost';
    return layouts
      .retired()
      .some((left) => left.partner === this.#partner && left.name === name && !left.reserve);
  }

  #rowIn(rows: readonly ShardRow[], name: ShardName): ShardRow | undefined {
    const { index } = this.#namer.read(name);
    return rows.find((row) => row.index === index && row.partner === this.#partner);
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
    const { packs, layouts } = this.#stores;
    const { stripePrefix } = this.#namer.read(name);
    for (const { pack, stripe, suite } of packs.ofStripe(stripePrefix))
      if (stripe !== undefined) return { pack, stripe, suite: suiteOf(suite), isPresent: true };
    this.#next ??= layouts.all();
    const prefix = hexText(stripePrefix);
    const next = this.#next.find(({ stripe }) => stripe.startsWith(prefix));
    const row = next && packs.get(next.pack);
    return next && row && { ...next, suite: suiteOf(row.suite), isPresent: false };
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

function suiteOf(value: number): Suite {
  return present(parseSuite(value), 'a suite of ours');
}
