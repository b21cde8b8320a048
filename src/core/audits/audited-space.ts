/**
 * The blocks that an audit draws from: those of all shards which a partner had acknowledged up to a place in its ledger (C16, C38).
 *
 * Both sides compute this space from the same signed entries, so neither can add a shard to it or leave one out. A shard that was deleted later stays
 * known, with the place of its deletion, as long as an audit from before may still ask for it.
 */
import { assert } from '../../base/assert.ts';
import { type Bytes, bigEndian } from '../../base/bytes.ts';
import { hashWithDomain } from '../../primitives/hash.ts';
import { merkleRoot } from '../../primitives/merkle.ts';
import type { Acknowledgement } from '../agreements/acknowledgement.ts';
import { domains } from '../sealing/domains.ts';
import { bytesOf, type ShardName } from '../vocabulary/ids.ts';

/** A shard as the ledger has it. */
export interface AuditedShard {
  readonly name: ShardName;
  readonly blockCount: number;
  readonly merkleRoot: Bytes;
  /** Place of the entry that acknowledged it, in the present epoch. */
  readonly sequence: number;
  /** Place of the entry that deleted it. */
  readonly deletedBy: number | undefined;
  /** The coverage round in which it was last drawn; 0 for none. */
  readonly visitedIn: number;
}

/** What one ledger entry changes. */
export type SpaceChange =
  | { readonly type: 'add'; readonly shard: AuditedShard }
  | { readonly type: 'delete'; readonly shard: AuditedShard };

/** `present`: the shard of that name that is there before the entry. Putting what is there, or deleting what is not, changes nothing. */
export function spaceChange(
  entry: Acknowledgement,
  present: AuditedShard | undefined,
): SpaceChange | undefined {
  assert(present?.deletedBy === undefined, 'a shard that is there was not deleted');
  const { action, name, blockCount, sequence } = entry;
  if (action === 'delete')
    return present && { type: 'delete', shard: { ...present, deletedBy: sequence } };
  if (present !== undefined) return undefined;
  const shard = { name, blockCount, merkleRoot: entry.merkleRoot, sequence };
  return { type: 'add', shard: { ...shard, deletedBy: undefined, visitedIn: 0 } };
}

/** The shards with blocks that were there once `sequence` was the ledger's head, in order of name. */
export function spaceAt(
  shards: readonly AuditedShard[],
  sequence: number,
): readonly AuditedShard[] {
  return shards
    .filter(
      (shard) =>
        shard.blockCount > 0 &&
        shard.sequence <= sequence &&
        (shard.deletedBy === undefined || shard.deletedBy > sequence),
    )
    .sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** One hash over names, lengths and roots: a Merkle root, so that it can be shown of one shard that it was among them. */
export function inventoryRoot(space: readonly AuditedShard[]): Bytes {
  return merkleRoot(space.map(inventoryLeaf));
}

export function inventoryLeaf(
  shard: Pick<AuditedShard, 'name' | 'blockCount' | 'merkleRoot'>,
): Bytes {
  return hashWithDomain(
    domains.auditInventory,
    bytesOf(shard.name),
    bigEndian(shard.blockCount, 8),
    shard.merkleRoot,
  );
}
