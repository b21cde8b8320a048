/** Partnerships whose clock and time on line a test moves. */
import { dayMs, type Instant, instant, minuteMs } from '../../base/units.ts';
import { circleTerms, openTerms } from '../agreements/terms.ts';
import { stepLifecycle } from './lifecycle.ts';
import type { LifecycleEffect, LifecycleEvent } from './lifecycle-event.ts';
import {
  type LifecyclePeriods,
  type LifecycleState,
  lifecyclePeriods,
  lifecycleStart,
  restoresAllowed,
} from './lifecycle-state.ts';

const lending = { firstLendsBytes: 1e9, secondLendsBytes: 1e9 };
export const open: LifecyclePeriods = lifecyclePeriods(openTerms(lending), {
  spareMs: 3 * dayMs,
  proves: true,
});
export const circle: LifecyclePeriods = lifecyclePeriods(circleTerms(lending), {
  spareMs: 3 * dayMs,
  proves: true,
});
export const epoch: Instant = instant(1_800_000_000_000);

/** One partner, seen from one computer whose clock and time on line the test moves. */
export class Partnership {
  readonly periods: LifecyclePeriods;
  readonly effects: LifecycleEffect[] = [];
  state: LifecycleState;
  now: Instant = epoch;

  constructor(periods: LifecyclePeriods) {
    this.periods = periods;
    this.state = lifecycleStart(periods, epoch);
  }

  happens(
    type:
      | 'answered'
      | 'missed'
      | 'unproved'
      | 'unjudged'
      | 'returned'
      | 'proved'
      | 'wrong'
      | 'drill-refused'
      | 'drill-served',
  ): this {
    return this.step({ type, now: this.now });
  }

  step(event: LifecycleEvent): this {
    const { state, effects } = stepLifecycle(this.state, event, this.periods);
    this.state = state;
    this.effects.push(...effects);
    return this;
  }

  /** On line for so long, ticking often enough. */
  runs(forMs: number, each?: () => void): this {
    const stepMs = Math.min(10 * minuteMs, this.periods.tickMostMs);
    for (let left = forMs; left > 0; left -= stepMs) {
      this.now = instant(this.now + Math.min(stepMs, left));
      this.step({ type: 'tick', now: this.now, ranMs: Math.min(stepMs, left), rate: 1 });
      each?.();
    }
    return this;
  }

  /** Switched off, or asleep, or the clock was set. */
  jumps(forMs: number): this {
    this.now = instant(this.now + forMs);
    return this;
  }

  has(type: LifecycleEffect['type']): boolean {
    return this.effects.some((effect) => effect.type === type);
  }

  restores(): boolean {
    return restoresAllowed(this.state, this.periods);
  }
}

/** Short periods and day-long ticks, so that random courses get anywhere. */
export const coarse: LifecyclePeriods = {
  ...open,
  spareMs: dayMs,
  graceMs: 4 * dayMs,
  commitmentMs: 5 * dayMs,
  auditIntervalMs: dayMs,
  tickMostMs: dayMs,
};

export function standing(periods: LifecyclePeriods): Partnership {
  const partnership = new Partnership(periods);
  const daily = (): unknown => partnership.happens('proved');
  return partnership.runs(open.commitmentMs + dayMs, daily);
}
