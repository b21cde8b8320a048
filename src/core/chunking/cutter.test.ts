import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mebi } from '../../base/units.ts';
import { plainKernels } from '../../primitives/kernels/plain-kernels.ts';
import { chunkAverageBytes, chunkMaximumBytes, chunkMinimumBytes } from '../vocabulary/limits.ts';
import { type Cutter, cutterOf, looseBits, strictBits, switchBytes } from './cutter.ts';
import { gearTable } from './gear-table.ts';

const key = Uint8Array.from({ length: 32 }, (_, index) => index * 7);
const cutter = cutterOf(plainKernels(), gearTable(key));

/** Bytes that look random, from a seed. */
function noise(seed: number, length: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = seed | 1;
  for (let index = 0; index < words.length; index += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = Math.imul(state, 0x9e3779b1);
  }
  return new Uint8Array(words.buffer, 0, length);
}

/** The lengths of all chunks of `bytes`. */
function cuts(by: Cutter, bytes: Uint8Array, start = 0): number[] {
  const lengths: number[] = [];
  for (let offset = start; ; ) {
    const length = by.nextCut(bytes, { offset, end: bytes.length, final: true });
    if (length === undefined) return lengths;
    lengths.push(length);
    offset += length;
  }
}

/** The same as places in the bytes. */
function places(by: Cutter, bytes: Uint8Array): number[] {
  let offset = 0;
  return cuts(by, bytes).map((length) => {
    offset += length;
    return offset;
  });
}

function sum(lengths: readonly number[]): number {
  return lengths.reduce((total, length) => total + length, 0);
}

test('chunks cover the bytes, within their bounds', () => {
  const inputs = fc.record({
    length: fc.integer({ min: 0, max: 9 * mebi }),
    seed: fc.integer(),
    zeros: fc.integer({ min: 0, max: 9 * mebi }),
  });
  fc.assert(
    fc.property(inputs, ({ length, seed, zeros }) => {
      const bytes = noise(seed, length);
      bytes.fill(0, zeros, zeros + 5 * mebi);
      const lengths = cuts(cutter, bytes);
      assert.equal(sum(lengths), length);
      assert.ok(lengths.every((each) => each <= chunkMaximumBytes && each > 0));
      assert.ok(lengths.slice(0, -1).every((each) => each >= chunkMinimumBytes));
    }),
    { numRuns: 15 },
  );
});

test('chunks of random bytes have a mebibyte on average', () => {
  const strict = 2 ** strictBits;
  const loose = 2 ** looseBits;
  const quietPart = Math.exp(-(switchBytes - chunkMinimumBytes) / strict);
  const expected = chunkMinimumBytes + strict * (1 - quietPart) + loose * quietPart;
  assert.ok(Math.abs(expected / chunkAverageBytes - 1) < 0.001);
  const lengths = cuts(cutter, noise(3, 96 * mebi));
  const average = sum(lengths) / lengths.length;
  assert.ok(Math.abs(average / chunkAverageBytes - 1) < 0.1, `${average} bytes on average`);
});

test('bytes without variety are cut at the maximum', () => {
  assert.deepEqual(cuts(cutter, new Uint8Array(9 * mebi)), [4 * mebi, 4 * mebi, mebi]);
});

test('an insertion moves no cut but those near it', () => {
  const bytes = noise(11, 24 * mebi);
  const inserted = new Uint8Array(bytes.length + 3);
  inserted.set(bytes.subarray(0, 700_000));
  inserted.set([1, 2, 3], 700_000);
  inserted.set(bytes.subarray(700_000), 700_003);
  const before = places(cutter, bytes);
  const after = new Set(places(cutter, inserted).map((place) => place - 3));
  const kept = before.filter((place) => after.has(place));
  assert.ok(kept.length >= before.length - 5, `${kept.length} of ${before.length} cuts are kept`);
  assert.deepEqual(before.slice(-kept.length), kept);
});

test('cutting may start again at any cut', () => {
  const bytes = noise(12, 12 * mebi);
  const lengths = cuts(cutter, bytes);
  let start = 0;
  lengths.forEach((length, index) => {
    assert.deepEqual(cuts(cutter, bytes.slice(start)), lengths.slice(index));
    assert.deepEqual(cuts(cutter, bytes, start), lengths.slice(index));
    start += length;
  });
});

test('a cut that is found before all bytes are there is the cut that is found with them', () => {
  const bytes = noise(13, 6 * mebi);
  const [first] = cuts(cutter, bytes);
  for (let end = 0; end < bytes.length; end += 130_001) {
    const early = cutter.nextCut(bytes, { offset: 0, end, final: false });
    assert.equal(early, early === undefined ? undefined : first);
    if (end >= (first ?? 0)) assert.equal(early, first);
  }
});

test('what is left at the end is a chunk, and nothing is none', () => {
  assert.equal(cutter.nextCut(noise(1, 10), { offset: 0, end: 10, final: true }), 10);
  assert.equal(cutter.nextCut(noise(1, 10), { offset: 0, end: 10, final: false }), undefined);
  assert.equal(cutter.nextCut(noise(1, 10), { offset: 10, end: 10, final: true }), undefined);
});

test('bytes in the area of the cutter are cut in place, alike', () => {
  const bytes = noise(14, 6 * mebi);
  const inPlace = cutterOf(plainKernels(), gearTable(key), 7 * mebi);
  inPlace.area.set(bytes, 12_345);
  const view = inPlace.area.subarray(12_345, 12_345 + bytes.length);
  assert.deepEqual(cuts(inPlace, view), cuts(cutter, bytes));
  assert.deepEqual(view, bytes);
});

test('different keys cut differently', () => {
  const other = cutterOf(plainKernels(), gearTable(key.map((byte) => byte ^ 1)));
  const bytes = noise(15, 16 * mebi);
  const shared = new Set(places(other, bytes));
  assert.deepEqual(
    places(cutter, bytes).filter((place) => shared.has(place)),
    [bytes.length],
  );
});
