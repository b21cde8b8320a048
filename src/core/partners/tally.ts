/**
 * A moving average without fractions: so much of a part in so much of a whole (time on line in time observed; bytes in milliseconds).
 *
 * When the whole outgrows what is to be remembered both are scaled down, so that what is old weighs less and less. Whole numbers make it the same on every
 * computer, and let it be stored as it is.
 */
import { assert } from '../../base/assert.ts';

/** Whole numbers, not negative. */
export interface Tally {
  readonly part: number;
  readonly whole: number;
}

export const emptyTally: Tally = { part: 0, whole: 0 };

/** A long stretch is added in so many pieces for each memory that it fills, so that it counts about the same in one piece as in many. */
const piecesOfMemory = 32;
/** After as many pieces nothing is left of what was there before. */
const piecesMaximum = 512;

/** The tally with `more` in it, whose whole is at most `memory`. */
export function addToTally(tally: Tally, more: Tally, memory: number): Tally {
  assert(more.part >= 0 && more.whole >= 0, 'amounts are not negative');
  const fresh = { part: Math.round(more.part), whole: Math.round(more.whole) };
  const pieces = Math.min(piecesMaximum, Math.ceil((fresh.whole * piecesOfMemory) / memory));
  let sum = tally;
  for (let piece = 0, taken = 0; piece < pieces; piece += 1) {
    const whole = Math.floor((fresh.whole * (piece + 1)) / pieces) - taken;
    taken += whole;
    sum = addPiece(sum, { part: Math.round((fresh.part * whole) / fresh.whole), whole }, memory);
  }
  return sum;
}

function addPiece(tally: Tally, more: Tally, memory: number): Tally {
  const fresh = scaledTo(more, memory);
  const kept = scaledTo(tally, memory - fresh.whole);
  return { part: kept.part + fresh.part, whole: kept.whole + fresh.whole };
}

/** Part by whole; undefined while there is no whole. */
export function averageOf(tally: Tally): number | undefined {
  return tally.whole === 0 ? undefined : tally.part / tally.whole;
}

function scaledTo(tally: Tally, whole: number): Tally {
  if (tally.whole <= whole) return tally;
  return { part: Math.round((tally.part * whole) / tally.whole), whole };
}
