/**
 * SHA-256 and HMAC-SHA-256, in the forms that the hot paths need.
 *
 * A key that is used often stands in a KeyObject, which saves its import on every call. One-part hashes take the platform's
 * one-shot path, which costs half of the incremental one on short input.
 */
import {
  createHash,
  createHmac,
  createSecretKey,
  type KeyObject,
  hash as oneShot,
} from 'node:crypto';
import { assert } from '../base/assert.ts';
import { type Bytes, bigEndian, concatBytes, utf8Bytes } from '../base/bytes.ts';

export type { KeyObject };

export const hashBytes = 32;

/** Joining so many bytes for the one-shot path costs less than hashing them part by part. */
const joinedBytes = 1_024;

/** SHA-256 of the parts, one after the other. */
export function sha256(...parts: readonly Uint8Array[]): Bytes {
  const [first] = parts;
  if (parts.length === 1 && first !== undefined)
    return ownBytes(oneShot('sha256', first, 'buffer'));
  let total = 0;
  for (const part of parts) total += part.length;
  if (total <= joinedBytes) return ownBytes(oneShot('sha256', concatBytes(parts), 'buffer'));
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return ownBytes(hash.digest());
}

/**
 * SHA-256 over domain and parts, each behind its length (4 bytes, big-endian): no two different lists of parts, and no two
 * domains, share an input. Domains stand in `core/sealing/domains.ts`.
 */
export function hashWithDomain(domain: string, ...parts: readonly Uint8Array[]): Bytes {
  const pieces: Uint8Array[] = [beginningOf(domain)];
  for (const part of parts) pieces.push(bigEndian(part.length, 4), part);
  return sha256(...pieces);
}

/** Domains are few, and hashed with again and again. */
const beginnings = new Map<string, Bytes>();

function beginningOf(domain: string): Bytes {
  const known = beginnings.get(domain);
  if (known !== undefined) return known;
  const name = utf8Bytes(domain);
  const beginning = concatBytes([bigEndian(name.length, 4), name]);
  beginnings.set(domain, beginning);
  return beginning;
}

/** A hash that is fed piece by piece. */
export interface Hasher {
  update(part: Uint8Array): void;
  /** The hash of everything fed so far; the hasher cannot be used afterwards. */
  digest(): Bytes;
}

export function sha256Hasher(): Hasher {
  const hash = createHash('sha256');
  return {
    update: (part) => {
      hash.update(part);
    },
    digest: () => ownBytes(hash.digest()),
  };
}

export function hmacKey(key: Uint8Array): KeyObject {
  assert(key.length === hashBytes, 'an HMAC key has 32 bytes');
  return createSecretKey(key);
}

/** HMAC-SHA-256 of the parts, one after the other (RFC 2104). */
export function hmacSha256(key: KeyObject | Uint8Array, ...parts: readonly Uint8Array[]): Bytes {
  // A bare array is told from a key object by an error that the platform throws: that takes longer than all the rest.
  const mac = createHmac('sha256', key instanceof Uint8Array ? createSecretKey(key) : key);
  for (const part of parts) mac.update(part);
  return ownBytes(mac.digest());
}

/** A plain array over the platform's buffer, which may lie in a shared pool: small, so a copy costs nothing. */
function ownBytes(buffer: Uint8Array): Bytes {
  return new Uint8Array(buffer);
}
