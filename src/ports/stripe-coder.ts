/** From a pack to sealed shards: erasure code, then the second encryption, different for every partner (C5, C12, C13). */
import type { Bytes } from '../base/bytes.ts';
import type { Code } from '../core/vocabulary/code.ts';
import type { PackId, PeerId } from '../core/vocabulary/ids.ts';

export interface ShardToSeal {
  readonly index: number;
  readonly partner: PeerId;
}

export interface SealedShard extends ShardToSeal {
  /** A whole number of blocks of 65,536 bytes. */
  readonly bytes: Bytes;
  /** Merkle root over the SHA-256 of its blocks. */
  readonly merkleRoot: Bytes;
}

export interface StripeCoder {
  /** The wanted shards of a pack. Equal arguments give equal bytes, always. */
  code(
    pack: { readonly pack: PackId; readonly suite: number; readonly bytes: Bytes },
    code: Code,
    wanted: readonly ShardToSeal[],
  ): Promise<readonly SealedShard[]>;
  close(): Promise<void>;
}
