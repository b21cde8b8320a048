/**
 * The side that comes to receipts of the track record (C27): exchanges accounts with the partner, in which both catch up on receipts that one of them lacks, then
 * sends the receipt with its signature, and keeps what comes back with both.
 */
import { assert } from '../../base/assert.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import type { Instant } from '../../base/units.ts';
import { type Disagreement, fairToSelf } from '../../core/records/fairness.ts';
import { type ChainFailure, followsHead } from '../../core/records/record-chain.ts';
import {
  proposeReceipt,
  proposerOf,
  recordStart,
  type TrackReceipt,
} from '../../core/records/track-receipt.ts';
import type { OwnerKeys } from '../../core/sealing/keys.ts';
import {
  decodeRecordMessage,
  encodeRecordMessage,
  type RecordAccount,
  type RecordMessage,
} from '../../core/wire/record.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AgreementRow } from '../../ports/stores.ts';
import type { PartnerClient, PeerFailure } from '../partners/partner-client.ts';
import type { PartnerAccount } from './record-account.ts';
import type { RecordBook } from './record-book.ts';

export interface RecordAskerParts {
  readonly keys: OwnerKeys;
  readonly book: RecordBook;
  readonly clock: Clock;
  readonly client: Pick<PartnerClient, 'message'>;
  readonly periodMs: number;
}

export type ProposalFailure =
  | PeerFailure
  | ChainFailure
  | Disagreement
  /** One of the two has nothing to account for at present, or lacks receipts that the other did not give. */
  | { readonly code: 'record.no-account' | 'record.behind' };

/** Exchanges of accounts within one proposal, until both have the same receipts. */
const exchangesMaximum = 8;

export class RecordAsker {
  readonly #parts: RecordAskerParts;

  constructor(parts: RecordAskerParts) {
    this.#parts = parts;
  }

  /** Comes to a receipt up to now with one partner; this computer must be the one of the two that proposes (asserted). */
  async propose(
    row: AgreementRow,
    signal: AbortSignal,
  ): Promise<Outcome<TrackReceipt, ProposalFailure>> {
    const { clock, periodMs, book } = this.#parts;
    const self = this.#parts.keys.peerId;
    assert(proposerOf(self, row.partner) === self, 'the other side proposes');
    const before = book.sequence(row.agreement);
    const theirs = await this.#exchangeAccounts(row, signal);
    if (!theirs.ok) return theirs;
    const newest = book.head(row.agreement)?.receipt;
    // A receipt whose countersignature was lost comes with the accounts: it is this period's.
    if (newest !== undefined && newest.sequence > before && clock.now() < newest.until + periodMs)
      return succeeded(newest);
    return await this.#signBoth(row, theirs.value, signal);
  }

  /** What the partner says of us, once both have the same receipts. */
  async #exchangeAccounts(
    row: AgreementRow,
    signal: AbortSignal,
  ): Promise<Outcome<RecordAccount, ProposalFailure>> {
    const { book } = this.#parts;
    let known = 0;
    for (let exchange = 0; exchange < exchangesMaximum; exchange += 1) {
      const own = book.accountMessage(row, known);
      if (own === undefined) return failed({ code: 'record.no-account' });
      const answer = await this.#post(row, { type: 'account', account: own }, signal);
      if (!answer.ok) return answer;
      const theirs = answer.value;
      if (theirs.type !== 'account' || theirs.account.agreement !== row.agreement)
        return misanswered('no account of this agreement');
      book.takeAll(row, theirs.account.receipts);
      const { sequence } = theirs.account;
      if (sequence === book.sequence(row.agreement)) return succeeded(theirs.account);
      known = sequence;
    }
    return failed({ code: 'record.behind' });
  }

  async #signBoth(
    row: AgreementRow,
    theirs: RecordAccount,
    signal: AbortSignal,
  ): Promise<Outcome<TrackReceipt, ProposalFailure>> {
    const { book, keys } = this.#parts;
    const account = book.accountOf(row);
    if (account === undefined) return failed({ code: 'record.no-account' });
    const fair = fairToSelf(theirs.conduct, account.ours);
    if (!fair.ok) return fair;
    const receipt = this.#draft(row, account, theirs);
    const following = followsHead(receipt, book.head(row.agreement));
    if (!following.ok) return following;
    const document = proposeReceipt(receipt, keys.identitySeed);
    const answer = await this.#post(row, { type: 'receipt', document }, signal);
    if (!answer.ok) return answer;
    if (answer.value.type !== 'receipt') return misanswered('no receipt');
    return book.take(row, answer.value.document);
  }

  #draft(row: AgreementRow, account: PartnerAccount, theirs: RecordAccount): TrackReceipt {
    const head = this.#parts.book.head(row.agreement);
    const from = head?.receipt.until ?? row.since;
    return {
      agreement: row.agreement,
      proposer: this.#parts.keys.peerId,
      countersigner: row.partner,
      sequence: (head?.receipt.sequence ?? 0) + 1,
      previousHash: head?.hash ?? recordStart(row.agreement),
      from,
      // A clock that was set back does not turn the period around.
      until: Math.max(from, this.#parts.clock.now()) as Instant,
      conductOfProposer: theirs.conduct,
      conductOfCountersigner: account.theirs,
    };
  }

  async #post(
    { partner, addresses }: AgreementRow,
    message: RecordMessage,
    signal: AbortSignal,
  ): Promise<Outcome<RecordMessage, PeerFailure>> {
    const answer = await this.#parts.client.message(
      { peer: partner, addresses },
      { method: 'POST', resource: { resource: 'records' }, body: encodeRecordMessage(message) },
      signal,
    );
    if (!answer.ok) return answer;
    const decoded = decodeRecordMessage(answer.value);
    return decoded.ok ? decoded : misanswered(decoded.error.code);
  }
}

function misanswered(detail: string): Outcome<never, PeerFailure> {
  return failed({ code: 'peer.nonsense', detail });
}
