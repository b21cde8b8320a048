/** Where an acknowledged shard counts: in the present layout of its pack, in the next, in both, or nowhere any more. */
import type { Instant } from '../../base/units.ts';
import type { ShardName } from '../../core/vocabulary/ids.ts';
import type { Stores } from '../../ports/stores.ts';
import { type PlacedShard, placesOf } from '../sending/shard-places.ts';

export interface AcknowledgedShard extends PlacedShard {
  readonly name: ShardName;
}

/**
 * To be called inside the step that appends the acknowledgement. A pack may have been laid out anew while its shard was on its way: then nothing rests on
 * the shard, and its holder is told so later.
 */
export function noteHeld(stores: Stores, shard: AcknowledgedShard, now: Instant): void {
  const { pack, partner, name } = shard;
  const { present, next } = placesOf(stores, shard);
  if (present !== undefined) stores.shards.put({ ...present, phase: 'held' });
  if (next !== undefined) stores.layouts.putShard({ ...next, phase: 'held' });
  if (present === undefined && next === undefined)
    stores.layouts.retire([{ partner, name, pack, retiredAt: now, reserve: true }]);
}
