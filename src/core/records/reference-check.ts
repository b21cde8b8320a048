/**
 * What the answers of a candidate's references come to (C27).
 *
 * Praise counts as far as the reference and the candidate both signed it. Blame counts when the candidate signed it itself, or when two peers that it signed
 * receipts with each say that it fell silent on them; one peer's word alone counts for nothing. Only the very receipt that it names can show it to have lied, or
 * two references that tell otherwise: one alone could show an old receipt, or none, to make a liar of it. References of one hand can agree on anything: what they say is worth no more than the agreements behind it, and
 * days of proof are the only part of it that costs something.
 */
import { compareBytes, equalBytes } from '../../base/bytes.ts';
import { bytesOf, type PeerId } from '../vocabulary/ids.ts';
import type { Reference } from '../wire/reference.ts';
import { type Conduct, hasReneged } from './conduct.ts';
import type { VerifiedStatement } from './statement.ts';
import { conductIn, receiptHash } from './track-receipt.ts';

/** What one reference, or another peer that was asked, had to say. */
export type ReferenceAnswer =
  | { readonly type: 'statement'; readonly peer: PeerId; readonly statement: VerifiedStatement }
  /** It has never had an agreement with the candidate, by its own word. */
  | { readonly type: 'denied'; readonly peer: PeerId }
  /** Silent, or nonsense: says nothing about the candidate. */
  | { readonly type: 'silent'; readonly peer: PeerId };

/** Why the record is judged as it is, for people; `peer` is the one that was asked. */
export type ReferenceReason = {
  readonly code: /** Both signed what the candidate says. */
    | 'confirmed'
    /** It answered, and the two have signed nothing yet. */
    | 'unsigned'
    | 'silent'
    | 'denied'
    /** The receipt that the candidate names says less than it does. */
    | 'overstated'
    /** By the receipt that the candidate names it reneged, and it does not say so. */
    | 'concealed'
    /** Another receipt than the candidate names, which says far less, or that it reneged. */
    | 'contradicted'
    /** It was not named by the candidate, and has an agreement with it. */
    | 'unclaimed'
    /** The candidate itself signed that it reneged. */
    | 'reneged-signed'
    /** At least two peers that the candidate signed receipts with say that it fell silent on them. */
    | 'reneged-two-observers'
    /** The word of one peer alone: does not count. */
    | 'blamed-alone'
    /** Another receipt than the candidate names, which says about the same: one of the two is newer. */
    | 'other-receipt';
  readonly peer: PeerId;
};

export interface ReferenceVerdict {
  /** Peers on which the candidate reneged. */
  readonly renegedCount: number;
  /** How many answered and have an agreement with it. */
  readonly askedCount: number;
  /** Days of proof that both sides signed, over all that answered. */
  readonly provenDays: number;
  /** The candidate says otherwise than the very receipt that it names, or at least two of its references deny or contradict it. */
  readonly liar: boolean;
  readonly reasons: readonly ReferenceReason[];
}

/** What is looked at: what the candidate says of some peers, and what they and others answer. Only one answer of each peer counts. */
export interface ReferenceCase {
  readonly candidate: PeerId;
  readonly claims: readonly Reference[];
  readonly answers: readonly ReferenceAnswer[];
}

/** References that must tell otherwise than the candidate; fewer may have lost their memory, or lie themselves. */
const contradictionsOfLiar = 2;
/** Observers that make silence portable. */
const observersOfSilence = 2;
/** What a reference that missed the newest receipts may be behind. */
const behindShare = 1.5;
const behindDays = 14;

export function judgeReferences(matter: ReferenceCase): ReferenceVerdict {
  const views = viewsOf(matter);
  const silenced = views.filter(({ blame }) => blame === 'silence');
  const isCorroborated = silenced.length >= observersOfSilence;
  const contradictions = views.filter(({ reason }) => isContradiction(reason));
  return {
    renegedCount: views.filter(({ blame }) => doesCount(blame, isCorroborated)).length,
    askedCount: views.filter(({ hasAnswered }) => hasAnswered).length,
    provenDays: views.reduce((days, view) => days + view.provenDays, 0),
    liar:
      contradictions.length >= contradictionsOfLiar || views.some(({ reason }) => isLie(reason)),
    reasons: views.flatMap((view) => reasonsOf(view, isCorroborated)),
  };
}

