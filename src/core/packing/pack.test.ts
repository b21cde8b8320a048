import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { hexText } from '../../base/bytes.ts';
import { sha256 } from '../../primitives/hash.ts';
import { ChunkNamer } from '../sealing/chunk-id.ts';
import { deriveKeys } from '../sealing/keys.ts';
import { idBytes } from '../vocabulary/ids.ts';
import { chunkMaximumBytes, packMaximumBytes, packTargetBytes } from '../vocabulary/limits.ts';
import { type Suite, suiteAesGcm, suiteChaChaPoly } from '../vocabulary/suite.ts';
import { decodeDirectory, encodeDirectory } from './directory.ts';
import { frameKeyOf } from './frame.ts';
import { encodeHeader, type PackKind, packHeaderBytes, readHeader } from './pack-header.ts';
import {
  chunkOf,
  openDirectory,
  openFrameAt,
  openFrameIn,
  openPack,
  verifyPack,
} from './pack-reader.ts';
import { PackWriter, type SealedPack } from './pack-writer.ts';

const { packKey, chunkIdKey } = deriveKeys(new Uint8Array(32).fill(1));
const namer = new ChunkNamer(chunkIdKey);
const salt = new Uint8Array(32).fill(2);
const kilobyte = 1000;

interface Shape {
  readonly suite?: Suite;
  readonly kind?: PackKind;
  readonly pad?: boolean;
}

function writerOf({ suite = suiteAesGcm, kind = 'data' }: Shape = {}): PackWriter {
  return new PackWriter({ packKey, suite, kind, salt });
}

function packOf(chunks: readonly Uint8Array[], shape: Shape = {}): SealedPack {
  const writer = writerOf(shape);
  for (const chunk of chunks) writer.add(namer.idBytesOf(chunk), chunk);
  return writer.finish({ pad: shape.pad ?? false });
}

