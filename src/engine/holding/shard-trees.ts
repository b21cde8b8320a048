/**
 * The hashes under Merkle roots of shards that were read whole before, so that showing one block of a shard does not take reading and hashing all of them.
 *
 * A tree belongs to its root and not to a file, so nothing that becomes of a file makes it wrong: what a file holds now is read and hashed whenever it is shown.
 * Nor is anything written down: the first block that is asked for after a start has the whole shard read.
 */
import { assert } from '../../base/assert.ts';
import { type Bytes, concatBytes, hexText } from '../../base/bytes.ts';
import { mebi } from '../../base/units.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import { hashBytes } from '../../primitives/hash.ts';

/** Enough for eight gigabytes of shards: 32 bytes for each block of 64 KiB. */
const defaultLimitBytes: number = 4 * mebi;

export class ShardTrees {
  readonly #limitBytes: number;
  /** SHA-256 of each block, one after the other, by root; what was used last stands last. */
  readonly #columns = new Map<string, Bytes>();
  #bytes = 0;

  constructor(limitBytes: number = defaultLimitBytes) {
    this.#limitBytes = limitBytes;
  }

  /** Bytes of hashes that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** SHA-256 of each block under this root; undefined when they are not known, or no more. */
  get(root: Uint8Array): readonly Bytes[] | undefined {
    const name = hexText(root);
    const column = this.#columns.get(name);
    if (column === undefined) return undefined;
    this.#columns.delete(name);
    this.#columns.set(name, column);
    return Array.from({ length: column.length / hashBytes }, (_, number) =>
      column.subarray(number * hashBytes, (number + 1) * hashBytes),
    );
  }

  /** Keeps the hashes of which this is the Merkle root; those that were not used for longest make room. */
  put(root: Uint8Array, hashes: readonly Uint8Array[]): void {
    assert(
      hashes.every(({ length }) => length === hashBytes),
      'a leaf is the SHA-256 of a block',
    );
    const column = concatBytes(hashes);
    if (column.length > this.#limitBytes) return;
    this.#forget(hexText(root));
    for (const name of this.#columns.keys()) {
      if (this.#bytes + column.length <= this.#limitBytes) break;
      this.#forget(name);
    }
    this.#columns.set(hexText(root), column);
    this.#bytes += column.length;
  }

  #forget(name: string): void {
    this.#bytes -= this.#columns.get(name)?.length ?? 0;
    this.#columns.delete(name);
  }
}

const known = new WeakMap<BlobStore, ShardTrees>();

/** One memory for each disk. */
export function treesOf(held: BlobStore): ShardTrees {
  const trees = known.get(held) ?? new ShardTrees();
  known.set(held, trees);
  return trees;
}
