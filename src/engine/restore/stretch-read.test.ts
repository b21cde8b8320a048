import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadKernels } from '../../adapters/kernels/kernel-files.ts';
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import { type ErasureCode, erasureCodeOf } from '../../core/erasure/erasure-code.ts';
import { type Code, indexCount, shardCount } from '../../core/vocabulary/code.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import { payloadBytes } from '../../core/vocabulary/limits.ts';
import { onVirtualTime } from '../../sim/virtual-run.ts';
import { type ShardPayloads, StretchRead, type StretchResult } from './stretch-read.ts';

const kernels = loadKernels();
const codewords = 3;
/** Of each stripe beyond its n. */
const furtherShards = 3;

/** How the holder of a shard behaves; `holes`: numbers of codewords whose block is missing or wrong. */
interface Holder {
  readonly way: 'answers' | 'nothing' | 'nobody' | 'never';
  readonly delayMs: number;
  readonly holes: readonly number[];
  readonly doubtful: boolean;
}

const good: Holder = { way: 'answers', delayMs: 10, holes: [], doubtful: false };

function reedSolomon(dataShards: number, parityShards: number): ErasureCode {
  return erasureCodeOf({ id: 'reed-solomon', dataShards, parityShards }, kernels);
}

const stripes = new Map<string, Bytes[][]>();

/** `shards[shard][codeword]`, the same for every read with one code. */
function stripeOf(code: ErasureCode): Bytes[][] {
  const key = JSON.stringify(code.code);
  const known = stripes.get(key) ?? newStripe(code);
  stripes.set(key, known);
  return known;
}

function newStripe(code: ErasureCode): Bytes[][] {
  let state = 7;
  const count = Math.min(indexCount(code.code), shardCount(code.code) + furtherShards);
  const indices = Array.from({ length: count }, (_, index) => index);
  const shards: Bytes[][] = indices.map(() => []);
  for (let codeword = 0; codeword < codewords; codeword += 1) {
    const data = Array.from({ length: code.code.dataShards }, () =>
      Uint8Array.from({ length: payloadBytes }, () => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
        return state >>> 16;
      }),
    );
    const elements = code.decode(new Map(data.entries()), indices);
    assert.ok(elements.ok);
    for (const [shard, element] of elements.value) shards[shard]?.push(element);
  }
  return shards;
}

interface Read {
  readonly code: ErasureCode;
  readonly holders: readonly Holder[];
  readonly wanted: readonly number[];
}

interface Outcome {
  readonly result: StretchResult | undefined;
  readonly asked: readonly number[];
  readonly shards: readonly (readonly Bytes[])[];
  readonly tookMs: number;
}

function peer(shard: number): PeerId {
  return `peer-${shard}` as PeerId;
}

async function read({ code, holders, wanted }: Read): Promise<Outcome> {
  const shards = stripeOf(code);
  const asked: number[] = [];
  return await onVirtualTime(async (clock) => {
    const began = clock.now();
    const there = holders.flatMap(({ way }, shard) => (way === 'nobody' ? [] : [shard]));
    const outcome = await new StretchRead(
      {
        clock,
        code,
        holders: new Map(there.map((shard) => [shard, peer(shard)])),
        rank: (partner) => holders[Number(partner.slice(5))]?.delayMs ?? 0,
        doubtful: (partner) => holders[Number(partner.slice(5))]?.doubtful === true,
        hedgeMs: () => 500,
        fetch: async (shard, _stretch, signal): Promise<ShardPayloads> => {
          asked.push(shard);
          const holder = holders[shard] ?? good;
          await clock.sleep(holder.way === 'never' ? 30_000 : holder.delayMs, signal);
          if (holder.way !== 'answers') return [];
          return (shards[shard] ?? []).map((block, codeword) =>
            holder.holes.includes(codeword) ? undefined : block,
          );
        },
      },
      { first: 5, count: codewords, wanted },
    ).run();
    const tookMs = clock.now() - began;
    return { result: outcome.ok ? outcome.value : undefined, asked, shards, tookMs };
  });
}

function assertRight({ result, shards }: Outcome, wanted: readonly number[]): void {
  assert.ok(result !== undefined);
  assert.deepEqual([...result.elements.keys()], [...wanted]);
  for (const shard of wanted)
    for (let codeword = 0; codeword < codewords; codeword += 1) {
      const element = result.elements.get(shard)?.[codeword];
      assert.ok(element !== undefined && equalBytes(element, shards[shard]?.[codeword] ?? element));
    }
}

const holder: fc.Arbitrary<Holder> = fc.record({
  way: fc.constantFrom('answers', 'answers', 'answers', 'nothing', 'nobody', 'never'),
  delayMs: fc.nat(3_000),
  holes: fc.constantFrom<readonly number[]>([], [], [0], [2], [0, 1, 2]),
  doubtful: fc.boolean(),
});

