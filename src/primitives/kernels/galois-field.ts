/**
 * Arithmetic in GF(2^8) = GF(2)[x] / (x^8 + x^4 + x^3 + x^2 + 1): the field of 0x11d, in which x (2)
 * generates all non-zero elements. Addition is XOR.
 */
import { assert } from '../../base/assert.ts';

const polynomial = 0x11d;
/** Non-zero elements. */
const order = 255;

// Two rounds of powers, so that a sum of two logarithms needs no reduction.
const powers: Uint8Array = new Uint8Array(order * 2);
const logarithms: Uint8Array = new Uint8Array(order + 1);

let power = 1;
for (let exponent = 0; exponent < order; exponent += 1) {
  powers[exponent] = power;
  powers[exponent + order] = power;
  logarithms[power] = exponent;
  power <<= 1;
  if (power > order) power ^= polynomial;
}

export function multiplied(left: number, right: number): number {
  if (left === 0 || right === 0) return 0;
  return powers[(logarithms[left] ?? 0) + (logarithms[right] ?? 0)] ?? 0;
}

export function divided(dividend: number, divisor: number): number {
  assert(divisor !== 0, 'nothing is divided by zero');
  if (dividend === 0) return 0;
  return powers[(logarithms[dividend] ?? 0) + order - (logarithms[divisor] ?? 0)] ?? 0;
}
