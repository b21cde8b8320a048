/**
 * A partner that lost everything and came back (C36): what it no longer lists is not held any more, whatever it signed for in an earlier life.
 *
 * This is settled before the first entry of its new ledger is taken over, so a crash in between leaves the old ledger's head, and the same is done
 * again.
 */
import { ShardNamer } from '../../core/sealing/shard-name.ts';
import type { AgreementRow } from '../../ports/stores.ts';
import { type InventoryParts, inventoryOf } from '../recovery/inventory-adoption.ts';
import { spoilReserves } from '../upkeep/reserve-shards.ts';
import type { ShardLosses } from './shard-losses.ts';
import { shardsAt } from './shard-places.ts';

export interface ReturnParts extends Pick<InventoryParts, 'stores' | 'client' | 'book' | 'log'> {
  readonly shardNameKey: Uint8Array;
  readonly losses: Pick<ShardLosses, 'admitted'>;
}

/** Notes as lost what the partner holds no more, and gives how many shards that are. Undefined when it did not tell. */
export async function noteLosses(
  parts: ReturnParts,
  agreement: AgreementRow,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { stores, log, losses, shardNameKey } = parts;
  const { partner } = agreement;
  // What it takes in while it is asked may be on no page of its answer.
  const thought = shardsAt(stores, partner, ['held', 'wrong']);
  const listed = await inventoryOf(parts, agreement, signal);
  if (listed === undefined) return undefined;
  const there = new Set(listed);
  const namer = new ShardNamer(shardNameKey, partner);
  const gone = thought.filter(({ stripe, index }) => !there.has(namer.nameOf(stripe, index)));
  stores.transact(() => spoilReserves(stores, partner, (name) => !there.has(name)));
  const lost = losses.admitted(gone).length;
  log.write('warn', 'partner.came-back', { partner, lists: there.size, lost });
  return lost;
}
