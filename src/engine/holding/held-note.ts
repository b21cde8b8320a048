/** Where an acknowledged shard counts: in the present layout of its pack, in the next, in both, or nowhere any more. */
import type { Instant } from '../../base/units.ts';
import type { PackId, PeerId, ShardName, StripeId } from '../../core/vocabulary/ids.ts';
import type { ShardRow, Stores } from '../../ports/stores.ts';

export interface AcknowledgedShard {
  readonly pack: PackId;
  readonly stripe: StripeId;
  readonly index: number;
  readonly partner: PeerId;
  readonly name: ShardName;
}

/**
 * To be called inside the step that appends the acknowledgement. A pack may have been laid out anew while its shard was on its way: then nothing rests on
 * the shard, and its holder is told so later.
 */
export function noteHeld(stores: Stores, shard: AcknowledgedShard, now: Instant): void {
  const { pack, stripe, index, partner, name } = shard;
  const row: ShardRow = { pack, index, partner, phase: 'held' };
  const isThis = (other: ShardRow): boolean => other.index === index && other.partner === partner;
  const isPresent =
    stores.packs.get(pack)?.stripe === stripe && stores.shards.ofPack(pack).some(isThis);
  const isNext =
    stores.layouts.get(pack)?.stripe === stripe && stores.layouts.shards(pack).some(isThis);
  if (isPresent) stores.shards.put(row);
  if (isNext) stores.layouts.putShard(row);
  if (!isPresent && !isNext)
    stores.layouts.retire([{ partner, name, pack, retiredAt: now, reserve: true }]);
}
