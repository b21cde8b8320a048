import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aeadTagBytes } from '../../primitives/aead.ts';
import {
  blockBytes,
  chunkAverageBytes,
  chunkMaximumBytes,
  chunkMinimumBytes,
  frameTargetBytes,
  manifestMaximumBytes,
  messageMaximumBytes,
  packMaximumBytes,
  packTargetBytes,
  payloadBytes,
  shardsMaximum,
  tagBytes,
} from './limits.ts';

test('a block is its payload and the tag that authenticates it', () => {
  assert.equal(payloadBytes + tagBytes, blockBytes);
  assert.equal(tagBytes, aeadTagBytes);
  assert.equal(blockBytes, 65_536);
});

test('chunks are cut between a minimum and a maximum, with room on both sides of the average', () => {
  assert.ok(chunkMinimumBytes * 2 <= chunkAverageBytes);
  assert.ok(chunkAverageBytes * 2 <= chunkMaximumBytes);
});

test('a frame that begins below its target can take the largest chunk, and still fits an empty pack', () => {
  const largestFrame = frameTargetBytes + chunkMaximumBytes;
  assert.ok(largestFrame < packTargetBytes);
});

test('a pack that is just below its target can take the largest frame', () => {
  const largestFrame = frameTargetBytes + chunkMaximumBytes;
  assert.ok(packTargetBytes + largestFrame <= packMaximumBytes);
});

test('a shard of the longest pack has fewer blocks than a nonce can number', () => {
  assert.ok(Math.ceil(packMaximumBytes / payloadBytes) < 2 ** 32);
});

test('a code over GF(2^8) has a place for every shard', () => {
  assert.ok(shardsMaximum < 256);
});

test('a manifest is longer than a message, and is never longer than a pack', () => {
  assert.ok(messageMaximumBytes < manifestMaximumBytes);
  assert.ok(manifestMaximumBytes < packMaximumBytes);
});
