/**
 * The ramp for strangers (DESIGN §8): one that just came is lent little, and twice as much after each clean stretch of time.
 *
 * So a newcomer that cheats gains little, and an identity that was burnt costs all the time it took to build up. The ramp bounds what is *signed*: each step up is
 * a change of terms that both sides sign.
 */
import { assert } from '../../base/assert.ts';
import { dayMs } from '../../base/units.ts';

export interface Ramp {
  readonly firstBytes: number;
  /** How long a partner must be clean for the next doubling. */
  readonly doublingMs: number;
}

export const openRamp: Ramp = { firstBytes: 1e9, doublingMs: 14 * dayMs };

/** What may be lent at most after `cleanMs` without a lasting silence or a wrong proof; `undefined` as ramp: no bound. */
export function rampedBytes(ramp: Ramp | undefined, cleanMs: number): number {
  if (ramp === undefined) return Number.MAX_SAFE_INTEGER;
  assert(ramp.doublingMs > 0, 'a ramp takes time');
  const doublings = Math.floor(Math.max(0, cleanMs) / ramp.doublingMs);
  return Math.min(Number.MAX_SAFE_INTEGER, ramp.firstBytes * 2 ** doublings);
}
