/** Operations on byte arrays that the platform does not have in one form everywhere. */
import { assert } from './assert.ts';

/** Bytes in an ordinary buffer, which can be transferred between threads. */
export type Bytes = Uint8Array<ArrayBuffer>;

export const emptyBytes: Bytes = new Uint8Array(0);

export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left === right || compareBytes(left, right) === 0;
}

/** Negative, zero or positive, as `left` sorts before, with or after `right`, byte by byte. */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const shared = Math.min(left.length, right.length);
  for (let index = 0; index < shared; index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

export function concatBytes(parts: readonly Uint8Array[]): Bytes {
  let total = 0;
  for (const part of parts) total += part.length;
  const joined = new Uint8Array(total);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

const encoder = new TextEncoder();

export function utf8Bytes(text: string): Bytes {
  return encoder.encode(text);
}

/** The text, or undefined when the bytes are not well-formed UTF-8. */
export function utf8Text(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** A view for the conversions that the platform does natively. */
function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

export function hexText(bytes: Uint8Array): string {
  return viewOf(bytes).toString('hex');
}

/** The bytes of an even number of hexadecimal digits, or undefined when `text` is anything else. */
export function hexBytes(text: string): Bytes | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  bytes.set(Buffer.from(text, 'hex'));
  return bytes;
}

/** `value` as a big-endian unsigned integer of `width` bytes. */
export function bigEndian(value: number, width: number): Bytes {
  assert(Number.isSafeInteger(value) && value >= 0, 'an unsigned integer');
  const bytes = new Uint8Array(width);
  let rest = value;
  for (let index = width - 1; index >= 0; index -= 1) {
    bytes[index] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  assert(rest === 0, 'the integer fits its width');
  return bytes;
}

/**
 * Gives the memory of bytes that nobody uses any more back at once, not when it is collected. They have a buffer of their own, and are empty
 * afterwards.
 */
export function discard(bytes: Bytes): void {
  assert(bytes.length === bytes.buffer.byteLength, 'nobody else uses the buffer');
  bytes.buffer.transfer(0);
}
