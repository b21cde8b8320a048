/**
 * What a partner pays that says it lost everything (decision 0014): its G stands still, and restores are honoured for as long as G would have lasted. Then whatever
 * it did not serve is added to its commitment, so that nobody gains by telling of a loss. lifecycle.ts alone steps it.
 */
import type { Instant } from '../../base/units.ts';
import { inCommitment, type LifecyclePeriods, type LifecycleState } from './lifecycle-state.ts';

/** It told of a loss, and has not proved since that it holds anything. */
export function isPaused({ pausedUntil }: LifecycleState, now: Instant): boolean {
  return pausedUntil !== undefined && now < pausedUntil;
}

/** That does not serve, unless there is nothing that it could hold for us. */
export function servesNothing(
  state: LifecycleState,
  now: Instant,
  { proves }: Pick<LifecyclePeriods, 'proves'>,
): boolean {
  return isPaused(state, now) && (proves || state.unanswered);
}

/** It has something again: time runs against it as before, and for it. */
export function afterProof(state: LifecycleState): LifecycleState {
  const { lossDebt } = state;
  return {
    ...state,
    pausedUntil: undefined,
    lossDebt: lossDebt && { ...lossDebt, isUnproved: false },
  };
}

/** What passed since it proved last was no service, for it ends with a loss: it is taken from a commitment that runs, and owed by whoever has one behind it. */
export function toldLoss(
  state: LifecycleState,
  now: Instant,
  periods: LifecyclePeriods,
): LifecycleState {
  const { lossDebt } = state;
  if (periods.commitmentMs === 0 || isPaused(state, now)) return state;
  const unprovedMs = sinceProof(state, now, periods);
  const less = (committedMs: number): number => Math.max(0, committedMs - unprovedMs);
  const steps = state.steps.map((step) => ({ ...step, committedMs: less(step.committedMs) }));
  if (inCommitment(state, periods))
    return { ...state, steps, committedMs: less(state.committedMs) };
  const leftMs = lossDebt?.leftMs ?? Math.max(0, periods.graceMs - unprovedMs);
  const owedMs = (lossDebt?.owedMs ?? 0) + unprovedMs;
  return { ...state, steps, lossDebt: { leftMs, owedMs, isUnproved: true } };
}

/** A silence shorter than T_r is forgotten when it ends; of that only the day is known on which it proved last. */
function sinceProof(
  { failingMs, lastProvenDay }: LifecycleState,
  now: Instant,
  { spareMs, serviceDayMs }: LifecyclePeriods,
): number {
  return Math.max(failingMs, Math.min(spareMs, now - lastProvenDay * serviceDayMs));
}

/** While restores are honoured what is not served adds up; then the commitment is set back by it, by G at most. */
export function settleLoss(
  state: LifecycleState,
  { now, countedMs }: { readonly now: Instant; readonly countedMs: number },
  periods: LifecyclePeriods,
): LifecycleState {
  const { lossDebt } = state;
  if (lossDebt === undefined) return state;
  const leftMs = lossDebt.leftMs - countedMs;
  const unserved = lossDebt.isUnproved && (periods.proves || state.unanswered);
  const owedMs = lossDebt.owedMs + (unserved ? countedMs : 0);
  if (leftMs > 0) return { ...state, lossDebt: { ...lossDebt, leftMs, owedMs } };
  const allMs = Math.min(periods.graceMs, owedMs + (unserved ? 0 : state.failingMs));
  const committedMs = Math.max(0, Math.min(state.committedMs, periods.commitmentMs) - allMs);
  const settled = { ...state, lossDebt: undefined, committedMs };
  if (!inCommitment(settled, periods)) return settled;
  const phase = state.phase === 'standing' ? 'in-commitment' : state.phase;
  const since = phase === state.phase ? state.since : now;
  return { ...settled, phase, since, committedAt: undefined };
}
