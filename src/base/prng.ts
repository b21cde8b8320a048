/**
 * Seeded chance for simulations and tests: xoshiro128**, seeded through a 32-bit mixing of the seed's text.
 *
 * Never for secrets. Equal seeds give equal draws on every machine, and a fork has a stream of its own, so that a draw added in one
 * part of a simulation does not move the draws of another.
 */
import { assert, present } from './assert.ts';
import type { Bytes } from './bytes.ts';

type State = readonly [number, number, number, number];

export class Prng {
  readonly #seed: string;
  readonly #state: Uint32Array;

  constructor(seed: string | number) {
    this.#seed = String(seed);
    this.#state = Uint32Array.from(stateOf(this.#seed));
  }

  /** A whole number from 0 to 2³²−1. */
  uint32(): number {
    const state = this.#state;
    const [a, b, c, d] = [state[0] ?? 0, state[1] ?? 0, state[2] ?? 0, state[3] ?? 0];
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const third = c ^ a;
    const fourth = d ^ b;
    state[1] = b ^ third;
    state[0] = a ^ fourth;
    state[2] = third ^ (b << 9);
    state[3] = rotate(fourth, 11);
    return result;
  }

  /** A number from 0 up to, but not including, 1, in steps of 2⁻⁵³. */
  unit(): number {
    return ((this.uint32() >>> 5) * 67_108_864 + (this.uint32() >>> 6)) / 9_007_199_254_740_992;
  }

  /** A whole number from 0 to `bound` − 1. */
  below(bound: number): number {
    assert(Number.isSafeInteger(bound) && bound > 0, 'a draw has at least one possible value');
    return Math.floor(this.unit() * bound);
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  pick<T>(choices: readonly T[]): T {
    return present(choices[this.below(choices.length)], 'a draw is inside its bounds');
  }

  /** A shuffled copy. */
  shuffled<T>(items: readonly T[]): T[] {
    const result = [...items];
    for (let last = result.length - 1; last > 0; last -= 1) {
      const other = this.below(last + 1);
      const moved = present(result[last], 'an index inside the list');
      result[last] = present(result[other], 'an index inside the list');
      result[other] = moved;
    }
    return result;
  }

  bytes(count: number): Bytes {
    const bytes = new Uint8Array(count);
    for (let offset = 0; offset < count; offset += 4) {
      const word = this.uint32();
      const end = Math.min(count, offset + 4);
      for (let index = offset; index < end; index += 1)
        bytes[index] = word >>> (8 * (index - offset));
    }
    return bytes;
  }

  /** Another stream, fixed by this one's seed and `label` alone, not by what was drawn before. */
  fork(label: string | number): Prng {
    return new Prng(`${this.#seed}/${label}`);
  }
}

function rotate(word: number, by: number): number {
  return ((word << by) | (word >>> (32 - by))) >>> 0;
}

/** Four words that are never all zero: FNV-1a over the text with four offsets, then the murmur3 finaliser. */
function stateOf(text: string): State {
  const words = [1, 2, 3, 4].map((lane) => {
    let word = 0x811c9dc5 ^ Math.imul(lane, 0x9e3779b1);
    for (let index = 0; index < text.length; index += 1) {
      const unit = text.charCodeAt(index);
      word = Math.imul(word ^ (unit & 0xff), 0x01000193);
      word = Math.imul(word ^ (unit >>> 8), 0x01000193);
    }
    return finalise(word);
  });
  return [words[0] ?? 0, words[1] ?? 0, words[2] ?? 0, (words[3] ?? 0) | 1];
}

function finalise(word: number): number {
  const once = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35);
  return (twice ^ (twice >>> 16)) >>> 0;
}
