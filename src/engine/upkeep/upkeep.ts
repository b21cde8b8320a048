/**
 * What goes on beside backups as long as a computer runs: packs are laid out anew where that makes them safer, what they left behind is deleted, and what
 * others deleted here is let go of when its time has come.
 */
import type { OwnerKeys } from '../../core/sealing/keys.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { Stores } from '../../ports/stores.ts';
import type { StripeCoder } from '../../ports/stripe-coder.ts';
import type { Spool } from '../backup/spool.ts';
import type { HeldTrash } from '../holding/held-trash.ts';
import type { PartnerBook } from '../partners/partner-book.ts';
import type { PartnerClient } from '../partners/partner-client.ts';
import type { PartnerPlanning } from '../partners/partner-planning.ts';
import type { PackSource } from '../restore/pack-source.ts';
import type { Outbox } from '../sending/outbox.ts';
import type { ShardDelivery } from '../sending/shard-delivery.ts';
import type { Backoff } from '../work/backoff.ts';
import type { Notifier } from '../work/notifier.ts';
import { WorkLoop } from '../work/work-loop.ts';
import { LayoutChange } from './layout-change.ts';
import { LayoutWish, type LayoutWishParts } from './layout-wish.ts';
import { OldShards } from './old-shards.ts';
import { Relocation } from './relocation.ts';
import { ReserveShards } from './reserve-shards.ts';

export interface UpkeepParts {
  readonly keys: OwnerKeys;
  readonly stores: Stores;
  readonly clock: Clock;
  readonly log: EventLog;
  readonly coder: StripeCoder;
  readonly spool: Spool;
  readonly source: PackSource;
  readonly book: PartnerBook;
  readonly client: PartnerClient;
  readonly delivery: ShardDelivery;
  readonly backoff: Backoff;
  readonly changes: Notifier;
  readonly outbox: Pick<Outbox, 'recount'>;
  readonly planning: PartnerPlanning;
  /** See LayoutWish. */
  readonly avoided?: LayoutWishParts['avoided'];
  /** Of what is held for others. */
  readonly trash: HeldTrash;
}

export class Upkeep {
  readonly #loops: readonly WorkLoop[];
  readonly #relocation: Relocation;

  constructor(parts: UpkeepParts) {
    const { keys, stores, clock, trash } = parts;
    const change = new LayoutChange(stores, clock, keys.shardNameKey);
    const { shardNameKey } = keys;
    const reserves = new ReserveShards({ ...parts, shardNameKey });
    const wish = new LayoutWish({ ...parts, reserves });
    const relocation = new Relocation({ ...parts, wish, change, reserves });
    const oldShards = new OldShards({ ...parts, change, reserves });
    this.#relocation = relocation;
    this.#loops = [
      new WorkLoop(parts, (signal) => relocation.round(signal)),
      new WorkLoop(parts, (signal) => oldShards.round(signal)),
      new WorkLoop(parts, () => trash.round()),
    ];
  }

  /** Nothing could be done when it last looked. */
  get resting(): boolean {
    return this.#loops.every(({ resting }) => resting);
  }

  /** Looks at every pack again at once, whatever was found before. */
  lookAgain(): void {
    this.#relocation.lookAgain();
  }

  /** Works until `signal` aborts, as `WorkLoop.run` does. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.run(signal)));
  }
}
