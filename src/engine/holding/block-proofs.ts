/**
 * Shows that blocks of held shards are still what was acknowledged (C16, C38, C39): each with its hash and its way up to the shard's root.
 *
 * The way needs the hashes of all blocks. They are remembered (shard-trees.ts), but a block is shown only after it was read and hashed for this very audit. Where they are
 * not at hand the whole shard is read, and damage is found in blocks that nobody asked for; otherwise that is left to self-scrub.
 */
import { present } from '../../base/assert.ts';
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import type { AnswerEntry } from '../../core/audits/audit-answer.ts';
import type { AuditedShard } from '../../core/audits/audited-space.ts';
import type { ChosenBlock } from '../../core/audits/block-choice.ts';
import { blockBytes } from '../../core/vocabulary/limits.ts';
import type { BlobFailure, BlobRange, BlobStore } from '../../ports/blob-store.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { AgreementRow } from '../../ports/stores.ts';
import { sha256 } from '../../primitives/hash.ts';
import { merklePath, merkleRoot } from '../../primitives/merkle.ts';
import { blobName } from './shard-intake.ts';
import { treesOf } from './shard-trees.ts';

export interface BlockProofs {
  readonly entries: readonly AnswerEntry[];
  /** Those of the entries that have a proof, in their order. */
  readonly blocks: readonly Bytes[];
}

/** The disk fails, which says nothing about the bytes on it. */
export type ProofFailure = { readonly code: 'blob.input-output'; readonly detail: string };

/** `chosen` in order of name. Of a shard of which one of these blocks is damaged or missing, none has a proof. */
export async function proveBlocks(
  parts: { readonly held: BlobStore; readonly log: EventLog },
  agreement: AgreementRow,
  chosen: readonly ChosenBlock[],
): Promise<Outcome<BlockProofs, ProofFailure>> {
  const entries: AnswerEntry[] = [];
  const blocks: Bytes[] = [];
  for (let at = 0; at < chosen.length; ) {
    const { shard } = present(chosen[at], 'a chosen block');
    const numbers: number[] = [];
    for (; chosen[at]?.shard.name === shard.name; at += 1)
      numbers.push(present(chosen[at], 'a chosen block').number);
    const read = await new HeldShard(parts.held, agreement, shard).shown(numbers);
    if (!read.ok) return read;
    const shown = read.value;
    if (shown === undefined)
      parts.log.write('error', 'held.damaged', { owner: agreement.partner, name: shard.name });
    for (const [index, number] of numbers.entries()) {
      const block = shown?.blocks[index];
      const proof = shown && {
        hash: present(shown.hashes[number], 'a hash'),
        path: merklePath(shown.hashes, number),
      };
      entries.push({ name: shard.name, number, proof });
      if (block !== undefined) blocks.push(block);
    }
  }
  return succeeded({ entries, blocks });
}

interface ShownBlocks {
  /** In the order in which they were asked for, read just now. */
  readonly blocks: readonly Bytes[];
  /** SHA-256 of each block of the shard: their Merkle root is the one that was acknowledged. */
  readonly hashes: readonly Bytes[];
}

/** Undefined: these are not the bytes that were acknowledged. */
type Shown = Outcome<ShownBlocks | undefined, ProofFailure>;

class HeldShard {
  readonly #held: BlobStore;
  readonly #name: string;
  readonly #shard: AuditedShard;

  constructor(held: BlobStore, agreement: AgreementRow, shard: AuditedShard) {
    this.#held = held;
    this.#name = blobName(agreement, shard.name);
    this.#shard = shard;
  }

  async shown(numbers: readonly number[]): Promise<Shown> {
    const hashes = treesOf(this.#held).get(this.#shard.merkleRoot);
    return hashes?.length === this.#shard.blockCount
      ? await this.#of(hashes, numbers)
      : await this.#ofWhole(numbers);
  }

  async #of(hashes: readonly Bytes[], numbers: readonly number[]): Promise<Shown> {
    const blocks: Bytes[] = [];
    for (const number of numbers) {
      const read = await this.#read({ offset: number * blockBytes, length: blockBytes });
      if (!read.ok) return read;
      const hash = present(hashes[number], 'a hash');
      if (read.value === undefined || !equalBytes(sha256(read.value), hash))
        return succeeded(undefined);
      blocks.push(read.value);
    }
    return succeeded({ blocks, hashes });
  }

  async #ofWhole(numbers: readonly number[]): Promise<Shown> {
    const { blockCount, merkleRoot: root } = this.#shard;
    const read = await this.#read();
    if (!read.ok) return read;
    const bytes = read.value;
    if (bytes?.length !== blockCount * blockBytes) return succeeded(undefined);
    const blockAt = (number: number): Bytes =>
      bytes.subarray(number * blockBytes, (number + 1) * blockBytes);
    const hashes = Array.from({ length: blockCount }, (_, number) => sha256(blockAt(number)));
    if (!equalBytes(merkleRoot(hashes), root)) return succeeded(undefined);
    treesOf(this.#held).put(root, hashes);
    return succeeded({ blocks: numbers.map(blockAt), hashes });
  }

  /** Undefined when there are no such bytes. */
  async #read(range?: BlobRange): Promise<Outcome<Bytes | undefined, ProofFailure>> {
    const read = await this.#held.read(this.#name, range);
    if (read.ok) return read;
    return isGone(read.error)
      ? succeeded(undefined)
      : failed({ code: 'blob.input-output', detail: read.error.detail });
  }
}

function isGone({ code }: BlobFailure): boolean {
  return code === 'blob.missing' || code === 'blob.range';
}
