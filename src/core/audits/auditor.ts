/**
 * The asking side of the audits under one agreement (C16–C19).
 *
 * At most one nonce is sealed at a time; once its partner has answered it with its own, the challenge is opened, and stays until it is answered, however often
 * the partner goes away in between. An answer clears only the challenge that it answers. The state is durable before its effects happen, and every
 * effect may happen again.
 */
import { assert, assertNever } from '../../base/assert.ts';
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import type { Instant } from '../../base/units.ts';
import { answersChoice, blocksOfAnswer, readAnswer } from './audit-answer.ts';
import { type ChosenBlock, chooseBlocks, type DrawSpace } from './block-choice.ts';
import type { Challenge } from './challenge.ts';
import { type OpenedChallenge, readOpening, signOpening } from './challenge-opening.ts';
import { readDenial, readNonce } from './nonce-reply.ts';
import {
  type AuditFault,
  type AuditOutcome,
  type Finding,
  judgeBlocks,
  type TagCheck,
} from './verdict.ts';

/** More challenges than this do not wait for one partner: it is silent enough. */
export const pendingMaximum = 32;

export interface SealedAudit {
  readonly challenge: Challenge;
  /** Ours, still sealed. */
  readonly nonce: Bytes;
  readonly since: Instant;
}

export interface PendingAudit {
  readonly opened: OpenedChallenge;
  readonly chosen: readonly ChosenBlock[];
  readonly since: Instant;
}

export type AuditorState =
  | { readonly phase: 'resting'; readonly pending: readonly PendingAudit[] }
  | {
      readonly phase: 'sealed';
      readonly sealed: SealedAudit;
      readonly pending: readonly PendingAudit[];
    };

/** Why there was no answer. */
export type Refused =
  | { readonly type: 'unreached'; readonly challenge: Bytes }
  | { readonly type: 'unanswered'; readonly challenge: Bytes; readonly reason: string }
  /** The partner's account of the round, or of the quota, is another than ours, and it is ours that is new here. */
  | { readonly type: 'account-lost'; readonly challenge: Bytes; readonly reason: string };

export type AuditorEvent =
  | { readonly type: 'due'; readonly sealed: SealedAudit }
  | {
      readonly type: 'nonce-received';
      readonly challenge: Bytes;
      readonly document: Bytes;
      readonly from: DrawSpace;
      readonly now: Instant;
    }
  | { readonly type: 'denial-received'; readonly challenge: Bytes; readonly document: Bytes }
  | {
      readonly type: 'answer-received';
      readonly challenge: Bytes;
      readonly document: Bytes;
      readonly blocks: Bytes;
      readonly hasGoodTag: TagCheck;
    }
  /** The seal cannot be used any more: another one is to be made. */
  | { readonly type: 'seal-given-up' }
  | Refused;

/** What came of one attempt. */
export interface Judgement {
  readonly type: 'judged';
  readonly challenge: Bytes;
  readonly outcome: AuditOutcome;
  /** Stable, for people and logs; empty when it passed. */
  readonly reason: AuditFault | string;
  readonly findings: readonly Finding[];
  /** The challenge that is settled by it, with the partner's signed word; undefined while it stays. */
  readonly settled:
    | { readonly audit: PendingAudit | SealedAudit; readonly evidence: Bytes }
    | undefined;
}

export type AuditorEffect =
  | { readonly type: 'send-challenge'; readonly challenge: Challenge }
  | { readonly type: 'send-opening'; readonly audit: PendingAudit }
  | Judgement;

export interface AuditorStep {
  readonly state: AuditorState;
  readonly effects: readonly AuditorEffect[];
}

export const noAudits: AuditorState = { phase: 'resting', pending: [] };

/** `identitySeed`: the owner's. */
export function stepAuditor(
  state: AuditorState,
  event: AuditorEvent,
  identitySeed: Uint8Array,
): AuditorStep {
  switch (event.type) {
    case 'due':
      return becomeDue(state, event.sealed);
    case 'nonce-received':
      return open(state, event, identitySeed);
    case 'denial-received':
      return denied(state, event);
    case 'answer-received':
      return answered(state, event);
    case 'seal-given-up':
      return { state: { phase: 'resting', pending: state.pending }, effects: [] };
    case 'unreached':
      return kept(state, event.challenge, { outcome: 'offline', reason: 'audit.unreached' });
    case 'unanswered':
      return kept(state, event.challenge, { outcome: 'silent', reason: event.reason });
    case 'account-lost':
      return kept(state, event.challenge, { outcome: 'unclear', reason: event.reason });
    default:
      return assertNever(event);
  }
}

/** Whether another seal may be made. */
export function maySeal(state: AuditorState): boolean {
  return state.phase === 'resting' && state.pending.length < pendingMaximum;
}

/** A seal that was made earlier goes out again in place of another. */
function becomeDue(state: AuditorState, sealed: SealedAudit): AuditorStep {
  if (state.phase === 'sealed')
    return {
      state,
      effects: [{ type: 'send-challenge', challenge: state.sealed.challenge }],
    };
  if (!maySeal(state)) return { state, effects: [] };
  return {
    state: { phase: 'sealed', sealed, pending: state.pending },
    effects: [{ type: 'send-challenge', challenge: sealed.challenge }],
  };
}

