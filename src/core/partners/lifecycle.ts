/**
 * Where a partnership stands, and what leads on (C30, C46): in commitment → standing → suspended → reinstated or reneged; leaving → ended. From the last two
 * a partner that went by itself may renew, as long as what it stored is kept.
 *
 * Only what this computer measured itself counts against a partner. Silence adds up while we are on line, ask, and get no answer; our own absence, a sleep, or a
 * clock that jumps adds next to nothing, because a tick carries the time that we really ran and counts at most `tickMostMs`. A partner that is silent for T_r gets a
 * spare and is suspended; after G it has reneged. A refused drill fails it like
 * silence, until one is served: audits prove that it holds the data, not that it gives it back. A wrong proof suspends it at once, and then only a row of right ones clears it,
 * a longer row each time. What we cannot
 * judge, because we did not ask, never runs out against it. A person can forgive whatever the machine concluded (docs/protocol.md#lifecycle).
 */
import { assert, assertNever } from '../../base/assert.ts';
import { dayMs, type Instant, instant } from '../../base/units.ts';
import type { LifecycleEffect, LifecycleEvent, LifecycleStep } from './lifecycle-event.ts';
import {
  type CommitmentStep,
  earlierPlace,
  type FailureCause,
  inCommitment,
  isRenewable,
  type Leaving,
  type LifecyclePeriods,
  type LifecycleState,
  lifecycleStart,
  owesProofs,
  restorableFrom,
} from './lifecycle-state.ts';
import { endLifecycle, isFailing, serviceDay, stepTime } from './lifecycle-time.ts';
import { afterProof, toldLoss } from './told-loss.ts';

/** Right proofs in a row after the first wrong one; doubled with each relapse. */
const proofsAfterWrong = 4;
const proofsMost = 256;
/** A loss notice within so many grace periods of the last one pauses nothing, and is not forgiven. */
export const lossNoticeGraces = 3;
/** A commitment that begins anew because the partner says so does so once in so many G + C. */
const recommitmentRests = 3;
/** Growths of the terms whose commitments run at once; further ones join the last. */
const stepsMost = 8;

export function stepLifecycle(
  state: LifecycleState,
  event: LifecycleEvent,
  periods: LifecyclePeriods,
): LifecycleStep {
  assert(periods.graceMs > 0 && periods.tickMostMs > 0, 'periods are positive');
  if (event.type === 'tick') return stepTime(state, event, periods);
  if (event.type === 'forgiven') return forgiven(state, event.now, periods);
  if (event.type === 'renewed') return renewed(state, event.now, periods);
  if (state.phase === 'reneged' || state.phase === 'ended')
    return afterwards(state, event, periods);
  switch (event.type) {
    case 'answered':
      return answered(state, event.now, periods);
    case 'returned':
      return { state, effects: isFailing(state) ? [{ type: 'ask-proof' }] : [] };
    case 'missed':
      return { state: failing(state, { unanswered: true }, 'silence'), effects: [] };
    case 'unproved':
      return {
        state: {
          ...failing(state, { unanswered: false, unproved: true }, 'silence'),
          unaskedMs: 0,
        },
        effects: [],
      };
    case 'unjudged':
      return { state: unjudged(state, periods), effects: [] };
    case 'proved':
      return proved(state, event.now, periods);
    case 'drill-refused':
      // Nobody is asked in commitment: it began anew while the drill was under way.
      if (inCommitment(state, periods)) return { state, effects: [] };
      return {
        state: failing(state, { unanswered: false, refusedMs: 0 }, 'silence'),
        effects: [],
      };
    case 'drill-served':
      return drillServed(state, event.now, periods);
    case 'wrong':
      return caught(state, event.now, 'wrong');
    case 'lost-again':
      return caught(state, event.now, state.cause === 'wrong' ? 'wrong' : 'losses');
    case 'notice-given':
      return notice(state, { by: 'us', until: event.until }, { now: event.now, periods });
    case 'notice-received':
      return notice(state, { by: 'partner', until: event.until }, { now: event.now, periods });
    case 'notice-withdrawn':
      return withdrawn(state, event, periods);
    case 'loss-noticed':
      return lossNoticed(state, event.now, periods);
    case 'own-loss':
      return { state: { ...state, committedAt: state.committedAt && event.now }, effects: [] };
    case 'recommitted':
      return recommitted(state, event, periods);
    case 'grown':
      return { state: grown(state, event, periods), effects: [] };
    case 'dropped':
      return endLifecycle({ ...state, leaving: undefined }, event.now, periods);
    default:
      return assertNever(event);
  }
}

