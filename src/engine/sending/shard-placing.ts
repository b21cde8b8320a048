/**
 * Chooses code and partners for packs that have none, and another partner for a shard that found no room (C36); what it chose stands in the catalogue.
 *
 * The choice itself is the planner's and the matching's. Here is what they do not see: who said lately that it has no room, and what was promised
 * to partners since it was last counted.
 */
import { type Instant, minuteMs } from '../../base/units.ts';
import { stripeIdOf } from '../../core/erasure/layout.ts';
import { type PartnerSpace, placeShards } from '../../core/placement/placement.ts';
import { codesToTry } from '../../core/placement/planner.ts';
import type { Code } from '../../core/vocabulary/code.ts';
import type { PeerId, StripeId } from '../../core/vocabulary/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { PackRow, Stores } from '../../ports/stores.ts';
import type { PartnerPlanning } from '../partners/partner-planning.ts';
import { bytesAt, shardBytesOf } from '../partners/partner-space.ts';

/** A partner that had no room is planned for again after so long: it may have made some. */
const fullMs: number = 5 * minuteMs;
/** What lies at a partner is counted anew after so long; between two counts it is kept up to date. */
const countedMs: number = 1 * minuteMs;

export interface ShardPlacingParts {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly log: EventLog;
  readonly planning: PartnerPlanning;
}

interface PlannedPack {
  readonly code: Code;
  readonly stripe: StripeId;
  /** Partner by index of shard. */
  readonly placed: ReadonlyMap<number, PeerId>;
}

export class ShardPlacing {
  readonly #parts: ShardPlacingParts;
  /** Partners that refused a shard for want of space, and when they are asked again. */
  readonly #full = new Map<PeerId, number>();
  /** Bytes that our shards take at each partner, sent or planned. */
  readonly #taken = new Map<PeerId, { readonly at: Instant; bytes: number }>();

  constructor(parts: ShardPlacingParts) {
    this.#parts = parts;
  }

  /** The partner has no room at present. */
  noteFull(partner: PeerId): void {
    this.#full.set(partner, this.#parts.clock.now() + fullMs);
  }

  noteRoom(partner: PeerId): void {
    this.#full.delete(partner);
  }

  /** What partners have of ours changed elsewhere. */
  recount(): void {
    this.#taken.clear();
  }

  isFull(partner: PeerId): boolean {
    const until = this.#full.get(partner);
    if (until === undefined) return false;
    const now = this.#parts.clock.now();
    // A clock that was set back must not make a partner full for days.
    if (now < until && until - now <= fullMs) return true;
    this.#full.delete(partner);
    return false;
  }

  /** Gives a pack its code and its partners; undefined while there are too few, or too few with room. */
  place(row: PackRow): Code | undefined {
    const { stores, log } = this.#parts;
    const partners = this.#partners();
    if (partners.length === 0) return undefined;
    const planned = this.#placed(row, partners);
    if (planned === undefined) {
      log.write('warn', 'pack.no-room', { pack: row.pack, bytes: row.lengthBytes });
      return undefined;
    }
    const { code, stripe, placed } = planned;
    stores.transact(() => {
      stores.packs.update(row.pack, { code, stripe });
      for (const [index, partner] of placed)
        stores.shards.put({ pack: row.pack, index, partner, phase: 'planned' });
    });
    for (const partner of placed.values()) this.#take(partner, shardBytesOf(row.lengthBytes, code));
    return code;
  }

  /**
   * A partner without room must not keep the pack from all others: then a code for fewer partners is taken, as long as that bears enough.
   */
  #placed(row: PackRow, partners: readonly PartnerSpace[]): PlannedPack | undefined {
    const { planning } = this.#parts;
    for (const code of codesToTry(planning.partners(this.#takenAt), planning.preset)) {
      const stripe = stripeIdOf({ packId: row.pack, packLength: row.lengthBytes, code });
      const shardBytes = shardBytesOf(row.lengthBytes, code);
      const placed = placeShards({ code, partners, shardBytes, stripeId: stripe });
      if (placed.ok) return { code, stripe, placed: placed.value.partners };
    }
    return undefined;
  }

  /** Plans a shard for another partner that has none of this stripe and has room; whether there is one. */
  moveElsewhere(
    row: PackRow,
    shard: { readonly index: number; readonly partner: PeerId },
  ): boolean {
    const { stores } = this.#parts;
    const { code, stripe } = row;
    if (code === undefined || stripe === undefined) return false;
    const kept = new Map(
      stores.shards
        .ofPack(row.pack)
        .filter(({ index }) => index !== shard.index)
        .map(({ index, partner }) => [index, partner]),
    );
    const partners = this.#partners().filter(({ peer }) => peer !== shard.partner);
    const shardBytes = shardBytesOf(row.lengthBytes, code);
    const open = [shard.index];
    const placed = placeShards({ code, partners, shardBytes, stripeId: stripe, kept, open });
    const other = placed.ok ? placed.value.partners.get(shard.index) : undefined;
    if (other === undefined) return false;
    stores.shards.put({ pack: row.pack, index: shard.index, partner: other, phase: 'planned' });
    this.#take(shard.partner, -shardBytes);
    this.#take(other, shardBytes);
    return true;
  }

  #partners(): readonly PartnerSpace[] {
    return this.#parts.planning
      .partners(this.#takenAt)
      .map((partner) => (this.isFull(partner.peer) ? { ...partner, freeBytes: 0 } : partner));
  }

  #take(partner: PeerId, bytes: number): void {
    // Counted from the catalogue, which has this change already, when it was not counted before.
    const known = this.#taken.get(partner);
    if (known !== undefined) known.bytes += bytes;
  }

  readonly #takenAt = (partner: PeerId): number => {
    const { clock, stores } = this.#parts;
    const now = clock.now();
    const known = this.#taken.get(partner);
    if (known !== undefined && Math.abs(now - known.at) < countedMs) return known.bytes;
    const bytes = bytesAt(stores, partner);
    this.#taken.set(partner, { at: now, bytes });
    return bytes;
  };
}
