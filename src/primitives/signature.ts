/**
 * Ed25519 (RFC 8032) from raw 32-byte seeds and public keys, as peers exchange them.
 *
 * Node.js takes keys in DER; for Ed25519 that is a fixed prefix before the raw bytes (RFC 8410).
 */
import {
  createPrivateKey,
  createPublicKey,
  sign as platformSign,
  verify as platformVerify,
} from 'node:crypto';
import { assert, present } from '../base/assert.ts';
import { type Bytes, concatBytes, hexBytes } from '../base/bytes.ts';
import { type KeyObject, sha256 } from './hash.ts';

export const signatureSeedBytes = 32;
export const publicKeyBytes = 32;
export const signatureBytes = 64;

const privatePrefix = present(hexBytes('302e020100300506032b657004220420'), 'a constant');
const publicPrefix = present(hexBytes('302a300506032b6570032100'), 'a constant');

/** Made once for each seed that lives: it takes longer than a signature. */
const signingKeys = new WeakMap<Uint8Array, KeyObject>();
/** Public keys of those, for what is signed with them. */
const publicKeys = new WeakMap<KeyObject, Bytes>();

/** The private key of a 32-byte seed, which never changes afterwards. */
export function signingKey(seed: Uint8Array): KeyObject {
  assert(seed.length === signatureSeedBytes, 'an Ed25519 seed has 32 bytes');
  const known = signingKeys.get(seed);
  if (known !== undefined) return known;
  const key = createPrivateKey({
    key: Buffer.from(concatBytes([privatePrefix, seed])),
    format: 'der',
    type: 'pkcs8',
  });
  signingKeys.set(seed, key);
  return key;
}

/** The 32-byte public key of a seed. */
export function publicKeyOf(seed: Uint8Array): Bytes {
  return new Uint8Array(publicHalfOf(signingKey(seed)));
}

function publicHalfOf(key: KeyObject): Bytes {
  const known = publicKeys.get(key);
  if (known !== undefined) return known;
  const der = createPublicKey(key).export({ format: 'der', type: 'spki' });
  const half = new Uint8Array(der.subarray(publicPrefix.length));
  publicKeys.set(key, half);
  return half;
}

/** The 64-byte signature; equal input has an equal signature. */
export function sign(key: KeyObject, message: Uint8Array): Bytes {
  const signature = new Uint8Array(platformSign(null, message, key));
  // What we signed lies in our own catalogue and is read again, and checked then, as what others signed.
  rememberGood(nameOf(publicHalfOf(key), message, signature));
  return signature;
}

/** False for a wrong signature, and for a key or a signature of the wrong length or form. */
export function verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== publicKeyBytes || signature.length !== signatureBytes) return false;
  const name = nameOf(publicKey, message, signature);
  if (goodSignatures.has(name)) return true;
  if (!isGood(publicKey, message, signature)) return false;
  rememberGood(name);
  return true;
}

/** Key and signature have a fixed length, so no two inputs read alike. */
function nameOf(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): string {
  return Buffer.from(sha256(concatBytes([publicKey, signature, message]))).toString('latin1');
}

function rememberGood(name: string): void {
  if (goodSignatures.size >= goodSignaturesMaximum) goodSignatures.clear();
  goodSignatures.add(name);
}

const goodSignaturesMaximum = 16_384;
/**
 * SHA-256 of keys, signatures and messages that were found to belong together. Documents that are kept are read, and so checked, many times more often than they
 * come; a hash takes a fiftieth of a check. Only what is good is remembered: nobody can fill it with anything else.
 */
const goodSignatures = new Set<string>();

function isGood(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    return platformVerify(null, message, publicKeyObject(publicKey), signature);
  } catch {
    return false;
  }
}

const knownKeysMaximum = 1_024;
/** Making a key object takes about as long as checking a signature with it, and most signatures are of few peers. */
const knownKeys = new Map<string, KeyObject>();

/** Throws for what is no point of the curve. */
function publicKeyObject(publicKey: Uint8Array): KeyObject {
  const name = Buffer.from(publicKey).toString('latin1');
  const known = knownKeys.get(name);
  if (known !== undefined) return known;
  const key = createPublicKey({
    key: Buffer.from(concatBytes([publicPrefix, publicKey])),
    format: 'der',
    type: 'spki',
  });
  if (knownKeys.size >= knownKeysMaximum) knownKeys.clear();
  knownKeys.set(name, key);
  return key;
}
