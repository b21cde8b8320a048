import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compress, decompress } from './zstd.ts';

test('what was compressed comes back, within its exact length and not within one byte less', () => {
  const repeated = fc
    .tuple(fc.uint8Array({ maxLength: 50 }), fc.integer({ min: 0, max: 400 }))
    .map(([piece, times]) =>
      Uint8Array.from({ length: piece.length * times }, (_, at) => piece[at % piece.length] ?? 0),
    );
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), repeated), (bytes) => {
      const packed = compress(bytes, 1);
      assert.deepEqual(decompress(packed, bytes.length), { ok: true, value: bytes });
      if (bytes.length === 0) return;
      const failure = { ok: false, error: { code: 'zstd.too-long' } };
      assert.deepEqual(decompress(packed, bytes.length - 1), failure);
    }),
  );
});

test('a small input that stands for much output is refused at the limit', () => {
  const bomb = compress(new Uint8Array(64 * 1024 * 1024), 3);
  assert.ok(bomb.length < 16 * 1024);
  assert.deepEqual(decompress(bomb, 4096), { ok: false, error: { code: 'zstd.too-long' } });
});

test('bytes that are no Zstandard frame, or only its beginning, are refused', () => {
  const failure = { ok: false, error: { code: 'zstd.malformed' } };
  assert.deepEqual(decompress(new Uint8Array([1, 2, 3, 4, 5]), 100), failure);
  const packed = compress(
    new Uint8Array(1000).map((_, at) => at),
    1,
  );
  assert.deepEqual(decompress(packed.subarray(0, packed.length - 2), 1000), failure);
  const behind = new Uint8Array([...packed, 0]);
  assert.deepEqual(decompress(behind, 1000), failure);
  assert.deepEqual(decompress(new Uint8Array([...packed, ...packed]), 5000), failure);
});
