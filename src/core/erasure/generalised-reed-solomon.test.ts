import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { divided, multiplied } from '../../primitives/kernels/galois-field.ts';
import { type Code, shardCount } from '../vocabulary/code.ts';
import {
  columnMultiplier,
  combinationMatrix,
  evaluationPoint,
} from './generalised-reed-solomon.ts';

const codes: fc.Arbitrary<Code> = fc
  .record({ k: fc.integer({ min: 1, max: 100 }), m: fc.integer({ min: 1, max: 155 }) })
  .map(({ k, m }) => ({ id: 'reed-solomon', dataShards: k, parityShards: m }));

function counted(start: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => start + index);
}

function generator(code: Code) {
  const { dataShards, parityShards } = code;
  return combinationMatrix(code, counted(0, dataShards), counted(dataShards, parityShards));
}

test('the coefficient of data symbol c in parity symbol i is i / (i + c)', () => {
  fc.assert(
    fc.property(codes, (code) => {
      const { coefficients } = generator(code);
      const expected = counted(code.dataShards, code.parityShards).flatMap((row) =>
        counted(0, code.dataShards).map((column) => divided(row, row ^ column)),
      );
      assert.deepEqual([...coefficients], expected);
    }),
  );
});

test('codewords satisfy the parity checks of a generalised Reed-Solomon code', () => {
  const words = codes.chain((code) =>
    fc.record({
      code: fc.constant(code),
      data: fc.uint8Array({ minLength: code.dataShards, maxLength: code.dataShards }),
    }),
  );
  fc.assert(
    fc.property(words, ({ code, data }) => {
      const word = [...data, ...products(generator(code).coefficients, data)];
      const weights = dualMultipliers(code);
      for (let power = 0; power < code.parityShards; power += 1) {
        let syndrome = 0;
        word.forEach((symbol, index) => {
          syndrome ^= multiplied(symbol, weights[index] ?? 0);
          weights[index] = multiplied(weights[index] ?? 0, evaluationPoint(index));
        });
        assert.equal(syndrome, 0);
      }
    }),
    { numRuns: 30 },
  );
});

test('no column multiplier is zero, and evaluation points are distinct', () => {
  fc.assert(
    fc.property(codes, (code) => {
      const count = shardCount(code);
      assert.ok(counted(0, count).every((index) => columnMultiplier(code, index) !== 0));
      assert.equal(new Set(counted(0, count).map(evaluationPoint)).size, count);
    }),
  );
});

test('a matrix is made of exactly k distinct symbols', () => {
  const code: Code = { id: 'reed-solomon', dataShards: 2, parityShards: 2 };
  assert.throws(() => combinationMatrix(code, [0], [1]));
  assert.throws(() => combinationMatrix(code, [0, 0], [1]));
  assert.throws(() => combinationMatrix(code, [0, 1], [1]));
});

function products(coefficients: Uint8Array, data: Uint8Array): number[] {
  const rows = coefficients.length / data.length;
  return counted(0, rows).map((row) => {
    let sum = 0;
    data.forEach((symbol, column) => {
      sum ^= multiplied(symbol, coefficients[row * data.length + column] ?? 0);
    });
    return sum;
  });
}

/** The multipliers of the dual code: 1 / (v_i Π_{t≠i} (x_i − x_t)). */
function dualMultipliers(code: Code): number[] {
  return counted(0, shardCount(code)).map((index) => {
    let product = columnMultiplier(code, index);
    for (const other of counted(0, shardCount(code)))
      if (other !== index)
        product = multiplied(product, evaluationPoint(index) ^ evaluationPoint(other));
    return divided(1, product);
  });
}
