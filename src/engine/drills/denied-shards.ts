/**
 * Shards that a partner signed for and says it does not have, when they are read (C17). Disks lose some, so a few are forgiven in each grace period, by the same account
 * as those that it tells of itself (partners/admitted-losses.ts), and are sent again. Whoever has more of them to deny gives nothing back by another name:
 * it could take each of them "anew" from what it has, and deny it once more.
 *
 * What this computer let go of itself is nobody's fault: a shard counts only when nothing rests on it elsewhere, before it was asked for and after.
 */
import { isInForce } from '../../core/partners/lifecycle-phase.ts';
import type { ShardName } from '../../core/vocabulary/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import { type AgreementRow, StorageBroken, StorageFull, type Stores } from '../../ports/stores.ts';
import { facts } from '../facts.ts';
import { staysWithin } from '../partners/admitted-losses.ts';
import type { LifecycleKeeper } from '../partners/lifecycle-keeper.ts';
import type { PartnerBook } from '../partners/partner-book.ts';
import { agreementOf } from '../partners/partner-space.ts';
import type { LostShard } from '../sending/shard-losses.ts';

export interface DeniedShardsParts {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly book: Pick<PartnerBook, 'get'>;
  readonly keeper: Pick<LifecycleKeeper, 'stateOf' | 'happened'>;
}

/** As what a shard should be there: it counts, or it is kept in reserve. */
export type Owed = 'shard' | 'reserve';

/** What it comes to that a partner does not know a shard. */
export type Denial = 'shard.unknown' | 'shard.denied';

export class DeniedShards {
  readonly #parts: DeniedShardsParts;

  constructor(parts: DeniedShardsParts) {
    this.#parts = parts;
  }

  /** What the partner should have under this name; undefined when it may rightly have nothing. */
  owed({ pack, index, partner }: LostShard, name: ShardName): Owed | undefined {
    const { stores } = this.#parts;
    // What lies where is only guessed until those have told that hold it.
    if (facts.recovering(stores) || facts.unconfirmed(stores).includes(partner)) return undefined;
    const isIt = (row: { readonly partner: string; readonly name: ShardName }): boolean =>
      row.partner === partner && row.name === name;
    const retired = stores.layouts.retiredOf(pack).find(isIt);
    if (retired !== undefined) return retired.reserve ? 'reserve' : undefined;
    const row = stores.shards.ofPack(pack).find((shard) => shard.index === index);
    return row?.partner === partner && row.phase === 'held' ? 'shard' : undefined;
  }

  /**
   * The partner says that it does not have what it owed when it was asked; to be judged before that is noted as lost. Never throws for want of storage: whoever reads has other
   * shards to go on with.
   */
  judge(shard: LostShard, name: ShardName, before: Owed | undefined): Denial {
    const row = this.#parts.book.get(shard.partner);
    const isOwed = before !== undefined && this.owed(shard, name) === before;
    if (!isOwed || row === undefined || !isInForce(row.phase)) return 'shard.unknown';
    try {
      return this.#judge(row, before);
    } catch (reason) {
      if (!(reason instanceof StorageFull || reason instanceof StorageBroken)) throw reason;
      return 'shard.unknown';
    }
  }

  /** A reserve is never what an accusation begins with. Whoever refuses already does not get out of it by losses. */
  #judge(row: AgreementRow, owed: Owed): Denial {
    const { keeper } = this.#parts;
    const isForgiven = owed === 'reserve' || this.#forgives(row);
    const refuses = keeper.stateOf(row).refusedMs !== undefined;
    if (isForgiven && !refuses) return 'shard.unknown';
    keeper.happened(row.partner, { type: 'drill-refused' });
    return 'shard.denied';
  }

  #forgives(row: AgreementRow): boolean {
    const { stores, clock } = this.#parts;
    const { graceMs } = agreementOf(row).terms;
    const held = stores.shards.ofPartner(row.partner).length;
    const loss = { count: 1, isDenied: true, held, graceMs, now: clock.now() };
    return staysWithin(stores, row.agreement, loss);
  }
}
