/**
 * What the planner is told about the partners: what was measured of each, what its profile says it may fail together with, what it lends and has of ours.
 *
 * Nothing is waited for. A partner that was never measured and whose profile was never read is planned with all the same, cautiously and by itself.
 */
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import { dayMs, type Instant, minuteMs } from '../../base/units.ts';
import { bytesLentBy } from '../../core/agreements/agreement.ts';
import { countedRate } from '../../core/partners/counted-time.ts';
import { domainsOf, traitsOf } from '../../core/partners/failure-domain.ts';
import {
  availabilityOf,
  bandwidthOf,
  decodeObservation,
  type Observation,
} from '../../core/partners/observation.ts';
import type { PlanPreset } from '../../core/placement/code-choice.ts';
import { repairTimeMs } from '../../core/placement/durability.ts';
import type { FailureDomains } from '../../core/placement/failure-domains.ts';
import {
  type Plan,
  type PlannedPartner,
  planFor,
  unmeasuredAvailability,
} from '../../core/placement/planner.ts';
import { shardCount } from '../../core/vocabulary/code.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import { readProfile } from '../../core/wire/profile.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AgreementRow, Stores } from '../../ports/stores.ts';
import type { PartnerBook } from './partner-book.ts';
import { missedMs } from './partner-failings.ts';
import { agreementOf, bytesAt } from './partner-space.ts';
import type { StripeHolders } from './stripe-holders.ts';

/** Packs are planned many times a second, partners change within days: what is known of one is read again after so long. */
const knownMs: number = 1 * minuteMs;
/** This computer is taken to be on line for half of the time until it was watched over a weekend. */
const watchedMs: number = 7 * dayMs;

export interface PartnerPlanningParts {
  readonly stores: Stores;
  readonly book: PartnerBook;
  readonly clock: Clock;
  readonly preset: Pick<PlanPreset, 'preset' | 'hostile'>;
  readonly self: PeerId;
  /** T_r, in counted time of this computer (counted-time.ts). */
  readonly spareAfterMs: number;
  /** When a partner is expected to honour restores; undefined when it does. */
  readonly commitmentEndsAt: (partner: PeerId) => Instant | undefined;
  /** What this computer itself may fail together with. */
  readonly own: FailureDomains;
  /** Who has shards of each pack, for chances that people are told. */
  readonly holders: StripeHolders;
}

/** What does not change from pack to pack. */
type Known = Pick<PlannedPartner, 'availability' | 'bandwidth' | 'domains'>;

export class PartnerPlanning {
  readonly #parts: PartnerPlanningParts;
  #preset: { readonly at: Instant; readonly preset: PlanPreset } | undefined;
  readonly #known = new Map<PeerId, { readonly at: Instant; readonly known: Known }>();
  /** Where partners stand, by the profile that says so: reading one means checking a signature. */
  readonly #domains = new Map<
    PeerId,
    { readonly document: Bytes; readonly domains: FailureDomains }
  >();

  constructor(parts: PartnerPlanningParts) {
    this.#parts = parts;
  }

  /** With how long repair takes here: a computer that hardly ever runs misses somebody late. */
  get preset(): PlanPreset {
    const { clock, preset, spareAfterMs } = this.#parts;
    const now = clock.now();
    const before = this.#preset;
    if (before !== undefined && Math.abs(now - before.at) < knownMs) return before.preset;
    const repairMs = repairTimeMs(spareAfterMs, this.#countedShare(now));
    this.#preset = { at: now, preset: { ...preset, repairMs } };
    return this.#preset.preset;
  }

  get own(): FailureDomains {
    return this.#parts.own;
  }

  get holders(): StripeHolders {
    return this.#parts.holders;
  }

  /** For new stripes, with the partners that take shards. */
  plan(): Plan {
    return planFor(this.partners(), this.preset);
  }

  /** Of the widest stripe there is; 0: there is none. */
  shardsInUse(): number {
    const packs = this.#parts.stores.shards.standings();
    return packs.reduce((most, { code }) => (code ? Math.max(most, shardCount(code)) : most), 0);
  }

  /** Partners that take shards. `takenAt`: bytes that our shards take at each, when that was counted already. */
  partners(takenAt?: (partner: PeerId) => number): readonly PlannedPartner[] {
    return this.#parts.book.open().map((row) => this.planned(row, takenAt));
  }

  /** One partner, as the planner sees it. */
  planned(row: AgreementRow, takenAt?: (partner: PeerId) => number): PlannedPartner {
    const { stores, clock } = this.#parts;
    const usedBytes = takenAt?.(row.partner) ?? bytesAt(stores, row.partner);
    const agreement = agreementOf(row);
    const now = clock.now();
    const restorableFrom = this.#parts.commitmentEndsAt(row.partner);
    const missed = missedMs(row, now);
    return {
      ...this.#knownOf(row.partner),
      peer: row.partner,
      ageMs: Math.max(0, now - row.since),
      freeBytes: bytesLentBy(agreement, row.partner) - usedBytes,
      usedBytes,
      ...(missed === undefined ? {} : { missedMs: missed }),
      ...(restorableFrom === undefined ? {} : { restorableFrom }),
    };
  }

  /**
   * Share of the time, 0 … 1, that counts while this computer waits for somebody. What was seen of it before it was watched for a week counts neither for it
   * nor against it: the first minutes of a new computer would foretell a year.
   */
  #countedShare(now: Instant): number {
    const { stores, self } = this.#parts;
    const observed = observationOf(stores, self);
    const share = observed && availabilityOf(observed);
    if (observed === undefined || share === undefined) return unmeasuredAvailability;
    if (now - observed.firstSeenAt < watchedMs) return unmeasuredAvailability;
    return Math.min(1, share * countedRate(observed));
  }

  #knownOf(peer: PeerId): Known {
    const now = this.#parts.clock.now();
    const before = this.#known.get(peer);
    // A clock that was set back must not keep what is known for days.
    if (before !== undefined && Math.abs(now - before.at) < knownMs) return before.known;
    const known = this.#read(peer);
    this.#known.set(peer, { at: now, known });
    return known;
  }

  #read(peer: PeerId): Known {
    return { ...readMeasured(this.#parts.stores, peer), domains: this.#domainsOf(peer) };
  }

  #domainsOf(peer: PeerId): FailureDomains {
    const document = this.#parts.stores.candidates.get(peer)?.profile;
    if (document === undefined) return {};
    const before = this.#domains.get(peer);
    if (before !== undefined && equalBytes(before.document, document)) return before.domains;
    const profile = readProfile(document, peer);
    const domains = profile.ok ? domainsOf(traitsOf(profile.value)) : {};
    this.#domains.set(peer, { document, domains });
    return domains;
  }
}

function readMeasured(stores: Stores, peer: PeerId): Omit<Known, 'domains'> {
  const observed = observationOf(stores, peer);
  const availability = observed && availabilityOf(observed);
  const bandwidth = observed && bandwidthOf(observed, 'down');
  return {
    ...(availability === undefined ? {} : { availability }),
    ...(bandwidth === undefined ? {} : { bandwidth }),
  };
}

function observationOf(stores: Stores, peer: PeerId): Observation | undefined {
  const bytes = stores.observations.get(peer);
  const observation = bytes && decodeObservation(bytes);
  return observation?.ok ? observation.value : undefined;
}
