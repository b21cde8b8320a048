/**
 * The side that countersigns receipts of the track record (C27): signs what its own account bears out, and for each number one receipt only.
 *
 * What it signs it keeps before it answers. When the answer is lost it gives the same receipt, whether it is asked with the receipt again or with an account.
 */
import { assertNever, present } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { dayMs, hourMs } from '../../base/units.ts';
import { fairToSelf, trueToObserver } from '../../core/records/fairness.ts';
import { followsHead } from '../../core/records/record-chain.ts';
import {
  countersignReceipt,
  type ReadReceipt,
  readProposal,
  type TrackReceipt,
} from '../../core/records/track-receipt.ts';
import type { OwnerKeys } from '../../core/sealing/keys.ts';
import type { AgreementId, PeerId } from '../../core/vocabulary/ids.ts';
import {
  decodeRecordMessage,
  encodeRecordMessage,
  type RecordAccount,
} from '../../core/wire/record.ts';
import type { Refusal, RefusalCode } from '../../core/wire/refusal.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AgreementRow, Stores } from '../../ports/stores.ts';
import type { RecordBook } from './record-book.ts';

export interface RecordAnswererParts {
  readonly keys: OwnerKeys;
  readonly stores: Stores;
  readonly book: RecordBook;
  readonly clock: Clock;
  readonly periodMs: number;
}

/** Clocks of partners differ by less, and a request is under way for less. */
const untilToleranceMs = hourMs;
/** The first receipt begins with the agreement, whose start each notes by its own clock. */
const beginToleranceMs = dayMs;

export class RecordAnswerer {
  readonly #parts: RecordAnswererParts;

  constructor(parts: RecordAnswererParts) {
    this.#parts = parts;
  }

  /** A partner's account, answered with ours, or its receipt, answered with our signature too. */
  answer(from: PeerId, message: Bytes): Outcome<Bytes, Refusal> {
    const decoded = decodeRecordMessage(message);
    if (!decoded.ok) return refused('request.malformed', decoded.error.code);
    switch (decoded.value.type) {
      case 'account':
        return this.#answerAccount(from, decoded.value.account);
      case 'receipt':
        return this.#answerReceipt(from, decoded.value.document);
      default:
        return assertNever(decoded.value);
    }
  }

  #answerAccount(from: PeerId, theirs: RecordAccount): Outcome<Bytes, Refusal> {
    const row = this.#agreementWith(from, theirs.agreement);
    if (row === undefined) return notPartner();
    this.#parts.book.takeAll(row, theirs.receipts);
    const account = this.#parts.book.accountMessage(row, theirs.sequence);
    if (account === undefined) return refused('record.refused', 'there is no account at present');
    return succeeded(encodeRecordMessage({ type: 'account', account }));
  }

  #answerReceipt(from: PeerId, document: Bytes): Outcome<Bytes, Refusal> {
    const proposal = readProposal(document);
    if (!proposal.ok) return refused('request.malformed', proposal.error.code);
    const { agreement, proposer, countersigner, sequence } = proposal.value.receipt;
    const row = this.#agreementWith(from, agreement);
    if (row === undefined || proposer !== from || countersigner !== this.#parts.keys.peerId)
      return notPartner();
    // Signed before, and the answer was lost: there is one receipt of each number.
    if (this.#parts.book.sequence(agreement) === sequence) return this.#answerAgain(row);
    const flaw = this.#flawOf(row, proposal.value.receipt);
    if (flaw !== undefined) return refused('record.refused', flaw);
    return this.#keep(row, proposal.value);
  }

  #answerAgain({ agreement }: AgreementRow): Outcome<Bytes, Refusal> {
    const document = present(this.#parts.book.headDocument(agreement), 'the head is kept');
    return succeeded(encodeRecordMessage({ type: 'receipt', document }));
  }

  #keep(row: AgreementRow, proposal: ReadReceipt): Outcome<Bytes, Refusal> {
    const document = countersignReceipt(proposal, this.#parts.keys.identitySeed);
    const taken = this.#parts.book.take(row, document);
    if (!taken.ok) return refused('record.refused', taken.error.code);
    return succeeded(encodeRecordMessage({ type: 'receipt', document }));
  }

  /** Why this computer does not sign a receipt that its partner proposes; undefined when it does. */
  #flawOf(row: AgreementRow, receipt: TrackReceipt): string | undefined {
    const head = this.#parts.book.head(row.agreement);
    const following = followsHead(receipt, head);
    if (!following.ok) return following.error.code;
    const { clock } = this.#parts;
    if (Math.abs(receipt.until - clock.now()) > untilToleranceMs)
      return 'it ends too far from now; compare the clocks';
    if (head === undefined && Math.abs(receipt.from - row.since) > beginToleranceMs)
      return 'it does not begin with the agreement';
    const account = this.#parts.book.accountOf(row);
    if (account === undefined) return 'there is no account at present';
    if (this.#isTooSoon(row, receipt)) return 'the period is not over';
    const observed = trueToObserver(receipt.conductOfProposer, account.theirs);
    if (!observed.ok) return `your ${observed.error.about}: not what was observed here`;
    const fair = fairToSelf(receipt.conductOfCountersigner, account.ours);
    return fair.ok ? undefined : `our ${fair.error.about}: not what we know`;
  }

  /** Receipts cost room for ever: a partner cannot have more of them than the periods of both warrant, unless something came to an end. */
  #isTooSoon(row: AgreementRow, receipt: TrackReceipt): boolean {
    const leastMs = Math.min(this.#parts.periodMs, dayMs) / 2;
    return receipt.until - receipt.from < leastMs && !this.#parts.book.isOutcomeNew(row);
  }

  /** An agreement, present or past, that binds or bound the two. */
  #agreementWith(peer: PeerId, agreement: AgreementId): AgreementRow | undefined {
    const row = this.#parts.stores.agreements.get(agreement);
    return row?.partner === peer && row.phase !== 'proposed' ? row : undefined;
  }
}

function notPartner(): Outcome<never, Refusal> {
  return refused('request.not-partner', 'there is no such agreement between us');
}

function refused(code: RefusalCode, detail: string): Outcome<never, Refusal> {
  return failed({ code, detail });
}
