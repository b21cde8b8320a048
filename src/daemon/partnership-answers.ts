/** What operations answer about agreements and about the search for partners, in plain JSON as in answers.ts. */
import {
  agreementIdOf,
  decodeSignedAgreement,
  type Party,
  type SignedAgreement,
  verifyParty,
} from '../core/agreements/agreement.ts';
import { endOf } from '../core/agreements/replacement.ts';
import { decodeLifecycle } from '../core/partners/lifecycle-codec.ts';
import type { FailureCause } from '../core/partners/lifecycle-state.ts';
import { hoursIn } from '../core/partners/schedule.ts';
import type { Conduct } from '../core/records/conduct.ts';
import { conductIn, verifyReceipt } from '../core/records/track-receipt.ts';
import type { Code } from '../core/vocabulary/code.ts';
import type { PeerId } from '../core/vocabulary/ids.ts';
import { suspensionCause } from '../engine/partners/partner-failings.ts';
import type {
  AgreementView,
  CandidateView,
  Reason,
  SearchReport,
} from '../engine/partners/partnerships.ts';
import type { CandidateSource, RecordRow } from '../ports/peer-stores.ts';
import type { AgreementPhase, AgreementRow } from '../ports/stores.ts';
import { datesAnswer, type FailingAnswer, failingAnswer, type PartnerAnswer } from './answers.ts';
import { timeText } from './time-text.ts';

export interface AgreementAnswer {
  /** Of the first agreement between the two; a change of terms keeps it. */
  readonly id: string;
  readonly partner: string;
  readonly name: string;
  readonly phase: AgreementPhase;
  readonly paused: boolean;
  /** 0: the first; each renewal and change of terms counts one more. */
  readonly number: number;
  readonly since: string;
  readonly start: string;
  /** When it ends unless it is renewed; null: when it is ended. */
  readonly endsAt: string | null;
  readonly weLendBytes: number;
  readonly lendsUsBytes: number;
  /** The parties know each other. */
  readonly trusted: boolean;
  readonly commitmentEndsAt: string | null;
  readonly graceEndsAt: string | null;
  readonly leavesAt: string | null;
  /** Why the partner is suspended; null: it is not. */
  readonly failing: FailingAnswer | null;
}

export interface TermsAnswer {
  readonly firstLendsBytes: number;
  readonly secondLendsBytes: number;
  /** Hours of the week that both promise to be on line; null: no promise. */
  readonly scheduleHours: number | null;
  readonly bandwidthBytesPerSecond: number;
  readonly auditIntervalMs: number;
  readonly graceMs: number;
  readonly commitmentMs: number;
  readonly deleteLockMs: number;
  readonly noticeMs: number;
  readonly termMs: number;
  readonly readQuota: number;
  readonly suite: number;
  readonly code: Code | null;
  readonly trusted: boolean;
}

export interface PartyAnswer {
  readonly id: string;
  readonly isUs: boolean;
  /** `valid`: it signed these very bytes. */
  readonly signature: 'valid' | 'missing' | 'wrong';
}

/** What both signed about a stretch of time. */
export interface ReceiptAnswer {
  readonly sequence: number;
  readonly until: string;
  readonly ofUs: Conduct;
  readonly ofPartner: Conduct;
}

export interface StandingAnswer {
  /** When the present phase began. */
  readonly since: string;
  readonly cause: FailureCause | null;
  /** Time that counts against the grace period so far. */
  readonly failingMs: number;
  readonly provenDays: number;
  readonly cleanSince: string;
  /** How often it was wrong and came back. */
  readonly relapses: number;
}

export interface AgreementDetails extends AgreementAnswer {
  readonly first: PartyAnswer;
  readonly second: PartyAnswer;
  readonly terms: TermsAnswer;
  /** Null: nothing was noted yet. */
  readonly standing: StandingAnswer | null;
  /** The newest of them, rising. */
  readonly receipts: readonly ReceiptAnswer[];
  readonly receiptCount: number;
  /** Other agreements with the same partner. */
  readonly others: readonly { readonly id: string; readonly phase: AgreementPhase }[];
  readonly document: { readonly sha256: string; readonly base64: string };
}

const receiptsShown = 12;

export function agreementAnswer(view: AgreementView): AgreementAnswer {
  const { row, agreement } = view;
  const endsAt = endOf(agreement);
  return {
    id: row.agreement,
    partner: row.partner,
    name: row.partnerName,
    phase: row.phase,
    paused: row.paused,
    number: agreement.replaces?.number ?? 0,
    since: timeText(row.since),
    start: timeText(agreement.start),
    endsAt: endsAt === undefined ? null : timeText(endsAt),
    weLendBytes: view.weLendBytes,
    lendsUsBytes: view.lendsUsBytes,
    trusted: agreement.terms.trusted,
    ...datesAnswer(view),
    failing: failingAnswer(suspensionCause(row)),
  };
}

