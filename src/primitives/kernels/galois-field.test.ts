import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { divided, multiplied } from './galois-field.ts';

const element = fc.integer({ min: 0, max: 255 });

/** Multiplication as the definition has it: of polynomials over GF(2), modulo 0x11d. */
function longProduct(left: number, right: number): number {
  let product = 0;
  for (let bit = 7; bit >= 0; bit -= 1) {
    product <<= 1;
    if (product & 0x100) product ^= 0x11d;
    if ((right >> bit) & 1) product ^= left;
  }
  return product;
}

test('products are those of polynomials modulo 0x11d', () => {
  for (let left = 0; left < 256; left += 1)
    for (let right = 0; right < 256; right += 1)
      assert.equal(multiplied(left, right), longProduct(left, right));
});

test('division undoes multiplication', () => {
  fc.assert(
    fc.property(element, fc.integer({ min: 1, max: 255 }), (value, divisor) => {
      assert.equal(divided(multiplied(value, divisor), divisor), value);
      assert.equal(multiplied(divided(value, divisor), divisor), value);
    }),
  );
});

test('nothing is divided by zero', () => {
  assert.throws(() => divided(5, 0), /zero/);
});
