/**
 * Answers the audits of owners whose shards are held here (C16–C19).
 *
 * What is promised is durable before it is sent: which sealed nonce was answered, which challenge was opened. What turns out to be damaged is said to be lost,
 * signed, and remembered, so that the person here can see what was asked and why it failed.
 */
import { assert } from '../../base/assert.ts';
import { type Bytes, emptyBytes, equalBytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import type { Instant } from '../../base/units.ts';
import { readEntry } from '../../core/agreements/acknowledgement.ts';
import {
  type AcceptedAudit,
  type AnswererEffect,
  type AnswererState,
  drawSpaceOf,
  type LedgerAccount,
  stepAnswerer,
} from '../../core/audits/answerer.ts';
import { frameReply, signAnswer } from '../../core/audits/audit-answer.ts';
import {
  type AuditReply,
  decodeAuditRequest,
  encodeAuditReply,
} from '../../core/audits/audit-message.ts';
import { choiceOf } from '../../core/audits/auditor.ts';
import { type AuditSubject, type Challenge, readChallenge } from '../../core/audits/challenge.ts';
import { readOpening } from '../../core/audits/challenge-opening.ts';
import { encodeTranscript } from '../../core/audits/transcript.ts';
import { type AgreementId, idOf, type PeerId } from '../../core/vocabulary/ids.ts';
import type { Refusal, RefusalCode } from '../../core/wire/refusal.ts';
import type { AuditLane, AuditRow } from '../../ports/audit-store.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { AgreementRow, Stores } from '../../ports/stores.ts';
import { publicKeyOf } from '../../primitives/signature.ts';
import { facts } from '../facts.ts';
import { proveBlocks } from '../holding/block-proofs.ts';
import { holderHead } from '../holding/held-ledger.ts';
import { agreementOf } from '../partners/partner-space.ts';
import { Lane } from '../sending/lane.ts';
import { AnswerLimits } from './answer-limits.ts';
import {
  AnsweredAudits,
  type AuditFailureView,
  answererLane,
  isAnswered,
  isOpened,
  type Parties,
  rememberedAudits,
  transcriptOf,
  type WaitingAuditView,
} from './answered-audits.ts';
import { allowanceLeft, charged } from './audit-quota.ts';
import { AuditSpace, storedEntries } from './audit-space.ts';
import { KeptShards } from './kept-shards.ts';

export interface AuditAnswersParts {
  readonly identitySeed: Bytes;
  readonly stores: Stores;
  readonly held: BlobStore;
  readonly clock: Clock;
  readonly log: EventLog;
}

/** Why the last message about an audit was not answered with blocks. */
export interface AuditRefusalView {
  readonly at: Instant;
  /** A code of refusals; `audit.denied` where what was asked about is not known here any more, which was said, signed. */
  readonly code: RefusalCode | 'audit.denied';
  readonly detail: string;
}

export class AuditAnswers {
  readonly #parts: AuditAnswersParts;
  readonly #self: PeerId;
  readonly #space: AuditSpace;
  readonly #answered: AnsweredAudits;
  readonly #kept: KeptShards;
  readonly #limits = new AnswerLimits();
  /** Of each agreement, since its last audit that was answered. */
  readonly #refusals = new Map<AgreementId, AuditRefusalView>();
  /** Messages under one agreement are answered one after the other. */
  readonly #lanes = new Map<AgreementId, Lane>();

  constructor(parts: AuditAnswersParts) {
    this.#parts = parts;
    this.#self = idOf<PeerId>(publicKeyOf(parts.identitySeed));
    this.#space = new AuditSpace(parts.stores, parts.clock);
    this.#answered = new AnsweredAudits(parts, this.#space, this.#self);
    this.#kept = new KeptShards(parts);
  }

  /** The reply to a message that the partner of this agreement posted to `audits`. */
  answer(agreement: AgreementRow, message: Bytes): Promise<Outcome<Bytes, Refusal>> {
    const lane = this.#lanes.get(agreement.agreement) ?? new Lane();
    this.#lanes.set(agreement.agreement, lane);
    return lane.run(async () => {
      const reply = await this.#answer(agreement, message);
      if (!reply.ok) this.#noteRefusal(agreement, reply.error);
      return reply;
    });
  }

  /** The latest audits that this computer failed, newest first. */
  failures(agreement: AgreementRow): readonly AuditFailureView[] {
    return this.#answered.failures(agreement);
  }

  /** What was asked of this computer and not answered yet, oldest first. */
  waiting(agreement: AgreementRow): readonly WaitingAuditView[] {
    return this.#answered.waiting(agreement);
  }

  /** Why the owner got no answer when it asked last; undefined when it got one. */
  refusal({ agreement }: AgreementRow): AuditRefusalView | undefined {
    return this.#refusals.get(agreement);
  }

  #noteRefusal(
    { agreement }: AgreementRow,
    { code, detail }: Pick<AuditRefusalView, 'code' | 'detail'>,
  ): void {
    this.#refusals.set(agreement, { at: this.#parts.clock.now(), code, detail });
  }

  async #answer(agreement: AgreementRow, message: Bytes): Promise<Outcome<Bytes, Refusal>> {
    const { stores } = this.#parts;
    if (facts.recovering(stores))
      return refused('request.paused', 'what is held here is still being found out');
    const request = decodeAuditRequest(message);
    if (!request.ok) return refused('request.malformed', request.error.code);
    const { type, document } = request.value;
    switch (type) {
      case 'challenge':
        return await this.#challenge(agreement, document);
      case 'opening':
        return await this.#opening(agreement, document);
      case 'verdict':
        return this.#verdict(agreement, document);
    }
  }

  async #challenge(agreement: AgreementRow, document: Bytes): Promise<Outcome<Bytes, Refusal>> {
    const { identitySeed, stores, clock } = this.#parts;
    const challenge = readChallenge(document, this.#partiesOf(agreement));
    if (!challenge.ok) return refused('request.malformed', challenge.error.code);
    const { subject } = challenge.value;
    const account = await this.#ledgerAccount(agreement, subject);
    if (account === undefined) return refused('request.not-partner', 'this is not our agreement');
    const lane = answererLane(agreement);
    const now = clock.now();
    const { state, effects } = stepAnswerer(
      this.#state(agreement),
      {
        type: 'challenge-received',
        challenge: challenge.value,
        account,
        allowance: this.#allowance(agreement, account),
        intervalMs: agreementOf(agreement).terms.auditIntervalMs,
        now,
      },
      identitySeed,
    );
    stores.transact(() => {
      for (const effect of effects)
        if (effect.type === 'charge') this.#keepSeal(lane, effect, { state, now });
    });
    return this.#replyOf(agreement, effects);
  }

  /** Blocks that may still be drawn today from these shards. */
  #allowance(agreement: AgreementRow, { space }: LedgerAccount): number {
    const { terms } = agreementOf(agreement);
    const now = this.#parts.clock.now();
    const basis = { terms, since: agreement.since, shardCount: space.length, now };
    return allowanceLeft(this.#space.account(answererLane(agreement)), basis);
  }

  /** Takes the place of a seal that was not opened yet. That one stays known: its opening may still be on the way. */
  #keepSeal(
    lane: AuditLane,
    { challenge, blockCount }: Extract<AnswererEffect, { type: 'charge' }>,
    { state, now }: { readonly state: AnswererState; readonly now: Instant },
  ): void {
    const { audits } = this.#parts.stores;
    for (const row of audits.open(lane))
      if (row.phase === 'sealed') audits.put({ ...row, phase: 'settled' });
    audits.forgetSettled(lane, undefined, rememberedAudits);
    const document = encodeTranscript({ challenge: challenge.document });
    const row = { ...lane, challenge: challenge.id, since: now, document };
    audits.put({ ...row, phase: 'sealed', outcome: undefined });
    const account = charged(this.#space.account(lane), blockCount, now);
    const { round, roundStart } = state.round ?? account;
    audits.putAccount({ ...account, round, roundStart });
    const open = state.pending.map(({ opened }) => opened.challenge.subject.sequence);
    audits.forgetDeleted(lane, Math.min(challenge.subject.sequence, ...open));
  }

  async #opening(agreement: AgreementRow, document: Bytes): Promise<Outcome<Bytes, Refusal>> {
    const { identitySeed, stores, clock } = this.#parts;
    const opened = readOpening(document, this.#partiesOf(agreement));
    if (!opened.ok) return refused('request.malformed', opened.error.code);
    const { id, subject } = opened.value.challenge;
    const recalled = await this.#recalledAccount(agreement, subject);
    if (!recalled.ok) return recalled;
    const account = recalled.value;
    const lane = answererLane(agreement);
    const known = stores.audits.get(lane, id);
    const isRepeat = known !== undefined && isAnswered(known);
    const isPaid = known !== undefined && (!isRepeat || this.#limits.mayRepeat(lane.agreement, id));
    const allowance = this.#allowance(agreement, account);
    const { effects } = stepAnswerer(
      this.#state(agreement),
      {
        ...{ type: 'opening-received', opened: opened.value, account },
        ...{ isPaid, allowance, now: clock.now() },
      },
      identitySeed,
    );
    const proof = effects.find((effect) => effect.type === 'prove');
    if (proof === undefined) return this.#replyOf(agreement, effects);
    if (isRepeat) this.#limits.countRepeat(lane.agreement, id);
    stores.transact(() => {
      this.#chargeAgain(lane, effects);
      if (!isRepeat) this.#keepOpened(lane, proof.audit);
    });
    return await this.#prove(agreement, proof.audit);
  }

  #chargeAgain(lane: AuditLane, effects: readonly AnswererEffect[]): void {
    const now = this.#parts.clock.now();
    for (const effect of effects)
      if (effect.type === 'charge-again')
        this.#parts.stores.audits.putAccount(
          charged(this.#space.account(lane), effect.blockCount, now),
        );
  }

  /** What was drawn counts as visited in its round from now on, whether the answer arrives or not. */
  #keepOpened(lane: AuditLane, { opened, chosen, since }: AcceptedAudit): void {
    const { audits } = this.#parts.stores;
    const { id, subject } = opened.challenge;
    const known = audits.get(lane, id);
    if (known === undefined || !isOpened(known))
      audits.put({
        ...{ ...lane, challenge: id, phase: 'opened', since, outcome: undefined },
        document: encodeTranscript({ opening: opened.document }),
      });
    const { round } = subject;
    if (this.#space.account(lane).round === round) this.#space.visit(lane, chosen, round);
  }

  async #prove(agreement: AgreementRow, audit: AcceptedAudit): Promise<Outcome<Bytes, Refusal>> {
    const { identitySeed, stores, clock, log } = this.#parts;
    const proofs = await proveBlocks(this.#parts, agreement, audit.chosen);
    if (!proofs.ok) return refused('peer.fault', proofs.error.detail);
    const { entries, blocks } = proofs.value;
    const { id } = audit.opened.challenge;
    const answer = signAnswer(id, entries, identitySeed);
    const missing = entries.filter(({ proof }) => proof === undefined).length;
    const lane = answererLane(agreement);
    stores.transact(() => this.#answered.keep(lane, { audit, answer, missing, now: clock.now() }));
    this.#refusals.delete(agreement.agreement);
    const told = { owner: agreement.partner, blocks: entries.length, missing };
    log.write(missing > 0 ? 'warn' : 'debug', 'audit.answered', told);
    return succeeded(frameReply(encodeAuditReply({ type: 'answer', document: answer }), blocks));
  }

  #verdict(agreement: AgreementRow, document: Bytes): Outcome<Bytes, Refusal> {
    const refusal = this.#answered.told(agreement, document);
    return refusal === undefined ? this.#replyOf(agreement, []) : failed(refusal);
  }

  #replyOf(agreement: AgreementRow, effects: readonly AnswererEffect[]): Outcome<Bytes, Refusal> {
    let reply: AuditReply = { type: 'noted', document: emptyBytes };
    for (const effect of effects) {
      if (effect.type === 'refuse') return refused(effect.code, effect.detail);
      if (effect.type === 'reply-nonce') reply = { type: 'nonce', document: effect.document };
      if (effect.type === 'reply-denial') {
        reply = { type: 'denial', document: effect.document };
        this.#noteRefusal(agreement, { code: 'audit.denied', detail: '' });
      }
    }
    return succeeded(frameReply(encodeAuditReply(reply), []));
  }

  #partiesOf({ partner }: AgreementRow): Parties {
    return { owner: partner, partner: this.#self };
  }

  /** What our own ledger says about the place that a challenge names; undefined when it is about another agreement. */
  async #ledgerAccount(
    agreement: AgreementRow,
    subject: AuditSubject,
  ): Promise<LedgerAccount | undefined> {
    const { stores } = this.#parts;
    const id = agreement.agreement;
    if (subject.agreement !== id) return undefined;
    const lane = answererLane(agreement);
    await this.#kept.acknowledge(agreement);
    const head = holderHead(stores, id);
    const source = storedEntries(stores, id, 'holder');
    const followed = await this.#space.follow(lane, { head, holder: this.#self }, source);
    assert(followed.ok, 'our own ledger can be followed');
    const { epoch, sequence } = subject;
    const isPresent = epoch === head.epoch;
    const row = isPresent ? stores.ledger.get(id, 'holder', { epoch, sequence }) : undefined;
    const place = row && { sequence, head: row.hash };
    return {
      head,
      entryHash: row?.hash,
      nextEntryAt: isPresent ? this.#entryTime(id, epoch, sequence + 1) : undefined,
      space: place === undefined ? [] : this.#space.at(lane, sequence),
      inventoryRoot: place === undefined ? emptyBytes : this.#space.inventoryRoot(lane, place),
    };
  }

  /**
   * The same for an opening, which bears our nonce: so the account of shards was ours as well when it was sealed. Where a later seal has taken its place what was deleted
   * since is forgotten, and the opening could never be answered.
   */
  async #recalledAccount(
    agreement: AgreementRow,
    subject: AuditSubject,
  ): Promise<Outcome<LedgerAccount, Refusal>> {
    const { stores, clock } = this.#parts;
    const account = await this.#ledgerAccount(agreement, subject);
    if (account === undefined) return refused('request.not-partner', 'this is not our agreement');
    const isKnown = equalBytes(account.inventoryRoot, subject.inventoryRoot);
    if (isKnown || account.entryHash === undefined) return succeeded(account);
    const intervalMs = agreementOf(agreement).terms.auditIntervalMs;
    if (!this.#limits.takeRecall(agreement.agreement, { now: clock.now(), intervalMs }))
      return refused('request.quota', 'what was deleted is not looked up again so soon');
    const source = storedEntries(stores, agreement.agreement, 'holder');
    const at = { sequence: subject.sequence, holder: this.#self };
    await this.#space.recall(answererLane(agreement), at, source);
    const again = await this.#ledgerAccount(agreement, subject);
    return succeeded(again ?? account);
  }

  #entryTime(agreement: AgreementId, epoch: number, sequence: number): Instant | undefined {
    const row = this.#parts.stores.ledger.get(agreement, 'holder', { epoch, sequence });
    if (row === undefined) return undefined;
    const entry = readEntry({ agreement, holder: this.#self }, row.document);
    assert(entry.ok, 'our own ledger can be read');
    return entry.value.acknowledgement.time;
  }

  #state(agreement: AgreementRow): AnswererState {
    const lane = answererLane(agreement);
    const parties = this.#partiesOf(agreement);
    const rows = this.#parts.stores.audits.open(lane);
    const sealed = rows.find(({ phase }) => phase === 'sealed');
    const unopened = sealed && { challenge: sealedChallenge(sealed, parties), since: sealed.since };
    const { round, roundStart } = this.#space.account(lane);
    return {
      phase: unopened === undefined ? 'resting' : 'sealed',
      unopened,
      pending: rows
        .filter(({ phase }) => phase === 'opened')
        .map((row) => this.#accepted(row, parties)),
      round: round === 0 ? undefined : { round, roundStart },
    };
  }

  #accepted(row: AuditRow, parties: Parties): AcceptedAudit {
    const { opening } = transcriptOf(row);
    const opened = readOpening(opening ?? emptyBytes, parties);
    assert(opened.ok, 'a stored opening was checked');
    const { subject } = opened.value.challenge;
    const space = this.#space.at(row, subject.sequence);
    const chosen = choiceOf(opened.value, drawSpaceOf(subject, space));
    return { opened: opened.value, chosen, since: row.since };
  }
}

function sealedChallenge(row: AuditRow, parties: Parties): Challenge {
  const challenge = readChallenge(transcriptOf(row).challenge ?? emptyBytes, parties);
  assert(challenge.ok, 'a stored challenge was checked');
  return challenge.value;
}

function refused(code: RefusalCode, detail: string): Outcome<never, Refusal> {
  return failed({ code, detail });
}
