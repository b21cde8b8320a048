/**
 * The track record of this computer and its partners (C27): comes to receipts with partners, tells anybody how its own partners behaved, and asks others.
 *
 * Of two partners one proposes (`proposerOf`), once a period. It first exchanges accounts with the other, in which both also catch up on receipts that one of
 * them lacks, then sends the receipt with its signature. Whoever countersigns keeps the receipt before it answers, and for that number never signs another: when the
 * answer is lost, the next exchange of accounts brings the same receipt. Where the accounts differ by more than honest ones do nothing is signed, and
 * the next period's totals are tried.
 */
import type { Bytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { dayMs, type Instant, instant, minuteMs } from '../../base/units.ts';
import { isInForce } from '../../core/partners/lifecycle-phase.ts';
import { noConduct } from '../../core/records/conduct.ts';
import type { ReferenceVerdict } from '../../core/records/reference-check.ts';
import { signStatement } from '../../core/records/statement.ts';
import { referencesOf } from '../../core/records/summary.ts';
import { conductIn, proposerOf, type TrackReceipt } from '../../core/records/track-receipt.ts';
import type { OwnerKeys } from '../../core/sealing/keys.ts';
import type { AgreementId, PeerId } from '../../core/vocabulary/ids.ts';
import type { Reference } from '../../core/wire/reference.ts';
import type { Refusal } from '../../core/wire/refusal.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import type { AgreementRow, Stores } from '../../ports/stores.ts';
import type { PartnerClient } from '../partners/partner-client.ts';
import type { Account } from './record-account.ts';
import { RecordAnswerer } from './record-answerer.ts';
import { type ProposalFailure, RecordAsker } from './record-asker.ts';
import { RecordBook } from './record-book.ts';
import { type InquiryOptions, ReferenceInquiry } from './reference-inquiry.ts';

export interface RecordDeskParts {
  readonly keys: OwnerKeys;
  readonly stores: Stores;
  readonly clock: Clock;
  readonly random: Random;
  readonly client: Pick<PartnerClient, 'message'>;
  readonly account: Account;
  /** What a receipt covers (`PartnershipSettings.receiptPeriodMs`). */
  readonly periodMs: number;
}

/** What came of a proposal to one partner. */
export interface Proposed {
  readonly agreement: AgreementRow;
  readonly result: Outcome<TrackReceipt, ProposalFailure>;
}

/** A former partner is asked to sign how it ended for so long. */
const closingMs: number = 120 * dayMs;
/** Partners that are asked at once. */
const proposalsAtOnce = 8;
/** A statement is signed anew after this long; asked more often it is given again. */
const statementLifeMs = minuteMs;
/** Tries within one period. */
const triesEachPeriod = 8;

export class RecordDesk {
  readonly #parts: RecordDeskParts;
  readonly #book: RecordBook;
  readonly #asker: RecordAsker;
  readonly #answerer: RecordAnswerer;
  readonly #inquiry: ReferenceInquiry;
  readonly #nextTry = new Map<AgreementId, Instant>();
  readonly #statements = new Map<PeerId, { readonly statement: Bytes; readonly at: Instant }>();
  #proposing: Promise<readonly Proposed[]> | undefined;

  constructor(parts: RecordDeskParts) {
    this.#parts = parts;
    const { keys, stores, clock, account } = parts;
    const self = keys.peerId;
    this.#book = new RecordBook({ self, stores, clock, account });
    const book = this.#book;
    this.#asker = new RecordAsker({ ...parts, book });
    this.#answerer = new RecordAnswerer({ ...parts, book });
    this.#inquiry = new ReferenceInquiry({ self, ...parts });
  }

  /** Proposes a receipt to every partner with whom the period is over; to be called again and again. Gives what came of each. */
  async proposeDue(signal: AbortSignal): Promise<readonly Proposed[]> {
    this.#proposing ??= this.#proposeDue(signal).finally(() => {
      this.#proposing = undefined;
    });
    return await this.#proposing;
  }

  async #proposeDue(signal: AbortSignal): Promise<readonly Proposed[]> {
    const due = this.#parts.stores.agreements.all().filter((row) => this.#isDue(row));
    const proposed: Proposed[] = [];
    for (let at = 0; at < due.length && !signal.aborted; at += proposalsAtOnce) {
      const group = due.slice(at, at + proposalsAtOnce);
      proposed.push(
        ...(await Promise.all(
          group.map(async (agreement) => ({
            agreement,
            result: await this.propose(agreement, signal),
          })),
        )),
      );
    }
    return proposed;
  }

  #isDue(row: AgreementRow): boolean {
    const { keys, clock, periodMs } = this.#parts;
    if (row.phase === 'proposed' || proposerOf(keys.peerId, row.partner) !== keys.peerId)
      return false;
    const now = clock.now();
    const nextTry = this.#nextTry.get(row.agreement);
    // A clock that was set back must not silence the record until it has caught up.
    if (nextTry !== undefined && now < nextTry && nextTry - now <= periodMs) return false;
    const last = this.#book.head(row.agreement)?.receipt.until ?? row.since;
    if (isInForce(row.phase) && now >= last + periodMs) return true;
    return now < last + closingMs && this.#book.isOutcomeNew(row);
  }

  /** Comes to a receipt up to now with one partner; this computer must be the one of the two that proposes (asserted). */
  async propose(
    row: AgreementRow,
    signal: AbortSignal,
  ): Promise<Outcome<TrackReceipt, ProposalFailure>> {
    const { clock, periodMs } = this.#parts;
    this.#nextTry.set(row.agreement, instant(clock.now() + periodMs / triesEachPeriod));
    return await this.#asker.propose(row, signal);
  }

  /** POST /v1/records, from a partner or a former one. */
  countersign(from: PeerId, message: Bytes): Outcome<Bytes, Refusal> {
    return this.#answerer.answer(from, message);
  }

  /** GET /v1/records/PEER: how one of our partners, or former partners, behaved; for anybody, signed at most once a minute. */
  statement(_from: PeerId, about: PeerId): Outcome<Bytes, Refusal> {
    const { clock, keys } = this.#parts;
    const row = this.#bindingWith(about);
    if (row === undefined || about === keys.peerId)
      return failed({ code: 'record.unknown', detail: 'there never was an agreement with it' });
    const now = clock.now();
    const known = this.#statements.get(about);
    if (known !== undefined && Math.abs(now - known.at) < statementLifeMs)
      return succeeded(known.statement);
    const newest = this.#book.newestWith(about);
    const signed = newest === undefined ? noConduct : conductIn(newest.receipt, about);
    const statement = signStatement(
      {
        by: keys.peerId,
        about,
        time: now,
        since: row.since,
        conduct: this.#book.accountOf(row)?.theirs ?? signed,
        receipt: newest?.document,
      },
      keys.identitySeed,
    );
    this.#statements.set(about, { statement, at: now });
    return succeeded(statement);
  }

  /** The newest agreement with a peer that both signed; a proposal after it does not hide it. */
  #bindingWith(peer: PeerId): AgreementRow | undefined {
    const { agreements } = this.#parts.stores;
    const newest = agreements.ofPartner(peer);
    if (newest?.phase !== 'proposed') return newest;
    return agreements.all().findLast((row) => row.partner === peer && row.phase !== 'proposed');
  }

  /** Our track record, for the profile. */
  references(): readonly Reference[] {
    const { stores, keys } = this.#parts;
    const partners = new Map<PeerId, AgreementRow>();
    for (const row of stores.agreements.all())
      if (row.phase !== 'proposed') partners.set(row.partner, row);
    return referencesOf(
      keys.peerId,
      [...partners.values()].map(({ partner, addresses }) => ({
        peer: partner,
        addresses,
        newest: this.#book.newestWith(partner),
      })),
    );
  }

  /** Asks those that a candidate names, and witnesses besides, how it behaved with them; takes 20 seconds at most. */
  checkReferences(
    candidate: PeerId,
    references: readonly Reference[],
    options: InquiryOptions,
  ): Promise<ReferenceVerdict> {
    return this.#inquiry.check(candidate, references, options);
  }
}
