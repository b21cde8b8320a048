/**
 * How much owners may read back of what they stored after their agreement grew, while the commitment of that growth runs (C30): what they had stored so much less
 * of before, and in any case an eighth of what they were lent. So a restore finds its index and its trees, which are always new, and everything that is older.
 *
 * What is read is charged before it is sent, ahead and in steps, as in read-quota.ts; a full disk refuses no read (read-accounts.ts).
 */
import { assert } from '../../base/assert.ts';
import { decodeCbor, encodeCbor } from '../../base/codec.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import type { LedgerPlace } from '../../core/agreements/acknowledgement.ts';
import type { Refusal } from '../../core/wire/refusal.ts';
import type { AgreementRow, Stores } from '../../ports/stores.ts';
import type { OpenStep } from '../partners/lifecycle-keeper.ts';
import { ReadAccounts } from './read-accounts.ts';

export interface UncommittedReadsParts {
  readonly stores: Pick<Stores, 'facts'>;
  /** The growth after which a shard in this place was stored, while its commitment runs. */
  readonly openStep: (agreement: AgreementRow, place: LedgerPlace) => OpenStep | undefined;
}

/**
 * Of growths whose commitments run at once, from the oldest of them on: `paid` is durable, as soon as the disk has room; `used` is what was read. They have one
 * account, or many small growths would let as much be read as one that is as large as all of them.
 */
interface Tally {
  readonly since: LedgerPlace;
  used: number;
  paid: number;
}

/** The durable account is this part of what may be read ahead of what was. */
const stepShare = 1 / 16;
/** Growths whose commitments run at once are few. */
const talliesMost = 8;

export class UncommittedReads {
  readonly #parts: UncommittedReadsParts;
  readonly #accounts: ReadAccounts;
  readonly #tallies = new Map<string, readonly Tally[]>();

  constructor(parts: UncommittedReadsParts) {
    this.#parts = parts;
    this.#accounts = new ReadAccounts(parts.stores.facts);
  }

  /** Makes durable what the disk had no room for. */
  settle(): void {
    this.#accounts.settle();
  }

  /** Charges what is about to be read of the shard in this place of the ledger, or refuses it. */
  take(agreement: AgreementRow, place: LedgerPlace, bytes: number): Outcome<undefined, Refusal> {
    const step = this.#parts.openStep(agreement, place);
    if (step === undefined) return succeeded(undefined);
    const tally = this.#tally(agreement, step);
    if (tally.used + bytes > step.readableBytes)
      return failed({ code: 'request.in-commitment', detail: 'restores are not honoured yet' });
    tally.used += bytes;
    if (tally.used > tally.paid) {
      tally.paid = tally.used + Math.floor(step.readableBytes * stepShare);
      this.#write(agreement);
    }
    return succeeded(undefined);
  }

  #tally(agreement: AgreementRow, { since }: OpenStep): Tally {
    const name = nameOf(agreement);
    const tallies = this.#tallies.get(name) ?? this.#read(name);
    const known = tallies.find(
      (tally) => tally.since.epoch === since.epoch && tally.since.sequence === since.sequence,
    );
    const { epoch, sequence } = since;
    const tally = known ?? { since: { epoch, sequence }, used: 0, paid: 0 };
    const others = tallies.filter((other) => other !== tally).slice(1 - talliesMost);
    this.#tallies.set(name, [...others, tally]);
    return tally;
  }

  #write(agreement: AgreementRow): void {
    const name = nameOf(agreement);
    const tallies = this.#tallies.get(name) ?? [];
    const value = tallies.map(({ since, paid }) => [since.epoch, since.sequence, paid]);
    this.#accounts.put(name, encodeCbor(value));
  }

  #read(name: string): readonly Tally[] {
    const value = this.#accounts.get(name);
    if (value === undefined) return [];
    const decoded = decodeCbor(value, 1_024);
    assert(decoded.ok && Array.isArray(decoded.value), 'an account of reads is a list');
    return (decoded.value as [number, number, number][]).map(([epoch, sequence, paid]) => ({
      ...{ since: { epoch, sequence }, used: paid, paid },
    }));
  }
}

function nameOf({ agreement }: AgreementRow): string {
  return `uncommitted-reads ${agreement}`;
}
