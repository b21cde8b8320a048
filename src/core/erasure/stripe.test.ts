import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concatBytes } from '../../base/bytes.ts';
import { plainKernels } from '../../primitives/kernels/plain-kernels.ts';
import { type Code, shardCount } from '../vocabulary/code.ts';
import { payloadBytes } from '../vocabulary/limits.ts';
import { erasureCodeOf } from './erasure-code.ts';
import { codewordCount, rangesOf } from './layout.ts';
import {
  decodeElements,
  decodePack,
  encodeCodewords,
  encodeShards,
  encodeShardsInto,
} from './stripe.ts';

const kernels = plainKernels();

const codes: readonly Code[] = [
  { id: 'parity', dataShards: 3, parityShards: 1 },
  { id: 'reed-solomon', dataShards: 1, parityShards: 2 },
  { id: 'reed-solomon', dataShards: 2, parityShards: 0 },
  { id: 'reed-solomon', dataShards: 3, parityShards: 2 },
];

const packs = fc.record({
  code: fc.constantFrom(...codes),
  length: fc.oneof(
    fc.integer({ min: 1, max: payloadBytes * 5 }),
    fc.constantFrom(1, payloadBytes - 1, payloadBytes, payloadBytes + 1, payloadBytes * 3),
  ),
  seed: fc.integer({ min: 1 }),
});

function packOf(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => Math.imul(index + seed, 0x9e3779b1) >>> 23);
}

function all(code: Code): number[] {
  return Array.from({ length: shardCount(code) }, (_, index) => index);
}

test('every byte of a pack lies where the layout says, and zeros fill the rest', () => {
  fc.assert(
    fc.property(packs, ({ code: each, length, seed }) => {
      const pack = packOf(length, seed);
      const shards = encodeShards(erasureCodeOf(each, kernels), pack, all(each));
      const read = (offset: number, count: number) =>
        concatBytes(
          rangesOf(offset, count, each.dataShards).map(({ codeword, shard, start, end }) => {
            const base = codeword * payloadBytes;
            return shards.get(shard)?.subarray(base + start, base + end) ?? new Uint8Array(0);
          }),
        );
      assert.deepEqual(read(0, length), new Uint8Array(pack));
      const whole = codewordCount(length, each.dataShards) * each.dataShards * payloadBytes;
      assert.ok(read(length, whole - length).every((byte) => byte === 0));
    }),
    { numRuns: 20 },
  );
});

test('a pack comes back from any sufficient set of its shards, and from no other', () => {
  const sets = packs.chain((each) =>
    fc.record({ each: fc.constant(each), indices: fc.shuffledSubarray(all(each.code)) }),
  );
  fc.assert(
    fc.property(sets, ({ each, indices }) => {
      const code = erasureCodeOf(each.code, kernels);
      const pack = packOf(each.length, each.seed);
      const outcome = decodePack(code, pack.length, encodeShards(code, pack, indices));
      assert.equal(outcome.ok, code.sufficient(indices));
      if (outcome.ok) assert.deepEqual(outcome.value, pack);
    }),
    { numRuns: 30 },
  );
});

test('a shard is the same whichever others are made with it, and in memory that was used before', () => {
  for (const each of codes) {
    const code = erasureCodeOf(each, kernels);
    const pack = packOf(payloadBytes * 4 + 99, 5);
    const together = encodeShards(code, pack, all(each));
    const used = new Map(
      [...together].map(([index, shard]) => [index, shard.slice().fill(7)] as const),
    );
    encodeShardsInto(code, pack, used);
    assert.deepEqual(used, together);
    for (const index of all(each))
      assert.deepEqual(encodeShards(code, pack, [index]).get(index), together.get(index));
  }
});

test('codewords, visited one by one, are the rows of the shards', () => {
  for (const each of codes) {
    const code = erasureCodeOf(each, kernels);
    const pack = packOf(payloadBytes * 4 + 99, 5);
    const parts = new Map<number, Uint8Array[]>(all(each).map((index) => [index, []]));
    let next = 0;
    encodeCodewords(code, pack, (codeword, elements) => {
      assert.equal(codeword, next);
      next += 1;
      elements.forEach((element, index) => {
        parts.get(index)?.push(element.slice());
      });
    });
    for (const [index, shard] of encodeShards(code, pack, all(each)))
      assert.deepEqual(concatBytes(parts.get(index) ?? []), shard);
  }
});

test('a missing block is decoded from the same-numbered blocks of others', () => {
  const code = erasureCodeOf({ id: 'reed-solomon', dataShards: 3, parityShards: 2 }, kernels);
  const shards = encodeShards(code, packOf(payloadBytes * 7, 3), [0, 1, 2, 3, 4]);
  const block = (index: number, codeword: number) =>
    shards.get(index)?.subarray(codeword * payloadBytes, (codeword + 1) * payloadBytes) ??
    new Uint8Array(0);
  const payloads = new Map([4, 0, 3].map((index) => [index, block(index, 1)]));
  const outcome = decodeElements(code, payloads, [2, 1]);
  assert.ok(outcome.ok);
  assert.deepEqual(outcome.value.get(2), new Uint8Array(block(2, 1)));
  assert.deepEqual(outcome.value.get(1), new Uint8Array(block(1, 1)));
  payloads.delete(0);
  assert.equal(decodeElements(code, payloads, [2]).ok, false);
});
