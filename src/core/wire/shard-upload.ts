/** The fields of a shard's upload: how many blocks it has, what they are, and from which one on they are sent. */
import { assert } from '../../base/assert.ts';
import { type Bytes, hexBytes, hexText } from '../../base/bytes.ts';
import { hashBytes } from '../../primitives/hash.ts';
import { blocksMaximum } from './blocks.ts';
import { parseCount } from './count.ts';

export interface ShardUpload {
  /** Blocks of the whole shard. */
  readonly blockCount: number;
  /** The first block in the body: 0, or where a broken upload goes on. */
  readonly firstBlock: number;
  /** Of the whole shard, 32 bytes: what lies there from an upload that broke off may not be what was sent. */
  readonly merkleRoot: Bytes;
}

/** Blocks of the whole shard: in a PUT, and in the answer to a HEAD of a whole one. */
export const blocksField = 'covault-blocks';
/** The first block in a PUT's body. */
export const offsetField = 'covault-offset';
/** The whole shard's Merkle root, in a PUT. */
export const rootField = 'covault-root';
/** Durable blocks of an unfinished upload, in the answer to a HEAD. */
export const grownField = 'covault-grown';
/** Its owner deleted the shard and it is not gone yet: `1`, in the answer to a HEAD. */
export const trashedField = 'covault-trashed';

const rootPattern = /^[0-9a-f]{64}$/;

export function uploadFields(upload: ShardUpload): Record<string, string> {
  const { blockCount, firstBlock, merkleRoot } = upload;
  assert(merkleRoot.length === hashBytes, 'a Merkle root has 32 bytes');
  assert(blockCount > 0 && blockCount <= blocksMaximum, 'a shard has blocks, and not too many');
  assert(firstBlock >= 0 && firstBlock < blockCount, 'an upload begins inside its shard');
  return {
    [blocksField]: String(blockCount),
    [offsetField]: String(firstBlock),
    [rootField]: hexText(merkleRoot),
  };
}

/** What the fields announce; undefined when they are missing, out of bounds or contradict each other. */
export function parseUpload(fields: Readonly<Record<string, string>>): ShardUpload | undefined {
  const blockCount = parseCount(fields[blocksField]);
  const firstBlock = parseCount(fields[offsetField] ?? '0');
  if (blockCount === undefined || blockCount === 0 || blockCount > blocksMaximum) return undefined;
  if (firstBlock === undefined || firstBlock >= blockCount) return undefined;
  const rootText = fields[rootField] ?? '';
  const merkleRoot = rootPattern.test(rootText) ? hexBytes(rootText) : undefined;
  return merkleRoot && { blockCount, firstBlock, merkleRoot };
}
