/**
 * Shards held for others that rotted here: they stand in the catalogue, but are not listed as held until their owner sends them again.
 *
 * Their files stay until then, for most of their blocks are right, and an owner that has too little else can still use them. A shard whose file is gone
 * needs no mark.
 */
import { concatBytes } from '../../base/bytes.ts';
import {
  bytesOf,
  idBytes,
  idOf,
  type PeerId,
  type ShardName,
  shardNameBytes,
} from '../../core/vocabulary/ids.ts';
import type { Stores } from '../../ports/stores.ts';
import { blobOf } from './held-trash.ts';

interface HeldShard {
  readonly owner: PeerId;
  readonly name: ShardName;
}

const factName = 'held-damaged';
const entryBytes: number = idBytes + shardNameBytes;
/** About 3 MiB of marks; a disk that rots more than this has nothing to save. */
const marksMaximum = 65_536;

/** Files of marked shards, as the blob store names them. */
export function damagedBlobs(stores: Stores): ReadonlySet<string> {
  return new Set(read(stores).map(blobOf));
}

/** Marks a shard; false when there is no room for more marks. */
export function markDamaged(stores: Stores, { owner, name }: HeldShard): boolean {
  const marked = read(stores);
  if (marked.some((shard) => shard.owner === owner && shard.name === name)) return true;
  if (marked.length >= marksMaximum) return false;
  write(stores, [...marked, { owner, name }]);
  return true;
}

/** The shard is whole again, or not held any more. */
export function clearDamaged(stores: Stores, { owner, name }: HeldShard): void {
  const marked = read(stores);
  const left = marked.filter((shard) => shard.owner !== owner || shard.name !== name);
  if (left.length < marked.length) write(stores, left);
}

function read(stores: Stores): readonly HeldShard[] {
  const column = stores.facts.get(factName) ?? new Uint8Array(0);
  const shards: HeldShard[] = [];
  for (let at = 0; at < column.length; at += entryBytes) {
    const name = column.subarray(at + idBytes, at + entryBytes);
    shards.push({ owner: idOf(column.subarray(at, at + idBytes)), name: idOf(name) });
  }
  return shards;
}

function write(stores: Stores, shards: readonly HeldShard[]): void {
  const parts = shards.flatMap(({ owner, name }) => [bytesOf(owner), bytesOf(name)]);
  stores.facts.put(factName, concatBytes(parts));
}
