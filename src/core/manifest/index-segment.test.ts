import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import type { PackContents } from '../packing/directory.ts';
import { packHeaderBytes } from '../packing/pack-header.ts';
import type { Code } from '../vocabulary/code.ts';
import type { PackId, PeerId } from '../vocabulary/ids.ts';
import { chunkMaximumBytes } from '../vocabulary/limits.ts';
import { encodeIndexSegments, IndexReading, type PackRecord } from './index-segment.ts';

const bytes = (length: number): fc.Arbitrary<Bytes> =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((array) => new Uint8Array(array));
const id = <T>(): fc.Arbitrary<T> =>
  bytes(32).map((value) => Buffer.from(value).toString('hex') as T);

/** A pack of frames, each with chunks of these lengths. */
function contentsOf(frames: readonly (readonly number[])[]): PackContents {
  const lengths = frames.flat();
  let offset = packHeaderBytes;
  const chunkOffsets: number[] = [];
  const places = frames.map((chunks) => {
    let rawBytes = 0;
    for (const length of chunks) {
      chunkOffsets.push(rawBytes);
      rawBytes += length;
    }
    const place = { offset, storedBytes: rawBytes + 17, rawBytes };
    offset += place.storedBytes;
    return place;
  });
  return {
    frames: places,
    chunkIds: new Uint8Array(32 * lengths.length).map((_, index) => index * 7),
    chunkFrames: Uint32Array.from(frames.flatMap((chunks, frame) => chunks.map(() => frame))),
    chunkOffsets: Uint32Array.from(chunkOffsets),
    chunkLengths: Uint32Array.from(lengths),
  };
}

const parity: Code = { id: 'parity', dataShards: 2, parityShards: 1 };
const reedSolomon: Code = { id: 'reed-solomon', dataShards: 2, parityShards: 1 };
const placement = (length: number): fc.Arbitrary<(PeerId | undefined)[]> =>
  fc.array(fc.option(id<PeerId>(), { nil: undefined }), { minLength: length, maxLength: length });
const furtherPlacement: fc.Arbitrary<(PeerId | undefined)[]> = fc
  .tuple(fc.integer({ min: 3, max: 254 }).chain(placement), id<PeerId>())
  .map(([before, last]) => [...before, last]);

const record: fc.Arbitrary<PackRecord> = fc
  .record({
    pack: id<PackId>(),
    kind: fc.constantFrom('data' as const, 'tree' as const, 'index' as const),
    salt: bytes(32),
    frames: fc.array(fc.array(fc.nat(1_000), { minLength: 1, maxLength: 3 }), {
      minLength: 1,
      maxLength: 3,
    }),
    placed: fc.oneof(
      fc.record({ code: fc.constantFrom(parity, reedSolomon), placement: fc.constant([]) }),
      fc.record({ code: fc.constantFrom(parity, reedSolomon), placement: placement(3) }),
      fc.record({ code: fc.constant(reedSolomon), placement: furtherPlacement }),
    ),
  })
  .map(({ frames, placed, ...rest }) => ({
    ...rest,
    ...placed,
    suite: 1 as const,
    lengthBytes: 1_000_000,
    contents: contentsOf(frames),
  }));

function decodeAll(segments: readonly Bytes[]): PackRecord[] {
  const reading = new IndexReading();
  const records = segments.flatMap((segment) => {
    const outcome = reading.add(segment);
    assert.ok(outcome.ok, JSON.stringify(outcome));
    return outcome.value;
  });
  assert.ok(reading.isWhole());
  return records;
}

function decodeOne(segment: Uint8Array): ReturnType<IndexReading['add']> {
  return new IndexReading().add(segment);
}

