import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { present } from '../base/assert.ts';
import { hexBytes, hexText } from '../base/bytes.ts';
import { blockCipher } from './block-cipher.ts';

const bytes = (text: string) => present(hexBytes(text), 'a constant');

test('one block is that of FIPS 197, appendix C.3', () => {
  const cipher = blockCipher(
    bytes('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'),
  );
  const sealed = cipher.encrypt(bytes('00112233445566778899aabbccddeeff'));
  assert.equal(hexText(sealed), '8ea2b7ca516745bfeafc49904b496089');
  assert.equal(hexText(cipher.decrypt(sealed)), '00112233445566778899aabbccddeeff');
});

test('blocks are independent of the ones before them', () => {
  const cipher = blockCipher(new Uint8Array(32).fill(1));
  const block = fc.uint8Array({ minLength: 16, maxLength: 16 });
  fc.assert(
    fc.property(block, block, (one, other) => {
      const sealed = cipher.encrypt(one);
      cipher.encrypt(other);
      assert.deepEqual(cipher.encrypt(one), sealed);
      assert.deepEqual(cipher.decrypt(sealed), one);
    }),
  );
});
