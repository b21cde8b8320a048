/** What passing time does to a partnership: it counts service and silence, ends periods, and lets what a former partner stored here go. lifecycle.ts alone steps it. */
import { assertNever } from '../../base/assert.ts';
import { type Instant, instant } from '../../base/units.ts';
import { boundedRate } from './counted-time.ts';
import type { LifecycleEffect, LifecycleEvent, LifecycleStep } from './lifecycle-event.ts';
import {
  inCommitment,
  type LifecyclePeriods,
  type LifecycleState,
  owesProofs,
} from './lifecycle-state.ts';
import { isPaused, servesNothing, settleLoss } from './told-loss.ts';

/** Until our count is so many times C a partner may hold that its commitment is not over, for it counts for itself; so long growths are remembered. */
export const excusedCommitments = 3;
const settledMost = 8;

export function stepTime(
  state: LifecycleState,
  event: Extract<LifecycleEvent, { readonly type: 'tick' }>,
  periods: LifecyclePeriods,
): LifecycleStep {
  const ranMs = Math.min(Math.max(0, event.ranMs), periods.tickMostMs);
  const { now } = event;
  switch (state.phase) {
    case 'reneged':
    case 'ended':
      return keeping(state, ranMs);
    case 'in-commitment':
    case 'standing':
    case 'suspended':
    case 'leaving':
      return inForceTick(
        state,
        { now, ranMs, countedMs: ranMs * boundedRate(event.rate) },
        periods,
      );
    default:
      return assertNever(state.phase);
  }
}

interface Passed {
  readonly now: Instant;
  readonly ranMs: number;
  /** The same in counted time. */
  readonly countedMs: number;
}

/**
 * What a former partner stored here is kept while time runs down; our own absence takes nothing from it. One that reneged stays so until a person forgives or
 * drops it: the machine has no last word.
 */
function keeping(state: LifecycleState, ranMs: number): LifecycleStep {
  if (state.keptLeftMs === 0) return { state, effects: [] };
  const keptLeftMs = Math.max(0, state.keptLeftMs - ranMs);
  return {
    state: { ...state, keptLeftMs },
    effects: keptLeftMs > 0 ? [] : [{ type: 'discard' }],
  };
}

function inForceTick(
  before: LifecycleState,
  passed: Passed,
  periods: LifecyclePeriods,
): LifecycleStep {
  const { leaving } = before;
  const { now, ranMs } = passed;
  const end = Math.min(
    leaving?.until ?? Number.POSITIVE_INFINITY,
    periods.endsAt ?? Number.POSITIVE_INFINITY,
  );
  const pastEndMs = now >= end ? before.pastEndMs + ranMs : 0;
  // The end is final, so a clock that leaps there and back does not bring it about.
  if (now >= end && pastEndMs >= periods.tickMostMs) return endLifecycle(before, now, periods);
  const effects: LifecycleEffect[] = [];
  const settled = settleLoss(before, passed, periods);
  let state = { ...counted(served(settled, passed, periods), passed, periods), pastEndMs };
  if (state.phase === 'in-commitment' && !inCommitment(state, periods)) {
    state = { ...state, phase: 'standing', since: now };
    effects.push({ type: 'committed' });
  }
  if (state.failingMs >= periods.spareMs && !state.spared) {
    state = { ...state, spared: true, proofsOwed: Math.max(1, state.proofsOwed) };
    effects.push({ type: 'place-spares' });
  }
  if (state.spared && (state.phase === 'in-commitment' || state.phase === 'standing')) {
    state = { ...state, phase: 'suspended', since: now };
    effects.push({ type: 'suspended', cause: state.cause ?? 'silence' });
  }
  if (state.failingMs < periods.graceMs) return { state, effects };
  const over = reneged(state, now, periods);
  return { state: over.state, effects: [...effects, ...over.effects] };
}

/** Good service: time in which nothing is held against the partner. A night takes nothing from it. */
function served(state: LifecycleState, passed: Passed, periods: LifecyclePeriods): LifecycleState {
  if (servesNothing(state, passed.now, periods)) return state;
  const isJudged = state.unjudgedMs === undefined || !periods.proves;
  const isGood = state.phase !== 'suspended' && !state.unproved && state.proofsOwed === 0;
  // Whoever takes nothing in has nothing to prove, and would have its commitment for nothing.
  if (!isGood || !isJudged || state.refusedMs !== undefined || periods.refusesRoom) return state;
  const day = serviceDay(passed.now, periods);
  // Who holds nothing yet has nothing to prove.
  const counts = !periods.proves && !state.unanswered && day > state.lastProvenDay;
  const days = counts ? { provenDays: state.provenDays + 1, lastProvenDay: day } : {};
  return { ...committed(state, passed, periods), ...days };
}

/** Number of the day of service that a time falls in. */
export function serviceDay(now: Instant, { serviceDayMs }: LifecyclePeriods): number {
  return Math.floor(now / serviceDayMs);
}

