import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8Bytes } from '../../base/bytes.ts';
import { encodeCbor } from '../../base/codec.ts';
import { deriveKeys } from './keys.ts';
import { signDocument, verifyDocument } from './signed-document.ts';

const alice = deriveKeys(new Uint8Array(32).fill(1));
const bob = deriveKeys(new Uint8Array(32).fill(2));
const body = encodeCbor([1, 'offer', new Uint8Array(3)]);
const signature = signDocument('offer', body, alice.identitySeed);

test('a document verifies for its signer and its type only', () => {
  const signer = alice.peerId;
  assert.equal(verifyDocument('offer', body, { signature, signer }), true);
  assert.equal(verifyDocument('agreement', body, { signature, signer }), false);
  assert.equal(verifyDocument('offer', body, { signature, signer: bob.peerId }), false);
  assert.equal(verifyDocument('offer', encodeCbor([2]), { signature, signer }), false);
});

test('every changed byte of body and signature is refused', () => {
  const signer = alice.peerId;
  for (let place = 0; place < body.length; place += 1) {
    const changed = body.map((value, at) => (at === place ? value ^ 1 : value));
    assert.equal(verifyDocument('offer', changed, { signature, signer }), false);
  }
  for (let place = 0; place < signature.length; place += 1) {
    const changed = signature.map((value, at) => (at === place ? value ^ 1 : value));
    assert.equal(verifyDocument('offer', body, { signature: changed, signer }), false);
  }
});

test('only CBOR arrays and maps are documents', () => {
  assert.throws(() => signDocument('offer', utf8Bytes('text'), alice.identitySeed));
  assert.throws(() => signDocument('offer', new Uint8Array(0), alice.identitySeed));
});