/** Nothing that a former partner does changes what it is; a person can still end what is left of it. */
function afterwards(
  state: LifecycleState,
  event: Exclude<LifecycleEvent, { readonly type: 'tick' | 'forgiven' | 'renewed' }>,
  periods: LifecyclePeriods,
): LifecycleStep {
  if (event.type !== 'dropped' || state.phase === 'ended') return { state, effects: [] };
  return endLifecycle({ ...state, leaving: undefined }, event.now, periods);
}

/** Phase that a partner in good standing has now. */
function goodPhase(state: LifecycleState, periods: LifecyclePeriods): 'in-commitment' | 'standing' {
  return inCommitment(state, periods) ? 'in-commitment' : 'standing';
}

function failing(
  state: LifecycleState,
  flags: Partial<Pick<LifecycleState, 'unanswered' | 'unproved' | 'refusedMs'>>,
  cause: FailureCause,
): LifecycleState {
  const next = { ...state, ...flags, cause: state.cause ?? cause };
  return isFailing(state) ? next : { ...next, fresh: true };
}

function clean(state: LifecycleState, now: Instant): LifecycleState {
  return {
    ...state,
    unanswered: false,
    unproved: false,
    refusedMs: undefined,
    cause: undefined,
    failingFrom: undefined,
    failingMs: 0,
    fresh: false,
    proofsOwed: 0,
    spared: false,
    // A short silence, such as a night, takes nothing from its standing.
    cleanSince: state.proofsOwed > 0 ? now : state.cleanSince,
  };
}

/** It is there again. That clears a short silence; what was longer is cleared by proof. */
function answered(state: LifecycleState, now: Instant, periods: LifecyclePeriods): LifecycleStep {
  const back = { ...state, unanswered: false };
  if (state.proofsOwed > 0 && (periods.proves || owesProofs(state.cause)))
    return { state: back, effects: state.unanswered ? [{ type: 'ask-proof' }] : [] };
  const owes = (state.unproved && periods.proves) || state.refusedMs !== undefined;
  if (owes) return { state: back, effects: [] };
  return reinstated(back, now, periods);
}

/** Once, for reasons of its own or ours, is nothing; for T_r on end it is as if it did not answer. Until it proves something that time is no service. */
function unjudged(state: LifecycleState, periods: LifecyclePeriods): LifecycleState {
  const unjudgedMs = state.unjudgedMs ?? 0;
  if (unjudgedMs < Math.max(periods.spareMs, 2 * periods.auditIntervalMs))
    return { ...state, unjudgedMs };
  return failing(state, { unanswered: false, unproved: true }, 'silence');
}

function proved(state: LifecycleState, now: Instant, periods: LifecyclePeriods): LifecycleStep {
  const answers = { unanswered: false, unproved: false, unjudgedMs: undefined, unaskedMs: 0 };
  const right = { ...afterProof(state), ...answers };
  // Whoever holds everything and gives nothing back earns nothing by proving that; the last proof that it owes is a drill.
  if (state.refusedMs !== undefined) {
    const owed = state.proofsOwed - 1;
    if (owed < 1) return { state: right, effects: [] };
    return { state: { ...right, proofsOwed: owed }, effects: [{ type: 'ask-proof' }] };
  }
  const day = serviceDay(now, periods);
  const counted = {
    ...right,
    provenDays: day > state.lastProvenDay ? state.provenDays + 1 : state.provenDays,
    lastProvenDay: Math.max(day, state.lastProvenDay),
    proofsOwed: Math.max(0, state.proofsOwed - 1),
  };
  if (counted.proofsOwed > 0) return { state: counted, effects: [{ type: 'ask-proof' }] };
  return reinstated({ ...counted, proofsOwed: state.proofsOwed }, now, periods);
}

