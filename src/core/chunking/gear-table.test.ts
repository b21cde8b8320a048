import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { gearTable } from './gear-table.ts';

const key = Uint8Array.from({ length: 32 }, (_, index) => index);

test('entries are the HMACs of the format, read big-endian', () => {
  const table = gearTable(key);
  const expected = Array.from({ length: 64 }, (_, block) => {
    const digest = createHmac('sha256', key).update(Uint8Array.of(block)).digest();
    return [0, 8, 16, 24].map((offset) => digest.readBigUInt64BE(offset));
  });
  assert.deepEqual([...table], expected.flat());
});

test('every key has its own table', () => {
  const other = gearTable(key.toReversed());
  assert.ok(gearTable(key).every((entry, index) => entry !== other[index]));
  assert.equal(new Set(gearTable(key)).size, 256);
});
