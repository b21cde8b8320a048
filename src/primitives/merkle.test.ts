import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { present } from '../base/assert.ts';
import { bigEndian } from '../base/bytes.ts';
import { sha256 } from './hash.ts';
import { MerkleBuilder, merklePath, merkleRoot, verifyMerklePath } from './merkle.ts';

const leaves = (count: number) =>
  Array.from({ length: count }, (_, at) => sha256(bigEndian(at, 2)));
const place = fc
  .integer({ min: 1, max: 70 })
  .chain((count) => fc.tuple(fc.constant(count), fc.integer({ min: 0, max: count - 1 })));

/** RFC 6962 §2.1, word for word. */
function plainRoot(hashes: readonly Uint8Array[]): Uint8Array {
  const [only] = hashes;
  if (only === undefined) return sha256(new Uint8Array(0));
  if (hashes.length === 1) return sha256(new Uint8Array([0]), only);
  let split = 1;
  while (split * 2 < hashes.length) split *= 2;
  const parts = [plainRoot(hashes.slice(0, split)), plainRoot(hashes.slice(split))];
  return sha256(new Uint8Array([1]), ...parts);
}

test('the builder agrees with the definition at every size', () => {
  const builder = new MerkleBuilder();
  assert.deepEqual(builder.root(), plainRoot([]));
  leaves(70).forEach((_, at, all) => {
    builder.addBlock(bigEndian(at, 2));
    assert.deepEqual(builder.root(), plainRoot(all.slice(0, at + 1)));
    assert.equal(builder.leafCount, at + 1);
  });
});

test('a path proves its leaf, in its place, and nothing else', () => {
  fc.assert(
    fc.property(place, fc.nat(), ([leafCount, leafIndex], dice) => {
      const hashes = leaves(leafCount);
      const hash = present(hashes[leafIndex], 'inside');
      const claim = { root: merkleRoot(hashes), leafCount, leafIndex, hash };
      const path = merklePath(hashes, leafIndex);
      assert.equal(verifyMerklePath(claim, path), true);
      assert.equal(verifyMerklePath({ ...claim, hash: sha256(hash) }, path), false);
      assert.equal(verifyMerklePath(claim, [...path, sha256(hash)]), false);
      if (path.length === 0) return;
      assert.equal(verifyMerklePath(claim, path.slice(1)), false);
      const other = (leafIndex + 1 + (dice % (leafCount - 1))) % leafCount;
      assert.equal(verifyMerklePath({ ...claim, leafIndex: other }, path), false);
      const broken = path.map((step, at) => (at === dice % path.length ? sha256(step) : step));
      assert.equal(verifyMerklePath(claim, broken), false);
    }),
  );
});

test('places outside the tree and hashes of the wrong length prove nothing', () => {
  const hashes = leaves(3);
  const claim = {
    root: merkleRoot(hashes),
    leafCount: 3,
    leafIndex: 0,
    hash: present(hashes[0], 'three'),
  };
  const path = merklePath(hashes, 0);
  for (const leafIndex of [-1, 3, 0.5, Number.NaN])
    assert.equal(verifyMerklePath({ ...claim, leafIndex }, path), false);
  assert.equal(verifyMerklePath({ ...claim, hash: new Uint8Array(31) }, path), false);
  assert.equal(verifyMerklePath(claim, [new Uint8Array(3), ...path.slice(1)]), false);
});
