/** The receipts that this computer has, one chain an agreement, and its account as it continues them (C27). */
import { present } from '../../base/assert.ts';
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import type { Instant } from '../../base/units.ts';
import { type Conduct, continuedConduct } from '../../core/records/conduct.ts';
import {
  type ChainFailure,
  followsHead,
  type RecordHead,
} from '../../core/records/record-chain.ts';
import {
  conductIn,
  isParty,
  receiptHash,
  type TrackReceipt,
  verifyReceipt,
} from '../../core/records/track-receipt.ts';
import type { AgreementId, PeerId } from '../../core/vocabulary/ids.ts';
import { type RecordAccount, receiptsMaximum } from '../../core/wire/record.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RecordRow } from '../../ports/peer-stores.ts';
import type { AgreementRow, Stores } from '../../ports/stores.ts';
import type { Account, PartnerAccount } from './record-account.ts';

export interface RecordBookParts {
  readonly self: PeerId;
  readonly stores: Stores;
  readonly clock: Clock;
  readonly account: Account;
}

/** The newest receipt that ends before a time, of the chain that ends with `head`. */
interface Before {
  readonly head: Bytes;
  readonly time: Instant;
  readonly receipt: TrackReceipt | undefined;
}

/** Agreements of which what was read last is remembered: checking signatures takes longer than all else. */
const rememberedMaximum = 512;

export class RecordBook {
  readonly #parts: RecordBookParts;
  /** Newest receipts as they were read last. */
  readonly #heads = new Map<AgreementId, RecordHead>();
  readonly #before = new Map<AgreementId, Before>();

  constructor(parts: RecordBookParts) {
    this.#parts = parts;
  }

  head(agreement: AgreementId): RecordHead | undefined {
    const row = this.#parts.stores.records.head(agreement);
    return row === undefined ? undefined : this.#headIn(row);
  }

  #headIn(row: RecordRow): RecordHead {
    const known = this.#heads.get(row.agreement);
    if (known !== undefined && equalBytes(known.hash, row.hash)) return known;
    const head = { receipt: receiptIn(row), hash: row.hash };
    if (this.#heads.size >= rememberedMaximum) this.#heads.clear();
    this.#heads.set(row.agreement, head);
    return head;
  }

  /** Number of the newest receipt; 0 without one. */
  sequence(agreement: AgreementId): number {
    return this.#parts.stores.records.head(agreement)?.sequence ?? 0;
  }

  headDocument(agreement: AgreementId): Bytes | undefined {
    return this.#parts.stores.records.head(agreement)?.document;
  }

  newestWith(
    partner: PeerId,
  ): { readonly receipt: TrackReceipt; readonly document: Bytes } | undefined {
    const row = this.#parts.stores.records.newestWith(partner);
    if (row === undefined) return undefined;
    return { receipt: this.#headIn(row).receipt, document: row.document };
  }

  /** Receipts after this number, at most `limit`; for a side that has none the newest alone, from which it goes on. */
  after(agreement: AgreementId, sequence: number, limit: number): readonly Bytes[] {
    const { records } = this.#parts.stores;
    const newest = records.head(agreement);
    if (newest === undefined || newest.sequence <= sequence) return [];
    if (sequence === 0) return [newest.document];
    return records
      .ofAgreement(agreement)
      .filter((row) => row.sequence > sequence)
      .slice(0, limit)
      .map(({ document }) => document);
  }

  /**
   * Keeps a receipt that both signed, when it goes on where the chain ends. A computer that has none, because it lost them, takes any: it signed it itself.
   */
  take(row: AgreementRow, document: Bytes): Outcome<TrackReceipt, ChainFailure> {
    const verified = verifyReceipt(document);
    if (!verified.ok) return verified;
    const receipt = verified.value;
    const { self, stores, clock } = this.#parts;
    if (receipt.agreement !== row.agreement || !isParty(receipt, self))
      return failed({ code: 'record.wrong-agreement' });
    if (!isParty(receipt, row.partner)) return failed({ code: 'record.wrong-agreement' });
    const head = this.head(row.agreement);
    const following = head === undefined ? verified : followsHead(receipt, head);
    if (!following.ok) return following;
    stores.records.append({
      agreement: row.agreement,
      partner: row.partner,
      sequence: receipt.sequence,
      hash: receiptHash(document),
      document,
      signedAt: clock.now(),
    });
    return succeeded(receipt);
  }

  /** Takes those that follow, and leaves the rest. */
  takeAll(row: AgreementRow, documents: readonly Bytes[]): void {
    for (const document of documents) this.take(row, document);
  }

  /** What was counted here, with what both had signed before the counting began. */
  accountOf(row: AgreementRow): PartnerAccount | undefined {
    const account = this.#parts.account.of(row);
    if (account === undefined) return undefined;
    const before = this.#newestBefore(row.agreement, account.since);
    if (before === undefined) return account;
    const { theirs, ours, since } = account;
    const continued = (peer: PeerId, conduct: Conduct): Conduct =>
      continuedConduct(conductIn(before, peer), conduct);
    // Between what was signed and the new beginning this computer was not there, for all it knows.
    const awayMs = since - before.until;
    return {
      since,
      theirs: continued(row.partner, theirs),
      ours: continued(this.#parts.self, { ...ours, watchedMs: ours.watchedMs + awayMs }),
    };
  }

  /** Our account for a partner that has receipts up to `known`. */
  accountMessage(row: AgreementRow, known: number): RecordAccount | undefined {
    const account = this.accountOf(row);
    if (account === undefined) return undefined;
    return {
      agreement: row.agreement,
      sequence: this.sequence(row.agreement),
      receipts: this.after(row.agreement, known, receiptsMaximum),
      conduct: account.theirs,
    };
  }

  /** Something came to an end, or was forgiven, that the newest receipt does not say. */
  isOutcomeNew(row: AgreementRow): boolean {
    const account = this.accountOf(row);
    if (account === undefined) return false;
    const signed = this.head(row.agreement)?.receipt;
    const outcomeOf = (peer: PeerId): string =>
      signed === undefined ? 'none' : conductIn(signed, peer).outcome;
    return (
      account.theirs.outcome !== outcomeOf(row.partner) ||
      account.ours.outcome !== outcomeOf(this.#parts.self)
    );
  }

  /** A chain only grows at its end, and the hash of that names all before it. */
  #newestBefore(agreement: AgreementId, time: Instant): TrackReceipt | undefined {
    const head = this.#parts.stores.records.head(agreement)?.hash;
    if (head === undefined) return undefined;
    const known = this.#before.get(agreement);
    if (known?.time === time && equalBytes(known.head, head)) return known.receipt;
    const receipt = this.#readBefore(agreement, time);
    if (this.#before.size >= rememberedMaximum) this.#before.clear();
    this.#before.set(agreement, { head, time, receipt });
    return receipt;
  }

  #readBefore(agreement: AgreementId, time: Instant): TrackReceipt | undefined {
    let newest: TrackReceipt | undefined;
    for (const row of this.#parts.stores.records.ofAgreement(agreement)) {
      const receipt = receiptIn(row);
      if (receipt.until >= time) break;
      newest = receipt;
    }
    return newest;
  }
}

function receiptIn({ document }: RecordRow): TrackReceipt {
  const receipt = verifyReceipt(document);
  return present(receipt.ok ? receipt.value : undefined, 'a receipt that is kept was verified');
}
