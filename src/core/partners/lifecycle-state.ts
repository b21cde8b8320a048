/** What one computer remembers of a partnership, the periods that it goes by, and what follows from both (C30, C46). What leads on is in lifecycle.ts. */
import { dayMs, type Instant, instant, minuteMs } from '../../base/units.ts';
import type { LedgerPlace } from '../agreements/acknowledgement.ts';
import type { Terms } from '../agreements/terms.ts';
import { isInForce, type LifecyclePhase } from './lifecycle-phase.ts';

/** Why a partner failed: it was silent, it sent wrong bytes, or it told of one total loss after the other. */
export type FailureCause = 'silence' | 'wrong' | 'losses';

/** Only right proofs clear this, however it answers. */
export function owesProofs(cause: FailureCause | undefined): cause is 'wrong' | 'losses' {
  return cause === 'wrong' || cause === 'losses';
}

export interface LifecycleState {
  readonly phase: LifecyclePhase;
  /** When this phase began, by our clock. */
  readonly since: Instant;
  /** Counted time of good service, up to C: its commitment is over when this is C. */
  readonly committedMs: number;
  /** When its commitment was over, by our clock. */
  readonly committedAt: Instant | undefined;
  /** When its commitment began anew because it had taken us for a former partner. */
  readonly recommittedAt: Instant | undefined;
  /** Commitments of what was added to the terms later; the oldest first. */
  readonly steps: readonly CommitmentStep[];
  /** Growths whose commitment is over by our count, for two C more: the partner may count less. */
  readonly settled: readonly CommitmentStep[];
  /** The last time we asked, nothing answered. */
  readonly unanswered: boolean;
  /** It answers, but a challenge is open that it does not answer. */
  readonly unproved: boolean;
  /** A drill was refused: our own running time since it was refused last. undefined: none was, or one was served since. */
  readonly refusedMs: number | undefined;
  /** What failed first since it was last clean. */
  readonly cause: FailureCause | undefined;
  /** When it began to count, by our clock: no more counts than has passed since. */
  readonly failingFrom: Instant | undefined;
  /** Time that counts against G so far. */
  readonly failingMs: number;
  /** Nothing was counted yet since it began to fail: the tick that is under way began before. */
  readonly fresh: boolean;
  /** It answers audits, and they come to nothing that can be judged: our own counted time since the first of these. undefined: the last was judged, or nothing could be asked for. */
  readonly unjudgedMs: number | undefined;
  /** After a wrong proof: our own running time since a proof was last asked for and judged. */
  readonly unaskedMs: number;
  /** Right proofs that are still needed to be reinstated. */
  readonly proofsOwed: number;
  /** How often it was wrong and came back. */
  readonly relapses: number;
  /** A spare was asked for. */
  readonly spared: boolean;
  /** Days of service on which it proved what it holds, or was there and held nothing; each counts once. */
  readonly provenDays: number;
  /** Number of the last such day. */
  readonly lastProvenDay: number;
  /** No failure since. */
  readonly cleanSince: Instant;
  /** It told of a loss, and has proved nothing since: G stands still until then. */
  readonly pausedUntil: Instant | undefined;
  readonly lossNoticedAt: Instant | undefined;
  readonly lossDebt: LossDebt | undefined;
  /** Notice to leave. */
  readonly leaving: Leaving | undefined;
  /** Our own running time since the clock first said that the agreement is over. */
  readonly pastEndMs: number;
  /** After it reneged or ended: our own running time for which we still keep what it stored here. */
  readonly keptLeftMs: number;
}

/** More is lent than before: what was stored after these places has a commitment of its own. Where nothing more is lent, the place is `neverReached`. */
export interface CommitmentStep {
  /** In the ledger of what the partner stored here. */
  readonly theirs: LedgerPlace;
  /** In the ledger of what we stored there. */
  readonly ours: LedgerPlace;
  /** How much may be read back of that all the same, in bytes: what had been lent before, as far as it was not used. */
  readonly readableBytes: number;
  readonly committedMs: number;
}

