/**
 * The certificate that carries a peer's identity: self-signed, Ed25519, the same bytes for the same seed.
 *
 * Nobody reads anything in it but the key. TLS 1.3 proves that the other side holds that key, and the key is the peer id, so
 * names, dates and issuers mean nothing and are fixed. The certificate is small and has one form; writing its DER here (RFC 5280, RFC 8410)
 * takes less than a library would.
 */
import {
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign,
  X509Certificate,
} from 'node:crypto';
import { assert } from '../../base/assert.ts';
import { type Bytes, concatBytes, hexBytes, utf8Bytes } from '../../base/bytes.ts';
import { idOf, type PeerId } from '../../core/vocabulary/ids.ts';

export interface PeerIdentity {
  readonly peer: PeerId;
  /** For `node:tls`. */
  readonly certificatePem: string;
  readonly keyPem: string;
}

export const identitySeedBytes = 32;

const tag = {
  integer: 0x02,
  bits: 0x03,
  text: 0x0c,
  time: 0x18,
  sequence: 0x30,
  set: 0x31,
  version: 0xa0,
};

function fixed(hex: string): Bytes {
  const bytes = hexBytes(hex);
  assert(bytes !== undefined, 'a constant is hexadecimal');
  return bytes;
}

/** AlgorithmIdentifier of Ed25519, 1.3.101.112, which has no parameters. */
const ed25519Algorithm = fixed('300506032b6570');
/** SubjectPublicKeyInfo of an Ed25519 key, up to the key. */
const publicKeyPrefix = fixed('302a300506032b6570032100');
/** PrivateKeyInfo of an Ed25519 key, up to the seed. */
const privateKeyPrefix = fixed('302e020100300506032b657004220420');
const commonNameOid = fixed('0603550403');

export function createPeerIdentity(seed: Uint8Array): PeerIdentity {
  assert(seed.length === identitySeedBytes, 'an identity seed has 32 bytes');
  const key = createPrivateKey({
    key: Buffer.from(concatBytes([privateKeyPrefix, seed])),
    format: 'der',
    type: 'pkcs8',
  });
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return {
    peer: idOf<PeerId>(spki.subarray(publicKeyPrefix.length)),
    certificatePem: pem(selfSigned(key, new Uint8Array(spki))),
    keyPem: key.export({ format: 'pem', type: 'pkcs8' }).toString(),
  };
}

/** Whose certificate this is, or undefined when it has no Ed25519 key or is not a certificate. `raw` is DER. */
export function certifiedPeer(raw: Uint8Array): PeerId | undefined {
  let spki: Buffer;
  try {
    const key = new X509Certificate(raw).publicKey;
    if (key.asymmetricKeyType !== 'ed25519') return undefined;
    spki = key.export({ format: 'der', type: 'spki' });
  } catch {
    return undefined;
  }
  return idOf<PeerId>(spki.subarray(publicKeyPrefix.length));
}

function selfSigned(key: KeyObject, spki: Uint8Array): Bytes {
  const name = der(tag.sequence, [
    der(tag.set, [der(tag.sequence, [commonNameOid, der(tag.text, [utf8Bytes('covault')])])]),
  ]);
  const always = der(tag.sequence, [
    der(tag.time, [utf8Bytes('19700101000000Z')]),
    der(tag.time, [utf8Bytes('99991231235959Z')]),
  ]);
  const version3 = der(tag.version, [der(tag.integer, [new Uint8Array([2])])]);
  const serial = der(tag.integer, [new Uint8Array([1])]);
  const body = der(tag.sequence, [version3, serial, ed25519Algorithm, name, always, name, spki]);
  const signature = der(tag.bits, [new Uint8Array([0]), sign(null, body, key)]);
  return der(tag.sequence, [body, ed25519Algorithm, signature]);
}

function der(kind: number, parts: readonly Uint8Array[]): Bytes {
  const content = concatBytes(parts);
  assert(content.length < 65_536, 'the certificate is small');
  const length =
    content.length < 128
      ? [content.length]
      : content.length < 256
        ? [0x81, content.length]
        : [0x82, content.length >> 8, content.length & 0xff];
  return concatBytes([new Uint8Array([kind, ...length]), content]);
}

function pem(bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
