/**
 * Shards that partners turn out not to have, or to have wrong: noted in the catalogue at once, so that nothing counts on them any longer, nor ever will: what a pack
 * is to have is noted like what it has.
 *
 * A shard that is gone is sent again while its pack lies in the spool. One that is wrong stays with its partner under its name; only repair replaces it, but
 * its other blocks are still read when everything else is not enough.
 */
import { shardCount } from '../../core/vocabulary/code.ts';
import type { PackId, PeerId, ShardName } from '../../core/vocabulary/ids.ts';
import type { EventLog } from '../../ports/event-log.ts';
import { StorageBroken, StorageFull, type Stores } from '../../ports/stores.ts';
import type { Spool } from '../backup/spool.ts';
import { spoilReserves } from '../upkeep/reserve-shards.ts';
import type { Notifier } from '../work/notifier.ts';
import { changePhase, type PlacedShard } from './shard-places.ts';

export interface ShardLossParts {
  readonly stores: Stores;
  readonly spool: Pick<Spool, 'reclaimed' | 'released'>;
  readonly log: EventLog;
  readonly changes: Notifier;
}

/** Of whichever stripe its pack has. */
export type LostShard = Omit<PlacedShard, 'stripe'>;

export class ShardLosses {
  readonly #parts: ShardLossParts;

  constructor(parts: ShardLossParts) {
    this.#parts = parts;
  }

  /** Never throws for want of storage: whoever reads has other shards to go on with, and the next read finds the same. */
  note(shard: PlacedShard, phase: 'lost' | 'wrong'): void {
    this.#write(() => {
      const isNew = changePhase(this.#parts.stores, shard, { from: ['held'], to: phase });
      if (isNew) this.entered([shard], phase);
    });
  }

  /** The same of a shard in reserve: it is not taken back any more. */
  spoiltReserve(partner: PeerId, name: ShardName): void {
    this.#write(() => spoilReserves(this.#parts.stores, partner, (other) => other === name));
  }

  /** The partner says itself that it does not have these whole. Where they were thought wrong, they can be sent again now. Gives those that were thought to be there. */
  admitted(shards: readonly PlacedShard[]): readonly PlacedShard[] {
    const { stores } = this.#parts;
    const change = { from: ['held', 'wrong'], to: 'lost' } as const;
    const lost = stores.transact(() =>
      shards.filter((shard) => changePhase(stores, shard, change)),
    );
    this.entered(lost);
    return lost;
  }

  /** Inside a step of the caller's; whether the shard counted as held anywhere. Once the step is durable `entered` must follow. */
  enter(shard: PlacedShard): boolean {
    return changePhase(this.#parts.stores, shard, { from: ['held'], to: 'lost' });
  }

  /** The same when it turns out to be there after all. */
  takeBack(shard: PlacedShard): boolean {
    return changePhase(this.#parts.stores, shard, { from: ['lost'], to: 'held' });
  }

  entered(shards: readonly PlacedShard[], phase: 'lost' | 'wrong' | 'found' = 'lost'): void {
    const { stores, spool, log, changes } = this.#parts;
    for (const { pack, partner, index } of shards)
      log.write('warn', `shard.${phase}`, { pack, index, partner });
    for (const pack of new Set<PackId>(shards.map((shard) => shard.pack))) {
      const row = stores.packs.get(pack);
      if (row?.spooled !== true) continue;
      const held = stores.shards.ofPack(pack).filter((shard) => shard.phase === 'held').length;
      if (row.code !== undefined && held >= shardCount(row.code)) spool.released(row);
      else spool.reclaimed(row);
    }
    if (shards.length > 0) changes.notify();
  }

  #write(note: () => void): void {
    try {
      note();
    } catch (reason) {
      if (!(reason instanceof StorageFull || reason instanceof StorageBroken)) throw reason;
      this.#parts.log.write('error', 'shard.loss-not-noted', { detail: reason.message });
    }
  }
}
