import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { present } from '../base/assert.ts';
import { hexBytes, hexText } from '../base/bytes.ts';
import { type AeadCipher, aeadKey, numberNonce, open, seal, sealInto } from './aead.ts';

const ciphers: readonly AeadCipher[] = ['aes-256-gcm', 'chacha20-poly1305'];
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });

for (const cipher of ciphers) {
  test(`${cipher}: what was sealed opens, in one part or in several`, () => {
    fc.assert(
      fc.property(
        bytes32,
        fc.uint8Array(),
        fc.uint8Array({ maxLength: 300 }),
        (raw, associated, text) => {
          const key = aeadKey(cipher, raw);
          const context = { nonce: numberNonce(5), associated };
          const sealed = seal(key, context, text);
          assert.deepEqual(open(key, context, sealed), { ok: true, value: text });
          const output = new Uint8Array(text.length + 16);
          const middle = text.length >>> 1;
          sealInto(key, context, {
            parts: [text.subarray(0, middle), text.subarray(middle)],
            output,
          });
          assert.deepEqual(output, sealed);
        },
      ),
    );
  });

  test(`${cipher}: any changed byte, nonce, context or key is refused`, () => {
    const flip = fc.integer({ min: 1, max: 255 });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(), flip, (text, place, mask) => {
        const raw = new Uint8Array(32).fill(1);
        const context = { nonce: numberNonce(5), associated: new Uint8Array([1, 2]) };
        const sealed = seal(aeadKey(cipher, raw), context, text);
        const bad = { ok: false, error: { code: 'aead.bad-tag' } };
        const broken = sealed.slice();
        broken[place % sealed.length] = present(sealed[place % sealed.length], 'inside') ^ mask;
        assert.deepEqual(open(aeadKey(cipher, raw), context, broken), bad);
        const key = aeadKey(cipher, raw);
        assert.deepEqual(open(key, { ...context, nonce: numberNonce(6) }, sealed), bad);
        assert.deepEqual(open(key, { ...context, associated: new Uint8Array([1]) }, sealed), bad);
        assert.deepEqual(open(aeadKey(cipher, new Uint8Array(32)), context, sealed), bad);
        assert.deepEqual(open(key, context, sealed.subarray(0, place % sealed.length)), bad);
      }),
    );
  });
}

test('AES-256-GCM is that of the GCM specification, test case 14', () => {
  const sealed = seal(
    aeadKey('aes-256-gcm', new Uint8Array(32)),
    { nonce: new Uint8Array(12), associated: new Uint8Array(0) },
    new Uint8Array(16),
  );
  assert.equal(hexText(sealed), 'cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919');
});

test('a number nonce is big-endian at the end of 12 bytes', () => {
  assert.deepEqual(numberNonce(0x01020304), hexBytes('000000000000000001020304'));
  assert.throws(() => numberNonce(2 ** 32));
});
