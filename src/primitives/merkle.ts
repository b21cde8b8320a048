/**
 * Merkle trees in the shape of RFC 6962 §2.1 over the SHA-256 of blocks.
 *
 * A partner signs the root when it takes a shard; later one block and a short path prove that the block is one it took. Leaves and
 * inner nodes are hashed behind different bytes, so that neither can pass for the other. A leaf is made from the block's plain
 * SHA-256, which the holder keeps anyway for checking its own disk:
 *
 *     leaf = SHA-256(0x00 ‖ SHA-256(block))      node = SHA-256(0x01 ‖ left ‖ right)
 */
import { assert } from '../base/assert.ts';
import { type Bytes, emptyBytes, equalBytes } from '../base/bytes.ts';
import { hashBytes, sha256 } from './hash.ts';

/** The root over blocks that arrive one after the other; holds one hash per level. */
export class MerkleBuilder {
  /** Roots of full subtrees, largest first, with the number of leaves below each. */
  readonly #subtrees: { readonly root: Bytes; readonly leafCount: number }[] = [];
  #leafCount = 0;

  get leafCount(): number {
    return this.#leafCount;
  }

  addBlock(block: Uint8Array): void {
    this.addLeaf(sha256(block));
  }

  /** `hash` is the SHA-256 of the block. */
  addLeaf(hash: Uint8Array): void {
    this.#leafCount += 1;
    let root = leafOf(hash);
    let leafCount = 1;
    for (
      let last = this.#subtrees.at(-1);
      last?.leafCount === leafCount;
      last = this.#subtrees.at(-1)
    ) {
      this.#subtrees.pop();
      root = nodeOf(last.root, root);
      leafCount *= 2;
    }
    this.#subtrees.push({ root, leafCount });
  }

  /** The root of what was added so far; more can be added afterwards. */
  root(): Bytes {
    return (
      this.#subtrees.reduceRight<Bytes | undefined>(
        (right, subtree) => (right === undefined ? subtree.root : nodeOf(subtree.root, right)),
        undefined,
      ) ?? sha256(emptyBytes)
    );
  }
}

/** The root over the SHA-256 of blocks; that of no blocks is SHA-256 of nothing. */
export function merkleRoot(hashes: readonly Uint8Array[]): Bytes {
  const builder = new MerkleBuilder();
  for (const hash of hashes) builder.addLeaf(hash);
  return builder.root();
}

/** The hashes beside the way from a leaf to the root, lowest first (RFC 6962 §2.1.1). */
export function merklePath(hashes: readonly Uint8Array[], leafIndex: number): readonly Bytes[] {
  assert(leafIndex >= 0 && leafIndex < hashes.length, 'the leaf is in the tree');
  if (hashes.length === 1) return [];
  const split = splitOf(hashes.length);
  const left = hashes.slice(0, split);
  const right = hashes.slice(split);
  return leafIndex < split
    ? [...merklePath(left, leafIndex), merkleRoot(right)]
    : [...merklePath(right, leafIndex - split), merkleRoot(left)];
}

export interface MerkleClaim {
  readonly root: Uint8Array;
  readonly leafCount: number;
  readonly leafIndex: number;
  /** SHA-256 of the block. */
  readonly hash: Uint8Array;
}

/** Whether `path` proves that the block stands at that place under the root (RFC 9162 §2.1.3.2). */
export function verifyMerklePath(claim: MerkleClaim, path: readonly Uint8Array[]): boolean {
  const { leafIndex, leafCount } = claim;
  if (!Number.isSafeInteger(leafCount) || !Number.isSafeInteger(leafIndex)) return false;
  if (leafIndex < 0 || leafIndex >= leafCount || claim.hash.length !== hashBytes) return false;
  if (path.some((hash) => hash.length !== hashBytes)) return false;

  let index = leafIndex;
  let last = leafCount - 1;
  let reached = leafOf(claim.hash);
  for (const hash of path) {
    if (last === 0) return false;
    if (index % 2 === 1 || index === last) {
      reached = nodeOf(hash, reached);
      // A right edge without a sibling passes through levels unhashed.
      while (index % 2 === 0 && index !== 0) {
        index /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      reached = nodeOf(reached, hash);
    }
    index = Math.floor(index / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && equalBytes(reached, claim.root);
}

/** The largest power of two below `count`. */
function splitOf(count: number): number {
  let split = 1;
  while (split * 2 < count) split *= 2;
  return split;
}

const leafPrefix = new Uint8Array([0]);
const nodePrefix = new Uint8Array([1]);

function leafOf(hash: Uint8Array): Bytes {
  assert(hash.length === hashBytes, 'a leaf is the SHA-256 of a block');
  return sha256(leafPrefix, hash);
}

function nodeOf(left: Uint8Array, right: Uint8Array): Bytes {
  return sha256(nodePrefix, left, right);
}
