/**
 * One turn of auditing one partner (C16–C19): first what still waits for an answer, oldest first, then a new challenge.
 *
 * Before anything is sent it is durable, and whatever is sent can be sent again. However many challenges are asked about, the turn has one outcome: wrong if
 * any answer was; passed only if none is left unanswered.
 */
import type { Bytes } from '../../base/bytes.ts';
import { type Instant, instant } from '../../base/units.ts';
import type { LedgerHead } from '../../core/agreements/acknowledgement.ts';
import { drawSpaceOf } from '../../core/audits/answerer.ts';
import { answerDueMs, auditCadence } from '../../core/audits/audit-cadence.ts';
import { stratumOf, visitedBitmap } from '../../core/audits/audit-round.ts';
import {
  type AuditorEvent,
  type AuditorState,
  type Judgement,
  maySeal,
  noAudits,
  type PendingAudit,
  type SealedAudit,
  stepAuditor,
} from '../../core/audits/auditor.ts';
import {
  type AuditSubject,
  blocksPerAuditMaximum,
  nonceBytes,
  signChallenge,
} from '../../core/audits/challenge.ts';
import { readDenial } from '../../core/audits/nonce-reply.ts';
import { type AuditOutcome, type Finding, signVerdict } from '../../core/audits/verdict.ts';
import type { OwnerKeys } from '../../core/sealing/keys.ts';
import type { AuditLane } from '../../ports/audit-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { Random } from '../../ports/random.ts';
import type { AgreementRow, Stores } from '../../ports/stores.ts';
import type { PartnerBook } from '../partners/partner-book.ts';
import type { PartnerClient, PeerFailure } from '../partners/partner-client.ts';
import { agreementOf } from '../partners/partner-space.ts';
import { noteLosses } from '../sending/returned-holder.ts';
import type { ShardLosses } from '../sending/shard-losses.ts';
import { shardsAt } from '../sending/shard-places.ts';
import { type AuditEvent, turnEvent } from './audit-event.ts';
import { AuditKeeping, auditorLane } from './audit-keeping.ts';
import { AuditLine, LedgerPages, type Replied, refusalOf } from './audit-line.ts';
import { allowanceLeft, type QuotaBasis } from './audit-quota.ts';
import { AuditSpace, storedEntries } from './audit-space.ts';
import { NamedShards } from './tag-check.ts';

export interface AuditSessionParts {
  readonly keys: OwnerKeys;
  readonly stores: Stores;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: EventLog;
  readonly book: PartnerBook;
  readonly client: PartnerClient;
  readonly losses: Pick<ShardLosses, 'note' | 'admitted' | 'enter' | 'takeBack' | 'entered'>;
}

/** A seal that the partner does not accept any more is made anew, so often in a turn. */
const sealsPerTurn = 3;

export class AuditSession {
  readonly #parts: AuditSessionParts;
  readonly #agreement: AgreementRow;
  readonly #signal: AbortSignal;
  readonly #lane: AuditLane;
  readonly #space: AuditSpace;
  readonly #keeping: AuditKeeping;
  readonly #line: AuditLine;
  readonly #shards: NamedShards;
  readonly #judged: Judgement[] = [];
  #state: AuditorState = noAudits;
  #provenBlocks = 0;
  #quota: Omit<QuotaBasis, 'now'> | undefined;
  #toldLost: number | undefined;

  constructor(parts: AuditSessionParts, agreement: AgreementRow, signal: AbortSignal) {
    this.#parts = parts;
    this.#agreement = agreement;
    this.#signal = signal;
    this.#lane = auditorLane(agreement.agreement);
    this.#space = new AuditSpace(parts.stores, parts.clock);
    this.#keeping = new AuditKeeping(parts.stores, this.#space, parts.keys.peerId);
    this.#line = new AuditLine(parts, agreement, signal);
    this.#shards = new NamedShards(parts.stores, parts.keys, agreement.partner);
  }

