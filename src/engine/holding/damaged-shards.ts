/**
 * Shards held for others that rotted here: they stand in the catalogue, but are not listed as held until their owner sends them again.
 *
 * Their files stay until then, for most of their blocks are right, and an owner that has too little else can still use them. A shard whose file is gone
 * needs no mark.
 */
import type { Stores } from '../../ports/stores.ts';
import { HeldList, type HeldShard } from './held-list.ts';
import { blobOf } from './held-trash.ts';

const marks: HeldList = new HeldList('held-damaged');
/** About 3 MiB of marks; a disk that rots more than this has nothing to save. */
const marksMaximum = 65_536;

/** Files of marked shards, as the blob store names them. */
export function damagedBlobs(stores: Stores): ReadonlySet<string> {
  return new Set(marks.read(stores).map(blobOf));
}

/** Marks a shard; false when there is no room for more marks. */
export function markDamaged(stores: Stores, { owner, name }: HeldShard): boolean {
  const marked = marks.read(stores);
  if (marked.some((shard) => shard.owner === owner && shard.name === name)) return true;
  if (marked.length >= marksMaximum) return false;
  marks.write(stores, [...marked, { owner, name }]);
  return true;
}

/** The shard is whole again, or not held any more. */
export function clearDamaged(stores: Stores, { owner, name }: HeldShard): void {
  const marked = marks.read(stores);
  const left = marked.filter((shard) => shard.owner !== owner || shard.name !== name);
  if (left.length < marked.length) marks.write(stores, left);
}