/** Bytes that do not compress, the same for the same seed. */
function noise(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = (seed + 1) * 0x9e3779b1;
  for (let at = 0; at < length; at += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

const chunkLists = fc.array(
  fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.integer({ min: 200_000, max: 700_000 }).map((length) => noise(length, length)),
  ),
  { minLength: 1, maxLength: 12 },
);
const shapes = fc.record({
  suite: fc.constantFrom<Suite>(suiteAesGcm, suiteChaChaPoly),
  kind: fc.constantFrom<PackKind>('data', 'tree', 'index'),
  pad: fc.boolean(),
});

test('every chunk comes back from its place, and the pack verifies', () => {
  fc.assert(
    fc.property(chunkLists, shapes, (chunks, shape) => {
      const sealed = packOf(chunks, shape);
      const opened = verifyPack(packKey, namer, sealed.bytes);
      assert.ok(opened.ok);
      assert.ok(isDeepStrictEqual(opened.value.contents, sealed.contents));
      assert.equal(opened.value.header.kind, shape.kind);
      assert.equal(sealed.pack, hexText(sha256(sealed.bytes)));
      assert.equal(sealed.contents.chunkLengths.length, chunks.length);
      assert.equal(
        sealed.rawBytes,
        chunks.reduce((sum, chunk) => sum + chunk.length, 0),
      );
      const ids = new Set(chunks.map((chunk) => namer.idOf(chunk)));
      for (let at = 0; at < chunks.length; at += 1)
        assert.ok(ids.has(namer.idOf(chunkAt(sealed, at))));
    }),
    { numRuns: 40 },
  );
});

function chunkAt({ bytes, contents, suite }: SealedPack, chunk: number): Uint8Array {
  const number = contents.chunkFrames[chunk] ?? -1;
  const raw = openFrameIn(frameKeyOf(packKey, { suite, salt }), bytes, { contents, number });
  assert.ok(raw.ok);
  const offset = contents.chunkOffsets[chunk] ?? 0;
  const length = contents.chunkLengths[chunk] ?? 0;
  const found = chunkOf(raw.value, { offset, length });
  assert.ok(found !== undefined);
  return found;
}

test('one file is read with the header, the directory and one frame alone', () => {
  const sealed = packOf([noise(300 * kilobyte, 1), noise(400 * kilobyte, 2)]);
  const header = readHeader(sealed.bytes.subarray(0, packHeaderBytes));
  assert.ok(header.ok);
  const { directoryOffset, directoryBytes } = header.value;
  const directory = sealed.bytes.subarray(directoryOffset, directoryOffset + directoryBytes);
  const contents = openDirectory(packKey, header.value, directory);
  assert.ok(contents.ok);
  const place = contents.value.frames[1];
  assert.ok(place !== undefined);
  const frame = openFrameAt(packKey, header.value, {
    number: 1,
    sealed: sealed.bytes.subarray(place.offset, place.offset + place.storedBytes),
    rawBytes: place.rawBytes,
  });
  assert.deepEqual(frame, { ok: true, value: noise(400 * kilobyte, 2) });
});

test('any changed byte of a pack is refused, padding included', () => {
  const chunks = [noise(3000, 1), new Uint8Array(5000), noise(260 * kilobyte, 3), noise(10, 4)];
  const { bytes } = packOf(chunks, { pad: true });
  const places = fc.oneof(
    fc.nat(packHeaderBytes - 1),
    fc.nat(bytes.length - 1),
    fc.integer({ min: bytes.length - 3000, max: bytes.length - 1 }),
  );
  fc.assert(
    fc.property(places, fc.integer({ min: 1, max: 255 }), (place, mask) => {
      const broken = bytes.slice();
      broken[place] = (broken[place] ?? 0) ^ mask;
      assert.equal(verifyPack(packKey, namer, broken).ok, false);
    }),
  );
  for (const length of [0, 63, 64, bytes.length - 1])
    assert.equal(openPack(packKey, bytes.subarray(0, length)).ok, false);
  assert.equal(openPack(packKey, new Uint8Array([...bytes, 0])).ok, false);
  assert.equal(openPack(new Uint8Array(32), bytes).ok, false);
});

test('a chunk under the wrong id is found by verification', () => {
  const writer = writerOf();
  writer.add(new Uint8Array(idBytes), new Uint8Array(100));
  const failure = { ok: false, error: { code: 'chunk.wrong-id', chunk: 0 } };
  assert.deepEqual(verifyPack(packKey, namer, writer.finish({ pad: false }).bytes), failure);
});

test('thousands of small files share few frames', () => {
  const sealed = packOf(Array.from({ length: 5000 }, (_, at) => noise(500, at)));
  assert.equal(sealed.contents.frames.length, 3);
});

test('a full pack is within its limits, even when a largest chunk filled it, and padded', () => {
  const writer = writerOf();
  const chunk = noise(chunkMaximumBytes, 0);
  while (!writer.isFull()) writer.add(namer.idBytesOf(chunk), chunk);
  assert.throws(() => writer.add(namer.idBytesOf(chunk), chunk));
  const { storedBytes } = writer;
  const { bytes } = writer.finish({ pad: true });
  assert.ok(bytes.length >= packTargetBytes && bytes.length <= packMaximumBytes);
  assert.ok(bytes.length >= storedBytes - 64);
});

test('the announced length is never below the finished one, and exact for what does not compress', () => {
  const writer = writerOf();
  for (let at = 0; at < 50; at += 1) writer.add(namer.idBytesOf(noise(40, at)), noise(40, at));
  const { storedBytes } = writer;
  assert.ok(writer.finish({ pad: false }).bytes.length <= storedBytes);
});

test('a pack can be posted and transferred: its buffer is its own', () => {
  const { bytes } = packOf([noise(10, 1)]);
  assert.equal(bytes.buffer.byteLength, bytes.length);
});

test('an empty pack and a second finish are programmer errors', () => {
  assert.throws(() => writerOf().finish({ pad: false }));
  const writer = writerOf();
  writer.add(new Uint8Array(32), new Uint8Array(1));
  writer.finish({ pad: false });
  assert.throws(() => writer.finish({ pad: false }));
});

test('a directory decodes to what was encoded, and any bytes decode to a whole pack or to nothing', () => {
  const { contents, bytes } = packOf([noise(100, 1), noise(300 * kilobyte, 2), new Uint8Array(0)]);
  const header = readHeader(bytes);
  assert.ok(header.ok);
  const encoded = encodeDirectory(contents);
  assert.deepEqual(decodeDirectory(encoded, header.value), { ok: true, value: contents });
  fc.assert(
    fc.property(fc.nat(encoded.length - 1), fc.nat(255), (place, value) => {
      const changed = encoded.slice();
      changed[place] = value;
      const decoded = decodeDirectory(changed, header.value);
      // What is accepted encodes to the same bytes again: there is one form.
      if (decoded.ok) assert.deepEqual(encodeDirectory(decoded.value), changed);
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(5), fc.nat(8), (any, frames, chunks) => {
      const shape = { frameCount: frames, chunkCount: chunks, directoryOffset: 200 };
      assert.ok(!decodeDirectory(any, shape).ok || frames === 0);
    }),
  );
});

test('headers of unknown magic, version, suite or kind and of wrong sums are refused', () => {
  const { bytes } = packOf([noise(100, 1)]);
  const parsed = readHeader(bytes);
  assert.ok(parsed.ok);
  assert.deepEqual(encodeHeader(parsed.value), bytes.slice(0, packHeaderBytes));
  const codeAfter = (place: number, value: number) => {
    const changed = bytes.slice(0, packHeaderBytes);
    changed[place] = value;
    const read = readHeader(changed);
    return read.ok ? 'ok' : read.error.code;
  };
  assert.equal(codeAfter(0, 0), 'pack.not-a-pack');
  assert.equal(codeAfter(4, 2), 'pack.unknown-version');
  assert.equal(codeAfter(5, 3), 'pack.unknown-version');
  assert.equal(codeAfter(6, 0), 'pack.unknown-version');
  for (const place of [7, 40, 44, 48, 52, 56, 63])
    assert.equal(codeAfter(place, 99), 'pack.malformed');
});
