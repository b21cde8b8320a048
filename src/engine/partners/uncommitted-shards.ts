/**
 * Our shards that a partner took in after its agreement last grew: it need not give them back before the commitment of that growth is over (C30), so nobody is drilled
 * for them until then.
 *
 * The ledger that the partner signed says which they are; it is read again when it went on.
 */
import { acknowledgedName, type LedgerPlace } from '../../core/agreements/acknowledgement.ts';
import type { AgreementId, ShardName } from '../../core/vocabulary/ids.ts';
import type { AgreementRow, Stores } from '../../ports/stores.ts';
import type { LifecycleKeeper } from './lifecycle-keeper.ts';

interface Known {
  readonly from: LedgerPlace;
  readonly head: LedgerPlace;
  readonly names: ReadonlySet<ShardName>;
}

export class UncommittedShards {
  readonly #stores: Stores;
  readonly #keeper: Pick<LifecycleKeeper, 'stateOf'>;
  readonly #known = new Map<AgreementId, Known>();

  constructor(stores: Stores, keeper: Pick<LifecycleKeeper, 'stateOf'>) {
    this.#stores = stores;
    this.#keeper = keeper;
  }

  /** Names of those that this partner holds. */
  at(row: AgreementRow): ReadonlySet<ShardName> {
    const [oldest] = row.phase === 'proposed' ? [] : this.#keeper.stateOf(row).steps;
    const head = oldest && this.#stores.ledger.head(row.agreement, 'owner');
    if (oldest === undefined || head === undefined) {
      this.#known.delete(row.agreement);
      return none;
    }
    const known = this.#known.get(row.agreement);
    if (known !== undefined && isSame(known.from, oldest.ours) && isSame(known.head, head))
      return known.names;
    const names = this.#namesSince(row.agreement, oldest.ours, head);
    this.#known.set(row.agreement, { from: oldest.ours, head, names });
    return names;
  }

  #namesSince(
    agreement: AgreementId,
    from: LedgerPlace,
    { epoch, sequence }: LedgerPlace,
  ): ReadonlySet<ShardName> {
    const names = new Set<ShardName>();
    const first = epoch > from.epoch ? 1 : from.sequence + 1;
    for (let at = first; at <= sequence; at += 1) {
      const entry = this.#stores.ledger.get(agreement, 'owner', { epoch, sequence: at });
      const name = entry && acknowledgedName(entry.document);
      if (name !== undefined) names.add(name);
    }
    return names;
  }
}

const none: ReadonlySet<ShardName> = new Set();

function isSame(left: LedgerPlace, right: LedgerPlace): boolean {
  return left.epoch === right.epoch && left.sequence === right.sequence;
}
