import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concatBytes } from '../../base/bytes.ts';
import { sha256 } from '../../primitives/hash.ts';
import { merkleRoot } from '../../primitives/merkle.ts';
import { idOf, type PeerId, type StripeId } from '../vocabulary/ids.ts';
import { blockBytes, payloadBytes } from '../vocabulary/limits.ts';
import { type Suite, suiteAesGcm, suiteChaChaPoly } from '../vocabulary/suite.ts';
import { type ShardIdentity, ShardSealer } from './block.ts';
import { deriveKeys } from './keys.ts';

const rootSeed = new Uint8Array(32).fill(5);
const peer = (value: number) => idOf<PeerId>(new Uint8Array(32).fill(value));
const stripe = (value: number) => idOf<StripeId>(new Uint8Array(32).fill(value));
const shard: ShardIdentity = {
  suite: suiteAesGcm,
  owner: peer(1),
  partner: peer(2),
  stripeId: stripe(3),
  index: 4,
};
const payload = new Uint8Array(payloadBytes).map((_, at) => (at * 7) >>> 3);
const badTag = { ok: false, error: { code: 'seal.bad-tag' } };

function sealerOf(change: Partial<ShardIdentity> = {}): ShardSealer {
  return new ShardSealer(deriveKeys(rootSeed).sealKey, { ...shard, ...change });
}

function sealed(sealer: ShardSealer, number: number): Uint8Array {
  const output = new Uint8Array(blockBytes);
  sealer.sealBlock(number, payload, output);
  return output;
}

for (const suite of [suiteAesGcm, suiteChaChaPoly] satisfies Suite[]) {
  test(`suite ${suite}: a block opens under its own number and nowhere else`, () => {
    const block = sealed(sealerOf({ suite }), 9);
    assert.deepEqual(sealerOf({ suite }).openBlock(9, block), { ok: true, value: payload });
    assert.deepEqual(sealerOf({ suite }).openBlock(8, block), badTag);
    assert.deepEqual(sealerOf({ suite }).openBlock(9, block.subarray(1)), badTag);
  });
}

test('equal key and nonce mean equal bytes: independently derived sealers seal alike', () => {
  const shards = fc.record({
    suite: fc.constantFrom<Suite>(suiteAesGcm, suiteChaChaPoly),
    partner: fc.integer({ min: 0, max: 3 }).map(peer),
    stripeId: fc.integer({ min: 0, max: 3 }).map(stripe),
    index: fc.integer({ min: 0, max: 3 }),
  });
  const seen = new Map<string, string>();
  fc.assert(
    fc.property(shards, fc.integer({ min: 0, max: 3 }), (change, number) => {
      const block = sealed(sealerOf(change), number);
      assert.deepEqual(sealed(sealerOf(change), number), block);
      // The payload is the same everywhere, so equal ciphertext would betray an equal key stream.
      const place = JSON.stringify([change, number]);
      const start = Buffer.from(block.subarray(0, 32)).toString('hex');
      assert.equal(seen.get(start) ?? place, place);
      seen.set(start, place);
    }),
  );
});

test('any changed byte of a block is refused', () => {
  const sealer = sealerOf();
  const block = sealed(sealer, 0);
  fc.assert(
    fc.property(fc.nat(blockBytes - 1), fc.integer({ min: 1, max: 255 }), (place, mask) => {
      const broken = block.slice();
      broken[place] = (broken[place] ?? 0) ^ mask;
      assert.deepEqual(sealer.openBlock(0, broken), badTag);
    }),
  );
});

test('a block of another owner, partner, stripe or index is refused', () => {
  const block = sealed(sealerOf(), 0);
  for (const change of [
    { owner: peer(9) },
    { partner: peer(9) },
    { stripeId: stripe(9) },
    { index: 9 },
    { suite: suiteChaChaPoly },
  ])
    assert.deepEqual(sealerOf(change).openBlock(0, block), badTag);
});

test('a whole shard is its blocks in order, with the Merkle root over their hashes', () => {
  const sealer = sealerOf();
  const whole = sealer.sealShard(concatBytes([payload, payload, payload]));
  const blocks = [0, 1, 2].map((number) => sealed(sealer, number));
  assert.deepEqual(whole.bytes, concatBytes(blocks));
  assert.deepEqual(whole.merkleRoot, merkleRoot(blocks.map((block) => sha256(block))));
  assert.throws(() => sealer.sealShard(new Uint8Array(payloadBytes + 1)));
});
