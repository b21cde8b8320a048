/** Values as SQLite hands them out, checked for their type: a catalogue whose columns hold anything else is damaged. */
import type { SQLOutputValue } from 'node:sqlite';
import type { Bytes } from '../../base/bytes.ts';
import { type Instant, instant } from '../../base/units.ts';
import { bytesOf, idOf } from '../../core/vocabulary/ids.ts';
import { StorageDamaged } from '../../ports/stores.ts';

export type Row = Record<string, SQLOutputValue>;

type AnyId = Parameters<typeof bytesOf>[0];

export function blobOf(value: SQLOutputValue | undefined): Bytes {
  if (value instanceof Uint8Array) return value as Bytes;
  throw new StorageDamaged(`the catalogue holds a ${typeof value} where bytes belong`);
}

export function integerOf(value: SQLOutputValue | undefined): number {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw new StorageDamaged(`the catalogue holds a ${typeof value} where an integer belongs`);
}

export function textOf(value: SQLOutputValue | undefined): string {
  if (typeof value === 'string') return value;
  throw new StorageDamaged(`the catalogue holds a ${typeof value} where text belongs`);
}

/** One of the words that a column may hold. */
export function wordOf<T extends string>(
  value: SQLOutputValue | undefined,
  words: readonly T[],
): T {
  const found = words.find((word) => word === value);
  if (found !== undefined) return found;
  throw new StorageDamaged(`the catalogue holds an unknown word where ${words.join(', ')} belong`);
}

export function flagOf(value: SQLOutputValue | undefined): boolean {
  return integerOf(value) === 1;
}

export function instantOf(value: SQLOutputValue | undefined): Instant {
  return instant(integerOf(value));
}

export function idIn<Id extends AnyId>(value: SQLOutputValue | undefined): Id {
  return idOf<Id>(blobOf(value));
}

/** What `read` makes of a column that may be empty. */
export function optionalOf<T>(
  value: SQLOutputValue | undefined,
  read: (value: SQLOutputValue | undefined) => T,
): T | undefined {
  return value === null ? undefined : read(value);
}

/** An id as it is bound to a statement; an empty column for none. */
export function idBlob(id: AnyId): Bytes {
  return bytesOf(id);
}

export function optionalIdBlob(id: AnyId | undefined): Bytes | null {
  return id === undefined ? null : bytesOf(id);
}

/** A list of addresses, kept as JSON text. */
export function addressesIn(column: SQLOutputValue | undefined): string[] {
  const value: unknown = JSON.parse(textOf(column));
  if (!Array.isArray(value) || !value.every((item): item is string => typeof item === 'string'))
    throw new StorageDamaged('the catalogue holds no list where addresses belong');
  return value;
}
