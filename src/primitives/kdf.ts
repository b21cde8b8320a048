/** Derivation of keys: HKDF-SHA-256 (RFC 5869) from keys, Argon2id (RFC 9106) from passphrases. */
import { argon2Sync, createSecretKey, hkdfSync } from 'node:crypto';
import { assert } from '../base/assert.ts';
import { type Bytes, concatBytes, emptyBytes, utf8Bytes } from '../base/bytes.ts';

export const derivedKeyBytes = 32;

/**
 * 32 bytes derived from a key, for one purpose: HKDF with no salt and info = label ‖ 0x00 ‖ parts. Labels hold no zero byte and
 * every label's parts have fixed lengths, so no two purposes share an info. Costs about 8 µs: keep the result.
 */
export function deriveKey(key: Uint8Array, label: string, ...parts: readonly Uint8Array[]): Bytes {
  assert(key.length === derivedKeyBytes, 'keys have 32 bytes');
  const info = concatBytes([utf8Bytes(label), new Uint8Array(1), ...parts]);
  // Handed over as bare bytes, the platform finds out that they are no key object by an error that it throws: that takes longer than to make one.
  const object = createSecretKey(key);
  return new Uint8Array(hkdfSync('sha256', object, emptyBytes, info, derivedKeyBytes));
}

interface Limit {
  readonly least: number;
  readonly most: number;
}

export interface Argon2Parameters {
  /** Bytes 16 to 64. */
  readonly salt: Uint8Array;
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
}

/** What is accepted when parameters are read from a file: a forged file must not cost minutes or all memory. */
export const argon2Limits: Readonly<Record<'memoryKib' | 'passes' | 'lanes', Limit>> = {
  memoryKib: { least: 8 * 1024, most: 1024 * 1024 },
  passes: { least: 1, most: 16 },
  lanes: { least: 1, most: 8 },
};

export function argon2Allowed(parameters: Argon2Parameters): boolean {
  const inside = (value: number, limit: Limit) =>
    Number.isInteger(value) && value >= limit.least && value <= limit.most;
  return (
    inside(parameters.memoryKib, argon2Limits.memoryKib) &&
    inside(parameters.passes, argon2Limits.passes) &&
    inside(parameters.lanes, argon2Limits.lanes) &&
    inside(parameters.salt.length, { least: 16, most: 64 })
  );
}

/** A 32-byte key from a passphrase. The parameters must be allowed by `argon2Allowed`. */
export function passphraseKey(passphrase: Uint8Array, parameters: Argon2Parameters): Bytes {
  assert(argon2Allowed(parameters), 'Argon2 parameters are inside their limits');
  const key = argon2Sync('argon2id', {
    message: passphrase,
    nonce: parameters.salt,
    memory: parameters.memoryKib,
    passes: parameters.passes,
    parallelism: parameters.lanes,
    tagLength: derivedKeyBytes,
  });
  return new Uint8Array(key);
}
