/**
 * Chance that needs no order: the draw for a peer on a day is a hash of seed, peer, day and purpose, so that a day far ahead can be looked at before the days between
 * have passed. Never for secrets.
 */

/** A whole number from 0 to 2³²−1. */
export function hashedDraw(seed: number, first: number, second: number): number {
  let word = seed ^ Math.imul(first + 0x7f4a7c15, 0x9e3779b1);
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  word ^= Math.imul(second + 0x165667b1, 0xc2b2ae35);
  word = Math.imul(word ^ (word >>> 15), 0x2c1b3c6d);
  word = Math.imul(word ^ (word >>> 12), 0x297a2d39);
  return (word ^ (word >>> 15)) >>> 0;
}

/** How many bits are set. */
export function bitCount(bits: number): number {
  let word = bits - ((bits >>> 1) & 0x55555555);
  word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
  word = (word + (word >>> 4)) & 0x0f0f0f0f;
  return Math.imul(word, 0x01010101) >>> 24;
}