/** A pack of that many chunks of 50 bytes in frames of a hundred. */
function packOf(number: number, chunkCount: number): PackRecord {
  const frames = Array.from({ length: chunkCount / 100 }, () => new Array<number>(100).fill(50));
  return {
    pack: number.toString(16).padStart(64, '0') as PackId,
    kind: 'data',
    suite: 1,
    salt: new Uint8Array(32),
    lengthBytes: 24_000_000,
    code: { id: 'reed-solomon', dataShards: 4, parityShards: 4 },
    placement: [],
    contents: contentsOf(frames),
  };
}

test('records come back from their segments as they were, in order', () => {
  fc.assert(
    fc.property(fc.array(record, { maxLength: 5 }), (records) => {
      assert.deepEqual(decodeAll(encodeIndexSegments(records)), records);
    }),
  );
});

test('a placement beyond the first shards ends with one, and parity has none beyond them', () => {
  const peer = 'a'.repeat(64) as PeerId;
  const known = { ...packOf(1, 100), code: reedSolomon };
  const [segment] = encodeIndexSegments([{ ...known, placement: [peer, peer, peer, peer] }]);
  assert.ok(segment !== undefined && decodeOne(segment).ok);
  const four = Buffer.from([0x84, 0, 0, 0, 0]);
  const at = Buffer.from(segment).indexOf(four);
  assert.ok(at > 0);
  segment[at + 4] = 0xf6;
  assert.equal(decodeOne(segment).ok, false);
  const bad = [
    { ...known, placement: [peer, peer, peer, undefined] },
    { ...known, placement: [peer] },
    { ...known, code: parity, placement: [peer, peer, peer, peer] },
  ];
  for (const each of bad) assert.throws(() => encodeIndexSegments([each]));
});

test('a segment with one byte changed is refused, or is the only encoding of other records', () => {
  fc.assert(
    fc.property(record, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, position, mask) => {
      const [segment] = encodeIndexSegments([value]);
      assert.ok(segment !== undefined);
      const at = position % segment.length;
      segment[at] = (segment[at] ?? 0) ^ mask;
      assert.equal(decodeOne(segment.subarray(0, at)).ok, false);
      const outcome = decodeOne(segment);
      if (!outcome.ok) return;
      assert.notDeepEqual(outcome.value, [value]);
      const [again] = encodeIndexSegments(outcome.value);
      assert.ok(again !== undefined && equalBytes(again, segment));
    }),
    { numRuns: 1_000 },
  );
});

test('an index too long for one chunk is split, and every segment fits one', () => {
  const records = Array.from({ length: 14 }, (_, number) => packOf(number, 20_000));
  const segments = encodeIndexSegments(records);
  assert.ok(segments.length > 1);
  assert.ok(segments.every((segment) => segment.length <= chunkMaximumBytes));
  assert.deepEqual(decodeAll(segments), records);
});

test('a pack of very many small chunks goes over several segments', () => {
  const records = [packOf(1, 100), packOf(2, 300_000), packOf(3, 100)];
  const segments = encodeIndexSegments(records);
  assert.ok(segments.length >= 3);
  assert.ok(segments.every((segment) => segment.length <= chunkMaximumBytes));
  assert.deepEqual(
    decodeAll(segments).map(({ pack, contents }) => [pack, contents.chunkLengths.length]),
    records.map(({ pack, contents }) => [pack, contents.chunkLengths.length]),
  );
});

test('a record whose parts are missing or out of order is refused, and the next one is read', () => {
  const segments = encodeIndexSegments([packOf(2, 300_000), packOf(3, 100)]);
  const [first, , ...rest] = segments;
  assert.ok(first !== undefined && rest.length > 0);
  const reading = new IndexReading();
  assert.equal(reading.add(first).ok, true);
  const outcome = reading.add(rest[0] ?? first);
  assert.equal(!outcome.ok && outcome.error.code, 'index.part-missing');
  const fresh = encodeIndexSegments([packOf(4, 100)])[0];
  assert.ok(fresh !== undefined);
  const next = reading.add(fresh);
  assert.equal(next.ok && next.value.length, 1);
});

test('no records make no segment', () => {
  assert.deepEqual(encodeIndexSegments([]), []);
});