/** Clears a refused drill, and nothing else that the partner owes. */
function drillServed(
  state: LifecycleState,
  now: Instant,
  periods: LifecyclePeriods,
): LifecycleStep {
  if (state.refusedMs === undefined) return { state, effects: [] };
  const back = { ...state, unanswered: false, refusedMs: undefined };
  if (back.unproved || back.proofsOwed > 1)
    return { state: back, effects: [{ type: 'ask-proof' }] };
  return reinstated(back, now, periods);
}

function reinstated(state: LifecycleState, now: Instant, periods: LifecyclePeriods): LifecycleStep {
  const effects: LifecycleEffect[] = [];
  if (state.spared) effects.push({ type: 'release-spares' });
  if (state.phase !== 'suspended') return { state: clean(state, now), effects };
  const phase = state.leaving === undefined ? goodPhase(state, periods) : 'leaving';
  return {
    state: { ...clean(state, now), phase, since: now },
    effects: [{ type: 'reinstated' }, ...effects],
  };
}

/** Bytes that prove a loss suspend at once, and time runs until enough right proofs came. */
function caught(state: LifecycleState, now: Instant, cause: 'wrong' | 'losses'): LifecycleStep {
  const again = owesProofs(state.cause);
  const relapses = again ? state.relapses : state.relapses + 1;
  const owed = Math.min(proofsMost, proofsAfterWrong * 2 ** Math.min(16, relapses - 1));
  const failed: LifecycleState = {
    ...failing(state, { unanswered: false, unproved: true }, cause),
    cause,
    unjudgedMs: undefined,
    unaskedMs: 0,
    relapses,
    proofsOwed: Math.max(state.proofsOwed, owed),
  };
  if (state.phase === 'suspended') return { state: failed, effects: [] };
  return {
    state: { ...failed, phase: 'suspended', since: now },
    effects: [{ type: 'suspended', cause }],
  };
}

function notice(
  state: LifecycleState,
  leaving: Leaving,
  { now, periods }: { readonly now: Instant; readonly periods: LifecyclePeriods },
): LifecycleStep {
  // The first notice counts; whoever gives one later has no say in when the other's ends.
  if (state.leaving !== undefined) return { state, effects: [] };
  // The notice agreed on is kept on our side, even where a shorter one is claimed; a longer one than a year is none.
  const latest = now + Math.max(periods.noticeMs, 366 * dayMs);
  const until = instant(Math.min(latest, Math.max(leaving.until, now + periods.noticeMs)));
  const phase = state.phase === 'suspended' ? 'suspended' : 'leaving';
  return {
    state: {
      ...state,
      phase,
      since: phase === state.phase ? state.since : now,
      leaving: { ...leaving, until },
    },
    effects: [{ type: 'move-shards', until }],
  };
}

function withdrawn(
  state: LifecycleState,
  { now, by }: Extract<LifecycleEvent, { readonly type: 'notice-withdrawn' }>,
  periods: LifecyclePeriods,
): LifecycleStep {
  if (state.leaving?.by !== by) return { state, effects: [] };
  const stayed = { ...state, leaving: undefined };
  if (state.phase !== 'leaving') return { state: stayed, effects: [] };
  return { state: { ...stayed, phase: goodPhase(state, periods), since: now }, effects: [] };
}

/** An honest loss weighs less than being caught: time stands still until the data is loaded again. Once in a while, not for ever. */
function lossNoticed(
  state: LifecycleState,
  now: Instant,
  periods: LifecyclePeriods,
): LifecycleStep {
  const before = state.lossNoticedAt;
  const often = before !== undefined && Math.abs(now - before) < lossNoticeGraces * periods.graceMs;
  const owing = toldLoss(state, now, periods);
  if (often) return { state: owing, effects: [{ type: 'reload' }] };
  const pausedUntil = instant(restorableFrom(owing, periods, now) + periods.reloadMs);
  const noticed = {
    ...owing,
    unanswered: false,
    unproved: false,
    lossNoticedAt: now,
    pausedUntil,
  };
  return { state: noticed, effects: [{ type: 'reload' }] };
}

