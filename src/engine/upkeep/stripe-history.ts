/**
 * Packs that index segments describe more than once, because they were laid out anew (C14): the later description wins.
 *
 * Of the earlier stripe there may be some shards left, or all of them: what a pack left behind is deleted only after the later description is safe with
 * partners. Inventories say what is really there. Where too few shards of the later stripe are, and enough of an earlier one, that one is taken; shards of
 * a stripe that is not taken are retired.
 */
import { hexText } from '../../base/bytes.ts';
import type { Instant } from '../../base/units.ts';
import { stripePrefixBytes } from '../../core/sealing/shard-name.ts';
import { type Code, shardCount } from '../../core/vocabulary/code.ts';
import {
  bytesOf,
  type PackId,
  type PeerId,
  type ShardName,
  type StripeId,
} from '../../core/vocabulary/ids.ts';
import type { RetiredShardRow } from '../../ports/layout-store.ts';
import type { PackRow, ShardRow, Stores } from '../../ports/stores.ts';

interface Stripe {
  readonly pack: PackId;
  readonly code: Code;
  readonly stripe: StripeId;
}

interface FoundShard {
  readonly partner: PeerId;
  readonly index: number;
  readonly name: ShardName;
}

/** A pack's code and stripe, and where its shards were to go. */
export interface Description {
  readonly row: PackRow;
  readonly shards: readonly ShardRow[];
}

export class StripeHistory {
  readonly #stores: Stores;
  /** By the beginning of the stripe id, as it stands in names; earlier ones first. */
  readonly #earlier = new Map<string, Stripe>();
  readonly #found = new Map<string, FoundShard[]>();

  constructor(stores: Stores) {
    this.#stores = stores;
  }

  /** What a later segment says of a pack that is known: its shards are planned anew. */
  replace(now: Instant, known: PackRow, { row, shards }: Description): void {
    const { code, stripe, pack } = row;
    if (code === undefined || stripe === undefined || shards.length === 0) return;
    if (known.code !== undefined && known.stripe !== undefined && known.stripe !== stripe)
      this.#earlier.set(prefixOf(known.stripe), { pack, code: known.code, stripe: known.stripe });
    this.#earlier.delete(prefixOf(stripe));
    this.#stores.transact(() => this.#lay({ pack, code, stripe }, shards, now));
  }

  /** A shard that a partner lists and that is of no present stripe. */
  found(stripePrefix: Uint8Array, shard: FoundShard): void {
    const prefix = hexText(stripePrefix);
    if (!this.#earlier.has(prefix)) return;
    const found = this.#found.get(prefix) ?? [];
    this.#found.set(prefix, [...found, shard]);
  }

  /** Once inventories were read: decides which stripe of each pack is taken. */
  settle(now: Instant): void {
    const stripes = [...this.#earlier].reverse();
    for (const [prefix, earlier] of stripes) {
      const found = this.#found.get(prefix) ?? [];
      const row = this.#stores.packs.get(earlier.pack);
      if (found.length === 0 || row?.code === undefined) continue;
      const held = this.#heldOf(earlier.pack).length;
      const isThere = new Set(found.map(({ index }) => index)).size >= earlier.code.dataShards;
      this.#stores.transact(() => {
        if (held >= (row.code as Code).dataShards)
          this.#retire(earlier.pack, found, { now, reserve: false });
        else if (isThere) this.#take(earlier, found, now);
      });
    }
  }

  #take(earlier: Stripe, found: readonly FoundShard[], now: Instant): void {
    const { pack, code } = earlier;
    const taken: FoundShard[] = [];
    for (const shard of [...found].sort((left, right) => left.index - right.index)) {
      const isFilled = taken.some(
        ({ index, partner }) => index === shard.index || partner === shard.partner,
      );
      if (!isFilled && taken.length < shardCount(code)) taken.push(shard);
    }
    const shards = taken.map(
      ({ index, partner }): ShardRow => ({ pack, index, partner, phase: 'held' }),
    );
    this.#lay(earlier, shards, now);
    // It is to be described again: the latest description is of the other stripe.
    this.#stores.packs.update(pack, { indexed: false });
    const rest = found.filter((shard) => !taken.includes(shard));
    this.#retire(pack, rest, { now, reserve: true });
  }

  /** Makes these the pack's only shards. */
  #lay({ pack, code, stripe }: Stripe, shards: readonly ShardRow[], now: Instant): void {
    const { layouts, packs } = this.#stores;
    const indexed = packs.get(pack)?.indexed === true;
    const held = shards.map((shard): ShardRow => ({ ...shard, phase: 'held' }));
    layouts.begin({ pack, code, stripe, reason: 'repair', begunAt: now }, held);
    layouts.adopt(pack, []);
    packs.update(pack, { indexed });
    for (const shard of shards) if (shard.phase !== 'held') this.#stores.shards.put(shard);
  }

  #heldOf(pack: PackId): readonly ShardRow[] {
    return this.#stores.shards.ofPack(pack).filter(({ phase }) => phase === 'held');
  }

  #retire(
    pack: PackId,
    shards: readonly FoundShard[],
    { now: retiredAt, reserve }: { readonly now: Instant; readonly reserve: boolean },
  ): void {
    const rows = shards.map(
      ({ partner, name }): RetiredShardRow => ({ partner, name, pack, retiredAt, reserve }),
    );
    this.#stores.layouts.retire(rows);
  }
}

export function prefixOf(stripe: StripeId): string {
  return hexText(bytesOf(stripe).subarray(0, stripePrefixBytes));
}