function committed(
  state: LifecycleState,
  { now, countedMs }: Passed,
  { commitmentMs }: LifecyclePeriods,
): LifecycleState {
  const { committedMs, steps, settled } = state;
  if (committedMs >= commitmentMs && steps.length + settled.length === 0) return state;
  const passedMs = Math.min(commitmentMs, committedMs + countedMs);
  // The older ones are settled first.
  const counted = [...settled, ...steps].map((step) => ({
    ...step,
    committedMs: step.committedMs + countedMs,
  }));
  const excusedMs = excusedCommitments * commitmentMs;
  return {
    ...state,
    committedMs: passedMs,
    committedAt: passedMs < commitmentMs ? undefined : (state.committedAt ?? now),
    steps: counted.filter((step) => step.committedMs < commitmentMs),
    settled: counted
      .filter((step) => step.committedMs >= commitmentMs && step.committedMs < excusedMs)
      .slice(-settledMost),
  };
}

/** The time that counts: the partner fails, and we do ask. After a loss that it told of, only its silence does, and only until a spare is placed. */
function counted(
  state: LifecycleState,
  { now, ranMs, countedMs }: Passed,
  periods: LifecyclePeriods,
): LifecycleState {
  const { fresh, failingMs } = state;
  // Of a partner in good standing a tick changes nothing, so that there is nothing to write down.
  const unaskedMs = owesProofs(state.cause) ? state.unaskedMs + ranMs : 0;
  const refusedMs = state.refusedMs === undefined ? undefined : state.refusedMs + ranMs;
  const failingFrom = fresh || state.failingFrom !== undefined ? spellStart(state, now) : undefined;
  const unjudgedMs = unjudgedFor(state, countedMs, periods);
  const next = { ...state, fresh: false, failingFrom, unjudgedMs, unaskedMs, refusedMs };
  if (!counts(state, periods) || fresh) return next;
  const paused = isPaused(state, now);
  if (paused && !state.unanswered) return next;
  const mostMs = paused ? periods.spareMs : now - (failingFrom ?? now);
  return { ...next, failingMs: Math.max(failingMs, Math.min(failingMs + countedMs, mostMs)) };
}

function unjudgedFor(
  { unjudgedMs }: LifecycleState,
  countedMs: number,
  { proves }: LifecyclePeriods,
): number | undefined {
  return unjudgedMs === undefined || !proves ? undefined : unjudgedMs + countedMs;
}

/** A clock that was set back moves the start with it. */
function spellStart({ failingFrom, failingMs }: LifecycleState, now: Instant): Instant {
  if (failingFrom !== undefined && failingFrom <= now) return failingFrom;
  return instant(Math.max(0, Math.floor(now - failingMs)));
}

function counts(state: LifecycleState, { auditIntervalMs, proves }: LifecyclePeriods): boolean {
  const { unanswered, unproved, refusedMs, cause, unaskedMs, spared } = state;
  // Time runs while we do ask; after T_r of refusals also when all that could be asked for was moved elsewhere.
  if (refusedMs !== undefined && (proves ? refusedMs <= 2 * auditIntervalMs : spared)) return true;
  if (!owesProofs(cause) || unanswered) return unanswered || unproved;
  // After a wrong proof time runs until it is cleared, unless there is something left to ask for and it is we who do not ask.
  return !proves || unaskedMs <= 2 * auditIntervalMs;
}

function reneged(state: LifecycleState, now: Instant, periods: LifecyclePeriods): LifecycleStep {
  const cause = state.cause ?? 'silence';
  const days = Math.min(periods.serviceDaysMost, state.provenDays);
  // Whoever is there and gives nothing back is given nothing back.
  const denies = state.refusedMs !== undefined && !state.unanswered;
  const keptLeftMs = cause !== 'wrong' && !denies ? days * periods.serviceDayMs : 0;
  const effects: LifecycleEffect[] = [{ type: 'divorce', cause }];
  effects.push(keptLeftMs > 0 ? { type: 'serve', forMs: keptLeftMs } : { type: 'discard' });
  return { state: { ...state, phase: 'reneged', since: now, keptLeftMs }, effects };
}

/** It has begun to fail, and was not cleared of that. */
export function isFailing({ unanswered, unproved, refusedMs }: LifecycleState): boolean {
  return unanswered || unproved || refusedMs !== undefined;
}

export function endLifecycle(
  state: LifecycleState,
  now: Instant,
  periods: LifecyclePeriods,
): LifecycleStep {
  // What it left here lies in the trash for L, counted in our running time; after reneging it has what is left of the time it earned.
  const keptLeftMs = state.phase === 'reneged' ? state.keptLeftMs : periods.deleteLockMs;
  const effects: LifecycleEffect[] = [{ type: 'ended' }];
  effects.push(keptLeftMs > 0 ? { type: 'serve', forMs: keptLeftMs } : { type: 'discard' });
  return { state: { ...state, phase: 'ended', since: now, keptLeftMs }, effects };
}