/** What is lent more from now on is under a commitment of its own; where C is waived, so is that. */
function grown(
  state: LifecycleState,
  { theirs, ours, readableBytes }: Omit<CommitmentStep, 'committedMs'>,
  { commitmentMs }: LifecyclePeriods,
): LifecycleState {
  if (commitmentMs === 0) return state;
  const last = state.steps.at(-1);
  const step = { theirs, ours, readableBytes, committedMs: 0 };
  if (state.steps.length < stepsMost || last === undefined)
    return { ...state, steps: [...state.steps, step] };
  // The newest two become one, from the first places and with the whole wait: never is more readable for it.
  const joined = {
    theirs: earlierPlace(last.theirs, theirs),
    ours: earlierPlace(last.ours, ours),
    readableBytes: Math.min(last.readableBytes, readableBytes),
    committedMs: 0,
  };
  return { ...state, steps: [...state.steps.slice(0, -1), joined] };
}

/** It comes back while what it stored is still here. It begins anew, so that whoever is kept for nothing in between has paid for it before it can use that. */
function renewed(state: LifecycleState, now: Instant, periods: LifecyclePeriods): LifecycleStep {
  if (!isRenewable(state, periods, now)) return { state, effects: [] };
  const { committedMs, committedAt, steps, settled } = lifecycleStart(periods, now);
  const begun = {
    ...{ ...clean(state, now), committedMs, committedAt, steps, settled, cleanSince: now },
    ...{ leaving: undefined, pastEndMs: 0, keptLeftMs: 0, unjudgedMs: undefined, unaskedMs: 0 },
    ...{ pausedUntil: undefined, lossDebt: undefined },
  };
  const next = { ...begun, phase: goodPhase(begun, periods), since: now };
  return { state: next, effects: [{ type: 'reinstated' }] };
}

/** Once in a while only, unless we gave cause for it, or whoever gives nothing back would be in commitment for ever. */
function recommitted(
  state: LifecycleState,
  { now, wasAway }: Extract<LifecycleEvent, { readonly type: 'recommitted' }>,
  periods: LifecyclePeriods,
): LifecycleStep {
  const { recommittedAt: before } = state;
  const restMs = recommitmentRests * (periods.graceMs + periods.commitmentMs);
  const isResting = before !== undefined && Math.abs(now - before) < restMs;
  if (isResting && wasAway !== true) return { state, effects: [] };
  const { committedMs, committedAt, steps, settled } = lifecycleStart(periods, now);
  const anew = { committedMs, committedAt, steps, settled, lossDebt: undefined };
  const begun = { ...anew, refusedMs: undefined, recommittedAt: now };
  const next = { ...state, ...begun };
  if (state.phase !== 'standing') return { state: next, effects: [] };
  return { state: { ...next, phase: goodPhase(next, periods), since: now }, effects: [] };
}

/** By hand only, and from any failure; an agreement that ended stays ended. */
function forgiven(state: LifecycleState, now: Instant, periods: LifecyclePeriods): LifecycleStep {
  if (state.phase === 'ended') return { state, effects: [] };
  const spares: LifecycleEffect[] = state.spared ? [{ type: 'release-spares' }] : [];
  const forgotten = {
    ...{ ...clean(state, now), relapses: 0, keptLeftMs: 0, unjudgedMs: undefined, unaskedMs: 0 },
    ...{ pausedUntil: undefined, lossDebt: undefined },
  };
  if (state.phase !== 'suspended' && state.phase !== 'reneged')
    return { state: forgotten, effects: spares };
  const phase = state.leaving === undefined ? goodPhase(state, periods) : 'leaving';
  return {
    state: { ...forgotten, phase, since: now },
    effects: [{ type: 'reinstated' }, ...spares],
  };
}
