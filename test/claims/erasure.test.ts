import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { present } from '../../src/base/assert.ts';
import { type Bytes, concatBytes, equalBytes } from '../../src/base/bytes.ts';
import { Prng } from '../../src/base/prng.ts';
import { mebi } from '../../src/base/units.ts';
import { erasureCodeOf } from '../../src/core/erasure/erasure-code.ts';
import { codewordCount } from '../../src/core/erasure/layout.ts';
import { decodeElements, decodePack, encodeShards } from '../../src/core/erasure/stripe.ts';
import { verifyPack } from '../../src/core/packing/pack-reader.ts';
import { chooseCode } from '../../src/core/placement/code-choice.ts';
import { ChunkNamer } from '../../src/core/sealing/chunk-id.ts';
import { type Code, codeText, shardCount } from '../../src/core/vocabulary/code.ts';
import { payloadBytes } from '../../src/core/vocabulary/limits.ts';
import { blocksOf, good, kernels, type ShardOnDisk, SimCircle, treeBelow } from './sim-circle.ts';

const draws = new Prng('erasure');

async function backedUp(seed: string, partnerCount: number, bytes: number): Promise<SimCircle> {
  const circle = await SimCircle.made(seed, partnerCount);
  circle.owner.files.writeFile('/home/file', draws.bytes(bytes));
  await circle.backedUp();
  return circle;
}

/** The shards of each stripe, as their partners hold them, in order of index. */
function stripesOf(circle: SimCircle): (readonly ShardOnDisk[])[] {
  const stripes = Map.groupBy(circle.shards(), ({ stripe }) => stripe);
  return [...stripes.values()].map((shards) =>
    shards.toSorted((left, right) => left.index - right.index),
  );
}

/** Elements of a shard, in order of codewords. */
function elementsOf(circle: SimCircle, shard: ShardOnDisk): Bytes[] {
  const sealer = circle.sealer(shard);
  return blocksOf(shard.bytes).map((block, number) => good(sealer.openBlock(number, block)));
}

function* choices(count: number, of: number, from = 0): Generator<readonly number[]> {
  if (count === 0) yield [];
  else
    for (let first = from; first <= of - count; first += 1)
      for (const rest of choices(count - 1, of, first + 1)) yield [first, ...rest];
}

test('C5: what was backed up to eight partners comes back from any four of them, whichever they are', async () => {
  const circle = await backedUp('any four', 8, mebi);
  const { packKey, chunkIdKey } = circle.owner.keys;
  const namer = new ChunkNamer(chunkIdKey);
  const stripes = stripesOf(circle);
  assert.deepEqual(new Set(stripes.map(([shard]) => shard?.row.kind)).size, 3);
  for (const stripe of stripes) {
    const { code, row } = present(stripe[0], 'a shard');
    assert.equal(codeText(code), '4+4');
    assert.equal(stripe.length, 8);
    const payloads = stripe.map((shard) => concatBytes(elementsOf(circle, shard)));
    const working = erasureCodeOf(code, kernels);
    let decodedCount = 0;
    for (const chosen of choices(4, 8)) {
      const shards = new Map(chosen.map((index) => [index, present(payloads[index], 'a shard')]));
      const pack = good(decodePack(working, row.lengthBytes, shards));
      good(verifyPack(packKey, namer, pack));
      decodedCount += 1;
    }
    assert.equal(decodedCount, 70);
    for (const few of choices(3, 8)) {
      const shards = new Map(few.map((index) => [index, present(payloads[index], 'a shard')]));
      assert.ok(!decodePack(working, row.lengthBytes, shards).ok, 'three are too few');
    }
  }
});

for (const partnerCount of [2, 3])
  test(`C33: with ${partnerCount} partners the code is n+1 parity, and any one of them may be lost`, async () => {
    assert.equal(chooseCode(partnerCount)?.id, 'parity');
    const circle = await backedUp(`parity ${partnerCount}`, partnerCount, mebi);
    const stripes = stripesOf(circle);
    assert.ok(stripes.length >= 3);
    for (const stripe of stripes) {
      assert.equal(stripe.length, partnerCount);
      const elements = stripe.map((shard) => elementsOf(circle, shard));
      const parity = present(elements.at(-1), 'the parity');
      for (const [codeword, element] of parity.entries()) {
        const data = elements.slice(0, -1).map((shard) => present(shard[codeword], 'an element'));
        assert.ok(equalBytes(element, exclusiveOr(data)));
      }
    }
    const kept = treeBelow(circle.owner.files, '/home');
    const { snapshot } = await circle.backedUp();
    for (const lost of circle.partners) {
      circle.world.crash(lost.name);
      for (const blob of circle.owner.home.spool.wholeNames()) circle.owner.home.spool.lose(blob);
      const report = good(await circle.restore(circle.owner, snapshot));
      assert.deepEqual(report.problems, []);
      assert.deepEqual(treeBelow(circle.owner.files, '/restored/home'), kept);
      circle.owner.files.remove('/restored');
      circle.world.restart(lost.name);
      await circle.world.run({ untilMs: circle.world.nowMs + 60_000 });
    }
  });