const code: fc.Arbitrary<Code> = fc.constantFrom<Code>(
  { id: 'reed-solomon', dataShards: 1, parityShards: 0 },
  { id: 'parity', dataShards: 2, parityShards: 1 },
  { id: 'reed-solomon', dataShards: 2, parityShards: 2 },
  { id: 'reed-solomon', dataShards: 4, parityShards: 4 },
);

test('C14: whoever answers, fails or lies, the bytes are right, or the read says that there were too few', async () => {
  const plan = code.chain((chosen) =>
    fc.record({
      code: fc.constant(chosen),
      holders: fc.array(holder, {
        minLength: shardCount(chosen),
        maxLength: Math.min(indexCount(chosen), shardCount(chosen) + furtherShards),
      }),
      wanted: fc
        .subarray([...Array(chosen.dataShards).keys()], { minLength: 1 })
        .map((shards) => shards.toSorted((left, right) => left - right)),
    }),
  );
  await fc.assert(
    fc.asyncProperty(plan, async ({ code: chosen, holders, wanted }) => {
      const outcome = await read({ code: erasureCodeOf(chosen, kernels), holders, wanted });
      const has = (shard: number, codeword: number): boolean => {
        const one = holders[shard];
        return one?.way === 'answers' && !one.holes.includes(codeword);
      };
      const isEnough = [...Array(codewords).keys()].every((codeword) => {
        const valid = holders.filter((_, shard) => has(shard, codeword)).length;
        return valid >= chosen.dataShards || wanted.every((shard) => has(shard, codeword));
      });
      assert.equal(outcome.result !== undefined, isEnough);
      if (isEnough) assertRight(outcome, wanted);
      assert.equal(new Set(outcome.asked).size, outcome.asked.length, 'nobody is asked twice');
    }),
    { numRuns: 200 },
  );
});

test('when the wanted data shards answer, nobody else is asked and nothing is decoded', async () => {
  const wanted = [1, 3];
  const outcome = await read({ code: reedSolomon(4, 4), holders: Array(8).fill(good), wanted });
  assertRight(outcome, wanted);
  assert.deepEqual(outcome.asked, wanted);
  assert.equal(outcome.result?.decodedCodewords, 0);
});

test('one missing data shard costs as many further reads as the code needs, and no more', async () => {
  const holders = Array<Holder>(8)
    .fill(good)
    .with(2, { ...good, way: 'nothing' });
  const outcome = await read({ code: reedSolomon(4, 4), holders, wanted: [0, 1, 2, 3] });
  assertRight(outcome, [0, 1, 2, 3]);
  assert.equal(outcome.asked.length, 5);
  assert.equal(outcome.result?.decodedCodewords, codewords);
});

test('data shards that nobody has any more are made of further ones', async () => {
  const nobody: Holder = { ...good, way: 'nobody' };
  const holders = [nobody, good, nobody, nobody, nobody, good, good];
  const outcome = await read({ code: reedSolomon(3, 2), holders, wanted: [0, 1, 2] });
  assertRight(outcome, [0, 1, 2]);
  assert.deepEqual(outcome.asked, [1, 5, 6]);
});

test('wrong blocks of different codewords at different partners are worked around together', async () => {
  const holders = Array<Holder>(4)
    .fill(good)
    .with(0, { ...good, holes: [0] })
    .with(1, { ...good, holes: [1] });
  const outcome = await read({ code: reedSolomon(2, 2), holders, wanted: [0, 1] });
  assertRight(outcome, [0, 1]);
  assert.equal(outcome.asked.length, 3, 'one parity shard is enough for both');
  assert.equal(outcome.result?.decodedCodewords, 2);
});

test('a partner that says nothing is hedged after its time, long before it is given up', async () => {
  const holders = Array<Holder>(8)
    .fill(good)
    .with(1, { ...good, way: 'never' });
  const outcome = await read({ code: reedSolomon(4, 4), holders, wanted: [0, 1, 2, 3] });
  assertRight(outcome, [0, 1, 2, 3]);
  assert.ok(outcome.tookMs < 1_000, `${outcome.tookMs} ms`);
});

test('a doubtful partner is not asked while there are others', async () => {
  const holders = Array<Holder>(8)
    .fill(good)
    .with(0, { ...good, doubtful: true, delayMs: 9_000 });
  const outcome = await read({ code: reedSolomon(4, 4), holders, wanted: [0, 1, 2, 3] });
  assertRight(outcome, [0, 1, 2, 3]);
  assert.ok(!outcome.asked.includes(0));
});
