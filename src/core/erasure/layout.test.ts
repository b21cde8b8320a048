import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Code } from '../vocabulary/code.ts';
import { type PackId, parsePeerId } from '../vocabulary/ids.ts';
import { packMaximumBytes, payloadBytes } from '../vocabulary/limits.ts';
import { codewordCount, rangesOf, shardPayloadBytes, stripeIdOf } from './layout.ts';

const packId = '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff' as PackId;
const code: Code = { id: 'reed-solomon', dataShards: 4, parityShards: 4 };
const stripe = { packId, packLength: 16_777_216, code };

test('the last codeword of a stripe may be partly full', () => {
  assert.equal(codewordCount(1, 4), 1);
  assert.equal(codewordCount(payloadBytes * 4, 4), 1);
  assert.equal(codewordCount(payloadBytes * 4 + 1, 4), 2);
  assert.equal(shardPayloadBytes(payloadBytes * 4 + 1, 4), payloadBytes * 2);
});

test('the ranges of a stretch are its bytes, each where the layout says', () => {
  const stretch = fc.record({
    offset: fc.integer({ min: 0, max: packMaximumBytes }),
    length: fc.integer({ min: 0, max: payloadBytes * 5 }),
    k: fc.integer({ min: 1, max: 20 }),
  });
  fc.assert(
    fc.property(stretch, ({ offset, length, k }) => {
      let at = offset;
      for (const { codeword, shard, start, end } of rangesOf(offset, length, k)) {
        assert.ok(start < end && end <= payloadBytes);
        for (const [byte, place] of [
          [at, start],
          [at + end - start - 1, end - 1],
        ] as const) {
          assert.equal(codeword, Math.floor(byte / (payloadBytes * k)));
          assert.equal(shard, Math.floor(byte / payloadBytes) % k);
          assert.equal(place, byte % payloadBytes);
        }
        at += end - start;
      }
      assert.equal(at, offset + length);
    }),
  );
});

test('a stripe has its own id for every pack, length and code', () => {
  const others = [
    stripe,
    { ...stripe, packId: packId.replace('0', '1') as PackId },
    { ...stripe, packLength: 16_777_217 },
    { ...stripe, code: { ...code, id: 'parity' as const } },
    { ...stripe, code: { ...code, dataShards: 5 } },
    { ...stripe, code: { ...code, parityShards: 5 } },
    { ...stripe, code: { ...code, dataShards: 5, parityShards: 3 } },
  ];
  assert.equal(new Set(others.map(stripeIdOf)).size, others.length);
  assert.ok(others.map(stripeIdOf).every((id) => parsePeerId(id) !== undefined));
});

test('a stripe id is the one of the format', () => {
  assert.equal(
    stripeIdOf(stripe),
    'a8f4a317ceee2789be876c367066928ba94c38a4de8d0193898652d518c52504',
  );
});