export function agreementDetails(
  view: AgreementView,
  around: { readonly receipts: readonly RecordRow[]; readonly others: readonly AgreementRow[] },
): AgreementDetails {
  const { row, agreement } = view;
  const decoded = decodeSignedAgreement(row.document);
  const signed = decoded.ok ? decoded.value : undefined;
  const party = (which: Party): PartyAnswer => ({
    id: agreement[which],
    isUs: agreement[which] !== row.partner,
    signature: signatureOf(signed, which),
  });
  return {
    ...agreementAnswer(view),
    first: party('first'),
    second: party('second'),
    terms: termsAnswer(view),
    standing: standingOf(row),
    receipts: around.receipts
      .slice(-receiptsShown)
      .flatMap((receipt) => receiptAnswer(receipt, row.partner)),
    receiptCount: around.receipts.length,
    others: around.others.map((other) => ({ id: other.agreement, phase: other.phase })),
    document: {
      sha256: agreementIdOf(signed?.body ?? row.document),
      base64: Buffer.from(row.document).toString('base64'),
    },
  };
}

function signatureOf(signed: SignedAgreement | undefined, party: Party): PartyAnswer['signature'] {
  if (signed?.signatures[party] === undefined) return 'missing';
  return verifyParty(signed, party).ok ? 'valid' : 'wrong';
}

function termsAnswer({ agreement }: AgreementView): TermsAnswer {
  const { schedule, bandwidth, code, ...terms } = agreement.terms;
  return {
    ...terms,
    scheduleHours: schedule === undefined ? null : hoursIn(schedule),
    bandwidthBytesPerSecond: bandwidth,
    code: code ?? null,
  };
}

function standingOf(row: AgreementRow): StandingAnswer | null {
  const state = row.lifecycle === undefined ? undefined : decodeLifecycle(row.lifecycle);
  if (state?.ok !== true) return null;
  const { since, cause, failingMs, provenDays, cleanSince, relapses } = state.value;
  return {
    since: timeText(since),
    cause: cause ?? null,
    failingMs,
    provenDays,
    cleanSince: timeText(cleanSince),
    relapses,
  };
}

function receiptAnswer({ document }: RecordRow, partner: PeerId): readonly ReceiptAnswer[] {
  const read = verifyReceipt(document);
  if (!read.ok) return [];
  const { sequence, until, proposer, countersigner } = read.value;
  const us = proposer === partner ? countersigner : proposer;
  return [
    {
      sequence,
      until: timeText(until),
      ofUs: conductIn(read.value, us),
      ofPartner: conductIn(read.value, partner),
    },
  ];
}

export interface CandidateAnswer {
  readonly id: string;
  readonly name: string;
  readonly addresses: readonly string[];
  readonly source: CandidateSource;
  /** From 1, best first; null: refused. */
  readonly rank: number | null;
  readonly reasons: readonly Reason[];
  /** What came of asking it now; null: it was not asked. */
  readonly result: CandidateResult | null;
}

export type CandidateResult = NonNullable<CandidateView['result']>;

export interface SearchAnswer {
  readonly dryRun: boolean;
  /** Whether agreements are signed with whoever is found. */
  readonly seeks: boolean;
  /** Settings that lead to others: `network.bootstrap` and the like. */
  readonly ways: readonly string[];
  readonly daemon: boolean;
  readonly enough: boolean;
  readonly wantedPartners: number;
  readonly presentPartners: number;
  readonly reasons: readonly Reason[];
  /** Partners that this search made. */
  readonly signed: readonly PartnerAnswer[];
  /** Best first; then the refused ones. */
  readonly candidates: readonly CandidateAnswer[];
}

export function candidateAnswer(view: CandidateView): CandidateAnswer {
  const { peer, name, addresses, source, rank, reasons, result } = view;
  return {
    id: peer,
    name,
    addresses,
    source,
    rank: rank ?? null,
    reasons,
    result: result ?? null,
  };
}

export function searchAnswer(
  report: SearchReport,
  around: Pick<SearchAnswer, 'dryRun' | 'seeks' | 'ways' | 'daemon' | 'signed'>,
): SearchAnswer {
  return { ...around, ...report, candidates: report.candidates.map(candidateAnswer) };
}
