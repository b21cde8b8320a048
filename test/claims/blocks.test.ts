import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { present } from '../../src/base/assert.ts';
import { type Bytes, bigEndian, concatBytes, equalBytes } from '../../src/base/bytes.ts';
import { Prng } from '../../src/base/prng.ts';
import { mebi } from '../../src/base/units.ts';
import { ShardSealer } from '../../src/core/sealing/block.ts';
import { deriveKeys } from '../../src/core/sealing/keys.ts';
import { bytesOf, idOf, type StripeId } from '../../src/core/vocabulary/ids.ts';
import { blockBytes, payloadBytes, tagBytes } from '../../src/core/vocabulary/limits.ts';
import { cipherOf, suiteAesGcm, suiteChaChaPoly } from '../../src/core/vocabulary/suite.ts';
import { aeadKey, aeadNonceBytes, open } from '../../src/primitives/aead.ts';
import { deriveKey } from '../../src/primitives/kdf.ts';
import { MerkleBuilder } from '../../src/primitives/merkle.ts';
import { blocksOf, flipBit, good, type ShardOnDisk, SimCircle, treeBelow } from './sim-circle.ts';

const draws = new Prng('blocks');
const keys = deriveKeys(draws.bytes(32));
const [partner, other] = [draws.bytes(32), draws.bytes(32)].map((seed) => deriveKeys(seed).peerId);
const [stripe, otherStripe] = [draws.bytes(32), draws.bytes(32)].map((id) => idOf<StripeId>(id));

function sealerOf(change: Partial<ConstructorParameters<typeof ShardSealer>[1]>): ShardSealer {
  return new ShardSealer(keys.sealKey, {
    suite: suiteAesGcm,
    owner: keys.peerId,
    partner: present(partner, 'a partner'),
    stripeId: present(stripe, 'a stripe'),
    index: 3,
    ...change,
  });
}

async function backedUp(seed: string, partnerCount: number, bytes: number): Promise<SimCircle> {
  const circle = await SimCircle.made(seed, partnerCount);
  circle.owner.files.writeFile('/home/file', draws.bytes(bytes));
  await circle.backedUp();
  return circle;
}

function dataShards(circle: SimCircle): ShardOnDisk[] {
  return circle.shards().filter(({ row, index, code }) => {
    return row.kind === 'data' && index < code.dataShards;
  });
}

test('C34: what partners hold is whole blocks of 64 KiB, each with a tag of its own at its end', async () => {
  const circle = await backedUp('whole blocks', 4, 2 * mebi);
  const shards = circle.shards();
  const blobCount = circle.partners.flatMap(({ home }) => home.held.wholeNames()).length;
  assert.equal(shards.length, blobCount, 'partners hold nothing but shards');
  for (const shard of shards) {
    const sealer = circle.sealer(shard);
    const again = new Uint8Array(blockBytes);
    for (const [number, block] of blocksOf(shard.bytes).entries()) {
      const payload = good(sealer.openBlock(number, block));
      assert.equal(payload.length, blockBytes - tagBytes);
      sealer.sealBlock(number, payload, again);
      assert.ok(equalBytes(again, block), 'equal contents at one place are equal bytes');
      assert.ok(!sealer.openBlock(number, block.subarray(0, payloadBytes)).ok);
    }
  }
});

test('C34, C37: the tag is the keyed hash of the block under the key of its shard', () => {
  const block = new Uint8Array(blockBytes);
  const payload = draws.bytes(payloadBytes);
  sealerOf({}).sealBlock(7, payload, block);
  // As docs/format.md describes it, without the code under test.
  const place = [bytesOf(present(partner, 'it')), bytesOf(present(stripe, 'it')), bigEndian(3, 2)];
  const label = 'covault/v1/derived/block';
  const key = aeadKey(
    cipherOf(suiteAesGcm),
    deriveKey(keys.sealKey, label, bigEndian(suiteAesGcm, 1), ...place),
  );
  const nonce = concatBytes([new Uint8Array(aeadNonceBytes - 4), bigEndian(7, 4)]);
  const associated = concatBytes([bytesOf(keys.peerId), ...place, bigEndian(7, 4)]);
  assert.deepEqual(good(open(key, { nonce, associated }, block)), payload);
});

