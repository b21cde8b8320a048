/** Whole blocks of a shard as an HTTP range (RFC 9110 §14): `bytes=65536-131071` is block 1. */
import { blockBytes } from '../vocabulary/limits.ts';

export interface BlockRange {
  readonly first: number;
  /** At least 1. */
  readonly count: number;
}

const rangeForm = /^bytes=(0|[1-9][0-9]{0,14})-(0|[1-9][0-9]{0,14})$/;

export function rangeText({ first, count }: BlockRange): string {
  return `bytes=${first * blockBytes}-${(first + count) * blockBytes - 1}`;
}

/** The blocks of a range, or undefined when it is not a number of whole blocks. */
export function parseRange(text: string): BlockRange | undefined {
  const found = rangeForm.exec(text);
  if (found === null) return undefined;
  const start = Number(found[1]);
  const end = Number(found[2]) + 1;
  if (end <= start || start % blockBytes !== 0 || end % blockBytes !== 0) return undefined;
  return { first: start / blockBytes, count: (end - start) / blockBytes };
}
