import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hexText } from '../../base/bytes.ts';
import { deriveKeys } from '../../core/sealing/keys.ts';
import type { Code } from '../../core/vocabulary/code.ts';
import { idOf, type PackId, type PeerId } from '../../core/vocabulary/ids.ts';
import { blockBytes } from '../../core/vocabulary/limits.ts';
import type { StripeCoder } from '../../ports/stripe-coder.ts';
import { sha256 } from '../../primitives/hash.ts';
import { plainKernels } from '../../primitives/kernels/plain-kernels.ts';
import { merkleRoot } from '../../primitives/merkle.ts';
import { createTwinCoder } from '../../sim/twin-coder.ts';
import { createWorkerCoder } from './worker-coder.ts';

const keys = deriveKeys(new Uint8Array(32).fill(3));
const log = { write: () => undefined };
const owner = keys.peerId;
const bytes = Uint8Array.from({ length: 700_000 }, (_, at) => (at * 7 + (at >> 8)) & 0xff);
const pack = { pack: idOf<PackId>(sha256(bytes)), suite: 1, bytes };
const partner = (number: number): PeerId => idOf<PeerId>(new Uint8Array(32).fill(number));
const codes: readonly Code[] = [
  { id: 'reed-solomon', dataShards: 4, parityShards: 4 },
  { id: 'parity', dataShards: 3, parityShards: 1 },
  { id: 'reed-solomon', dataShards: 1, parityShards: 2 },
];

function coders(): readonly StripeCoder[] {
  const { sealKey } = keys;
  return [
    createWorkerCoder({ sealKey, owner, workers: 2, log }),
    createTwinCoder({ sealKey, owner, kernels: plainKernels() }),
  ];
}

for (const code of codes)
  test(`threads and twin make the same shards of ${code.dataShards}+${code.parityShards}`, async () => {
    const wanted = [2, 0].map((index) => ({ index, partner: partner(index) }));
    const [worker, twin] = coders();
    const shards = await worker?.code(pack, code, wanted);
    assert.deepEqual(shards, await twin?.code(pack, code, wanted));
    assert.deepEqual(shards, await worker?.code(pack, code, wanted));
    assert.deepEqual(
      shards?.map(({ index }) => index),
      [2, 0],
    );
    for (const shard of shards ?? []) {
      assert.equal(shard.bytes.length % blockBytes, 0);
      const blocks = Array.from({ length: shard.bytes.length / blockBytes }, (_, block) =>
        sha256(shard.bytes.subarray(block * blockBytes, (block + 1) * blockBytes)),
      );
      assert.deepEqual(shard.merkleRoot, merkleRoot(blocks));
    }
    await worker?.close();
  });

test('one shard for two partners gives two that have no block in common', async () => {
  const [worker] = coders();
  const code: Code = { id: 'reed-solomon', dataShards: 2, parityShards: 2 };
  const wanted = [partner(1), partner(2)].map((of) => ({ index: 3, partner: of }));
  const shards = (await worker?.code(pack, code, wanted)) ?? [];
  const blocks = shards.flatMap((shard) =>
    Array.from({ length: shard.bytes.length / blockBytes }, (_, block) =>
      hexText(shard.bytes.subarray(block * blockBytes, (block + 1) * blockBytes)),
    ),
  );
  assert.equal(new Set(blocks).size, blocks.length);
  await worker?.close();
});

test('a pack that is part of a larger buffer, and the caller keeps', async () => {
  const [worker, twin] = coders();
  const larger = new Uint8Array(bytes.length + 100);
  larger.set(bytes, 50);
  const part = { ...pack, bytes: larger.subarray(50, 50 + bytes.length) };
  const code: Code = { id: 'parity', dataShards: 2, parityShards: 1 };
  const wanted = [{ index: 2, partner: partner(1) }];
  assert.deepEqual(await worker?.code(part, code, wanted), await twin?.code(pack, code, wanted));
  assert.equal(part.bytes.length, bytes.length);
  await worker?.close();
});
