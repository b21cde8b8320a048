import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { plainKernels } from '../../primitives/kernels/plain-kernels.ts';
import { type Code, shardCount } from '../vocabulary/code.ts';
import { payloadBytes, shardsMaximum } from '../vocabulary/limits.ts';
import { type ErasureCode, erasureCodeOf, validCode } from './erasure-code.ts';

const kernels = plainKernels();

function reedSolomon(dataShards: number, parityShards: number): Code {
  return { id: 'reed-solomon', dataShards, parityShards };
}

function parity(dataShards: number): Code {
  return { id: 'parity', dataShards, parityShards: 1 };
}

function codeword(code: ErasureCode, seed: number, length: number): Uint8Array[] {
  let state = seed | 1;
  const data = Array.from({ length: code.code.dataShards }, () =>
    Uint8Array.from({ length }, () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
      return state >>> 16;
    }),
  );
  return [...data, ...code.encode(data)];
}

function subsets(count: number): number[][] {
  return Array.from({ length: 2 ** count }, (_, bits) =>
    Array.from({ length: count }, (_index, place) => place).filter((place) => (bits >> place) & 1),
  );
}

function chosen(elements: readonly Uint8Array[], indices: readonly number[]) {
  return new Map(indices.map((index) => [index, elements[index] ?? new Uint8Array(0)]));
}

/** Every element, data and parity, comes back from `indices`; or the set is refused. */
function checkSet(code: ErasureCode, elements: readonly Uint8Array[], indices: number[]): void {
  const wanted = elements.map((_, index) => index);
  const outcome = code.decode(chosen(elements, indices), wanted);
  const enough = indices.length >= code.code.dataShards;
  assert.equal(code.sufficient(indices), enough);
  assert.equal(outcome.ok, enough);
  if (!outcome.ok) {
    assert.deepEqual(outcome.error, { code: 'erasure.insufficient' });
    return;
  }
  elements.forEach((element, index) => {
    assert.deepEqual(outcome.value.get(index), element);
  });
}

const smallCodes: Code[] = [parity(1), parity(2), parity(4), parity(8)];
for (let k = 1; k <= 5; k += 1) for (let m = 0; m <= 4; m += 1) smallCodes.push(reedSolomon(k, m));

test('of small codes every sufficient set yields every element, and every other is refused', () => {
  for (const each of smallCodes) {
    const code = erasureCodeOf(each, kernels);
    const elements = codeword(code, 42, 5);
    for (const indices of subsets(shardCount(each))) checkSet(code, elements, indices);
  }
});

const anyCode: fc.Arbitrary<Code> = fc
  .integer({ min: 1, max: 40 })
  .chain((k) => fc.record({ k: fc.constant(k), m: fc.integer({ min: 0, max: 40 }) }))
  .map(({ k, m }) => (m === 1 ? parity(k) : reedSolomon(k, m)));

test('of larger codes random sets behave likewise', () => {
  const sets = anyCode.chain((code) =>
    fc.record({
      code: fc.constant(code),
      indices: fc.shuffledSubarray(Array.from({ length: shardCount(code) }, (_, index) => index)),
      seed: fc.integer(),
    }),
  );
  fc.assert(
    fc.property(sets, ({ code: each, indices, seed }) => {
      const code = erasureCodeOf(each, kernels);
      checkSet(code, codeword(code, seed, 3), indices);
    }),
  );
});

test('the largest code decodes from its parity alone', () => {
  const code = erasureCodeOf(reedSolomon(127, 128), kernels);
  const elements = codeword(code, 9, 2);
  assert.equal(elements.length, shardsMaximum);
  checkSet(
    code,
    elements,
    Array.from({ length: 127 }, (_, row) => 255 - 1 - row),
  );
});

test('indices count once, and only those of the code', () => {
  const code = erasureCodeOf(reedSolomon(2, 2), kernels);
  assert.equal(code.sufficient([3, 3, 3]), false);
  assert.equal(code.sufficient([0, 255]), false);
  assert.equal(code.sufficient([-1, 0.5, 1]), false);
  assert.equal(code.sufficient(new Set([1, 3])), true);
  assert.equal(code.sufficient([4, 254]), true);
  assert.equal(erasureCodeOf(parity(2), kernels).sufficient([0, 3]), false);
});

