/** The durable side of the audits that we ask of partners: what is sealed, what waits to be answered, what came of the rest. */
import { assert, present } from '../../base/assert.ts';
import { type Bytes, emptyBytes } from '../../base/bytes.ts';
import type { Instant } from '../../base/units.ts';
import { drawnBlocks, drawSpaceOf } from '../../core/audits/answerer.ts';
import {
  type AuditorState,
  choiceOf,
  type Judgement,
  type PendingAudit,
  type SealedAudit,
} from '../../core/audits/auditor.ts';
import { readChallenge } from '../../core/audits/challenge.ts';
import { readOpening } from '../../core/audits/challenge-opening.ts';
import { encodeTranscript, type Transcript } from '../../core/audits/transcript.ts';
import type { AgreementId, PeerId } from '../../core/vocabulary/ids.ts';
import type { AuditLane, AuditRow } from '../../ports/audit-store.ts';
import type { AgreementRow, Stores } from '../../ports/stores.ts';
import { type Parties, rememberedAudits, transcriptOf } from './answered-audits.ts';
import { charged } from './audit-quota.ts';
import type { AuditSpace } from './audit-space.ts';

export function auditorLane(agreement: AgreementId): AuditLane {
  return { agreement, side: 'auditor' };
}

/** A challenge is under way at this partner: deletions there wait. */
export function isAudited(stores: Stores, agreement: AgreementId): boolean {
  return stores.audits.open(auditorLane(agreement)).some(({ phase }) => phase !== 'untold');
}

/** It was opened before that, was not answered, and was not counted for it. */
export function isOverdue({ phase, since, outcome }: AuditRow, before: Instant): boolean {
  return phase === 'opened' && outcome === undefined && since < before;
}

export class AuditKeeping {
  readonly #stores: Stores;
  readonly #space: AuditSpace;
  readonly #self: PeerId;

  constructor(stores: Stores, space: AuditSpace, self: PeerId) {
    this.#stores = stores;
    this.#space = space;
    this.#self = self;
  }

