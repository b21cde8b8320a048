/**
 * What this computer would sign with one peer (C3, C24–C27): the settings, made into a policy for this one, and the space that is left.
 *
 * What is lent is reserved when it is promised: agreements in force, proposals that bear our signature, and what is being negotiated all count, so that the sum
 * of what is lent never exceeds what there is to lend.
 */
import { bytesLentTo } from '../../core/agreements/agreement.ts';
import type { Stance } from '../../core/agreements/negotiation.ts';
import {
  type Circumstances,
  nothingKnown,
  type Policy,
  type PolicyChanges,
  policyOf,
  stretchedTo,
  termsWithLending,
} from '../../core/agreements/policy.ts';
import { type Ramp, rampedBytes } from '../../core/agreements/ramp.ts';
import type { Terms } from '../../core/agreements/terms.ts';
import { mostPartners } from '../../core/partners/sufficiency.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import { blockBytes } from '../../core/vocabulary/limits.ts';
import type { AgreementRow, Stores } from '../../ports/stores.ts';
import type { LifecycleKeeper } from './lifecycle-keeper.ts';
import type { PartnerBook } from './partner-book.ts';
import { agreementOf, bytesAt } from './partner-space.ts';
import type { PartnershipSettings } from './partnership-settings.ts';
import { isPromise, type SpaceClaim, unpromisedBytes } from './unpromised-space.ts';

export interface PartnerStanceParts {
  readonly stores: Stores;
  readonly book: PartnerBook;
  readonly keeper: LifecycleKeeper;
  readonly settings: PartnershipSettings;
  /** All that this computer lends, in bytes. */
  readonly offeredBytes: number;
  /** Partners that the planner wants. */
  readonly wantedPartners: () => number;
}

/** What two lend each other, in bytes. */
export interface LentBytes {
  readonly ours: number;
  readonly theirs: number;
}

/** A promise that is being negotiated. */
export interface Reservation {
  release(): void;
}

export class PartnerStance {
  readonly #parts: PartnerStanceParts;
  readonly #reserved = new Map<symbol, number>();

  constructor(parts: PartnerStanceParts) {
    this.#parts = parts;
  }

  /** How many partners are looked for. */
  wantedPartners(): number {
    const { settings, wantedPartners } = this.#parts;
    return settings.wantedPartners > 0 ? settings.wantedPartners : wantedPartners();
  }

  /** How many are taken when others ask: a few more, or the last ones to come would find nobody. */
  mostPartners(): number {
    return mostPartners(this.wantedPartners());
  }

