import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Prng } from './prng.ts';

test('equal seeds give equal draws, other seeds give others', () => {
  const draws = (seed: string | number) => {
    const prng = new Prng(seed);
    return Array.from({ length: 8 }, () => prng.uint32());
  };
  assert.deepEqual(draws(7), draws('7'));
  assert.notDeepEqual(draws(7), draws(8));
});

test('the first draws of a seed never change, or kept seeds would lose their meaning', () => {
  const prng = new Prng('covault');
  assert.deepEqual(
    [prng.uint32(), prng.uint32(), prng.uint32()],
    [3_411_476_886, 2_568_050_390, 1_848_434_745],
  );
});

test('a fork does not depend on what was drawn before it', () => {
  const one = new Prng(1);
  const other = new Prng(1);
  other.bytes(100);
  assert.deepEqual(one.fork('disk').bytes(32), other.fork('disk').bytes(32));
  assert.notDeepEqual(one.fork('disk').bytes(32), one.fork('network').bytes(32));
});

test('draws keep to their bounds', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 1e9 }), (seed, bound) => {
      const drawn = new Prng(seed).below(bound);
      assert.ok(Number.isInteger(drawn) && drawn >= 0 && drawn < bound);
    }),
  );
});

test('draws are spread evenly', () => {
  const prng = new Prng('spread');
  const counts = new Map<number, number>();
  for (let draw = 0; draw < 100_000; draw += 1) {
    const drawn = prng.below(10);
    counts.set(drawn, (counts.get(drawn) ?? 0) + 1);
  }
  assert.equal(counts.size, 10);
  for (const count of counts.values()) assert.ok(Math.abs(count - 10_000) < 500);
});

test('a shuffle keeps every item', () => {
  fc.assert(
    fc.property(fc.integer(), fc.array(fc.integer(), { maxLength: 40 }), (seed, items) => {
      const sorted = (list: readonly number[]) => list.toSorted((left, right) => left - right);
      assert.deepEqual(sorted(new Prng(seed).shuffled(items)), sorted(items));
    }),
  );
});

test('as many bytes as asked for are drawn, and the shorter draw begins the longer one', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 70 }), (count) => {
      const bytes = new Prng(3).bytes(count);
      assert.equal(bytes.length, count);
      assert.deepEqual(bytes, new Prng(3).bytes(80).slice(0, count));
    }),
  );
});
