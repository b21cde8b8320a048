/**
 * The answering side of the audits under one agreement (C16–C19).
 *
 * A partner answers one sealed nonce at a time, and none whose account of shards, round or quota differs from its own; it denies, signed, a ledger that is
 * not its own. A challenge that is opened stays with it until it has answered, and what the challenge asks for is not thrown away before. Its nonces are a keyed
 * function of the challenge, so a challenge that is sent again gets the same nonce, whatever was forgotten in between.
 */
import { assertNever } from '../../base/assert.ts';
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import type { Instant } from '../../base/units.ts';
import { hmacSha256 } from '../../primitives/hash.ts';
import { deriveKey } from '../../primitives/kdf.ts';
import type { LedgerHead } from '../agreements/acknowledgement.ts';
import { derivedLabels } from '../sealing/domains.ts';
import type { RefusalCode } from '../wire/refusal.ts';
import { type AuditRound, roundAllowed, stratumOf } from './audit-round.ts';
import type { AuditedShard } from './audited-space.ts';
import { choiceOf } from './auditor.ts';
import type { ChosenBlock } from './block-choice.ts';
import type { AuditSubject, Challenge } from './challenge.ts';
import type { OpenedChallenge } from './challenge-opening.ts';
import { signDenial, signNonce } from './nonce-reply.ts';

/** A challenge that got our nonce and was not opened yet. */
export interface UnopenedAudit {
  readonly challenge: Challenge;
  readonly since: Instant;
}

/** An opened challenge that was not answered yet. */
export interface AcceptedAudit {
  readonly opened: OpenedChallenge;
  readonly chosen: readonly ChosenBlock[];
  readonly since: Instant;
}

export interface AnswererState {
  readonly phase: 'resting' | 'sealed';
  readonly unopened: UnopenedAudit | undefined;
  readonly pending: readonly AcceptedAudit[];
  readonly round: AuditRound | undefined;
}

/** What this partner knows by itself of what a challenge is about. */
export interface LedgerAccount {
  /** Hash of its entry at the place that the challenge names; undefined when it has none there. */
  readonly entryHash: Bytes | undefined;
  readonly head: LedgerHead;
  /** When the entry after that place was made, if there is one. */
  readonly nextEntryAt: Instant | undefined;
  /** The shards at that place, in order of name. */
  readonly space: readonly AuditedShard[];
  /** Over that space (`inventoryRoot`). */
  readonly inventoryRoot: Bytes;
}

export type AnswererEvent =
  | {
      readonly type: 'challenge-received';
      readonly challenge: Challenge;
      readonly account: LedgerAccount;
      /** Blocks that may still be drawn today. */
      readonly allowance: number;
      readonly intervalMs: number;
      readonly now: Instant;
    }
  | {
      readonly type: 'opening-received';
      readonly opened: OpenedChallenge;
      readonly account: LedgerAccount;
      /** Its seal is known here as one that was charged, and was not answered too often since. */
      readonly isPaid: boolean;
      /** Blocks that may still be drawn today. */
      readonly allowance: number;
      readonly now: Instant;
    }
  | { readonly type: 'answered'; readonly challenge: Bytes };

export type AnswererEffect =
  | { readonly type: 'reply-nonce'; readonly document: Bytes }
  | { readonly type: 'reply-denial'; readonly document: Bytes }
  | { readonly type: 'refuse'; readonly code: RefusalCode; readonly detail: string }
  /** Drawn blocks count against the read quota from now on. */
  | { readonly type: 'charge'; readonly challenge: Challenge; readonly blockCount: number }
  /** The blocks of a challenge that was answered often enough count once more. */
  | { readonly type: 'charge-again'; readonly blockCount: number }
  /** Read these blocks and answer with them; the shards count as visited in the round. */
  | { readonly type: 'prove'; readonly audit: AcceptedAudit };

export interface AnswererStep {
  readonly state: AnswererState;
  readonly effects: readonly AnswererEffect[];
}

export const nothingAsked: AnswererState = {
  ...{ phase: 'resting', unopened: undefined },
  ...{ pending: [], round: undefined },
};

/** The partner's nonce for a challenge: nobody else can foretell it, and it is the same every time. */
export function partnerNonce(challenge: Uint8Array, identitySeed: Uint8Array): Bytes {
  return hmacSha256(deriveKey(identitySeed, derivedLabels.auditNonce), challenge);
}

/** `identitySeed`: the partner's. */
export function stepAnswerer(
  state: AnswererState,
  event: AnswererEvent,
  identitySeed: Uint8Array,
): AnswererStep {
  switch (event.type) {
    case 'challenge-received':
      return challenged(state, event, identitySeed);
    case 'opening-received':
      return opened(state, event, identitySeed);
    case 'answered': {
      const pending = state.pending.filter(
        (audit) => !equalBytes(audit.opened.challenge.id, event.challenge),
      );
      return { state: { ...state, pending }, effects: [] };
    }
    default:
      return assertNever(event);
  }
}

