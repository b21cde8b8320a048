/**
 * Reading held shards back from the disk, to see whether they are what they should be: piece by piece, and only a few of one owner at once.
 *
 * A request of a few bytes can ask for it, and the longest shard has 48 MiB. Read whole, it would take that much memory, and its hash would hold up everything
 * else that this computer does; in pieces it costs one of them, and others have their turn in between.
 */
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import { blockBytes } from '../../core/vocabulary/limits.ts';
import type { BlobFailure, BlobStore } from '../../ports/blob-store.ts';
import type { HeldRow } from '../../ports/stores.ts';
import { sha256Hasher } from '../../primitives/hash.ts';
import { MerkleBuilder } from '../../primitives/merkle.ts';

/** Read and hashed at once. */
const pieceBytes: number = 16 * blockBytes;
/** One is read while another is hashed. */
const readAtOnce = 2;
/** An honest owner asks for one after the other. */
const waitingMaximum = 32;

interface WantedShard {
  readonly blob: string;
  readonly blockCount: number;
}

/** What there is instead of a whole shard. `wrong`: other bytes, or more or fewer of them. */
export type ReadBack<T> = Outcome<T, BlobFailure | { readonly code: 'wrong' }>;

/** Whether a shard on the disk still is what was acknowledged. */
export async function readBack(
  held: BlobStore,
  { blob, blockCount, sha256 }: WantedShard & Pick<HeldRow, 'sha256'>,
): Promise<ReadBack<void>> {
  const hasher = sha256Hasher();
  const read = await readInPieces(held, { blob, blockCount }, (piece) => hasher.update(piece));
  if (!read.ok) return read;
  return equalBytes(hasher.digest(), sha256) ? succeeded(undefined) : failed({ code: 'wrong' });
}

/** SHA-256 of a shard on the disk, when it has this Merkle root. */
export async function readNew(
  held: BlobStore,
  { blob, blockCount, merkleRoot }: WantedShard & Pick<HeldRow, 'merkleRoot'>,
): Promise<ReadBack<Bytes>> {
  const hasher = sha256Hasher();
  const merkle = new MerkleBuilder();
  const read = await readInPieces(held, { blob, blockCount }, (piece) => {
    hasher.update(piece);
    for (let at = 0; at < piece.length; at += blockBytes)
      merkle.addBlock(piece.subarray(at, at + blockBytes));
  });
  if (!read.ok) return read;
  return equalBytes(merkle.root(), merkleRoot)
    ? succeeded(hasher.digest())
    : failed({ code: 'wrong' });
}

async function readInPieces(
  held: BlobStore,
  { blob, blockCount }: WantedShard,
  take: (piece: Bytes) => void,
): Promise<ReadBack<void>> {
  const end = blockCount * blockBytes;
  for (let offset = 0; offset < end; offset += pieceBytes) {
    const read = await held.read(blob, { offset, length: Math.min(pieceBytes, end - offset) });
    if (!read.ok) return read.error.code === 'blob.range' ? failed({ code: 'wrong' }) : read;
    take(read.value);
  }
  const beyond = await held.read(blob, { offset: end, length: 1 });
  if (beyond.ok) return failed({ code: 'wrong' });
  return beyond.error.code === 'blob.range' ? succeeded(undefined) : beyond;
}

interface Queue {
  runningCount: number;
  readonly waiting: (() => void)[];
}

/** Whose turn it is to read. */
export class ReadTurns {
  readonly #queues = new Map<PeerId, Queue>();

  /** So much is to be read for this owner already that it may ask again later. */
  isFull(owner: PeerId): boolean {
    return (this.#queues.get(owner)?.waiting.length ?? 0) >= waitingMaximum;
  }

  /** Does the work when those of this owner that came before are done, but for the last few. */
  async run<T>(owner: PeerId, work: () => Promise<T>): Promise<T> {
    const queue = this.#queues.get(owner) ?? { runningCount: 0, waiting: [] };
    this.#queues.set(owner, queue);
    if (queue.runningCount < readAtOnce) queue.runningCount += 1;
    else await new Promise<void>((resolve) => queue.waiting.push(resolve));
    try {
      return await work();
    } finally {
      this.#leave(owner, queue);
    }
  }

  #leave(owner: PeerId, queue: Queue): void {
    const next = queue.waiting.shift();
    next?.();
    if (next === undefined) queue.runningCount -= 1;
    if (queue.runningCount === 0) this.#queues.delete(owner);
  }
}
