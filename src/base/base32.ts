/**
 * Base 32 in Crockford's alphabet: digits and lower-case letters without `i`, `l`, `o`, `u`, so that a code can be read aloud and typed.
 *
 * Reading forgives what people and programs do to a code on its way (case, spaces, hyphens, `o` for `0`, `i` and `l` for `1`) and nothing
 * else: bits that belong to no byte must be zero, so that a code has one meaning and bytes have one code.
 */
import type { Bytes } from './bytes.ts';

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
const bitsPerDigit = 5;

const values: ReadonlyMap<string, number> = new Map([
  ...[...alphabet].map((digit, value) => [digit, value] as const),
  ['o', 0],
  ['i', 1],
  ['l', 1],
]);

export function base32Text(bytes: Uint8Array): string {
  let text = '';
  let pending = 0;
  let pendingBits = 0;
  for (const byte of bytes) {
    pending = (pending << 8) | byte;
    pendingBits += 8;
    while (pendingBits >= bitsPerDigit) {
      pendingBits -= bitsPerDigit;
      text += alphabet[(pending >> pendingBits) & 31];
    }
    pending &= (1 << pendingBits) - 1;
  }
  if (pendingBits > 0) text += alphabet[(pending << (bitsPerDigit - pendingBits)) & 31];
  return text;
}

/** The bytes of a code, or undefined when it holds anything that does not belong. */
export function base32Bytes(text: string): Bytes | undefined {
  const bytes: number[] = [];
  let pending = 0;
  let pendingBits = 0;
  for (const digit of text.toLowerCase().replace(/[\s-]/g, '')) {
    const value = values.get(digit);
    if (value === undefined) return undefined;
    pending = (pending << bitsPerDigit) | value;
    pendingBits += bitsPerDigit;
    if (pendingBits < 8) continue;
    pendingBits -= 8;
    bytes.push(pending >> pendingBits);
    pending &= (1 << pendingBits) - 1;
  }
  if (pendingBits >= bitsPerDigit || pending !== 0) return undefined;
  return Uint8Array.from(bytes);
}
