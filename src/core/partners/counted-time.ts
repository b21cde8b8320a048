/**
 * Counted time: what T_r, G and C are counted in by the computer that keeps them (C30).
 *
 * It is the time that this computer ran, on line, so that nothing runs out against anybody while it is off; made longer by as much as the computer is usually
 * off, so that for one that is on eight hours a day a day is about a day. All periods of a partnership count alike: a commitment by the calendar would be shorter
 * than a grace period by the running time of somebody who is seldom on.
 */
import { assert } from '../../base/assert.ts';
import { dayMs } from '../../base/units.ts';
import { availabilityOf, type Observation } from './observation.ts';

/** Whoever is on for less than this share of the time is counted as if it were this much. */
const leastShare = 1 / 4;
/** So nobody's time counts for more than this many times what it is. */
export const fastestRate: number = 1 / leastShare;
/** Before so much of its time was seen a computer is taken to be on always. */
const watchedLeastMs: number = 7 * dayMs;

/** By how much the running time of this computer counts, 1 … 4, by what it saw of itself. */
export function countedRate(own: Observation | undefined): number {
  if (own === undefined || own.lifetime.whole < watchedLeastMs) return 1;
  return rateOfShare(availabilityOf(own) ?? 1);
}

/** The same for a computer that is on for this share of the time, 0 … 1. */
export function rateOfShare(share: number): number {
  assert(share >= 0 && share <= 1, 'a share of the time');
  return 1 / Math.max(leastShare, share);
}

/** A rate that an event gave, within bounds. */
export function boundedRate(rate: number): number {
  return Math.min(fastestRate, Math.max(1, rate));
}
