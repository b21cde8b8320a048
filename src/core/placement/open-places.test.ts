import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Code, indexCount, shardCount } from '../vocabulary/code.ts';
import { openPlaces } from './open-places.ts';

const full: Code = { id: 'reed-solomon', dataShards: 4, parityShards: 4 };
const parity: Code = { id: 'parity', dataShards: 2, parityShards: 1 };

test('a shard that may come back keeps its index, and a further one is made', () => {
  assert.deepEqual(openPlaces(full, [0, 1, 2, 4, 5, 6, 7], [3]), [8]);
  assert.deepEqual(openPlaces(full, [0, 1, 2, 5, 6, 7, 8], [3, 4]), [9]);
});

test('a shard that is gone for good is made again as it was', () => {
  assert.deepEqual(openPlaces(full, [0, 1, 2, 4, 5, 6, 7], []), [3]);
  assert.deepEqual(openPlaces(full, [1, 2, 4, 5, 6, 7], [8]), [0, 3]);
});

test('a whole stripe has no open place, however its indices lie', () => {
  assert.deepEqual(openPlaces(full, [0, 1, 2, 8, 9, 10, 11, 12], [3, 4]), []);
});

test('parity has no further shards: the same one is made again', () => {
  assert.deepEqual(openPlaces(parity, [0, 2], [1]), [1]);
  assert.deepEqual(openPlaces(parity, [], []), [0, 1, 2]);
});

test('open places are filled with unlike indices, and one is used twice only when there is no other', () => {
  const index = fc.nat(254);
  fc.assert(
    fc.property(
      fc.uniqueArray(index),
      fc.uniqueArray(index, { maxLength: 255 }),
      (keptSet, taken) => {
        const kept = keptSet.slice(0, shardCount(full));
        const open = openPlaces(full, kept, taken);
        assert.equal(new Set([...kept, ...open]).size, shardCount(full));
        assert.ok(open.every((at) => at < indexCount(full)));
        const used = new Set([...kept, ...taken]).size;
        if (used + open.length <= indexCount(full))
          assert.ok(open.every((at) => !taken.includes(at)));
      },
    ),
  );
});