function exclusiveOr(elements: readonly Bytes[]): Bytes {
  const sum = new Uint8Array(payloadBytes);
  for (const element of elements)
    element.forEach((value, position) => {
      sum[position] = (sum[position] ?? 0) ^ value;
    });
  return sum;
}

test('C40: a stripe is p codewords of n elements, and element i of each lies at the partner of shard i', async () => {
  const circle = await backedUp('codewords', 5, 3 * mebi);
  const stripe = present(
    stripesOf(circle).find(([shard]) => shard?.row.kind === 'data'),
    'a stripe of data',
  );
  const { code, row } = present(stripe[0], 'a shard');
  const { dataShards } = code;
  const count = codewordCount(row.lengthBytes, dataShards);
  assert.ok(count > 10);
  const working = erasureCodeOf(code, kernels);
  const elements = stripe.map((shard) => elementsOf(circle, shard));
  assert.deepEqual(
    elements.map((shard) => shard.length),
    Array.from({ length: shardCount(code) }, () => count),
  );
  const pack = present(
    circle.owner.home.spool.whole(circle.owner.home.spool.wholeNames().find(holds(row.pack)) ?? ''),
    'the pack in the spool',
  );
  for (let codeword = 0; codeword < count; codeword += 1) {
    const data = elements.slice(0, dataShards).map((shard) => present(shard[codeword], 'data'));
    data.forEach((element, shard) => {
      const start = (codeword * dataShards + shard) * payloadBytes;
      const part = new Uint8Array(payloadBytes);
      part.set(pack.subarray(start, start + payloadBytes));
      assert.ok(equalBytes(element, part), 'data elements are the pack, piece by piece');
    });
    working.encode(data).forEach((parity, place) => {
      const element = present(elements[dataShards + place]?.[codeword], 'parity');
      assert.ok(equalBytes(element, parity), 'parity comes from its own codeword alone');
    });
  }
});

function holds(pack: string): (name: string) => boolean {
  return (name) => name.includes(pack);
}

const code: Code = { id: 'reed-solomon', dataShards: 3, parityShards: 2 };

test('C40: a lost block is made from the blocks of its number, whatever happened to all others', () => {
  const working = erasureCodeOf(code, kernels);
  const pack = draws.bytes(7 * 3 * payloadBytes - 1_000);
  const shards = encodeShards(working, pack, [0, 1, 2, 3, 4]);
  const position = fc.record({ codeword: fc.nat(6), lost: fc.shuffledSubarray([0, 1, 2, 3, 4]) });
  fc.assert(
    fc.property(position, ({ codeword, lost }) => {
      const there = new Map<number, Uint8Array>();
      for (const [index, shard] of shards)
        if (!lost.includes(index)) there.set(index, elementAt(shard, codeword));
      const decoded = decodeElements(working, there, lost);
      assert.equal(decoded.ok, lost.length <= code.parityShards);
      if (!decoded.ok) return;
      for (const [index, element] of decoded.value)
        assert.ok(equalBytes(element, elementAt(present(shards.get(index), 'it'), codeword)));
    }),
    { numRuns: 200 },
  );
});

function elementAt(shard: Uint8Array, codeword: number): Uint8Array {
  return shard.subarray(codeword * payloadBytes, (codeword + 1) * payloadBytes);
}

test('C40: two wrong blocks in every codeword, each time at other partners, cost a restore nothing', async () => {
  const circle = await backedUp('two each', 5, 4 * mebi);
  const { snapshot } = await circle.backedUp();
  const kept = treeBelow(circle.owner.files, '/home');
  const { peer } = await circle.recoveredFrom(circle.kitText());
  for (const shard of circle.shards().filter(({ row }) => row.kind === 'data')) {
    assert.equal(shard.code.parityShards, 2);
    const bytes = new Uint8Array(shard.bytes);
    for (const [codeword, block] of blocksOf(bytes).entries())
      if ((shard.index + codeword) % 5 < 2) block.fill(0, 100, 200);
    shard.partner.home.held.setWhole(shard.blob, bytes);
  }
  const report = good(await circle.restore(peer, snapshot));
  assert.deepEqual(report.problems, []);
  assert.ok(report.decodedCodewords > 0);
  assert.deepEqual(treeBelow(peer.files, '/restored/home'), kept);
});