/** After a told loss: restores are honoured for `leftMs` of counted time; then `owedMs` more of good service is due. */
export interface LossDebt {
  readonly leftMs: number;
  readonly owedMs: number;
  /** It has proved nothing since. */
  readonly isUnproved: boolean;
}

export interface Leaving {
  readonly by: 'us' | 'partner';
  readonly until: Instant;
}

/** The periods that hold for one partner; see `lifecyclePeriods`. */
export interface LifecyclePeriods {
  /** T_r: a spare is placed after this much silence. */
  readonly spareMs: number;
  /** G. */
  readonly graceMs: number;
  /** C. */
  readonly commitmentMs: number;
  /** L: what ends is kept in the trash for so long. */
  readonly deleteLockMs: number;
  readonly noticeMs: number;
  readonly auditIntervalMs: number;
  /** Time that a partner which lost its data has to load it again, after C. */
  readonly reloadMs: number;
  /** When the agreement ends by itself. */
  readonly endsAt: Instant | undefined;
  /** What it stored is kept for so long after reneging, for each proven day. */
  readonly serviceDayMs: number;
  readonly serviceDaysMost: number;
  /** One tick counts no more, however long it was. */
  readonly tickMostMs: number;
  /** Whether there is anything that it could prove: it lends, and holds something. Otherwise an answer is enough to be reinstated. */
  readonly proves: boolean;
  /** The last that it was sent of late it did not take in, though it lends space for it. */
  readonly refusesRoom: boolean;
}

export interface LifecycleKnobs {
  /** T_r; at most half of G is used. */
  readonly spareMs: number;
  /** Whether the partner holds anything of ours. */
  readonly proves: boolean;
  readonly refusesRoom?: boolean;
  readonly endsAt?: Instant | undefined;
  readonly serviceDayMs?: number;
}

const serviceDaysMost = 90;

/** The periods that follow from terms and this side's own knobs. */
export function lifecyclePeriods(terms: Terms, knobs: LifecycleKnobs): LifecyclePeriods {
  const { graceMs, commitmentMs, deleteLockMs, noticeMs, auditIntervalMs } = terms;
  return {
    spareMs: Math.min(knobs.spareMs, graceMs / 2),
    graceMs,
    commitmentMs,
    deleteLockMs,
    noticeMs,
    auditIntervalMs,
    reloadMs: graceMs,
    endsAt: knobs.endsAt,
    serviceDayMs: knobs.serviceDayMs ?? dayMs,
    serviceDaysMost,
    tickMostMs: Math.min(10 * minuteMs, graceMs / 8),
    proves: knobs.proves,
    refusesRoom: knobs.refusesRoom ?? false,
  };
}

/** The partnership as it begins, when the agreement came into force here. */
export function lifecycleStart(periods: LifecyclePeriods, now: Instant): LifecycleState {
  return {
    phase: periods.commitmentMs > 0 ? 'in-commitment' : 'standing',
    since: now,
    committedMs: 0,
    committedAt: periods.commitmentMs > 0 ? undefined : now,
    recommittedAt: undefined,
    steps: [],
    settled: [],
    unanswered: false,
    unproved: false,
    refusedMs: undefined,
    cause: undefined,
    failingFrom: undefined,
    failingMs: 0,
    fresh: false,
    unjudgedMs: undefined,
    unaskedMs: 0,
    proofsOwed: 0,
    relapses: 0,
    spared: false,
    provenDays: 0,
    lastProvenDay: 0,
    cleanSince: now,
    pausedUntil: undefined,
    lossNoticedAt: undefined,
    lossDebt: undefined,
    leaving: undefined,
    pastEndMs: 0,
    keptLeftMs: 0,
  };
}

/** C has not passed yet: restores are neither made nor honoured (C30). */
export function inCommitment(
  { committedMs }: Pick<LifecycleState, 'committedMs'>,
  { commitmentMs }: Pick<LifecyclePeriods, 'commitmentMs'>,
): boolean {
  return committedMs < commitmentMs;
}