  /** Undefined when there is nothing to audit, or the turn was broken off. `blocks`: so many in all, where a person asks for more. */
  async run(blocks?: number): Promise<AuditEvent | undefined> {
    const { ledger } = this.#parts.stores;
    if (ledger.head(this.#lane.agreement, 'owner') === undefined) await this.#line.adopt();
    this.#noteUnanswered();
    this.#state = this.#keeping.state(this.#agreement);
    this.#settleLostEpochs();
    await this.#tellVerdicts();
    for (const audit of this.#state.pending) {
      if (this.#judged.some(({ outcome }) => outcome === 'offline')) break;
      await this.#ask(audit);
    }
    const isThere = this.#judged.every(({ outcome }) => outcome !== 'offline');
    if (isThere) await this.#challenge(blocks);
    await this.#noteLostEpoch();
    await this.#tellVerdicts();
    return this.#signal.aborted ? undefined : this.#event();
  }

  #noteUnanswered(): void {
    const dueMs = answerDueMs(agreementOf(this.#agreement).terms);
    this.#keeping.noteUnanswered(this.#lane, instant(Math.max(0, this.#parts.clock.now() - dueMs)));
  }

  /** The partner began another life: what was asked in an earlier one is lost, by its own account. */
  #settleLostEpochs(): void {
    const { stores } = this.#parts;
    const head = stores.ledger.head(this.#lane.agreement, 'owner');
    if (head === undefined) return;
    for (const audit of this.#state.pending) {
      const { id, subject } = audit.opened.challenge;
      if (subject.epoch < head.epoch)
        this.#settle({
          ...{ type: 'judged', challenge: id, outcome: 'unclear', reason: 'lost-epoch' },
          ...{ findings: [], settled: { audit, evidence: head.document } },
        });
    }
    const { sealed } = this.#state.phase === 'sealed' ? this.#state : { sealed: undefined };
    if (sealed !== undefined && sealed.challenge.subject.epoch < head.epoch)
      this.#keeping.dropSeal(this.#lane);
    this.#state = this.#keeping.state(this.#agreement);
  }

  async #challenge(blocks: number | undefined): Promise<void> {
    let refusal: string | undefined;
    for (let turn = 0; turn < sealsPerTurn && !this.#signal.aborted; turn += 1) {
      if (this.#state.phase === 'resting') {
        const begins = refusal !== undefined;
        const sealed = maySeal(this.#state) ? await this.#seal(blocks, begins) : undefined;
        if (sealed === undefined) return;
        this.#step({ type: 'due', sealed });
        this.#keeping.keepSeal(this.#lane, sealed, this.#state.pending);
      }
      refusal = await this.#sendSeal();
      if (refusal === undefined) return;
    }
    this.#judge('silent', refusal ?? 'audit.other-account');
  }

  /** A fresh seal over all that the partner acknowledged; undefined when that is nothing, or cannot be told. */
  async #seal(blocks: number | undefined, mustBegin: boolean): Promise<SealedAudit | undefined> {
    const { stores, clock, random, keys } = this.#parts;
    const { agreement, partner } = this.#agreement;
    const head = stores.ledger.head(agreement, 'owner');
    if (head === undefined || !(await this.#follow(head))) return undefined;
    const place = { sequence: head.sequence, head: head.hash };
    const space = this.#space.at(this.#lane, head.sequence);
    if (space.length === 0) return undefined;
    const now = clock.now();
    const counts = this.#counts(space.length, { now, blocks });
    if (counts === undefined) return undefined;
    const { round, roundStart } = this.#space.account(this.#lane);
    const visited = visitedBitmap(space, round);
    const isOver = round === 0 || stratumOf(space, { roundStart }, visited).length === 0;
    // Whether the partner knows of a challenge that it does not answer cannot be told, so its account of the round may be another.
    const begins = mustBegin || isOver || this.#state.pending.length > 0;
    const subject: AuditSubject = {
      ...{ owner: keys.peerId, partner, agreement },
      ...{ epoch: head.epoch, sequence: head.sequence, head: head.hash },
      ...{ inventoryRoot: this.#space.inventoryRoot(this.#lane, place), time: now, ...counts },
      ...(begins
        ? { round: Math.max(now, round + 1), roundStart: head.sequence, visited: new Uint8Array(0) }
        : { round, roundStart, visited }),
    };
    const nonce = random.bytes(nonceBytes);
    return { challenge: signChallenge(subject, nonce, keys.identitySeed), nonce, since: now };
  }

  #counts(
    shardCount: number,
    { now, blocks }: { readonly now: Instant; readonly blocks: number | undefined },
  ): Pick<AuditSubject, 'coverageCount' | 'uniformCount'> | undefined {
    const { terms } = agreementOf(this.#agreement);
    const { since } = this.#agreement;
    const { coverageCount, uniformCount } = auditCadence(terms, { ageMs: now - since, shardCount });
    const most = blocksPerAuditMaximum - coverageCount;
    const uniform = Math.min(most, Math.max(uniformCount, (blocks ?? 0) - coverageCount));
    this.#quota = { terms, since, shardCount };
    const left = allowanceLeft(this.#space.account(this.#lane), { ...this.#quota, now });
    // A person who asks for more than is left gets what is left; less than an audit by itself asks for is none.
    if (coverageCount + uniformCount <= left)
      return { coverageCount, uniformCount: Math.min(uniform, left - coverageCount) };
    this.#judge('unclear', 'request.quota');
    return undefined;
  }

  /** False when our part of the ledger cannot be had. */
  async #follow(head: LedgerHead): Promise<boolean> {
    const { stores } = this.#parts;
    const { agreement, partner } = this.#agreement;
    const source = new LedgerPages(this.#line, storedEntries(stores, agreement, 'owner'));
    const followed = await this.#space.follow(this.#lane, { head, holder: partner }, source.read);
    if (followed.ok) return true;
    const { failure, isRemote } = source;
    if (failure !== undefined) this.#failed(failure);
    else if (isRemote && followed.error.code === 'ledger.fork') this.#judge('wrong', 'ledger.fork');
    else this.#judge(isRemote ? 'silent' : 'unclear', followed.error.code);
    return false;
  }

  /** Why another seal is to be made in its place, over another round; undefined when it is not. */
  async #sendSeal(): Promise<string | undefined> {
    if (this.#state.phase !== 'sealed') return undefined;
    const { challenge } = this.#state.sealed;
    const { id, document, subject } = challenge;
    const replied = await this.#line.post({ type: 'challenge', document });
    if (replied.type === 'replied' && replied.reply.type === 'nonce') {
      const from = drawSpaceOf(subject, this.#space.at(this.#lane, subject.sequence));
      const now = this.#parts.clock.now();
      const received = { challenge: id, document: replied.reply.document, from, now };
      const effects = this.#step({ type: 'nonce-received', ...received });
      for (const effect of effects)
        if (effect.type === 'send-opening') {
          this.#keeping.keepOpening(this.#lane, effect.audit);
          await this.#ask(effect.audit);
        }
      return undefined;
    }
    const refusal = replied.type === 'failed' && refusalOf(replied.failure);
    if (refusal === 'audit.old-ledger') await this.#line.catchUp();
    if (refusal === 'audit.old-ledger' || refusal === 'audit.other-account') {
      this.#step({ type: 'seal-given-up' });
      this.#keeping.dropSeal(this.#lane);
      return refusal;
    }
    this.#without(id, replied);
    return undefined;
  }

  /** Sends an opening, maybe once more, and takes what comes back. */
  async #ask(audit: PendingAudit): Promise<void> {
    const { document, challenge } = audit.opened;
    const replied = await this.#line.post({ type: 'opening', document });
    if (replied.type !== 'replied' || replied.reply.type !== 'answer')
      return this.#without(challenge.id, replied);
    const { hasGoodTag } = this.#shards;
    const answer = { document: replied.reply.document, blocks: replied.blocks, hasGoodTag };
    this.#step({ type: 'answer-received', challenge: challenge.id, ...answer });
  }

  /** No nonce or answer: a denial, or nothing that counts. */
  #without(challenge: Bytes, replied: Replied): void {
    if (replied.type === 'replied' && replied.reply.type === 'denial') {
      const { document } = replied.reply;
      this.#step({ type: 'denial-received', challenge, document });
      return;
    }
    if (replied.type !== 'failed') {
      this.#step({ type: 'unanswered', challenge, reason: 'audit.malformed' });
      return;
    }
    const { code } = replied.failure;
    if (code === 'peer.cancelled') return;
    if (code === 'peer.unreachable' || code === 'peer.wrong-identity') {
      this.#step({ type: 'unreached', challenge });
      return;
    }
    const reason = refusalOf(replied.failure) ?? code;
    // After a loss of our catalogue the partner may know of a seal, and of a quota used, that we forgot.
    const isNew = this.#space.account(this.#lane).lastAt === undefined;
    const isForgotten = isNew && (reason === 'audit.unopened' || reason === 'request.quota');
    this.#step({ type: isForgotten ? 'account-lost' : 'unanswered', challenge, reason });
  }

  /** Steps the machine, makes durable what it settled, and gives what is to be sent. */
  #step(event: AuditorEvent): ReturnType<typeof stepAuditor>['effects'] {
    const { state, effects } = stepAuditor(this.#state, event, this.#parts.keys.identitySeed);
    this.#state = state;
    for (const effect of effects) if (effect.type === 'judged') this.#settle(effect);
    return effects;
  }

  #settle(judged: Judgement): void {
    if (judged.settled === undefined) {
      this.#judged.push(judged);
      return;
    }
    const { keys, losses, clock } = this.#parts;
    const { findings, challenge } = judged;
    const told: Judgement = this.#isKnownLoss(judged)
      ? { ...judged, outcome: 'unclear', reason: 'audit.known-loss' }
      : judged;
    const isToTell = told.outcome === 'wrong' && findings.length > 0;
    const verdict = isToTell ? signVerdict(challenge, findings, keys.identitySeed) : undefined;
    this.#keeping.keepJudgement(this.#lane, told, { verdict, now: clock.now() });
    for (const { name, fault } of findings) {
      const row = this.#shards.shardOf(name);
      if (row !== undefined) losses.note(row, fault === 'missing' ? 'lost' : 'wrong');
    }
    const { audit } = judged.settled;
    if (judged.outcome === 'passed' && 'opened' in audit) this.#provenBlocks += audit.chosen.length;
    this.#judged.push(told);
  }

  /** Everything that is missing was known to be lost before it was asked for. */
  #isKnownLoss({ findings, reason }: Judgement): boolean {
    const { stores } = this.#parts;
    if (reason === 'lost-epoch')
      return shardsAt(stores, this.#agreement.partner, ['held', 'wrong']).length === 0;
    const isKnown = ({ name, fault }: Finding): boolean =>
      fault === 'missing' && this.#shards.isKnownLost(name);
    return findings.length > 0 && findings.every(isKnown);
  }

  /**
   * What a later life of the partner does not list any more is lost, and is sent again; the rest it has signed for anew. One that lists what it signed for in no
   * life but an earlier one lost nothing, and proves nothing.
   */
  async #noteLostEpoch(): Promise<void> {
    const lost = this.#judged.filter(({ reason }) => reason === 'lost-epoch');
    if (lost.length === 0) return;
    const { keys, stores } = this.#parts;
    const parts = { ...this.#parts, shardNameKey: keys.shardNameKey };
    this.#toldLost = await noteLosses(parts, this.#agreement, this.#signal);
    if (this.#toldLost === undefined) return;
    const life = Math.max(...lost.map((judged) => this.#lifeIn(judged)));
    await this.#line.catchUp(life);
    const isShown = (stores.ledger.head(this.#lane.agreement, 'owner')?.epoch ?? 0) >= life;
    const left = shardsAt(stores, this.#agreement.partner, ['held']);
    if (left.length > 0 && !isShown) this.#judge('silent', 'audit.other-life');
  }

  /** The life of the partner in which it said so; 0 where its ledger shows it already. */
  #lifeIn({ challenge, settled }: Judgement): number {
    const { partner } = this.#agreement;
    const denial = settled && readDenial(settled.evidence, { challenge, partner });
    return denial?.ok === true ? denial.value.epoch : 0;
  }

  async #tellVerdicts(): Promise<void> {
    for (const { row, verdict } of this.#keeping.untold(this.#lane)) {
      const replied = await this.#line.post({ type: 'verdict', document: verdict });
      if (replied.type === 'failed' && replied.failure.code !== 'peer.refused') return;
      this.#keeping.told(row);
    }
  }

  #failed(failure: PeerFailure): void {
    const { code } = failure;
    if (code === 'peer.cancelled') return;
    const isOffline = code === 'peer.unreachable' || code === 'peer.wrong-identity';
    this.#judge(isOffline ? 'offline' : 'silent', refusalOf(failure) ?? code);
  }

  /** An outcome that no challenge stands behind. */
  #judge(outcome: AuditOutcome, reason: string): void {
    const judged = { type: 'judged', outcome, reason, findings: [], settled: undefined } as const;
    this.#judged.push({ ...judged, challenge: new Uint8Array(0) });
  }

  #event(): AuditEvent | undefined {
    const { partner, agreement } = this.#agreement;
    const pending = this.#keeping.state(this.#agreement).pending.map(({ since }) => since);
    const pendingSince = pending.length === 0 ? undefined : (Math.min(...pending) as Instant);
    const now = this.#parts.clock.now();
    const quota = this.#quota && { ...this.#quota, now };
    return turnEvent(this.#judged, {
      ...{ partner, agreement, at: now },
      blocksLeft: quota && allowanceLeft(this.#space.account(this.#lane), quota),
      ...{ provenBlocks: this.#provenBlocks, toldLost: this.#toldLost, pendingSince },
    });
  }
}
