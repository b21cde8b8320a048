/**
 * One block of AES-256 (FIPS 197): a keyed permutation of 16-byte strings.
 *
 * It is no way to encrypt messages. It turns a structured 16-byte name into one that means nothing without the key, and back.
 */
import { createCipheriv, createDecipheriv, createSecretKey } from 'node:crypto';
import { assert } from '../base/assert.ts';
import type { Bytes } from '../base/bytes.ts';

export const cipherBlockBytes = 16;

export interface BlockCipher {
  /** Of exactly 16 bytes. */
  encrypt(block: Uint8Array): Bytes;
  decrypt(block: Uint8Array): Bytes;
}

export function blockCipher(key: Uint8Array): BlockCipher {
  assert(key.length === 32, 'an AES-256 key has 32 bytes');
  // ECB without padding keeps no state between blocks, so one cipher serves all calls.
  const object = createSecretKey(key);
  const forward = createCipheriv('aes-256-ecb', object, null).setAutoPadding(false);
  const backward = createDecipheriv('aes-256-ecb', object, null).setAutoPadding(false);
  return {
    encrypt: (block) => new Uint8Array(forward.update(checked(block))),
    decrypt: (block) => new Uint8Array(backward.update(checked(block))),
  };
}

function checked(block: Uint8Array): Uint8Array {
  assert(block.length === cipherBlockBytes, 'a cipher block has 16 bytes');
  return block;
}