for (const suite of [suiteAesGcm, suiteChaChaPoly])
  test(`C37, C38, C39: one bit anywhere in a block of suite ${suite} is noticed`, () => {
    const sealer = sealerOf({ suite });
    const block = new Uint8Array(blockBytes);
    const payload = draws.bytes(payloadBytes);
    sealer.sealBlock(5, payload, block);
    const refused = (position: number, bit: number): boolean => {
      block[position] = present(block[position], 'a byte') ^ (1 << bit);
      const opened = sealer.openBlock(5, block);
      block[position] = present(block[position], 'a byte') ^ (1 << bit);
      return !opened.ok && opened.error.code === 'seal.bad-tag';
    };
    // Each bit of the first and last payload bytes and of the whole tag, then any others.
    for (let bit = 0; bit < 8; bit += 1) {
      for (const position of [0, payloadBytes - 1]) assert.ok(refused(position, bit));
      for (let tag = 0; tag < tagBytes; tag += 1) assert.ok(refused(payloadBytes + tag, bit));
    }
    fc.assert(fc.property(fc.nat(blockBytes - 1), fc.nat(7), refused), { numRuns: 300 });
    assert.deepEqual(good(sealer.openBlock(5, block)), payload);
  });

test('C37, C38: a right block of another place, shard, stripe, partner or owner is no right block here', () => {
  const payload = draws.bytes(payloadBytes);
  const block = new Uint8Array(blockBytes);
  sealerOf({}).sealBlock(5, payload, block);
  const strangers = [
    sealerOf({ index: 4 }),
    sealerOf({ stripeId: present(otherStripe, 'it') }),
    sealerOf({ partner: present(other, 'it') }),
    sealerOf({ owner: present(other, 'it') }),
    sealerOf({ suite: suiteChaChaPoly }),
  ];
  for (const number of [0, 4, 6, 0xffffffff]) assert.ok(!sealerOf({}).openBlock(number, block).ok);
  for (const stranger of strangers) assert.ok(!stranger.openBlock(5, block).ok);
  assert.ok(sealerOf({}).openBlock(5, block).ok);
});

test('C38: what a partner signed for is the very blocks that were sent', async () => {
  const circle = await backedUp('signed for', 4, mebi);
  for (const holder of circle.partners) {
    const rows = [...holder.home.image().held.values()];
    assert.ok(rows.length > 0);
    for (const { name, owner, merkleRoot } of rows) {
      const merkle = new MerkleBuilder();
      const shard = present(holder.home.held.whole(`${owner}/${name}`), 'a held shard');
      for (const block of blocksOf(shard)) merkle.addBlock(block);
      assert.deepEqual(merkle.root(), merkleRoot);
    }
  }
});

const placesInBlock: readonly (readonly [string, (start: number) => number])[] = [
  ['the first byte', (start) => start],
  ['a byte midway', (start) => start + 31_337],
  ['the last byte of the payload', (start) => start + payloadBytes - 1],
  ['the first byte of the tag', (start) => start + payloadBytes],
  ['the last byte of the tag', (start) => start + blockBytes - 1],
];

for (const [what, positionIn] of placesInBlock)
  test(`C39: at a restore one bit of ${what} of one block is noticed, put down to its partner and mended`, async () => {
    const circle = await backedUp(`one bit in ${what}`, 5, mebi);
    const kept = treeBelow(circle.owner.files, '/home');
    const { peer } = await circle.recoveredFrom(circle.kitText());
    const [snapshot] = present(peer.computer, 'it runs').snapshots();
    const shard = present(dataShards(circle).at(-1), 'a data shard');
    flipBit(shard, positionIn(2 * blockBytes), draws.below(8));
    const report = good(await circle.restore(peer, present(snapshot, 'a snapshot').snapshot));
    assert.deepEqual(report.problems, []);
    assert.deepEqual(report.wrongBlocks, [{ partner: shard.partner.keys.peerId, count: 1 }]);
    assert.deepEqual(treeBelow(peer.files, '/restored/home'), kept);
    assert.ok(report.decodedCodewords >= 1);
  });

test('C39: a partner that returns right blocks of its own in the wrong places is found out', async () => {
  const circle = await backedUp('exchanged', 5, 2 * mebi);
  const kept = treeBelow(circle.owner.files, '/home');
  const { peer } = await circle.recoveredFrom(circle.kitText());
  const [snapshot] = present(peer.computer, 'it runs').snapshots();
  const shard = present(dataShards(circle)[0], 'a data shard');
  const blocks = blocksOf(shard.bytes);
  shard.partner.home.held.setWhole(shard.blob, concatBytes(turned(blocks)));
  const report = good(await circle.restore(peer, present(snapshot, 'a snapshot').snapshot));
  assert.equal(report.wrongBlocks.length, 1);
  assert.equal(report.wrongBlocks[0]?.partner, shard.partner.keys.peerId);
  assert.ok((report.wrongBlocks[0]?.count ?? 0) > 1);
  assert.deepEqual(report.problems, []);
  assert.deepEqual(treeBelow(peer.files, '/restored/home'), kept);
});

/** Each block one place further. */
function turned(blocks: readonly Bytes[]): Bytes[] {
  return [...blocks.slice(1), present(blocks[0], 'a block')];
}
