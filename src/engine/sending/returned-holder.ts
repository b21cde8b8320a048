/**
 * A partner that lost everything and came back (C36): what it no longer lists is not held any more, whatever it signed for in an earlier life.
 *
 * This is settled before the first entry of its new ledger is taken over, so a crash in between leaves the old ledger's head, and the same is done
 * again.
 */
import { ShardNamer } from '../../core/sealing/shard-name.ts';
import type { AgreementRow, PackRow, Stores } from '../../ports/stores.ts';
import type { Spool } from '../backup/spool.ts';
import { type InventoryParts, inventoryOf } from '../recovery/inventory-adoption.ts';
import { spoilReserves } from '../upkeep/reserve-shards.ts';

export interface ReturnParts extends Pick<InventoryParts, 'stores' | 'client' | 'book' | 'log'> {
  readonly shardNameKey: Uint8Array;
  readonly spool: Pick<Spool, 'reclaimed'>;
}

/** Notes as lost what the partner holds no more. False when it did not tell. */
export async function noteLosses(
  parts: ReturnParts,
  agreement: AgreementRow,
  signal: AbortSignal,
): Promise<boolean> {
  const { stores, log, spool, shardNameKey } = parts;
  const { partner } = agreement;
  const listed = await inventoryOf(parts, agreement, signal);
  if (listed === undefined) return false;
  const there = new Set(listed);
  const namer = new ShardNamer(shardNameKey, partner);
  const { lost, reclaimed } = stores.transact(() => {
    const packs = new Map<string, PackRow>();
    let count = 0;
    for (const shard of stores.shards.ofPartner(partner)) {
      const row = stores.packs.get(shard.pack);
      const isThought = shard.phase === 'held' || shard.phase === 'wrong';
      if (!isThought || row?.stripe === undefined) continue;
      if (there.has(namer.nameOf(row.stripe, shard.index))) continue;
      if (row.spooled && isComplete(stores, row)) packs.set(row.pack, row);
      stores.shards.put({ ...shard, phase: 'lost' });
      count += 1;
    }
    spoilReserves(stores, partner, (name) => !there.has(name));
    for (const { pack, stripe } of stores.layouts.all())
      for (const shard of stores.layouts.shards(pack)) {
        if (shard.partner !== partner || shard.phase !== 'held') continue;
        if (there.has(namer.nameOf(stripe, shard.index))) continue;
        stores.layouts.putShard({ ...shard, phase: 'lost' });
        count += 1;
      }
    return { lost: count, reclaimed: packs.values() };
  });
  for (const row of reclaimed) spool.reclaimed(row);
  log.write('warn', 'partner.came-back', { partner, lists: there.size, lost });
  return true;
}

function isComplete(stores: Stores, { pack }: PackRow): boolean {
  return stores.shards.ofPack(pack).every(({ phase }) => phase === 'held');
}
