/**
 * The lifecycle of a partner in long strides (core/partners/lifecycle.ts): as long as a silence is shorter than T_r nothing comes of it, so only its hours are counted;
 * from there on the machine itself is asked, with the whole silence in one tick. A test holds this to the machine stepped every ten minutes.
 */
import { hourMs, type Instant } from '../../base/units.ts';
import { stepLifecycle } from '../../core/partners/lifecycle.ts';
import type { LifecycleEffect, LifecycleEvent } from '../../core/partners/lifecycle-event.ts';
import {
  type LifecyclePeriods,
  type LifecycleState,
  lifecycleStart,
} from '../../core/partners/lifecycle-state.ts';

export interface CourseStep {
  readonly state: LifecycleState;
  readonly effects: readonly LifecycleEffect[];
}

/** A partner in good standing, of which only this much is known. */
export function quietState(
  periods: LifecyclePeriods,
  of: { readonly joinedAt: Instant; readonly provenDays: number; readonly committedMs: number },
): LifecycleState {
  const { committedMs } = of;
  const isOver = committedMs >= periods.commitmentMs;
  return {
    ...lifecycleStart(periods, of.joinedAt),
    provenDays: of.provenDays,
    committedMs,
    committedAt: isOver ? of.joinedAt : undefined,
    phase: isOver ? 'standing' : 'in-commitment',
  };
}

/** The partner has been silent for so many more of the owner's hours. */
export function silentFor(
  state: LifecycleState,
  silence: {
    /** When it began. */
    readonly since: Instant;
    readonly moreHours: number;
    readonly now: Instant;
    readonly rate: number;
  },
  periods: LifecyclePeriods,
): CourseStep {
  const { since, now, rate } = silence;
  const events: LifecycleEvent[] = [];
  // The tick that was under way when it was first missed does not count.
  if (!state.unanswered)
    events.push({ type: 'missed', now: since }, { type: 'tick', now: since, ranMs: 0, rate: 1 });
  for (let leftMs = silence.moreHours * hourMs; leftMs > 0; leftMs -= periods.tickMostMs)
    events.push({ type: 'tick', now, ranMs: Math.min(leftMs, periods.tickMostMs), rate });
  return stepAll(state, events, periods);
}

export function stepAll(
  before: LifecycleState,
  events: readonly LifecycleEvent[],
  periods: LifecyclePeriods,
): CourseStep {
  let state = before;
  const effects: LifecycleEffect[] = [];
  for (const event of events) {
    const step = stepLifecycle(state, event, periods);
    state = step.state;
    effects.push(...step.effects);
  }
  return { state, effects };
}

/** Counting its silence is enough again. */
export function isQuiet(state: LifecycleState): boolean {
  const { phase, cause, proofsOwed, failingMs, lossDebt } = state;
  if ((phase !== 'standing' && phase !== 'in-commitment') || lossDebt !== undefined) return false;
  return cause === undefined && proofsOwed === 0 && failingMs === 0;
}