function open(
  state: AuditorState,
  event: Extract<AuditorEvent, { type: 'nonce-received' }>,
  identitySeed: Uint8Array,
): AuditorStep {
  if (state.phase !== 'sealed' || !equalBytes(state.sealed.challenge.id, event.challenge))
    return { state, effects: [] };
  const { challenge, nonce } = state.sealed;
  const { owner, partner } = challenge.subject;
  const read = readNonce(event.document, { challenge: challenge.id, partner });
  if (!read.ok) return kept(state, challenge.id, { outcome: 'silent', reason: read.error.code });
  const document = signOpening({ challenge, nonceDocument: event.document, nonce }, identitySeed);
  const opened = readOpening(document, { owner, partner });
  assert(opened.ok, 'what we sealed can be opened');
  const chosen = choiceOf(opened.value, event.from);
  const audit: PendingAudit = { opened: opened.value, chosen, since: event.now };
  return {
    state: { phase: 'resting', pending: [...state.pending, audit] },
    effects: [{ type: 'send-opening', audit }],
  };
}

/** The blocks that an opened challenge asks for, computed by either side from what both know. */
export function choiceOf(opened: OpenedChallenge, from: DrawSpace): readonly ChosenBlock[] {
  const { binding, sealedNonce } = opened.challenge;
  const owner = { sealed: sealedNonce, nonce: opened.ownerNonce };
  const chosen = chooseBlocks(binding, { owner, partner: opened.partnerNonce }, from);
  assert(chosen.ok, 'an opening was checked when it was read');
  return chosen.value;
}

function answered(
  state: AuditorState,
  event: Extract<AuditorEvent, { type: 'answer-received' }>,
): AuditorStep {
  const audit = pendingOf(state, event.challenge);
  if (audit === undefined) return { state, effects: [] };
  const { id, subject } = audit.opened.challenge;
  const silent = (reason: string): AuditorStep => kept(state, id, { outcome: 'silent', reason });
  const answer = readAnswer(event.document, { challenge: id, partner: subject.partner });
  if (!answer.ok) return silent(answer.error.code);
  const blocks = blocksOfAnswer(answer.value, event.blocks);
  if (blocks === undefined || !answersChoice(answer.value, audit.chosen))
    return silent('audit.other-blocks');
  const given = { answer: answer.value, blocks };
  const findings = judgeBlocks(audit.chosen, given, event.hasGoodTag);
  return settle(state, audit, { findings, evidence: answer.value.document });
}

/**
 * Within one life of a partner, denying what it signed is proof against it. One that is in a later life says, signed, that it lost everything: that is no cheat
 * found out, but a loss that was told.
 */
function denied(
  state: AuditorState,
  event: Extract<AuditorEvent, { type: 'denial-received' }>,
): AuditorStep {
  const sealed = state.phase === 'sealed' ? state.sealed : undefined;
  const isSeal = sealed !== undefined && equalBytes(sealed.challenge.id, event.challenge);
  const audit = pendingOf(state, event.challenge);
  const challenge = isSeal ? sealed.challenge : audit?.opened.challenge;
  if (challenge === undefined) return { state, effects: [] };
  const { id, subject } = challenge;
  const denial = readDenial(event.document, { challenge: id, partner: subject.partner });
  if (!denial.ok) return kept(state, id, { outcome: 'silent', reason: denial.error.code });
  const isLater = denial.value.epoch > subject.epoch;
  const fault: AuditFault = isLater ? 'lost-epoch' : 'denied-ledger';
  const outcome: AuditOutcome = isLater ? 'unclear' : 'wrong';
  const evidence = event.document;
  const before = isSeal ? sealed : audit;
  assert(before !== undefined, 'a challenge is sealed or pending');
  const settled = { audit: before, evidence };
  return {
    state: isSeal ? { phase: 'resting', pending: state.pending } : withoutPending(state, id),
    effects: [{ type: 'judged', challenge: id, outcome, reason: fault, findings: [], settled }],
  };
}

function settle(
  state: AuditorState,
  audit: PendingAudit,
  found: { readonly findings: readonly Finding[]; readonly evidence: Bytes },
): AuditorStep {
  const { findings, evidence } = found;
  const { id } = audit.opened.challenge;
  const judged: Judgement = {
    ...{ type: 'judged', challenge: id, findings },
    outcome: findings.length === 0 ? 'passed' : 'wrong',
    reason: findings[0]?.fault ?? '',
    settled: { audit, evidence },
  };
  return { state: withoutPending(state, id), effects: [judged] };
}

/** Nothing changes, but it is told what came of the attempt. */
function kept(
  state: AuditorState,
  challenge: Bytes,
  told: { readonly outcome: AuditOutcome; readonly reason: string },
): AuditorStep {
  return {
    state,
    effects: [{ type: 'judged', challenge, ...told, findings: [], settled: undefined }],
  };
}

function pendingOf(state: AuditorState, challenge: Bytes): PendingAudit | undefined {
  return state.pending.find(({ opened }) => equalBytes(opened.challenge.id, challenge));
}

function withoutPending(state: AuditorState, challenge: Bytes): AuditorState {
  const pending = state.pending.filter(({ opened }) => !equalBytes(opened.challenge.id, challenge));
  return { ...state, pending };
}
