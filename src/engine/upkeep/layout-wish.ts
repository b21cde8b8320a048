/**
 * How a pack should lie, given the partners there are: in which code, and which shard where (C20, C36).
 *
 * What lies well stays. A pack is coded again when partners came who bear more losses than its code does. The place of a single shard is filled otherwise when its
 * partner leaves, lends less than it has of ours, is silent for long, or lost it: with any shard of the stripe that somebody still has in reserve, else with one that
 * is sent to somebody new, a further one if the present one may come back (`fillStripe`). When there are too few partners for its code a pack gets a code for fewer,
 * if that bears more than what is left of the present one.
 */
import { present } from '../../base/assert.ts';
import { type Instant, minuteMs, secondMs } from '../../base/units.ts';
import { bytesLentBy } from '../../core/agreements/agreement.ts';
import { stripeIdOf } from '../../core/erasure/layout.ts';
import { takesShards } from '../../core/partners/lifecycle-phase.ts';
import { isWeaker } from '../../core/placement/code-choice.ts';
import { placeShards } from '../../core/placement/placement.ts';
import { codesToTry, type PlannedPartner } from '../../core/placement/planner.ts';
import { fillStripe, type ReserveShard } from '../../core/placement/stripe-filling.ts';
import { type Code, indexCount, shardCount } from '../../core/vocabulary/code.ts';
import type { PeerId, StripeId } from '../../core/vocabulary/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { LayoutReason } from '../../ports/layout-store.ts';
import type { AgreementRow, PackRow, ShardRow, Stores } from '../../ports/stores.ts';
import { facts } from '../facts.ts';
import type { PartnerBook } from '../partners/partner-book.ts';
import type { PartnerPlanning } from '../partners/partner-planning.ts';
import { agreementOf, bytesAt, liveBytesAt, shardBytesOf } from '../partners/partner-space.ts';
import type { ReserveShards } from './reserve-shards.ts';

/** How a pack should lie. */
export interface WantedLayout {
  readonly code: Code;
  readonly stripe: StripeId;
  /** Partner by index, for n indices. */
  readonly shards: ReadonlyMap<number, PeerId>;
  readonly reason: LayoutReason;
}

export interface LayoutWishParts {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly book: PartnerBook;
  readonly planning: PartnerPlanning;
  readonly reserves: Pick<ReserveShards, 'of'>;
  /** Partners that should not keep what they have of ours: it is placed elsewhere. */
  readonly avoided?: ((row: AgreementRow) => boolean) | undefined;
}

/** What is known of the partners while packs are looked through. */
interface Situation {
  readonly partners: readonly PlannedPartner[];
  readonly codes: readonly Code[];
  /** By how many bytes each partner has more of ours than it lends, beyond what is on its way elsewhere. */
  readonly over: ReadonlyMap<PeerId, number>;
  readonly unconfirmed: ReadonlySet<PeerId>;
}

/** A partner that had no room is planned for again after so long. */
const fullMs: number = 5 * minuteMs;
/** What partners have is counted again after so long, also when nobody said that it changed. */
const countedMs: number = 5 * secondMs;

export class LayoutWish {
  readonly #parts: LayoutWishParts;
  readonly #full = new Map<PeerId, Instant>();
  /** Bytes that our shards take at each partner, with what was deleted and without. */
  readonly #counts = new Map<PeerId, { readonly all: number; readonly live: number }>();
  #countedAt: Instant | undefined;
  #situation: Situation | undefined;

  constructor(parts: LayoutWishParts) {
    this.#parts = parts;
  }

  /** To be called when something may have changed since packs were last looked through. */
  lookAnew(): void {
    this.#situation = undefined;
  }

  /** The same, when shards came to partners or left them. */
  recount(): void {
    this.#counts.clear();
    this.lookAnew();
  }

  /** The partner refused a shard for want of space. */
  noteFull(partner: PeerId): void {
    this.#full.set(partner, this.#parts.clock.now());
    this.lookAnew();
  }

  /** Changes whenever another answer may be given for packs that are as they were. */
  get key(): string {
    const { partners, codes, over } = this.#now();
    const standing = partners.map(({ peer, freeBytes }) => `${peer} ${freeBytes > 0}`);
    const phases = this.#parts.book
      .all()
      .map((row) => `${row.partner} ${row.phase} ${this.#isAvoided(row)}`);
    return JSON.stringify([standing, phases, codes, [...over.keys()]]);
  }

  /** How a pack should lie; undefined when it may stay as it is, or nothing better can be had now. */
  layoutFor(row: PackRow, shards: readonly ShardRow[]): WantedLayout | undefined {
    const { code, stripe } = row;
    if (code === undefined || stripe === undefined) return undefined;
    const kept = this.#kept(row, shards);
    return (
      this.#stronger(row, code) ??
      this.#mended({ row, code, stripe, shards, kept }) ??
      this.#smaller(row, kept.size - code.dataShards)
    );
  }

