/**
 * Our shards that a partner took in after its agreement last grew: it need not give them back before the commitment of that growth is over (C30), so nobody is drilled
 * for them until then.
 *
 * The ledger that the partner signed says which they are; it is read again when it went on.
 */
import { acknowledgedName, type LedgerPlace } from '../../core/agreements/acknowledgement.ts';
import { earlierPlace } from '../../core/partners/lifecycle-state.ts';
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
  readonly #known = new Map<string, Known>();

  constructor(stores: Stores, keeper: Pick<LifecycleKeeper, 'stateOf'>) {
    this.#stores = stores;
    this.#keeper = keeper;
  }

  /** Names of those that this partner holds, by our count; or by its own, which may be behind ours (`mayStillCommit`). */
  at(row: AgreementRow, count: 'ours' | 'its' = 'ours'): ReadonlySet<ShardName> {
    const from = this.#from(row, count);
    const head = from && this.#stores.ledger.head(row.agreement, 'owner');
    const key = `${row.agreement} ${count}`;
    if (from === undefined || head === undefined) {
      this.#known.delete(key);
      return none;
    }
    const known = this.#known.get(key);
    if (known !== undefined && isSame(known.from, from) && isSame(known.head, head))
      return known.names;
    const names = this.#namesSince(row.agreement, from, head);
    this.#known.set(key, { from, head, names });
    return names;
  }

  #from(row: AgreementRow, count: 'ours' | 'its'): LedgerPlace | undefined {
    if (row.phase === 'proposed') return undefined;
    const { steps, settled } = this.#keeper.stateOf(row);
    const counted = count === 'ours' ? steps : [...settled, ...steps];
    const [first, ...others] = counted.map(({ ours }) => ours);
    return first && others.reduce(earlierPlace, first);
  }

  #namesSince(
    agreement: AgreementId,
    from: LedgerPlace,
    { epoch, sequence }: LedgerPlace,
  ): ReadonlySet<ShardName> {
    const names = new Set<ShardName>();
    if (epoch < from.epoch) return names;
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
