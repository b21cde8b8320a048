import assert from 'node:assert/strict';
import { createPublicKey, verify as platformVerify } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { present } from '../base/assert.ts';
import { hexBytes, hexText } from '../base/bytes.ts';
import { publicKeyOf, sign, signingKey, verify } from './signature.ts';

const bytes = (text: string) => present(hexBytes(text), 'a constant');

test('keys and signatures are those of RFC 8032, test 2', () => {
  const seed = bytes('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb');
  const publicKey = '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c';
  const signature =
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
    '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00';
  assert.equal(hexText(publicKeyOf(seed)), publicKey);
  assert.equal(hexText(sign(signingKey(seed), bytes('72'))), signature);
  assert.equal(verify(bytes(publicKey), bytes('72'), bytes(signature)), true);
});

test('what was signed here is a signature to everybody else as well', () => {
  const seed = new Uint8Array(32).fill(7);
  const der = Buffer.concat([bytes('302a300506032b6570032100'), publicKeyOf(seed)]);
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
  const message = Uint8Array.of(1, 2, 3);
  assert.equal(platformVerify(null, message, key, sign(signingKey(seed), message)), true);
  const other = publicKeyOf(new Uint8Array(32).fill(8));
  assert.equal(verify(other, message, sign(signingKey(seed), message)), false);
});

test('any changed byte of message or signature is refused, and wrong lengths are', () => {
  const seed = new Uint8Array(32).fill(9);
  const key = signingKey(seed);
  const publicKey = publicKeyOf(seed);
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1 }), fc.nat(), (message, place) => {
      const signature = sign(key, message);
      assert.equal(verify(publicKey, message, signature), true);
      const broken = signature.slice();
      broken[place % 64] = present(broken[place % 64], 'inside') ^ 1;
      assert.equal(verify(publicKey, message, broken), false);
      const other = message.slice();
      other[place % other.length] = present(other[place % other.length], 'inside') ^ 1;
      assert.equal(verify(publicKey, other, signature), false);
      assert.equal(verify(publicKey, message, signature.subarray(0, 63)), false);
      assert.equal(verify(publicKey.subarray(1), message, signature), false);
    }),
  );
});

test('bytes that are no point of the curve verify nothing', () => {
  const nonsense = new Uint8Array(32).fill(0xff);
  assert.equal(verify(nonsense, new Uint8Array(1), new Uint8Array(64)), false);
});
