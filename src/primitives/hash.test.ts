import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concatBytes, hexText, utf8Bytes } from '../base/bytes.ts';
import { hashWithDomain, hmacKey, hmacSha256, sha256, sha256Hasher } from './hash.ts';

test('SHA-256 of "abc" is that of FIPS 180-4', () => {
  assert.equal(
    hexText(sha256(utf8Bytes('abc'))),
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
});

test('parts hash as their concatenation, at once and piece by piece', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array()), (parts) => {
      const whole = sha256(concatBytes(parts));
      assert.deepEqual(sha256(...parts), whole);
      const hasher = sha256Hasher();
      for (const part of parts) hasher.update(part);
      assert.deepEqual(hasher.digest(), whole);
    }),
  );
});

test('a domain hash tells apart lists that join to the same bytes', () => {
  const bytes = utf8Bytes('ab');
  const hashes = [
    hashWithDomain('d', bytes),
    hashWithDomain('d', bytes.subarray(0, 1), bytes.subarray(1)),
    hashWithDomain('d', bytes, new Uint8Array(0)),
    hashWithDomain('da', bytes.subarray(1)),
  ];
  assert.equal(new Set(hashes.map(hexText)).size, hashes.length);
});

test('HMAC-SHA-256 is that of RFC 4231, with a raw and with a prepared key', () => {
  const key = new Uint8Array(20).fill(0x0b);
  assert.equal(
    hexText(hmacSha256(key, utf8Bytes('Hi '), utf8Bytes('There'))),
    'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
  );
  const long = new Uint8Array(32).fill(7);
  assert.deepEqual(hmacSha256(hmacKey(long), key), hmacSha256(long, key));
});

test('results lie in buffers of their own, so that they can be transferred', () => {
  assert.equal(sha256(utf8Bytes('a')).buffer.byteLength, 32);
  assert.equal(hmacSha256(new Uint8Array(32)).buffer.byteLength, 32);
});
