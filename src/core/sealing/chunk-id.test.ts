import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hexText } from '../../base/bytes.ts';
import { ChunkNamer } from './chunk-id.ts';
import { deriveKeys } from './keys.ts';

const namer = new ChunkNamer(deriveKeys(new Uint8Array(32).fill(1)).chunkIdKey);
const stranger = new ChunkNamer(deriveKeys(new Uint8Array(32).fill(2)).chunkIdKey);

test('equal chunks have equal names, others do not, and each owner names them differently', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), (chunk, other) => {
      const id = namer.idBytesOf(chunk);
      assert.equal(namer.idOf(chunk), hexText(id));
      assert.equal(namer.names(id, chunk), true);
      assert.equal(namer.names(id, other), hexText(chunk) === hexText(other));
      assert.notEqual(stranger.idOf(chunk), namer.idOf(chunk));
    }),
  );
});
