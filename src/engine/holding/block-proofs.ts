/**
 * Shows that blocks of held shards are still what was acknowledged (C16, C38, C39): each with its hash and its way up to the shard's root.
 *
 * The way needs the hashes of all blocks, so the whole shard is read, and an audit finds out about damage in the blocks that it did not ask for.
 */
import { present } from '../../base/assert.ts';
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import type { AnswerEntry } from '../../core/audits/audit-answer.ts';
import type { AuditedShard } from '../../core/audits/audited-space.ts';
import type { ChosenBlock } from '../../core/audits/block-choice.ts';
import { blockBytes } from '../../core/vocabulary/limits.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { AgreementRow } from '../../ports/stores.ts';
import { sha256 } from '../../primitives/hash.ts';
import { merklePath, merkleRoot } from '../../primitives/merkle.ts';
import { blobName } from './shard-intake.ts';

export interface BlockProofs {
  readonly entries: readonly AnswerEntry[];
  /** Those of the entries that have a proof, in their order. */
  readonly blocks: readonly Bytes[];
}

/** The disk fails, which says nothing about the bytes on it. */
export type ProofFailure = { readonly code: 'blob.input-output'; readonly detail: string };

/** `chosen` in order of name; blocks of one shard are read once. */
export async function proveBlocks(
  parts: { readonly held: BlobStore; readonly log: EventLog },
  agreement: AgreementRow,
  chosen: readonly ChosenBlock[],
): Promise<Outcome<BlockProofs, ProofFailure>> {
  const entries: AnswerEntry[] = [];
  const blocks: Bytes[] = [];
  for (let at = 0; at < chosen.length; ) {
    const { shard } = present(chosen[at], 'a chosen block');
    const read = await parts.held.read(blobName(agreement, shard.name));
    if (!read.ok && read.error.code !== 'blob.missing' && read.error.code !== 'blob.range')
      return failed({ code: 'blob.input-output', detail: read.error.detail });
    const whole = read.ok ? wholeShard(shard, read.value) : undefined;
    if (whole === undefined)
      parts.log.write('error', 'held.damaged', { owner: agreement.partner, name: shard.name });
    for (; chosen[at]?.shard.name === shard.name; at += 1) {
      const { number } = present(chosen[at], 'a chosen block');
      const shown = whole && { hash: present(whole.hashes[number], 'a hash'), number };
      const proof = shown && { hash: shown.hash, path: merklePath(whole.hashes, number) };
      entries.push({ name: shard.name, number, proof });
      if (whole !== undefined) blocks.push(blockAt(whole.bytes, number));
    }
  }
  return succeeded({ entries, blocks });
}

interface WholeShard {
  readonly bytes: Bytes;
  /** SHA-256 of each block. */
  readonly hashes: readonly Bytes[];
}

/** Undefined unless these are the bytes that were acknowledged. */
function wholeShard(shard: AuditedShard, bytes: Bytes): WholeShard | undefined {
  if (bytes.length !== shard.blockCount * blockBytes) return undefined;
  const hashes = Array.from({ length: shard.blockCount }, (_, number) =>
    sha256(blockAt(bytes, number)),
  );
  return equalBytes(merkleRoot(hashes), shard.merkleRoot) ? { bytes, hashes } : undefined;
}

function blockAt(bytes: Bytes, number: number): Bytes {
  return bytes.subarray(number * blockBytes, (number + 1) * blockBytes);
}
