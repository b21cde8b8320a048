/**
 * Entries of a partner's ledger that this home takes over page by page, because they did not come in answer to what it asked for (docs/protocol.md#ledger).
 *
 * There are few of them: those whose replies were lost, what somebody else with our key had signed, and all that a partner signs again when it begins another life. A
 * partner can sign as many as it likes, and each is kept for good; so there is an allowance, which grows with time and with what the partner lends. Beyond it nothing
 * is taken over, and a partner that insists on more is not counted on: its audits cannot go on, nor can deliveries to it.
 *
 * A partner that deletes what it never took, by its own ledger, is not believed at all. Only what it kept from an earlier life or agreement can be deleted
 * without having been taken in the present one.
 */
import { assert } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import { decodeCbor, encodeCbor } from '../../base/codec.ts';
import { dayMs, mebi } from '../../base/units.ts';
import {
  type Acknowledgement,
  checkLedgerEntry,
  type LedgerEntry,
  type LedgerFailure,
  type LedgerHead,
  ledgerStart,
  readEntry,
} from '../../core/agreements/acknowledgement.ts';
import { bytesLentBy } from '../../core/agreements/agreement.ts';
import type { ShardName } from '../../core/vocabulary/ids.ts';
import { ledgerPageEntries } from '../../core/wire/ledger-page.ts';
import type { AgreementRow } from '../../ports/stores.ts';
import { facts } from '../facts.ts';
import { type ForeignDeletionsParts, noteForeignDeletions } from '../holding/mass-deletion.ts';
import { returnsMaximum } from '../holding/trash-returns.ts';
import { agreementOf } from '../partners/partner-space.ts';

/** Shards are taken to be as large as that on the average (`dailyNeedBytes` takes them so too). */
const shardBytes: number = mebi;

/** Why an entry is not taken over. */
type TakeoverCode = LedgerFailure['code'] | 'ledger.too-many' | 'ledger.unfounded';

const usual = {
  /** That many at once, whatever is lent: replies that were lost. */
  atOnce: 4_096,
  /** Who lost everything but its keys has nothing of ledgers that may be years old. Once, of each partner. */
  inherited: 1_000_000,
};

/** How much of the allowance is used up: so long until all of it is there again. */
interface Debt {
  readonly at: number;
  readonly debtMs: number;
  /** All that was signed before our own disaster is here. */
  readonly isComplete: boolean;
  /** The clock was, since it was noted. */
  readonly isSetBack: boolean;
}

export class EntryTakeover {
  readonly #parts: ForeignDeletionsParts;
  readonly #agreement: AgreementRow;
  readonly #limits: typeof usual;
  readonly #lentBytes: number;
  /** How long it takes until one more is allowed: a thief with our key can have an honest partner sign so many. */
  readonly #eachMs: number;
  /** Of shards that entries after the last audit are about: whether they are there. */
  readonly #changed = new Map<ShardName, boolean>();
  #changedTo: number | undefined;

  constructor(parts: ForeignDeletionsParts, agreement: AgreementRow, limits: typeof usual = usual) {
    this.#limits = limits;
    this.#parts = parts;
    this.#agreement = agreement;
    this.#lentBytes = bytesLentBy(agreementOf(agreement), agreement.partner);
    this.#eachMs = Math.floor(dayMs / (2 * returnsMaximum(this.#lentBytes)));
  }

  /** The head of our part of the ledger. */
  head(life = 0): LedgerHead {
    const { stores } = this.#parts;
    const { agreement } = this.#agreement;
    return stores.ledger.head(agreement, 'owner') ?? ledgerStart(agreement, life);
  }

