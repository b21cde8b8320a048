import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { paddedLength } from './padding.ts';

const lengths = fc.integer({ min: 0, max: 2 ** 32 });

test('padding never shortens, adds at most 12 %, and is stable', () => {
  fc.assert(
    fc.property(lengths, (length) => {
      const padded = paddedLength(length);
      assert.ok(padded >= length);
      assert.ok(padded <= length * 1.12 + 1);
      assert.equal(paddedLength(padded), padded);
    }),
  );
});

test('longer lengths never have shorter padding', () => {
  fc.assert(
    fc.property(lengths, fc.nat(1000), (length, more) => {
      assert.ok(paddedLength(length + more) >= paddedLength(length));
    }),
  );
});

test('few padded lengths stand for many lengths', () => {
  const seen = new Set<number>();
  for (let length = 1024 * 1024; length < 2 * 1024 * 1024; length += 101)
    seen.add(paddedLength(length));
  assert.ok(seen.size <= 33);
});

test('known lengths: 9 → 10, 1,000,000 → 1,015,808', () => {
  assert.equal(paddedLength(9), 10);
  assert.equal(paddedLength(1_000_000), 1_015_808);
});
