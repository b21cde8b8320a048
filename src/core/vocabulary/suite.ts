/**
 * Cipher suites (C7, C31): the cipher is replaceable, and every header and key derivation names the one in use.
 *
 * A suite is one byte. A number that is not listed is refused before anything else of its structure is read.
 */
import type { AeadCipher } from '../../primitives/aead.ts';

/** 1: AES-256-GCM. 2: ChaCha20-Poly1305, for computers without AES instructions. */
export type Suite = 1 | 2;

export const suiteAesGcm: Suite = 1;
export const suiteChaChaPoly: Suite = 2;

const ciphers: Readonly<Record<Suite, AeadCipher>> = { 1: 'aes-256-gcm', 2: 'chacha20-poly1305' };

export function cipherOf(suite: Suite): AeadCipher {
  return ciphers[suite];
}

/** The suite with this number, or undefined when this version knows none. */
export function parseSuite(value: number): Suite | undefined {
  return value === suiteAesGcm || value === suiteChaChaPoly ? value : undefined;
}