  /** Appends the entries of a page up to the first that is not to be taken over, in one step with what they say was deleted of what we need; gives how many. */
  take(page: readonly Bytes[]): number {
    const { stores } = this.#parts;
    const debt = this.#debt();
    const isComplete = debt.isComplete || page.length < ledgerPageEntries;
    const room = this.#room(debt, page.length);
    const { taken, afterwards } = stores.transact(() => {
      const appended = this.#append(page.slice(0, Math.max(0, room)));
      const isNews = appended.length > 0 || debt.isSetBack || isComplete !== debt.isComplete;
      const isInherited = isComplete && !debt.isComplete;
      const debtMs = isInherited ? 0 : debt.debtMs + appended.length * this.#eachMs;
      if (isNews)
        stores.facts.put(this.#factName, encodeCbor([debt.at, debtMs, isComplete ? 1 : 0]));
      const { partner } = this.#agreement;
      return {
        taken: appended.length,
        afterwards: noteForeignDeletions(this.#parts, partner, appended),
      };
    });
    afterwards();
    if (room < page.length) this.#refuse('ledger.too-many');
    return taken;
  }

  /** How many of `wanted` entries are allowed, or more. */
  #room({ debtMs, isComplete }: Debt, wanted: number): number {
    const taken = debtMs / this.#eachMs;
    const { atOnce, inherited } = this.#limits;
    if (!isComplete) return Math.floor(inherited - taken);
    if (taken + wanted <= atOnce) return wanted;
    const { stores } = this.#parts;
    const known = stores.shards.ofPartner(this.#agreement.partner).length;
    // All that fits in may have come and gone since our home was set back, or be signed again in another life.
    return Math.floor(atOnce + 2 * (this.#lentBytes / shardBytes + known) - taken);
  }

  #append(documents: readonly Bytes[]): readonly Acknowledgement[] {
    const { stores } = this.#parts;
    const { agreement, partner } = this.#agreement;
    const appended: Acknowledgement[] = [];
    for (const document of documents) {
      const view = { agreement, holder: partner, head: this.head() };
      const entry = checkLedgerEntry(view, document);
      const code = entry.ok ? this.#unfounded(entry.value) : entry.error.code;
      if (code !== undefined) this.#refuse(code);
      if (!entry.ok || code !== undefined) break;
      stores.ledger.append({ agreement, side: 'owner', ...entry.value.head, document });
      appended.push(entry.value.acknowledgement);
    }
    return appended;
  }

  #refuse(code: TakeoverCode): void {
    const { partner } = this.#agreement;
    this.#parts.log.write('warn', 'ledger.refused', { partner, code });
  }

  /** Why the entry cannot be true, though it follows the others. */
  #unfounded({ acknowledgement }: LedgerEntry): 'ledger.unfounded' | undefined {
    const { action, name, epoch } = acknowledgement;
    if (action === 'put' || epoch > 0 || !this.#isFirst()) return undefined;
    if (this.#isPresent(name)) return undefined;
    const { stores } = this.#parts;
    const { partner } = this.#agreement;
    const isAskedFor = stores.layouts
      .retired()
      .some((row) => row.partner === partner && row.name === name);
    return isAskedFor ? undefined : 'ledger.unfounded';
  }

  /** Nothing can have been taken from us but under this agreement, in the ledger that is here from its first entry on. */
  #isFirst(): boolean {
    const { stores } = this.#parts;
    const { agreement, partner } = this.#agreement;
    if (facts.incarnation(stores) > 0) return false;
    if (this.head().sequence > 0 && this.#stored(1) === undefined) return false;
    const others = stores.agreements.all().filter((row) => row.agreement !== agreement);
    return !others.some((row) => row.partner === partner && row.phase !== 'proposed');
  }

  /** As the entries say that are here: up to the last audit in what it draws from, and then one by one. */
  #isPresent(name: ShardName): boolean {
    const { stores } = this.#parts;
    const { agreement, partner } = this.#agreement;
    const lane = { agreement, side: 'auditor' } as const;
    const account = stores.audits.account(lane);
    const followed = account?.epoch === 0 ? account.sequence : 0;
    let sequence = this.#changedTo ?? followed;
    for (;;) {
      const document = this.#stored(sequence + 1);
      const entry = document && readEntry({ agreement, holder: partner }, document);
      if (entry?.ok !== true) break;
      const { action, name: changed } = entry.value.acknowledgement;
      this.#changed.set(changed, action === 'put');
      sequence += 1;
    }
    this.#changedTo = sequence;
    const isInSpace = followed > 0 && stores.audits.shard(lane, name) !== undefined;
    return this.#changed.get(name) ?? isInSpace;
  }

  #stored(sequence: number): Bytes | undefined {
    const { agreement } = this.#agreement;
    return this.#parts.stores.ledger.get(agreement, 'owner', { epoch: 0, sequence })?.document;
  }

  /** As of now. A clock that was set back lets nothing pass, and nothing wait for longer. */
  #debt(): Debt {
    const { stores, clock } = this.#parts;
    const now = clock.now();
    const value = stores.facts.get(this.#factName);
    if (value === undefined)
      return {
        ...{ at: now, debtMs: 0, isSetBack: false },
        isComplete: facts.incarnation(stores) === 0,
      };
    const decoded = decodeCbor(value, 64);
    assert(decoded.ok && Array.isArray(decoded.value), 'what was taken over is a list');
    const [at, debtMs, isComplete] = decoded.value as [number, number, number];
    const left = Math.max(0, debtMs - Math.max(0, now - at));
    return { at: now, debtMs: left, isComplete: isComplete === 1, isSetBack: now < at };
  }

  get #factName(): string {
    return `entries-taken-over ${this.#agreement.agreement}`;
  }
}