  /** Every shard lies where it may stay, and none is left to be sent. */
  isWell(row: PackRow, shards: readonly ShardRow[]): boolean {
    if (row.code === undefined) return false;
    const isWhole = this.#kept(row, shards).size >= shardCount(row.code);
    return isWhole && !shards.some((shard) => this.#isLeftToSend(row, shard));
  }

  /** A code that bears more losses. */
  #stronger(row: PackRow, code: Code): WantedLayout | undefined {
    return this.#placedAnew(row, (other) => isWeaker(code, other), 'code');
  }

  /** A code for fewer partners, when too few are left for the present one and it bears more than so many losses. */
  #smaller(row: PackRow, bearable: number): WantedLayout | undefined {
    const code = present(row.code, 'a coded pack');
    if (bearable >= code.parityShards) return undefined;
    return this.#placedAnew(row, (other) => other.parityShards > Math.max(0, bearable), 'repair');
  }

  #placedAnew(
    row: PackRow,
    isGood: (code: Code) => boolean,
    reason: LayoutReason,
  ): WantedLayout | undefined {
    const { partners, codes } = this.#now();
    for (const code of codes) {
      if (!isGood(code)) continue;
      const stripe = stripeIdOf({ packId: row.pack, packLength: row.lengthBytes, code });
      if (stripe === row.stripe) continue;
      const shardBytes = shardBytesOf(row.lengthBytes, code);
      const able = without(partners, this.#wrongAt({ pack: row.pack, stripe }));
      const placed = placeShards({ code, partners: able, shardBytes, stripeId: stripe });
      if (placed.ok) return { code, stripe, shards: placed.value.partners, reason };
    }
    return undefined;
  }

  /** The same code, with shards elsewhere or sent again; undefined when all lie well, or there is nowhere to put them. */
  #mended(pack: {
    readonly row: PackRow;
    readonly code: Code;
    readonly stripe: StripeId;
    readonly shards: readonly ShardRow[];
    readonly kept: ReadonlyMap<number, PeerId>;
  }): WantedLayout | undefined {
    const { row, code, stripe, shards } = pack;
    const { kept } = pack;
    const isRepair = shards.some((shard) => !kept.has(shard.index) && this.#isFailing(shard));
    if (kept.size >= shardCount(code)) {
      const isToSend = shards.some((shard) => this.#isLeftToSend(row, shard));
      return isToSend ? { code, stripe, shards: kept, reason: 'repair' } : undefined;
    }
    const wrong = [...wrongAmong(shards), ...this.#wrongAt({ pack: row.pack, stripe })];
    const partners = without(this.#now().partners, wrong);
    const shardBytes = shardBytesOf(row.lengthBytes, code);
    const beside = this.#beside(row, shards);
    const placed = fillStripe({
      ...{ code, partners, shardBytes, stripeId: stripe, kept },
      reserves: beside,
      taken: this.#mayReturn([...shards.filter(isHeld), ...beside]),
    });
    if (!placed.ok) return undefined;
    return { code, stripe, shards: placed.value.partners, reason: isRepair ? 'repair' : 'move' };
  }

  /** Who is known to have wrong bytes of a stripe that the pack is to have. */
  #wrongAt({
    pack,
    stripe,
  }: Pick<WantedLayout, 'stripe'> & Pick<PackRow, 'pack'>): readonly PeerId[] {
    const { layouts } = this.#parts.stores;
    return layouts.get(pack)?.stripe === stripe ? wrongAmong(layouts.shards(pack)) : [];
  }

  /** Shards of the stripe that partners have and that are not of the present layout: those of the next one, and those in reserve. */
  #beside(row: PackRow, shards: readonly ShardRow[]): readonly ReserveShard[] {
    const { layouts } = this.#parts.stores;
    const isSame = layouts.get(row.pack)?.stripe === row.stripe;
    const next = isSame ? layouts.shards(row.pack).filter(isHeld) : [];
    const isPresent = ({ index, partner }: ShardRow): boolean =>
      shards.some((shard) => shard.index === index && shard.partner === partner);
    return [...next.filter((shard) => !isPresent(shard)), ...this.#parts.reserves.of(row)];
  }

  /** Indices of shards that do not count now, but are there and may count again. */
  #mayReturn(shards: readonly ReserveShard[]): readonly number[] {
    const { over } = this.#now();
    return shards
      .filter(({ partner }) => {
        const agreement = this.#parts.book.get(partner);
        return agreement !== undefined && agreement.phase !== 'leaving' && !over.has(partner);
      })
      .map(({ index }) => index);
  }

  /** It is lost, or its partner has failed: not one that leaves, or lends less. */
  #isFailing({ phase, partner }: ShardRow): boolean {
    if (phase === 'lost' || phase === 'wrong') return true;
    return this.#parts.book.get(partner)?.phase === 'suspended';
  }

  /** Shards that may stay where they are, or go there once more. */
  #kept(row: PackRow, shards: readonly ShardRow[]): ReadonlyMap<number, PeerId> {
    const code = present(row.code, 'a coded pack');
    const { over } = this.#now();
    const kept = new Map<number, PeerId>();
    for (const { index, partner, phase } of shards) {
      if (index >= indexCount(code) || phase === 'wrong' || over.has(partner)) continue;
      const agreement = this.#parts.book.get(partner);
      if (agreement === undefined || this.#isAvoided(agreement)) continue;
      if (phase === 'held' || this.#isAwaited(agreement, phase)) kept.set(index, partner);
    }
    return kept;
  }

  /** A shard that is not there yet can still be sent to this partner, now or before long. */
  #isAwaited({ phase, paused }: AgreementRow, shard: ShardRow['phase']): boolean {
    return takesShards(phase) && !(paused && shard === 'lost');
  }

  #isAvoided(row: AgreementRow): boolean {
    return row.phase === 'leaving' || this.#parts.avoided?.(row) === true;
  }

  /** Not held, and the outbox cannot send it, for it sends what lies in the spool only. */
  #isLeftToSend(row: PackRow, { phase, partner }: ShardRow): boolean {
    if (phase === 'held' || row.spooled) return false;
    if (this.#now().unconfirmed.has(partner)) return false;
    return this.#now().partners.some(({ peer }) => peer === partner);
  }

  #now(): Situation {
    this.#situation ??= this.#look();
    return this.#situation;
  }

  #look(): Situation {
    const { stores, book, planning } = this.#parts;
    const partners = planning
      .partners((peer) => this.#count(peer).all)
      .map((partner) => (this.#isFull(partner.peer) ? { ...partner, freeBytes: 0 } : partner))
      .filter(({ peer }) => !this.#isAvoided(present(book.get(peer), 'a partner')));
    const over = new Map<PeerId, number>();
    for (const row of book.all()) {
      const bytes = this.#overBytes(row);
      if (bytes > 0) over.set(row.partner, bytes);
    }
    const roomy = partners.filter(({ freeBytes }) => freeBytes > 0);
    return {
      partners: partners.filter(({ peer }) => !over.has(peer)),
      codes: codesToTry(roomy, planning.preset),
      over,
      unconfirmed: new Set(facts.unconfirmed(stores)),
    };
  }

  #overBytes(row: AgreementRow): number {
    const { stores } = this.#parts;
    const { partner } = row;
    let bytes = this.#count(partner).live - bytesLentBy(agreementOf(row), partner);
    for (const { pack } of stores.layouts.all()) {
      const { lengthBytes, code } = present(stores.packs.get(pack), 'the pack of a layout');
      const isHere = (shard: ShardRow): boolean => shard.partner === partner;
      if (code === undefined || stores.layouts.shards(pack).some(isHere)) continue;
      const leaving = stores.shards.ofPack(pack).filter(isHere).length;
      bytes -= leaving * shardBytesOf(lengthBytes, code);
    }
    return bytes;
  }

  /** Counting goes through everything that the partner has, so it is not done for each pack. */
  #count(partner: PeerId): { readonly all: number; readonly live: number } {
    const { stores, clock } = this.#parts;
    const now = clock.now();
    if (Math.abs(now - (this.#countedAt ?? now)) > countedMs) this.#counts.clear();
    if (this.#counts.size === 0) this.#countedAt = now;
    const known = this.#counts.get(partner);
    if (known !== undefined) return known;
    const counted = { all: bytesAt(stores, partner), live: liveBytesAt(stores, partner) };
    this.#counts.set(partner, counted);
    return counted;
  }

  #isFull(partner: PeerId): boolean {
    const since = this.#full.get(partner);
    if (since === undefined) return false;
    if (Math.abs(this.#parts.clock.now() - since) <= fullMs) return true;
    this.#full.delete(partner);
    return false;
  }
}

function isHeld({ phase }: ShardRow): boolean {
  return phase === 'held';
}

/** Whoever has wrong bytes under a shard's name says that it has the shard when it is sent again. */
function wrongAmong(shards: readonly ShardRow[]): readonly PeerId[] {
  return shards.filter(({ phase }) => phase === 'wrong').map(({ partner }) => partner);
}

function without(
  partners: readonly PlannedPartner[],
  left: readonly PeerId[],
): readonly PlannedPartner[] {
  return partners.filter(({ peer }) => !left.includes(peer));
}