/** A code, k of its 255 indices in some order, and others that are to be made of them. */
const furtherSets = fc
  .record({ k: fc.integer({ min: 1, max: 20 }), m: fc.integer({ min: 0, max: 20 }) })
  .chain(({ k, m }) =>
    fc.record({
      code: fc.constant(reedSolomon(k, m)),
      indices: fc.uniqueArray(fc.nat(shardsMaximum - 1), { minLength: k, maxLength: k + 30 }),
      seed: fc.integer(),
    }),
  );

test('any k of all 255 elements yield the data and any others, the further ones among them', () => {
  fc.assert(
    fc.property(furtherSets, ({ code: each, indices, seed }) => {
      const { dataShards } = each;
      const code = erasureCodeOf(each, kernels);
      const data = new Map(codeword(code, seed, 3).slice(0, dataShards).entries());
      const made = code.decode(data, indices);
      assert.ok(made.ok);
      const wanted = [...new Set([...data.keys(), ...indices])];
      const sources = indices.slice(-dataShards).map((index): [number, Uint8Array] => {
        return [index, made.value.get(index) ?? new Uint8Array(0)];
      });
      const back = code.decode(new Map(sources), wanted);
      assert.ok(back.ok);
      for (const [index, element] of [...data, ...made.value])
        assert.deepEqual(back.value.get(index), element);
    }),
  );
});

test('an element is the same in every code with these data shards, however much parity that has', () => {
  const [small, large] = [reedSolomon(3, 1), reedSolomon(3, 252)].map((each) =>
    erasureCodeOf(each, kernels),
  );
  assert.ok(small !== undefined && large !== undefined);
  const word = codeword(large, 11, 4);
  const indices = word.map((_, index) => index);
  const further = small.decode(new Map(word.slice(0, 3).entries()), indices);
  assert.ok(further.ok);
  assert.deepEqual([...further.value.values()], word);
});

test('decoding yields copies, so that nobody changes what a partner sent', () => {
  const code = erasureCodeOf(reedSolomon(2, 1), kernels);
  const elements = codeword(code, 5, 4);
  const outcome = code.decode(chosen(elements, [0, 1]), [0, 2]);
  assert.ok(outcome.ok);
  outcome.value.get(0)?.fill(0);
  assert.notDeepEqual(elements[0], new Uint8Array(4));
});

test('elements may be empty, and longer than a block', () => {
  for (const each of [parity(3), reedSolomon(3, 2)]) {
    const code = erasureCodeOf(each, kernels);
    for (const length of [0, payloadBytes, payloadBytes * 2 + 17])
      checkSet(code, codeword(code, 77, length), [1, 2, 3]);
  }
});

test('one code can decode from many sets in turn', () => {
  const code = erasureCodeOf(reedSolomon(4, 4), kernels);
  const elements = codeword(code, 3, 7);
  const sets = subsets(8).filter((indices) => indices.length === 4);
  for (let round = 0; round < 2; round += 1)
    for (const indices of sets) checkSet(code, elements, indices);
});

test('a code without parity is the data as it is', () => {
  const code = erasureCodeOf(reedSolomon(3, 0), kernels);
  assert.deepEqual(code.encode([new Uint8Array(2), new Uint8Array(2), new Uint8Array(2)]), []);
  assert.equal(code.sufficient([0, 1]), false);
});

test('with one data shard every shard is a copy of it', () => {
  const code = erasureCodeOf(reedSolomon(1, 5), kernels);
  const data = Uint8Array.of(1, 2, 255);
  for (const element of code.encode([data])) assert.deepEqual(element, data);
});

test('only codes that we have are valid', () => {
  const good = [parity(1), parity(254), reedSolomon(1, 0), reedSolomon(10, 245)];
  for (const code of good) assert.deepEqual(validCode(code), { ok: true, value: code });
  const bad = [
    { id: 'parity', dataShards: 4, parityShards: 0 },
    { id: 'parity', dataShards: 4, parityShards: 2 },
    { id: 'reed-solomon', dataShards: 0, parityShards: 4 },
    { id: 'reed-solomon', dataShards: 4, parityShards: -1 },
    { id: 'reed-solomon', dataShards: 1.5, parityShards: 1 },
    { id: 'reed-solomon', dataShards: 128, parityShards: 128 },
    { id: 'reed-solomon', dataShards: Number.NaN, parityShards: 1 },
    { id: 'toString', dataShards: 4, parityShards: 4 },
  ];
  for (const code of bad)
    assert.deepEqual(validCode(code), { ok: false, error: { code: 'erasure.unknown-code' } });
});
