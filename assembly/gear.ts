/**
 * The search for the next cut point by gear hash: h ← 2h + table[byte] modulo 2^64.
 *
 * After 64 bytes a byte has left the hash, so the hash at a position is a function of the 64 bytes
 * that end there, and positions can be searched in any order. Each step of one hash waits for the
 * step before it; four hashes over four stretches side by side keep the processor busy.
 */

/** Bytes that one of the four hashes covers in one round. */
const stretch: usize = 4096;
/** Bytes before a position that its hash depends on, besides the byte at the position itself. */
const history: usize = 63;

function step(hash: u64, table: usize, at: usize): u64 {
  return (hash << 1) + load<u64>(table + ((<usize>load<u8>(at)) << 3));
}

/** The hash of the bytes that lie before `at`. */
function hashBefore(table: usize, at: usize): u64 {
  let hash: u64 = 0;
  for (let near = at - history; near < at; near++) hash = step(hash, table, near);
  return hash;
}

function findInOrder(table: usize, start: usize, end: usize, threshold: u64): usize {
  let hash = hashBefore(table, start);
  for (let at = start; at < end; at++) {
    hash = step(hash, table, at);
    if (hash < threshold) return at;
  }
  return end;
}

/** Whether one of the 4 × `stretch` positions from `start` has a hash below `threshold`. */
function anyInRound(table: usize, start: usize, threshold: u64): bool {
  let first = hashBefore(table, start);
  let second = hashBefore(table, start + stretch);
  let third = hashBefore(table, start + stretch * 2);
  let fourth = hashBefore(table, start + stretch * 3);
  const end = start + stretch;
  for (let at = start; at < end; at++) {
    first = step(first, table, at);
    if (first < threshold) return true;
    second = step(second, table, at + stretch);
    if (second < threshold) return true;
    third = step(third, table, at + stretch * 2);
    if (third < threshold) return true;
    fourth = step(fourth, table, at + stretch * 3);
    if (fourth < threshold) return true;
  }
  return false;
}

/**
 * The first position in [start, end) where the hash, including the byte there, is below
 * `threshold`, or `end`. At least 63 bytes lie before `start`. `table` has 256 entries of 64 bits.
 */
export function find(table: usize, start: usize, end: usize, threshold: u64): usize {
  const round = stretch * 4;
  let at = start;
  for (; at + round <= end; at += round) {
    if (anyInRound(table, at, threshold)) return findInOrder(table, at, at + round, threshold);
  }
  return findInOrder(table, at, end, threshold);
}
