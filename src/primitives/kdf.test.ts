import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hexText, utf8Bytes } from '../base/bytes.ts';
import { argon2Allowed, deriveKey, passphraseKey } from './kdf.ts';

test('a derived key depends on key, label and every part', () => {
  const key = new Uint8Array(32).fill(3);
  const keys = [
    deriveKey(key, 'a'),
    deriveKey(key, 'b'),
    deriveKey(key, 'a', new Uint8Array(1)),
    deriveKey(key, 'a', new Uint8Array([1])),
    deriveKey(new Uint8Array(32), 'a'),
  ];
  assert.equal(new Set(keys.map(hexText)).size, keys.length);
  assert.deepEqual(deriveKey(key, 'a'), keys[0]);
});

const parameters = { salt: new Uint8Array(16), memoryKib: 8192, passes: 1, lanes: 1 };

test('a passphrase key is stable and depends on the passphrase and the salt', () => {
  const key = passphraseKey(utf8Bytes('secret'), parameters);
  assert.equal(key.length, 32);
  assert.deepEqual(passphraseKey(utf8Bytes('secret'), parameters), key);
  assert.notDeepEqual(passphraseKey(utf8Bytes('Secret'), parameters), key);
  const salted = { ...parameters, salt: new Uint8Array(16).fill(1) };
  assert.notDeepEqual(passphraseKey(utf8Bytes('secret'), salted), key);
});

test('Argon2 parameters outside their limits are not allowed', () => {
  assert.equal(argon2Allowed(parameters), true);
  for (const wrong of [
    { memoryKib: 2 ** 30 },
    { memoryKib: 64 },
    { passes: 0 },
    { passes: 1.5 },
    { lanes: 1000 },
    { salt: new Uint8Array(8) },
  ])
    assert.equal(argon2Allowed({ ...parameters, ...wrong }), false);
});
