/**
 * The fields of a shard's PUT and HEAD. An upload says how many blocks the shard has and from which block on they follow; HEAD says how many are
 * there already, so that an upload that was cut off goes on where it was.
 */
import { blocksMaximum } from './blocks.ts';

/** Blocks of the whole shard. */
export const blocksField = 'covault-blocks';
/** The block with which the body begins. */
export const offsetField = 'covault-offset';
/** In a reply to HEAD: blocks of an unfinished upload that are durable. */
export const grownField = 'covault-grown';

export interface ShardUpload {
  readonly blockCount: number;
  readonly firstBlock: number;
}

const numberForm = /^(?:0|[1-9][0-9]{0,9})$/;

export function uploadFields(upload: ShardUpload): Readonly<Record<string, string>> {
  return { [blocksField]: String(upload.blockCount), [offsetField]: String(upload.firstBlock) };
}

/** The upload that the fields describe, or undefined. */
export function parseUpload(fields: Readonly<Record<string, string>>): ShardUpload | undefined {
  const blockCount = parseCount(fields[blocksField]);
  const firstBlock = parseCount(fields[offsetField] ?? '0');
  if (blockCount === undefined || firstBlock === undefined) return undefined;
  if (blockCount < 1 || blockCount > blocksMaximum || firstBlock >= blockCount) return undefined;
  return { blockCount, firstBlock };
}

/** A plain decimal number, or undefined. */
export function parseCount(text: string | undefined): number | undefined {
  return text !== undefined && numberForm.test(text) ? Number(text) : undefined;
}
