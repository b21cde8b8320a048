/** Ranges of a shard: whole blocks, as the byte ranges of HTTP (RFC 9110 §14.1.2). */
import { assert } from '../../base/assert.ts';
import { blockBytes } from '../vocabulary/limits.ts';
import { blocksMaximum } from './blocks.ts';
import { parseCount } from './count.ts';

export interface BlockRange {
  readonly first: number;
  /** 1 or more. */
  readonly count: number;
}

/** The value of the `range` field. */
export function rangeText({ first, count }: BlockRange): string {
  assert(Number.isSafeInteger(first) && first >= 0, 'a range begins at a block');
  assert(Number.isSafeInteger(count) && count > 0, 'a range holds a block');
  return `bytes=${first * blockBytes}-${(first + count) * blockBytes - 1}`;
}

/** The blocks that a `range` field asks for; undefined unless it is one range of whole blocks that a shard could have. */
export function parseRange(text: string): BlockRange | undefined {
  const [, from, to] = /^bytes=([0-9]+)-([0-9]+)$/.exec(text) ?? [];
  const start = parseCount(from);
  const last = parseCount(to);
  if (start === undefined || last === undefined || last < start) return undefined;
  if (start % blockBytes !== 0 || (last + 1) % blockBytes !== 0) return undefined;
  const range = { first: start / blockBytes, count: (last + 1 - start) / blockBytes };
  return range.first + range.count <= blocksMaximum ? range : undefined;
}
