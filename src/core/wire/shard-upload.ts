/** The fields of a shard's upload: how many blocks it has, and from which one on they are sent. */
import { assert } from '../../base/assert.ts';
import { blocksMaximum } from './blocks.ts';
import { parseCount } from './count.ts';

export interface ShardUpload {
  /** Blocks of the whole shard. */
  readonly blockCount: number;
  /** The first block in the body: 0, or where a broken upload goes on. */
  readonly firstBlock: number;
}

/** Blocks of the whole shard: in a PUT, and in the answer to a HEAD of a whole one. */
export const blocksField = 'covault-blocks';
/** The first block in a PUT's body. */
export const offsetField = 'covault-offset';
/** Durable blocks of an unfinished upload, in the answer to a HEAD. */
export const grownField = 'covault-grown';

export function uploadFields({ blockCount, firstBlock }: ShardUpload): Record<string, string> {
  assert(blockCount > 0 && blockCount <= blocksMaximum, 'a shard has blocks, and not too many');
  assert(firstBlock >= 0 && firstBlock < blockCount, 'an upload begins inside its shard');
  return { [blocksField]: String(blockCount), [offsetField]: String(firstBlock) };
}

/** What the fields announce; undefined when they are missing, out of bounds or contradict each other. */
export function parseUpload(fields: Readonly<Record<string, string>>): ShardUpload | undefined {
  const blockCount = parseCount(fields[blocksField]);
  const firstBlock = parseCount(fields[offsetField] ?? '0');
  if (blockCount === undefined || blockCount === 0 || blockCount > blocksMaximum) return undefined;
  if (firstBlock === undefined || firstBlock >= blockCount) return undefined;
  return { blockCount, firstBlock };
}
