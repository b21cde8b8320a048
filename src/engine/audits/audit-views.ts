/**
 * What people are shown of audits under one agreement, in both directions (C16–C19): what we asked of a partner and how it answered, and what it asked of us and
 * why that failed.
 */
import { drawnBlocks } from '../../core/audits/answerer.ts';
import { readOpening } from '../../core/audits/challenge-opening.ts';
import { type Finding, readVerdict } from '../../core/audits/verdict.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import type { AuditRow } from '../../ports/audit-store.ts';
import type { AgreementRow, Stores } from '../../ports/stores.ts';
import { agreementOf } from '../partners/partner-space.ts';
import {
  type AuditFailureView,
  answererLane,
  type Parties,
  transcriptOf,
  type WaitingAuditView,
} from './answered-audits.ts';
import type { AuditAnswers, AuditRefusalView } from './audit-answers.ts';
import type { AuditStanding } from './audit-desk.ts';
import { auditorLane } from './audit-keeping.ts';

/** An audit of ours that came to its end. */
export interface AuditView {
  readonly at: number;
  readonly outcome: 'passed' | 'wrong' | 'unclear';
  /** Blocks that were drawn; 0 when it ended before they were. */
  readonly blocks: number;
  /** Blocks that were not as they should be. */
  readonly findings: readonly Finding[];
  /** It denied, signed, what it had signed for. */
  readonly isDenied: boolean;
}

/** What we know of the shards that a partner holds, from our audits of it. */
export interface AuditCoverage extends AuditStanding {
  readonly intervalMs: number;
  /** Shards that audits draw from, and those of them that this round has visited. */
  readonly shards: number;
  readonly visited: number;
  /** The latest, newest first. */
  readonly latest: readonly AuditView[];
}

/** What an owner found out about the shards that we hold for it. */
export interface AuditedConduct {
  readonly passed: number;
  readonly wrong: number;
  /** The latest that we failed, newest first. */
  readonly failures: readonly AuditFailureView[];
  /** What waits for our answer, oldest first: the owner asks for the same again. */
  readonly waiting: readonly WaitingAuditView[];
  /** Why it got no answer when it asked last. */
  readonly refusal: AuditRefusalView | undefined;
}

export interface PartnerAudits {
  readonly ofPartner: AuditCoverage;
  readonly ofUs: AuditedConduct;
}

const latestShown = 8;

export function auditCoverage(
  stores: Stores,
  row: AgreementRow,
  known: { readonly standing: AuditStanding; readonly self: PeerId },
): AuditCoverage {
  const { audits } = stores;
  const lane = auditorLane(row.agreement);
  const present = audits.shards(lane).filter(({ deletedBy }) => deletedBy === undefined);
  const round = audits.account(lane)?.round ?? 0;
  const visited = present.filter(({ visitedIn }) => round > 0 && visitedIn === round).length;
  const outcomes = ['passed', 'wrong', undefined] as const;
  const parties = { owner: known.self, partner: row.partner };
  const latest = outcomes
    .flatMap((outcome) => audits.settled(lane, outcome, latestShown))
    .map((audit) => auditView(audit, parties))
    .sort((left, right) => right.at - left.at)
    .slice(0, latestShown);
  const { auditIntervalMs: intervalMs } = agreementOf(row).terms;
  return { ...known.standing, intervalMs, shards: present.length, visited, latest };
}

export function auditedConduct(
  stores: Stores,
  row: AgreementRow,
  answers: Pick<AuditAnswers, 'failures' | 'waiting' | 'refusal'>,
): AuditedConduct {
  const account = stores.audits.account(answererLane(row));
  return {
    ...{ passed: account?.passed ?? 0, wrong: account?.wrong ?? 0 },
    failures: answers.failures(row),
    waiting: answers.waiting(row),
    refusal: answers.refusal(row),
  };
}

function auditView(row: AuditRow, parties: Parties): AuditView {
  const { opening, denial, verdict } = transcriptOf(row);
  const opened = opening === undefined ? undefined : readOpening(opening, parties);
  const told = verdict === undefined ? undefined : readVerdict(verdict, parties.owner);
  return {
    at: row.since,
    outcome: row.outcome === 'passed' || row.outcome === 'wrong' ? row.outcome : 'unclear',
    blocks: opened?.ok === true ? drawnBlocks(opened.value.challenge.subject) : 0,
    findings: told?.ok === true ? told.value.findings : [],
    isDenied: denial !== undefined,
  };
}
