/** What one computer remembers of a partnership, the periods that it goes by, and what follows from both (C30, C46). What leads on is in lifecycle.ts. */
import { dayMs, type Instant, instant, minuteMs } from '../../base/units.ts';
import type { Terms } from '../agreements/terms.ts';
import type { LifecyclePhase } from './lifecycle-phase.ts';

/** Why a partner failed: it was silent, or it sent wrong bytes. */
export type FailureCause = 'silence' | 'wrong';

export interface LifecycleState {
  readonly phase: LifecyclePhase;
  /** When this phase began, by our clock. */
  readonly since: Instant;
  /** When the first agreement came into force here, by our clock: commitment counts from it. */
  readonly joinedAt: Instant;
  /** The last time we asked, nothing answered. */
  readonly unanswered: boolean;
  /** It answers, but a challenge is open that it does not answer. */
  readonly unproved: boolean;
  /** A drill was refused: our own running time since it was refused last. undefined: none was, or one was served since. */
  readonly refusedMs: number | undefined;
  /** What failed first since it was last clean. */
  readonly cause: FailureCause | undefined;
  /** Time that counts against G so far. */
  readonly failingMs: number;
  /** Nothing was counted yet since it began to fail: the tick that is under way began before. */
  readonly fresh: boolean;
  /** After a wrong proof: our own running time since a proof was last asked for and judged. */
  readonly unaskedMs: number;
  /** Right proofs that are still needed to be reinstated. */
  readonly proofsOwed: number;
  /** How often it was wrong and came back. */
  readonly relapses: number;
  /** A spare was asked for. */
  readonly spared: boolean;
  /** Days of service on which it proved what it holds; each counts once. */
  readonly provenDays: number;
  /** Number of the last such day. */
  readonly lastProvenDay: number;
  /** No failure since. */
  readonly cleanSince: Instant;
  /** It told of a loss: G stands still until then. */
  readonly pausedUntil: Instant | undefined;
  readonly lossNoticedAt: Instant | undefined;
  /** Notice to leave. */
  readonly leaving: Leaving | undefined;
  /** Our own running time since the clock first said that the agreement is over. */
  readonly pastEndMs: number;
  /** After it reneged or ended: our own running time for which we still keep and serve what it stored here. */
  readonly serveLeftMs: number;
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
  /** Service after reneging, for each proven day. */
  readonly serviceDayMs: number;
  readonly serviceDaysMost: number;
  /** One tick counts no more, however long it was. */
  readonly tickMostMs: number;
  /** Whether there is anything that it could prove: it lends, and holds something. Otherwise an answer is enough to be reinstated. */
  readonly proves: boolean;
}

export interface LifecycleKnobs {
  /** T_r; at most half of G is used. */
  readonly spareMs: number;
  /** Whether the partner holds anything of ours. */
  readonly proves: boolean;
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
  };
}

/** The partnership as it begins, when the agreement came into force here. */
export function lifecycleStart(periods: LifecyclePeriods, now: Instant): LifecycleState {
  return {
    phase: periods.commitmentMs > 0 ? 'in-commitment' : 'standing',
    since: now,
    joinedAt: now,
    unanswered: false,
    unproved: false,
    refusedMs: undefined,
    cause: undefined,
    failingMs: 0,
    fresh: false,
    unaskedMs: 0,
    proofsOwed: 0,
    relapses: 0,
    spared: false,
    provenDays: 0,
    lastProvenDay: 0,
    cleanSince: now,
    pausedUntil: undefined,
    lossNoticedAt: undefined,
    leaving: undefined,
    pastEndMs: 0,
    serveLeftMs: 0,
  };
}

/** C has not passed yet: restores are neither made nor honoured (C30). */
export function inCommitment(
  state: Pick<LifecycleState, 'joinedAt'>,
  periods: Pick<LifecyclePeriods, 'commitmentMs'>,
  now: Instant,
): boolean {
  // Where C is waived a clock that was set back must not bring it about.
  return periods.commitmentMs > 0 && now < restorableFrom(state, periods);
}

/** From when on restores are made and honoured: what `status` says as "restorable from". */
export function restorableFrom(
  { joinedAt }: Pick<LifecycleState, 'joinedAt'>,
  { commitmentMs }: Pick<LifecyclePeriods, 'commitmentMs'>,
): Instant {
  return instant(joinedAt + commitmentMs);
}

/**
 * Whether restore reads are made and honoured now (C30): never in commitment, then for as long as the agreement runs, and after the partner reneged or left for as
 * long as it is served.
 */
export function restoresAllowed(
  state: LifecycleState,
  periods: LifecyclePeriods,
  now: Instant,
): boolean {
  if (inCommitment(state, periods, now)) return false;
  return servesUntil(state, now) !== 'not-served';
}

/**
 * How long what the partner stored here is kept and served: `in-force` while the agreement runs; afterwards an instant, an estimate that moves on while this computer
 * is off, for only its running time counts.
 */
export function servesUntil(
  { phase, serveLeftMs }: Pick<LifecycleState, 'phase' | 'serveLeftMs'>,
  now: Instant,
): Instant | 'in-force' | 'not-served' {
  if (phase !== 'reneged' && phase !== 'ended') return 'in-force';
  return serveLeftMs > 0 ? instant(now + Math.ceil(serveLeftMs)) : 'not-served';
}

/** How long the partner has been clean: what the ramp goes by. */
export function cleanMs({ cleanSince, proofsOwed }: LifecycleState, now: Instant): number {
  return proofsOwed === 0 ? Math.max(0, now - cleanSince) : 0;
}
