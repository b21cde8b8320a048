import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { certifiedPeer, createPeerIdentity } from './certificate.ts';

// RFC 8032 §7.1, test 1.
const seed = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex');
const publicKey = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';

test('the peer id is the public key of the seed', () => {
  assert.equal(createPeerIdentity(seed).peer, publicKey);
});

test('the certificate is signed by its own key, says version 3 and is the same every time', () => {
  const { certificatePem } = createPeerIdentity(seed);
  const certificate = new X509Certificate(certificatePem);
  assert.ok(certificate.verify(certificate.publicKey));
  assert.equal(certificate.subject, 'CN=covault');
  assert.equal(createPeerIdentity(seed).certificatePem, certificatePem);
});

test('a certificate names its peer, and bytes that are none name nobody', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (any) => {
      const identity = createPeerIdentity(any);
      const { raw } = new X509Certificate(identity.certificatePem);
      assert.equal(certifiedPeer(raw), identity.peer);
    }),
    { numRuns: 20 },
  );
  fc.assert(
    fc.property(fc.uint8Array(), (any) => {
      assert.equal(certifiedPeer(any), undefined);
    }),
  );
});
