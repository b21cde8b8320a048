/**
 * What a partner keeps of the audits that it answered: the signed transcripts, and which of them went wrong.
 *
 * An audit is wrong by our own finding, when we had to say that a block is lost, or by the owner's signed word. The person here sees both.
 */
import { assert } from '../../base/assert.ts';
import { type Bytes, emptyBytes, hexText } from '../../base/bytes.ts';
import type { Instant } from '../../base/units.ts';
import { type AcceptedAudit, drawnBlocks } from '../../core/audits/answerer.ts';
import { type AnswerEntry, readAnswer } from '../../core/audits/audit-answer.ts';
import { readOpening } from '../../core/audits/challenge-opening.ts';
import {
  decodeTranscript,
  encodeTranscript,
  type Transcript,
} from '../../core/audits/transcript.ts';
import { type Finding, readVerdict, speaksOf } from '../../core/audits/verdict.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import type { Refusal } from '../../core/wire/refusal.ts';
import type { AuditLane, AuditRow } from '../../ports/audit-store.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { AgreementRow, Stores } from '../../ports/stores.ts';
import { agreementOf } from '../partners/partner-space.ts';
import type { AuditSpace } from './audit-space.ts';

/** An audit of ours that went wrong, as this side knows it. */
export interface AuditFailureView {
  /** Id of the challenge, in hexadecimal. */
  readonly challenge: string;
  readonly at: Instant;
  /** What was asked and was not right. */
  readonly findings: readonly Finding[];
  /** The owner told; otherwise it is our own finding. */
  readonly told: boolean;
}

/** A challenge of the owner's that this computer has not answered yet. */
export interface WaitingAuditView {
  /** Id of the challenge, in hexadecimal. */
  readonly challenge: string;
  /** When it was opened to us. */
  readonly at: Instant;
  /** Blocks that it asks for. */
  readonly blocks: number;
}

/** So many audits of one agreement are remembered of each outcome. */
export const rememberedAudits = 32;

/** An audit of this owner may still ask for any shard that is held: nothing of it is thrown away for good. */
export function awaitsProof(stores: Stores, agreement: AgreementRow, now: Instant): boolean {
  const { auditIntervalMs } = agreementOf(agreement).terms;
  return stores.audits
    .open(answererLane(agreement))
    .some(({ phase, since }) => phase === 'opened' || Math.abs(now - since) < auditIntervalMs);
}

export type Parties = { readonly owner: PeerId; readonly partner: PeerId };

export class AnsweredAudits {
  readonly #parts: { readonly stores: Stores; readonly log: EventLog };
  readonly #space: AuditSpace;
  readonly #self: PeerId;

  constructor(
    parts: { readonly stores: Stores; readonly log: EventLog },
    space: AuditSpace,
    self: PeerId,
  ) {
    this.#parts = parts;
    this.#space = space;
    this.#self = self;
  }

  /** The latest audits that this computer failed, newest first. */
  failures(agreement: AgreementRow): readonly AuditFailureView[] {
    const rows = this.#parts.stores.audits.settled(
      answererLane(agreement),
      'wrong',
      rememberedAudits,
    );
    return rows.map((row) => this.#failure(agreement, row));
  }

