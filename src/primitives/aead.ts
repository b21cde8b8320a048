/**
 * Authenticated encryption: AES-256-GCM (NIST SP 800-38D) and ChaCha20-Poly1305 (RFC 8439), chosen by suite.
 *
 * Nonces are the caller's: every use in covault derives a key for one pack or one shard and counts its nonces, so that a pair of
 * key and nonce never meets two plaintexts. A sealed text is the ciphertext and then its 16-byte tag.
 */
import {
  type CipherGCMTypes,
  createCipheriv,
  createDecipheriv,
  createSecretKey,
} from 'node:crypto';
import { assert } from '../base/assert.ts';
import type { Bytes } from '../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../base/outcome.ts';
import type { KeyObject } from './hash.ts';

/** The cipher, by the name that Node.js gives it. */
export type AeadCipher = 'aes-256-gcm' | 'chacha20-poly1305';

export const aeadKeyBytes = 32;
export const aeadNonceBytes = 12;
export const aeadTagBytes = 16;

export type AeadFailure = { readonly code: 'aead.bad-tag' };

/** A key ready for use, bound to its cipher. */
export interface AeadKey {
  readonly cipher: AeadCipher;
  readonly key: KeyObject;
}

/** What one sealing or opening binds besides the text. */
export interface AeadContext {
  /** 12 bytes, never used twice with one key for different texts. */
  readonly nonce: Uint8Array;
  /** Authenticated, not encrypted. */
  readonly associated: Uint8Array;
}

export function aeadKey(cipher: AeadCipher, key: Uint8Array): AeadKey {
  assert(key.length === aeadKeyBytes, 'an AEAD key has 32 bytes');
  return { cipher, key: createSecretKey(key) };
}

/** The nonce that is a number: 12 bytes, big-endian. */
export function numberNonce(number: number): Bytes {
  assert(
    Number.isInteger(number) && number >= 0 && number <= 0xffffffff,
    'a nonce counts in 32 bits',
  );
  const nonce = new Uint8Array(aeadNonceBytes);
  new DataView(nonce.buffer).setUint32(aeadNonceBytes - 4, number);
  return nonce;
}

/** Writes ciphertext and tag of the text, which is given in parts, into `output`: exactly 16 bytes longer than the text. */
export function sealInto(
  key: AeadKey,
  context: AeadContext,
  text: { readonly parts: readonly Uint8Array[]; readonly output: Uint8Array },
): void {
  // The two ciphers share one interface; the typings know it by the GCM names only.
  const cipher = createCipheriv(key.cipher as CipherGCMTypes, key.key, checkedNonce(context), {
    authTagLength: aeadTagBytes,
  });
  cipher.setAAD(context.associated);
  let offset = 0;
  for (const part of text.parts) {
    const sealed = cipher.update(part);
    text.output.set(sealed, offset);
    offset += sealed.length;
  }
  cipher.final();
  assert(text.output.length === offset + aeadTagBytes, 'the output holds the text and its tag');
  text.output.set(cipher.getAuthTag(), offset);
}

/** Ciphertext and tag, in a buffer of their own. */
export function seal(key: AeadKey, context: AeadContext, text: Uint8Array): Bytes {
  const output = new Uint8Array(text.length + aeadTagBytes);
  sealInto(key, context, { parts: [text], output });
  return output;
}

/** The text, in a buffer of its own; nothing of it when the tag does not match. */
export function open(
  key: AeadKey,
  context: AeadContext,
  sealed: Uint8Array,
): Outcome<Bytes, AeadFailure> {
  const textBytes = sealed.length - aeadTagBytes;
  if (textBytes < 0) return failed({ code: 'aead.bad-tag' });
  const decipher = createDecipheriv(key.cipher as CipherGCMTypes, key.key, checkedNonce(context), {
    authTagLength: aeadTagBytes,
  });
  decipher.setAAD(context.associated);
  decipher.setAuthTag(sealed.subarray(textBytes));
  const text = decipher.update(sealed.subarray(0, textBytes));
  try {
    decipher.final();
  } catch {
    return failed({ code: 'aead.bad-tag' });
  }
  return succeeded(unpooled(text));
}

function checkedNonce(context: AeadContext): Uint8Array {
  assert(context.nonce.length === aeadNonceBytes, 'a nonce has 12 bytes');
  return context.nonce;
}

/** A plain array; a copy only where the buffer is part of a larger one. */
function unpooled(buffer: Uint8Array<ArrayBuffer>): Bytes {
  return buffer.byteLength === buffer.buffer.byteLength
    ? new Uint8Array(buffer.buffer)
    : new Uint8Array(buffer);
}
