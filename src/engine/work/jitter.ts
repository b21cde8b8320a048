/** Waits that differ a little, so that computers which were started together do not all speak at once. */
import type { Random } from '../../ports/random.ts';

/** A fair share in 0 … 1. */
export function drawnShare(random: Random): number {
  const [high = 0, low = 0] = random.bytes(2);
  return (high * 256 + low) / 65_536;
}

/** A fair number from 0 up to, but not including, 1, in fine steps. */
export function drawnUnit(random: Random): number {
  let value = 0;
  for (const byte of random.bytes(6)) value = value * 256 + byte;
  return value / 2 ** 48;
}

/** Between 80 and 120 % of `ms`, whole, and never nothing. */
export function jittered(ms: number, random: Random): number {
  return Math.max(1, Math.round(ms * (0.8 + 0.4 * drawnShare(random))));
}