  /** What the owner asked for and did not get yet, oldest first. */
  waiting(agreement: AgreementRow): readonly WaitingAuditView[] {
    const parties = { owner: agreement.partner, partner: this.#self };
    return this.#parts.stores.audits
      .open(answererLane(agreement))
      .filter(({ phase }) => phase === 'opened')
      .map((row) => {
        const opened = readOpening(transcriptOf(row).opening ?? emptyBytes, parties);
        assert(opened.ok, 'a stored opening was checked');
        const blocks = drawnBlocks(opened.value.challenge.subject);
        return { challenge: hexText(row.challenge), at: row.since, blocks };
      });
  }

  /** Inside the transaction of the caller. */
  keep(
    lane: AuditLane,
    settled: {
      readonly audit: AcceptedAudit;
      readonly answer: Bytes;
      readonly missing: number;
      readonly now: Instant;
    },
  ): void {
    const { audits } = this.#parts.stores;
    const { audit, answer, missing, now } = settled;
    const { document, challenge } = audit.opened;
    const known = audits.get(lane, challenge.id);
    // What the owner said about it before stays said.
    const verdict = known === undefined ? undefined : transcriptOf(known).verdict;
    const outcome = missing > 0 || verdict !== undefined ? 'wrong' : 'passed';
    const kept = encodeTranscript({ opening: document, answer, verdict });
    const since = known?.phase === 'settled' ? known.since : now;
    audits.put({
      ...lane,
      challenge: challenge.id,
      phase: 'settled',
      since,
      outcome,
      document: kept,
    });
    if (known?.phase !== 'settled') {
      const account = this.#space.account(lane);
      audits.putAccount({ ...account, [outcome]: account[outcome] + 1 });
    }
    audits.forgetSettled(lane, outcome, rememberedAudits);
  }

  /** The owner says that an answer of ours was wrong: kept with the rest, for the person here. */
  told(agreement: AgreementRow, document: Bytes): Refusal | undefined {
    const { stores, log } = this.#parts;
    const verdict = readVerdict(document, agreement.partner);
    if (!verdict.ok) return refusal('request.malformed', verdict.error.code);
    const lane = answererLane(agreement);
    const row = stores.audits.get(lane, verdict.value.challenge);
    if (row === undefined || !isOpened(row))
      return refusal('request.malformed', 'no such audit was answered here');
    const transcript = transcriptOf(row);
    const asked = this.#asked(agreement, transcript);
    if (!speaksOf(verdict.value, row.challenge, asked ?? verdict.value.findings))
      return refusal('request.malformed', 'other blocks were asked for');
    stores.transact(() => {
      const kept = encodeTranscript({ ...transcript, verdict: document });
      stores.audits.put({ ...row, phase: 'settled', outcome: 'wrong', document: kept });
      if (row.outcome === 'passed') {
        const account = this.#space.account(lane);
        const { passed, wrong } = account;
        stores.audits.putAccount({ ...account, passed: passed - 1, wrong: wrong + 1 });
      }
      stores.audits.forgetSettled(lane, 'wrong', rememberedAudits);
    });
    const { findings } = verdict.value;
    const fault = findings[0]?.fault ?? 'denied-ledger';
    log.write('warn', 'audit.failed', { owner: agreement.partner, blocks: findings.length, fault });
    return undefined;
  }

  #failure(agreement: AgreementRow, row: AuditRow): AuditFailureView {
    const transcript = transcriptOf(row);
    const { verdict } = transcript;
    const told = verdict === undefined ? undefined : readVerdict(verdict, agreement.partner);
    const lost = (this.#asked(agreement, transcript) ?? [])
      .filter(({ proof }) => proof === undefined)
      .map(({ name, number }): Finding => ({ name, number, fault: 'missing' }));
    return {
      challenge: hexText(row.challenge),
      at: row.since,
      findings: told?.ok === true ? told.value.findings : lost,
      told: told?.ok === true,
    };
  }

  /** What we answered to; undefined when it was not answered. */
  #asked(
    agreement: AgreementRow,
    { opening, answer }: Transcript,
  ): readonly AnswerEntry[] | undefined {
    if (opening === undefined || answer === undefined) return undefined;
    const opened = readOpening(opening, { owner: agreement.partner, partner: this.#self });
    assert(opened.ok, 'a stored opening was checked');
    const expected = { challenge: opened.value.challenge.id, partner: this.#self };
    const read = readAnswer(answer, expected);
    return read.ok ? read.value.entries : undefined;
  }
}

export function answererLane({ agreement }: AgreementRow): AuditLane {
  return { agreement, side: 'answerer' };
}

/** Its owner showed its nonce here. Others are only sealed, or a later seal took their place. */
export function isOpened(row: AuditRow): boolean {
  return transcriptOf(row).opening !== undefined;
}

/** Blocks were given for it. */
export function isAnswered(row: AuditRow): boolean {
  return transcriptOf(row).answer !== undefined;
}

export function transcriptOf(row: AuditRow): Transcript {
  const transcript = decodeTranscript(row.document);
  assert(transcript.ok, 'a stored transcript is well formed');
  return transcript.value;
}

function refusal(code: Refusal['code'], detail: string): Refusal {
  return { code, detail };
}
