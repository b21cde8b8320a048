import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cipherOf, parseSuite, suiteAesGcm, suiteChaChaPoly } from './suite.ts';

test('C7, C31: a suite number names its cipher, and unknown numbers name none', () => {
  assert.equal(cipherOf(suiteAesGcm), 'aes-256-gcm');
  assert.equal(cipherOf(suiteChaChaPoly), 'chacha20-poly1305');
  assert.deepEqual([0, 1, 2, 3, 1.5].map(parseSuite), [undefined, 1, 2, undefined, undefined]);
});