/** Blocks of a challenge, as they count against the read quota. */
export function drawnBlocks(subject: AuditSubject): number {
  return subject.coverageCount + subject.uniformCount;
}

type ChallengeEvent = Extract<AnswererEvent, { type: 'challenge-received' }>;

function challenged(
  state: AnswererState,
  event: ChallengeEvent,
  identitySeed: Uint8Array,
): AnswererStep {
  const { challenge, account, now } = event;
  const nonce = (): AnswererEffect => {
    const drawn = partnerNonce(challenge.id, identitySeed);
    return { type: 'reply-nonce', document: signNonce(challenge.id, drawn, identitySeed) };
  };
  if (isKnown(state, challenge.id)) return { state, effects: [nonce()] };
  const { unopened } = state;
  if (unopened !== undefined && Math.abs(now - unopened.since) < event.intervalMs)
    return refuse(state, 'audit.unopened', 'another sealed nonce waits to be opened');
  const { subject } = challenge;
  if (!isOwnLedger(subject, account))
    return { state, effects: [deny(challenge.id, account, identitySeed)] };
  // Else an owner could choose among the few shards that it had once.
  if (isOlderThan(account.nextEntryAt, now, event.intervalMs))
    return refuse(state, 'audit.old-ledger', 'our ledger has gone on since');
  const { space } = account;
  if (!equalBytes(account.inventoryRoot, subject.inventoryRoot))
    return refuse(state, 'audit.other-account', 'other shards stand in our ledger');
  if (!roundAllowed(state.round, subject, space))
    return refuse(state, 'audit.other-account', 'other shards were visited in this round');
  const blockCount = drawnBlocks(subject);
  if (blockCount > event.allowance)
    return refuse(state, 'request.quota', `${event.allowance} blocks are left of the read quota`);
  const { round, roundStart } = subject;
  return {
    state: {
      ...{ phase: 'sealed', unopened: { challenge, since: now } },
      ...{ pending: state.pending, round: { round, roundStart } },
    },
    effects: [{ type: 'charge', challenge, blockCount }, nonce()],
  };
}

function opened(
  state: AnswererState,
  event: Extract<AnswererEvent, { type: 'opening-received' }>,
  identitySeed: Uint8Array,
): AnswererStep {
  const { account, now } = event;
  const { challenge } = event.opened;
  const { id, subject } = challenge;
  if (!isOwnLedger(subject, account)) return { state, effects: [deny(id, account, identitySeed)] };
  const known = state.pending.find((audit) => equalBytes(audit.opened.challenge.id, id));
  if (known !== undefined) return { state, effects: [{ type: 'prove', audit: known }] };
  const { space } = account;
  if (!equalBytes(account.inventoryRoot, subject.inventoryRoot))
    return refuse(state, 'audit.other-account', 'other shards stood in our ledger');
  const isUnopened = state.unopened !== undefined && equalBytes(state.unopened.challenge.id, id);
  const blockCount = isUnopened || event.isPaid ? 0 : drawnBlocks(subject);
  if (blockCount > event.allowance)
    return refuse(state, 'request.quota', `${event.allowance} blocks are left of the read quota`);
  const chosen = choiceOf(event.opened, drawSpaceOf(subject, space));
  const audit: AcceptedAudit = { opened: event.opened, chosen, since: now };
  const unopened = isUnopened ? undefined : state.unopened;
  return {
    state: {
      ...{ phase: unopened === undefined ? 'resting' : 'sealed', unopened },
      ...{ pending: [...state.pending, audit], round: state.round },
    },
    effects: [
      ...(blockCount > 0 ? [{ type: 'charge-again', blockCount } as const] : []),
      { type: 'prove', audit },
    ],
  };
}

/** What a challenge is drawn from, the same for both sides. */
export function drawSpaceOf(
  subject: AuditSubject,
  space: readonly AuditedShard[],
): Parameters<typeof choiceOf>[1] {
  const { coverageCount, uniformCount, visited } = subject;
  return { space, stratum: stratumOf(space, subject, visited), coverageCount, uniformCount };
}

function isKnown(state: AnswererState, id: Bytes): boolean {
  if (state.unopened !== undefined && equalBytes(state.unopened.challenge.id, id)) return true;
  return state.pending.some((audit) => equalBytes(audit.opened.challenge.id, id));
}

function isOlderThan(time: Instant | undefined, now: Instant, ageMs: number): boolean {
  return time !== undefined && Math.abs(now - time) > ageMs;
}

function isOwnLedger(subject: AuditSubject, { entryHash }: LedgerAccount): boolean {
  return entryHash !== undefined && equalBytes(entryHash, subject.head);
}

function deny(id: Bytes, { head }: LedgerAccount, identitySeed: Uint8Array): AnswererEffect {
  return { type: 'reply-denial', document: signDenial(id, head, identitySeed) };
}

function refuse(state: AnswererState, code: RefusalCode, detail: string): AnswererStep {
  return { state, effects: [{ type: 'refuse', code, detail }] };
}