  /** Where the audits of this partner stand. */
  state(agreement: AgreementRow): AuditorState {
    const rows = this.#stores.audits.open(auditorLane(agreement.agreement));
    const parties = { owner: this.#self, partner: agreement.partner };
    const pending = rows
      .filter(({ phase }) => phase === 'opened')
      .map((row) => this.#pending(row, parties));
    const row = rows.find(({ phase }) => phase === 'sealed');
    if (row === undefined) return { phase: 'resting', pending };
    return { phase: 'sealed', sealed: sealedAudit(row, parties), pending };
  }

  /** Before the seal is sent. What lies before every challenge under way is not asked for any more. */
  keepSeal(
    lane: AuditLane,
    { challenge, nonce, since }: SealedAudit,
    pending: readonly PendingAudit[],
  ): void {
    const { audits } = this.#stores;
    const { subject } = challenge;
    const document = encodeTranscript({ challenge: challenge.document, nonce });
    const open = pending.map(({ opened }) => opened.challenge.subject.sequence);
    this.#stores.transact(() => {
      audits.put({ ...rowOf(lane, challenge.id, since), phase: 'sealed', document });
      const { round, roundStart } = subject;
      audits.putAccount({ ...this.#space.account(lane), round, roundStart });
      audits.forgetDeleted(lane, Math.min(subject.sequence, ...open));
    });
  }

  /** Before the opening is sent. */
  keepOpening(lane: AuditLane, { opened, since }: PendingAudit): void {
    const { audits } = this.#stores;
    const { subject } = opened.challenge;
    const document = encodeTranscript({ opening: opened.document });
    this.#stores.transact(() => {
      audits.put({ ...rowOf(lane, opened.challenge.id, since), phase: 'opened', document });
      const account = charged(this.#space.account(lane), drawnBlocks(subject), since);
      audits.putAccount({ ...account, lastAt: since });
    });
  }

  /** What was opened before `before` and still waits counts as unanswered, once. It stays pending. */
  noteUnanswered(lane: AuditLane, before: Instant): void {
    const { audits } = this.#stores;
    const late = audits.open(lane).filter((row) => isOverdue(row, before));
    if (late.length === 0) return;
    this.#stores.transact(() => {
      for (const row of late) audits.put({ ...row, outcome: 'unanswered' });
      const account = this.#space.account(lane);
      audits.putAccount({ ...account, unanswered: account.unanswered + late.length });
    });
  }

  dropSeal(lane: AuditLane): void {
    const { audits } = this.#stores;
    for (const row of audits.open(lane))
      if (row.phase === 'sealed') audits.remove(lane, row.challenge);
  }

  /** A challenge is over; `verdict` goes to the partner when there is something to tell. */
  keepJudgement(
    lane: AuditLane,
    judged: Judgement,
    kept: { readonly verdict: Bytes | undefined; readonly now: Instant },
  ): void {
    const { audits } = this.#stores;
    const { audit, evidence } = present(judged.settled, 'a settled challenge');
    const { outcome, challenge } = judged;
    const { verdict, now } = kept;
    this.#stores.transact(() => {
      const isDenied = judged.findings.length === 0 && outcome !== 'passed';
      const asked =
        'opened' in audit
          ? { opening: audit.opened.document }
          : { challenge: audit.challenge.document };
      const answered = isDenied ? { denial: evidence } : { answer: evidence };
      const transcript: Transcript = { ...asked, ...answered, verdict };
      const known = outcome === 'passed' || outcome === 'wrong' ? outcome : undefined;
      audits.put({
        ...rowOf(lane, challenge, now),
        phase: verdict === undefined ? 'settled' : 'untold',
        outcome: known,
        document: encodeTranscript(transcript),
      });
      audits.forgetSettled(lane, known, rememberedAudits);
      const account = this.#space.account(lane);
      if (known !== undefined) audits.putAccount({ ...account, [known]: account[known] + 1 });
      if (!isDenied && 'opened' in audit) this.#markVisited(lane, audit);
    });
  }

  /** Those whose partner was not told yet, with what is to be told. */
  untold(lane: AuditLane): readonly { readonly row: AuditRow; readonly verdict: Bytes }[] {
    return this.#stores.audits
      .open(lane)
      .filter(({ phase }) => phase === 'untold')
      .map((row) => ({ row, verdict: present(transcriptOf(row).verdict, 'what is to be told') }));
  }

  told(row: AuditRow): void {
    this.#stores.audits.put({ ...row, phase: 'settled' });
  }

  #markVisited(lane: AuditLane, { opened, chosen }: PendingAudit): void {
    const { round } = opened.challenge.subject;
    if (this.#space.account(lane).round === round) this.#space.visit(lane, chosen, round);
  }

  #pending(row: AuditRow, parties: Parties): PendingAudit {
    const opened = readOpening(transcriptOf(row).opening ?? emptyBytes, parties);
    assert(opened.ok, 'a stored opening was checked');
    const { subject } = opened.value.challenge;
    const space = this.#space.at(row, subject.sequence);
    const chosen = choiceOf(opened.value, drawSpaceOf(subject, space));
    return { opened: opened.value, chosen, since: row.since };
  }
}

function rowOf(
  lane: AuditLane,
  challenge: Bytes,
  since: Instant,
): Omit<AuditRow, 'phase' | 'document'> {
  const { agreement, side } = lane;
  return { agreement, side, challenge, since, outcome: undefined };
}

function sealedAudit(row: AuditRow, parties: Parties): SealedAudit {
  const { challenge, nonce } = transcriptOf(row);
  const read = readChallenge(challenge ?? emptyBytes, parties);
  assert(read.ok, 'a stored challenge was checked');
  return { challenge: read.value, nonce: present(nonce, 'a sealed nonce'), since: row.since };
}