/** Beyond every place of a ledger. */
export const neverReached: LedgerPlace = { epoch: Number.MAX_SAFE_INTEGER, sequence: 0 };

/** Whether something of ours there is not given back yet: a commitment runs, of the agreement or of what the partner lends us more. */
export function hasOpenCommitment(state: LifecycleState, periods: LifecyclePeriods): boolean {
  return inCommitment(state, periods) || state.steps.some(lendsUsMore);
}

function lendsUsMore({ ours }: CommitmentStep): boolean {
  return ours.epoch !== neverReached.epoch;
}

export function isAfter(place: LedgerPlace, { epoch, sequence }: LedgerPlace): boolean {
  return place.epoch > epoch || (place.epoch === epoch && place.sequence > sequence);
}

/** The earlier of two places in a ledger. */
export function earlierPlace(left: LedgerPlace, right: LedgerPlace): LedgerPlace {
  return isAfter(left, right) ? right : left;
}

/** From when on all can be restored, if all goes well: what `status` says as "restorable from". An estimate, for only good service counts. */
export function restorableFrom(
  { committedMs, steps }: Pick<LifecycleState, 'committedMs' | 'steps'>,
  { commitmentMs }: Pick<LifecyclePeriods, 'commitmentMs'>,
  now: Instant,
): Instant {
  const least = steps
    .filter(lendsUsMore)
    .reduce((ms, step) => Math.min(ms, step.committedMs), committedMs);
  return instant(now + Math.max(0, Math.ceil(commitmentMs - least)));
}

/**
 * Whether restore reads are made and honoured now (C30): never in commitment, then for as long as the agreement runs. After its end only where commitment was
 * waived: others must renew the agreement, and their commitment, or whoever leaves would be kept for nothing (docs/economics.md).
 */
export function restoresAllowed(
  state: Pick<LifecycleState, 'phase' | 'committedMs' | 'keptLeftMs'>,
  periods: Pick<LifecyclePeriods, 'commitmentMs'>,
): boolean {
  if (isInForce(state.phase)) return !inCommitment(state, periods);
  return periods.commitmentMs === 0 && state.keptLeftMs > 0;
}

/** The growth of the terms after which a shard in this place was stored, while its commitment runs; the newest of several. */
export function openStepOf(
  { steps }: Pick<LifecycleState, 'steps'>,
  place: LedgerPlace,
): CommitmentStep | undefined {
  return steps.findLast(({ theirs }) => isAfter(place, theirs));
}

/**
 * How long what the partner stored here is kept: `in-force` while the agreement runs; afterwards an instant, an estimate that moves on while this computer
 * is off, for only its running time counts.
 */
export function keptUntil(
  { phase, keptLeftMs }: Pick<LifecycleState, 'phase' | 'keptLeftMs'>,
  now: Instant,
): Instant | 'in-force' | 'not-kept' {
  if (isInForce(phase)) return 'in-force';
  return keptLeftMs > 0 ? instant(now + Math.ceil(keptLeftMs)) : 'not-kept';
}

/** Whether a former partner may still come back by its own will: it went silent or gave notice, and what it stored is there. */
export function isRenewable(
  { phase, keptLeftMs, leaving }: Pick<LifecycleState, 'phase' | 'keptLeftMs' | 'leaving'>,
  { endsAt }: Pick<LifecyclePeriods, 'endsAt'>,
  now: Instant,
): boolean {
  if (keptLeftMs === 0 || (endsAt !== undefined && now >= endsAt)) return false;
  return phase === 'reneged' || (phase === 'ended' && leaving?.by === 'partner');
}

/** How long the partner has been clean: what the ramp goes by. */
export function cleanMs({ cleanSince, proofsOwed }: LifecycleState, now: Instant): number {
  return proofsOwed === 0 ? Math.max(0, now - cleanSince) : 0;
}