  /** Space that nobody was promised yet, in bytes. */
  freeBytes(): number {
    return Math.max(0, this.#unpromised(this.#claims()));
  }

  /** The same if nothing had been promised to this peer, nor been left here by it: what an agreement that takes the place of all that can lend. */
  freeBytesWithout(peer: PeerId): number {
    return Math.max(0, this.#unpromised(this.#claims().filter(({ partner }) => partner !== peer)));
  }

  /** Whether a former partner can be lent again what it was: what it left here is its own. */
  hasRoomFor(row: AgreementRow): boolean {
    const peer = row.partner;
    const others = this.#claims().filter((claim) => claim.partner !== peer || isPromise(claim));
    // Not of `freeBytes`: where more was promised than is lent now, what it left here is no room.
    return this.#unpromised(others) >= weLend(row);
  }

  #unpromised(claims: readonly SpaceClaim[]): number {
    const { offeredBytes, stores } = this.#parts;
    const negotiated = [...this.#reserved.values()].reduce((sum, bytes) => sum + bytes, 0);
    const weHold = (peer: PeerId): number => stores.held.blockCount(peer) * blockBytes;
    return unpromisedBytes(offeredBytes, claims, weHold) - negotiated;
  }

  #claims(): readonly SpaceClaim[] {
    const rows = this.#parts.stores.agreements.all();
    return rows.map((row) => ({
      ...{ partner: row.partner, phase: row.phase },
      weLendBytes: isPromise(row) ? weLend(row) : 0,
    }));
  }

  /** What is offered to one partner: an equal share of everything. */
  shareBytes(): number {
    return Math.floor(this.#parts.offeredBytes / this.mostPartners());
  }

  /** What is wanted of one partner. */
  wantedShareBytes(): number {
    const { wantedBytes } = this.#parts.settings;
    return wantedBytes === undefined
      ? this.shareBytes()
      : Math.ceil(wantedBytes / Math.max(1, this.wantedPartners()));
  }

  /** Nobody else is promised these bytes until they are released. */
  reserve(bytes: number): Reservation {
    const key = Symbol('reservation');
    this.#reserved.set(key, bytes);
    return { release: () => this.#reserved.delete(key) };
  }

  /** Space for a new partner, in bytes; 0 when nobody is wanted. */
  openBytes(): number {
    return this.#isOpen() ? this.freeBytes() : 0;
  }

  #isOpen(): boolean {
    const { settings, book } = this.#parts;
    if (!settings.seek || book.all().length >= this.mostPartners()) return false;
    // What is left over after the last share is of little use to anybody.
    return this.freeBytes() * 2 >= this.shareBytes();
  }

  /** Towards somebody that is no partner; undefined: nobody is wanted. */
  towards(peer: PeerId, known: Circumstances = nothingKnown): Stance | undefined {
    const { settings, book } = this.#parts;
    if (!this.#isOpen()) return undefined;
    const freeBytes = Math.min(this.shareBytes(), this.freeBytes());
    const policy = policyOf({
      preset: settings.preset,
      trusted: false,
      freeBytes,
      wantedBytes: this.wantedShareBytes(),
      cleanMs: 0,
      changes: this.#changes(),
    });
    const { mostBytes, wantedBytes } = policy.lending;
    if (mostBytes === 0 && wantedBytes === 0) return undefined;
    return { policy, circumstances: { ...known, renegedHere: book.renegedHere(peer) } };
  }

  /**
   * Towards a partner: the terms in force are good, others are as far as this computer would sign them with anybody, and space is bounded by what there is. Whoever
   * is not trusted keeps lending what it is lent, unless a person wants it otherwise: `wished` is of that person. Without one no partner gets more than its part.
   */
  towardsPartner(row: AgreementRow, wished?: LentBytes): Stance {
    const { terms } = agreementOf(row);
    const { settings, keeper } = this.#parts;
    const lent = weLend(row);
    const ramp = terms.trusted ? undefined : rampOf(settings);
    const ramped = rampedBytes(ramp, keeper.cleanMs(row));
    const changes = { ...this.#changes(), ramp: null };
    const { preset } = settings;
    const { trusted } = terms;
    const own = policyOf({ preset, trusted, freeBytes: 0, wantedBytes: 0, cleanMs: 0, changes });
    const possible = Math.min(lent + this.freeBytes(), ramped);
    const lending: Policy['lending'] = {
      mostBytes:
        wished === undefined
          ? Math.max(lent, Math.min(possible, this.#partBytes(row)))
          : Math.min(wished.ours, Math.max(lent, possible)),
      leastInReturnBytes: 0,
      wantedBytes: wished?.theirs ?? theyLend(row),
      timesReturn: trusted || wished !== undefined ? undefined : this.#timesReturn(row),
    };
    return { policy: { ...stretchedTo(own, terms), lending }, circumstances: nothingKnown };
  }

  /**
   * What a partner is lent when it asks by itself: a share, or as much as lies there of ours. What it only promises to lend does not count: whoever promised
   * enough would have everything, and leave nothing for others.
   */
  #partBytes(row: AgreementRow): number {
    const storedBytes = bytesAt(this.#parts.stores, row.partner);
    return Math.max(this.shareBytes(), Math.min(theyLend(row), storedBytes));
  }

  /** As for any stranger, or as it is now. */
  #timesReturn(row: AgreementRow): number | undefined {
    const [ours, theirs] = [weLend(row), theyLend(row)];
    const { timesReturn } = this.#changes().lending;
    if (timesReturn === undefined || (theirs === 0 && ours > 0)) return undefined;
    return Math.max(timesReturn, theirs === 0 ? 0 : ours / theirs);
  }

  /** Terms for a stranger that was clean for long enough to lend it more, and it us; undefined: those in force are right. */
  grown(row: AgreementRow): Terms | undefined {
    const { settings, keeper } = this.#parts;
    const { terms, first, start } = agreementOf(row);
    const ramp = rampOf(settings);
    if (terms.trusted || ramp === undefined) return undefined;
    const [ours, theirs] = [weLend(row), theyLend(row)];
    const ramped = rampedBytes(ramp, keeper.cleanMs(row));
    // Signed since the last doubling: how far the other goes was found out then.
    if (ramped <= rampedBytes(ramp, start - keeper.stateOf(row).cleanSince)) return undefined;
    const more = Math.min(ramped, this.shareBytes(), ours + this.freeBytes());
    // Less than half as much again is not worth two signatures.
    if (ours === 0 || theirs === 0 || more < ours * 1.5) return undefined;
    const lent = { ours: more, theirs: Math.max(theirs, more) };
    return termsWithLending(terms, first === row.partner ? 'second' : 'first', lent);
  }

  /** What both promise each other. */
  account(row: AgreementRow): { readonly weLendBytes: number; readonly lendsUsBytes: number } {
    return { weLendBytes: weLend(row), lendsUsBytes: theyLend(row) };
  }

  #changes(): PolicyChanges & { readonly lending: Pick<Policy['lending'], 'timesReturn'> } {
    const { settings } = this.#parts;
    const { auditIntervalMs, graceMs, commitmentMs, deleteLockMs, noticeMs, termMs } = settings;
    return {
      preferred: { auditIntervalMs, graceMs, commitmentMs, deleteLockMs, noticeMs, termMs },
      schedule: { leastPromisedHours: 0, leastOverlapHours: settings.overlapHours },
      leastBandwidth: settings.bandwidth,
      mostReneged: settings.renegesAllowed,
      ramp: rampOf(settings) ?? null,
      // Whoever wants nothing lends for nothing; otherwise strangers lend each other the same (C25).
      lending: { timesReturn: settings.wantedBytes === 0 ? undefined : 1 },
    };
  }
}

function rampOf({ rampBytes, rampStepMs }: PartnershipSettings): Ramp | undefined {
  return rampBytes === 0 ? undefined : { firstBytes: rampBytes, doublingMs: rampStepMs };
}

/** Bytes that an agreement or a proposal promises to the partner. */
export function weLend(row: AgreementRow): number {
  return bytesLentTo(agreementOf(row), row.partner);
}

function theyLend(row: AgreementRow): number {
  const agreement = agreementOf(row);
  const { firstLendsBytes, secondLendsBytes } = agreement.terms;
  return agreement.first === row.partner ? firstLendsBytes : secondLendsBytes;
}
