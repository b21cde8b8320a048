/**
 * Documents: structures that are stored or sent, as deterministic CBOR.
 *
 * A document is one array: its magic, its version, then its fields in fixed order. Reading is strict and bounded: whatever is not exactly as
 * the format says ends the reading with one failure, and no half-read value leaves this file.
 */
import { assert } from './assert.ts';
import type { Bytes } from './bytes.ts';
import { type CborValue, type CodecFailure, decodeCbor, encodeCbor } from './codec.ts';
import { failed, type Outcome, succeeded } from './outcome.ts';
import { type Instant, instant } from './units.ts';

export interface DocumentKind {
  /** `covault/agreement` and the like. */
  readonly magic: string;
  readonly version: number;
  /** No document of this kind is longer. */
  readonly limitBytes: number;
}

export type DocumentFailure =
  | CodecFailure
  | { readonly code: 'document.wrong-magic' | 'document.unknown-version' }
  | { readonly code: 'document.bad-field'; readonly detail: string };

/** Ends a reading; never leaves `readDocument`. */
class BadField extends Error {
  override readonly name = 'BadField';
}

export function encodeDocument(kind: DocumentKind, fields: readonly CborValue[]): Bytes {
  const bytes = encodeCbor([kind.magic, kind.version, ...fields]);
  assert(bytes.length <= kind.limitBytes, `a ${kind.magic} document keeps to its limit`);
  return bytes;
}

/** What `read` makes of the fields; it must take every one of them, in order. */
export function decodeDocument<T>(
  kind: DocumentKind,
  bytes: Uint8Array,
  read: (fields: FieldReader) => T,
): Outcome<T, DocumentFailure> {
  const decoded = decodeCbor(bytes, kind.limitBytes);
  if (!decoded.ok) return decoded;
  if (!Array.isArray(decoded.value) || decoded.value[0] !== kind.magic)
    return failed({ code: 'document.wrong-magic' });
  if (decoded.value[1] !== kind.version) return failed({ code: 'document.unknown-version' });
  return readFields(decoded.value.slice(2), read);
}

/** The same for an array without magic and version: a part of a document, or a text form whose prefix names it. */
export function decodeFields<T>(
  bytes: Uint8Array,
  limitBytes: number,
  read: (fields: FieldReader) => T,
): Outcome<T, DocumentFailure> {
  const decoded = decodeCbor(bytes, limitBytes);
  if (!decoded.ok) return decoded;
  if (!Array.isArray(decoded.value))
    return failed({ code: 'document.bad-field', detail: 'an array' });
  return readFields(decoded.value, read);
}

function readFields<T>(
  values: readonly CborValue[],
  read: (fields: FieldReader) => T,
): Outcome<T, DocumentFailure> {
  try {
    const fields = new FieldReader(values);
    const value = read(fields);
    fields.end();
    return succeeded(value);
  } catch (problem) {
    if (!(problem instanceof BadField)) throw problem;
    return failed({ code: 'document.bad-field', detail: problem.message });
  }
}

/** Takes the values of one array in order, each checked as it is taken. */
export class FieldReader {
  readonly #values: readonly CborValue[];
  #next = 0;

  constructor(values: readonly CborValue[]) {
    this.#values = values;
  }

  /** Ends the whole reading; for rules that span fields. */
  refuse(detail: string): never {
    throw new BadField(detail);
  }

  /** Refuses unless `condition` holds. */
  require(condition: boolean, detail: string): void {
    if (!condition) this.refuse(detail);
  }

  end(): void {
    this.require(this.#next === this.#values.length, 'more fields than the format has');
  }

  /** The next value, unchecked; for room that the format leaves open. */
  raw(): CborValue {
    const value = this.#values[this.#next];
    if (value === undefined) this.refuse('fewer fields than the format has');
    this.#next += 1;
    return value;
  }

  /** An unsigned integer of at most `maximum`. */
  uint(maximum: number = Number.MAX_SAFE_INTEGER): number {
    const value = this.raw();
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > maximum)
      this.refuse(`an integer from 0 to ${maximum}`);
    return value;
  }

  /** An unsigned integer of at most 64 bits. */
  uint64(): bigint {
    const value = this.raw();
    if (typeof value === 'bigint' && value >= 0n && value < 1n << 64n) return value;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0)
      return BigInt(value);
    return this.refuse('an unsigned integer of 64 bits');
  }

  instant(): Instant {
    return instant(this.uint());
  }

  flag(): boolean {
    const value = this.raw();
    if (typeof value !== 'boolean') this.refuse('true or false');
    return value;
  }

  bytes(range: { readonly minimum?: number; readonly maximum: number }): Bytes {
    const value = this.raw();
    const minimum = range.minimum ?? 0;
    if (!(value instanceof Uint8Array) || value.length < minimum || value.length > range.maximum)
      this.refuse(`${minimum} to ${range.maximum} bytes`);
    return new Uint8Array(value);
  }

  /** Exactly `length` bytes. */
  fixed(length: number): Bytes {
    return this.bytes({ minimum: length, maximum: length });
  }

  /** Text of at most `maximum` UTF-16 units. */
  text(maximum: number, minimum = 0): string {
    const value = this.raw();
    if (typeof value !== 'string' || value.length < minimum || value.length > maximum)
      this.refuse(`text of ${minimum} to ${maximum} characters`);
    return value;
  }

  /** One of a closed list of words. */
  choice<T extends string>(options: readonly T[]): T {
    const value = this.raw();
    const found = options.find((option) => option === value);
    if (found === undefined) this.refuse(`one of ${options.join(', ')}`);
    return found;
  }

  /** What `read` takes, or undefined where null stands. */
  optional<T>(read: (fields: FieldReader) => T): T | undefined {
    if (this.#values[this.#next] !== null) return read(this);
    this.#next += 1;
    return undefined;
  }

  /** An array in place of one field, whose own fields `read` takes to the last. */
  record<T>(read: (fields: FieldReader) => T): T {
    const value = this.raw();
    if (!Array.isArray(value)) this.refuse('an array');
    const inner = new FieldReader(value as readonly CborValue[]);
    const result = read(inner);
    inner.end();
    return result;
  }

  /** An array of at most `maximum` items; `read` takes one item at a time. */
  list<T>(maximum: number, read: (fields: FieldReader) => T): T[] {
    const value = this.raw();
    if (!Array.isArray(value)) this.refuse('an array');
    const items = value as readonly CborValue[];
    if (items.length > maximum) this.refuse(`at most ${maximum} items`);
    const inner = new FieldReader(items);
    const results = items.map(() => read(inner));
    inner.end();
    return results;
  }
}

/** What stands for a value that may be missing. */
export function orNull(value: CborValue | undefined): CborValue {
  return value === undefined ? null : value;
}
