/**
 * Shards that partners turn out not to have, or to have wrong: noted in the catalogue at once, so that nothing counts on them any longer.
 *
 * A shard that is gone is sent again while its pack lies in the spool. One that is wrong stays with its partner under its name; only repair replaces it, but
 * its other blocks are still read when everything else is not enough.
 */
import type { PackId, PeerId, ShardName } from '../../core/vocabulary/ids.ts';
import type { EventLog } from '../../ports/event-log.ts';
import { type ShardRow, StorageBroken, StorageFull, type Stores } from '../../ports/stores.ts';
import type { Spool } from '../backup/spool.ts';
import { spoilReserves } from '../upkeep/reserve-shards.ts';
import type { Notifier } from '../work/notifier.ts';

export interface ShardLossParts {
  readonly stores: Stores;
  readonly spool: Spool;
  readonly log: EventLog;
  readonly changes: Notifier;
}

export interface LostShard {
  readonly pack: PackId;
  readonly index: number;
  readonly partner: PeerId;
}

export class ShardLosses {
  readonly #parts: ShardLossParts;

  constructor(parts: ShardLossParts) {
    this.#parts = parts;
  }

  /** Never throws for want of storage: whoever reads has other shards to go on with, and the next read finds the same. */
  note(shard: LostShard, phase: 'lost' | 'wrong'): void {
    this.#note(shard, phase, (known) => known === 'held');
  }

  /** The same of a shard in reserve: it is not taken back any more. */
  spoiltReserve(partner: PeerId, name: ShardName): void {
    this.#write(() => spoilReserves(this.#parts.stores, partner, (other) => other === name));
  }

  /** The partner says itself that it does not have the shard whole. Where it was thought wrong, it can be sent again now. */
  admitted(shard: LostShard): void {
    this.#note(shard, 'lost', (known) => known === 'held' || known === 'wrong');
  }

  #note(
    shard: LostShard,
    phase: 'lost' | 'wrong',
    changes: (known: ShardRow['phase']) => boolean,
  ): void {
    const rows = this.#parts.stores.shards.ofPack(shard.pack);
    const row = rows.find(({ index }) => index === shard.index);
    if (row === undefined || row.partner !== shard.partner || !changes(row.phase)) return;
    this.#write(() => this.#enter(row, phase, rows));
  }

  #write(note: () => void): void {
    try {
      note();
    } catch (reason) {
      if (!(reason instanceof StorageFull || reason instanceof StorageBroken)) throw reason;
      this.#parts.log.write('error', 'shard.loss-not-noted', { detail: reason.message });
    }
  }

  #enter(row: ShardRow, phase: 'lost' | 'wrong', rows: readonly ShardRow[]): void {
    const { stores, spool, log, changes } = this.#parts;
    const wasWhole = rows.every((other) => other.phase === 'held');
    stores.shards.put({ ...row, phase });
    const pack = stores.packs.get(row.pack);
    if (wasWhole && pack?.spooled === true) spool.reclaimed(pack);
    const { partner, index } = row;
    log.write('warn', `shard.${phase}`, { pack: row.pack, index, partner });
    changes.notify();
  }
}