type ReasonCode = ReferenceReason['code'];

/** `signed`: by the candidate. `silence`: by the word of a peer that it signed a receipt with. `alone`: by one peer's word about anything else. */
type Blame = 'none' | 'signed' | 'silence' | 'alone';

interface View {
  readonly peer: PeerId;
  readonly hasAnswered: boolean;
  readonly provenDays: number;
  readonly blame: Blame;
  /** What the answer says about the claim; undefined when there is nothing to say. */
  readonly reason: ReasonCode | undefined;
}

/** One of each peer, in order of their ids. */
function viewsOf({ candidate, claims, answers }: ReferenceCase): readonly View[] {
  const claimed = new Map(claims.map((claim) => [claim.peer, claim]));
  const first = new Map<PeerId, ReferenceAnswer>();
  for (const answer of answers)
    if (answer.peer !== candidate && !first.has(answer.peer)) first.set(answer.peer, answer);
  return [...first.values()]
    .sort((left, right) => compareBytes(bytesOf(left.peer), bytesOf(right.peer)))
    .map((answer) => viewOf(candidate, answer, claimed.get(answer.peer)));
}

function viewOf(candidate: PeerId, answer: ReferenceAnswer, claim: Reference | undefined): View {
  const { peer, type } = answer;
  const nothing = { peer, hasAnswered: false, provenDays: 0, blame: 'none' } as const;
  if (type === 'silent') return { ...nothing, reason: 'silent' };
  // Who was asked without having been named need not know the candidate.
  if (type === 'denied') return { ...nothing, reason: claim === undefined ? undefined : 'denied' };
  const { statement } = answer;
  const blame = blameIn(candidate, statement);
  const signed = statement.signed && conductIn(statement.signed, candidate);
  const provenDays = signed?.provenDays ?? 0;
  const reason = claim === undefined ? 'unclaimed' : comparison(statement, signed, claim);
  return { peer, hasAnswered: true, provenDays, blame, reason };
}

function blameIn(candidate: PeerId, { conduct, signed }: VerifiedStatement): Blame {
  if (signed !== undefined && hasReneged(conductIn(signed, candidate).outcome)) return 'signed';
  if (!hasReneged(conduct.outcome)) return 'none';
  // Anybody can say that it was let down; an observer is one with which the candidate signed something.
  return signed !== undefined && conduct.outcome === 'reneged-by-silence' ? 'silence' : 'alone';
}

/** The claim beside what the candidate signed. */
function comparison(
  { receipt }: VerifiedStatement,
  signed: Conduct | undefined,
  claim: Reference,
): ReasonCode {
  const hides = signed !== undefined && hasReneged(signed.outcome) && claim.renegedCount === 0;
  if (receipt === undefined || signed === undefined)
    return claim.sequence === 0 && claim.provenDays === 0 ? 'unsigned' : 'contradicted';
  if (equalBytes(receiptHash(receipt), claim.receiptHash)) {
    if (hides) return 'concealed';
    return claim.provenDays > signed.provenDays ? 'overstated' : 'confirmed';
  }
  const isBehind = claim.provenDays <= signed.provenDays * behindShare + behindDays;
  return hides || !isBehind ? 'contradicted' : 'other-receipt';
}

function isLie(reason: ReasonCode | undefined): boolean {
  return reason === 'overstated' || reason === 'concealed';
}

function isContradiction(reason: ReasonCode | undefined): boolean {
  return reason === 'denied' || reason === 'contradicted';
}

function doesCount(blame: Blame, isCorroborated: boolean): boolean {
  return blame === 'signed' || (blame === 'silence' && isCorroborated);
}

function reasonsOf(
  { peer, reason, blame }: View,
  isCorroborated: boolean,
): readonly ReferenceReason[] {
  const reasons: ReferenceReason[] = reason === undefined ? [] : [{ code: reason, peer }];
  if (blame === 'signed') reasons.push({ code: 'reneged-signed', peer });
  else if (blame !== 'none')
    reasons.push({
      code: doesCount(blame, isCorroborated) ? 'reneged-two-observers' : 'blamed-alone',
      peer,
    });
  return reasons;
}
