import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256 } from '../../primitives/hash.ts';
import { merkleRoot } from '../../primitives/merkle.ts';
import { ShardTrees } from './shard-trees.ts';

function hashesOf(shard: number, blocks: number): readonly Uint8Array[] {
  return Array.from({ length: blocks }, (_, number) => sha256(Uint8Array.of(shard, number)));
}

test('the hashes under a root are given back as they were', () => {
  const trees = new ShardTrees();
  const hashes = hashesOf(1, 5);
  assert.equal(trees.get(merkleRoot(hashes)), undefined);
  trees.put(merkleRoot(hashes), hashes);
  assert.deepEqual(trees.get(merkleRoot(hashes)), hashes);
  assert.equal(trees.get(merkleRoot(hashesOf(2, 5))), undefined);
});

test('memory is bounded, and what was not used for longest makes room', () => {
  const trees = new ShardTrees(10 * 32);
  const shards = [1, 2, 3].map((shard) => hashesOf(shard, 4));
  const roots = shards.map(merkleRoot);
  const isKnown = () => roots.map((root) => trees.get(root) !== undefined);
  const put = (index: number) => trees.put(roots[index] ?? sha256(), shards[index] ?? []);
  put(0);
  put(1);
  assert.equal(trees.bytes, 8 * 32);
  trees.get(roots[0] ?? sha256());
  put(2);
  assert.deepEqual(isKnown(), [true, false, true]);
  put(2);
  assert.equal(trees.bytes, 8 * 32, 'what is known already takes no more');
});

test('a shard that is larger than the bound is not kept', () => {
  const trees = new ShardTrees(10 * 32);
  const hashes = hashesOf(1, 11);
  trees.put(merkleRoot(hashes), hashes);
  assert.equal(trees.get(merkleRoot(hashes)), undefined);
  assert.equal(trees.bytes, 0);
});
