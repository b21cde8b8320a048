import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Suite, suiteAesGcm, suiteChaChaPoly } from '../vocabulary/suite.ts';
import {
  directoryNumber,
  frameKeyOf,
  frameMaximumRawBytes,
  openFrame,
  sealFrame,
} from './frame.ts';

const packKey = new Uint8Array(32).fill(1);
const salt = new Uint8Array(32).fill(2);
const suites = fc.constantFrom<Suite>(suiteAesGcm, suiteChaChaPoly);
const raws = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.nat(5000).map((length) => new Uint8Array(length).fill(7)),
);
const badTag = { ok: false, error: { code: 'frame.bad-tag' } };
const malformed = { ok: false, error: { code: 'frame.malformed' } };
const compressionLevel = 1;

test('a frame opens to what was sealed, and never takes more than 17 bytes beyond it', () => {
  fc.assert(
    fc.property(suites, raws, fc.nat(1000), (suite, raw, number) => {
      const sealed = sealFrame(frameKeyOf(packKey, { suite, salt }), number, {
        raw,
        compressionLevel,
      });
      assert.ok(sealed.length <= raw.length + 17);
      const opened = openFrame(frameKeyOf(packKey, { suite, salt }), number, {
        sealed,
        rawBytes: raw.length,
      });
      assert.deepEqual(opened, { ok: true, value: raw });
    }),
  );
});

test('repetitive contents are stored compressed', () => {
  const key = frameKeyOf(packKey, { suite: suiteAesGcm, salt });
  const sealed = sealFrame(key, 0, { raw: new Uint8Array(100_000), compressionLevel });
  assert.ok(sealed.length < 200);
});

test('any changed byte, another number, salt, suite or key is refused', () => {
  fc.assert(
    fc.property(raws, fc.nat(), fc.integer({ min: 1, max: 255 }), (raw, place, mask) => {
      const cipher = { suite: suiteAesGcm, salt };
      const key = frameKeyOf(packKey, cipher);
      const sealed = sealFrame(key, 3, { raw, compressionLevel });
      const rawBytes = raw.length;
      const broken = sealed.slice();
      broken[place % sealed.length] = (broken[place % sealed.length] ?? 0) ^ mask;
      assert.deepEqual(openFrame(key, 3, { sealed: broken, rawBytes }), badTag);
      assert.deepEqual(openFrame(key, 2, { sealed, rawBytes }), badTag);
      for (const other of [
        frameKeyOf(packKey, { suite: suiteAesGcm, salt: new Uint8Array(32) }),
        frameKeyOf(packKey, { suite: suiteChaChaPoly, salt }),
        frameKeyOf(new Uint8Array(32), cipher),
      ])
        assert.deepEqual(openFrame(other, 3, { sealed, rawBytes }), badTag);
    }),
  );
});

test('a frame of another length than announced is refused before memory is taken', () => {
  const key = frameKeyOf(packKey, { suite: suiteAesGcm, salt });
  const sealed = sealFrame(key, 0, { raw: new Uint8Array(1000), compressionLevel });
  for (const rawBytes of [0, 999, 1001, -1, 0.5, frameMaximumRawBytes + 1])
    assert.deepEqual(openFrame(key, 0, { sealed, rawBytes }), malformed);
  assert.deepEqual(openFrame(key, directoryNumber, { sealed, rawBytes: 1000 }), malformed);
});
