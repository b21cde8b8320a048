/**
 * The side that is asked for an agreement, or for a change of one (C3).
 *
 * It remembers almost nothing: every offer, and at last the signed agreement, is judged anew by its policy. What it does remember bounds the work that others
 * can make for it: how many offers each sent of late, for a few others at a time. A signature that is sent again gets the document that came of it.
 */
import { assertNever } from '../../base/assert.ts';
import type { Instant } from '../../base/units.ts';
import { minuteMs } from '../../base/units.ts';
import type { PeerId } from '../vocabulary/ids.ts';
import {
  type NegotiationCode,
  type NegotiationReply,
  type NegotiationRequest,
  roundsMaximum,
} from '../wire/negotiation.ts';
import {
  type Agreement,
  agreementIdOf,
  decodeSignedAgreement,
  type Party,
  partyOf,
  type Replaces,
  type SignedAgreement,
  signAgreement,
  verifyAgreement,
  verifyParty,
} from './agreement.ts';
import { judgeTerms } from './judgement.ts';
import { beginsNow, type Deed, deedOf, type Negotiator, type Stance } from './negotiation.ts';
import { type ChainLink, mayReplace } from './replacement.ts';

/** Others that are negotiated with at once, besides partners: strangers cost nothing, and must not keep those from renewing. */
export const openMaximum = 64;
/** Offers and signatures of one other that are looked at in `openMs`. */
export const messagesMaximum: number = 4 * (roundsMaximum + 1);
/** A change may skip so many numbers, of which this side never heard. Without end one change could leave no number for the next. */
export const skippedMaximum = 1_024;
/** After this an open negotiation is forgotten. */
export const openMs: number = 10 * minuteMs;

interface Open {
  readonly since: Instant;
  readonly messages: number;
}

export interface AnswererState {
  readonly open: ReadonlyMap<PeerId, Open>;
}

export const idleAnswerer: AnswererState = { open: new Map() };

/** What this side has with the one that asks. */
export interface Relation {
  /** The agreement in force, signed by both, or undefined. */
  readonly current: Deed | undefined;
  /** An agreement with the one that asks that is not in force any more; a replay of it is refused. */
  readonly ended: readonly ChainLink[];
  /** A proposal of our own to it that waits for an answer. */
  readonly proposed: Deed | undefined;
}

/** What there is to judge by when a request comes. */
export interface Occasion {
  readonly from: PeerId;
  readonly now: Instant;
  readonly relation: Relation;
  /** undefined: no agreement with this one is wanted. */
  readonly stance: Stance | undefined;
}

export type AnswererEvent = {
  readonly type: 'request-received';
  readonly request: NegotiationRequest;
  readonly occasion: Occasion;
};

export type AnswererEffect =
  /** The agreement is in force; to be durable before the reply is sent. It replaces what stands under its root; a proposal of ours is dropped for it. */
  | {
      readonly type: 'store-agreement';
      readonly deed: Deed;
      readonly partnerName: string;
      readonly addresses: readonly string[];
    }
  /** With it: what this side asks the same one for, if it does, is based on what is past. Its asker takes `withdrawn`. */
  | { readonly type: 'withdraw-asking' }
  /** A stored proposal of ours is not sent again. */
  | { readonly type: 'drop-proposal'; readonly proposal: Deed }
  /** Somebody asks who we are: its profile makes it a candidate. */
  | {
      readonly type: 'heard';
      readonly profile: Uint8Array;
      readonly addresses: readonly string[];
    }
  | { readonly type: 'reply'; readonly reply: NegotiationReply };

export interface AnswererStep {
  readonly state: AnswererState;
  /** Ends with exactly one reply. */
  readonly effects: readonly AnswererEffect[];
}

type Query = Extract<NegotiationRequest, { readonly type: 'query' }>;
type Offer = Extract<NegotiationRequest, { readonly type: 'offer' }>;
type Sign = Extract<NegotiationRequest, { readonly type: 'sign' }>;

export function stepAnswerer(
  self: Negotiator,
  state: AnswererState,
  { request, occasion }: AnswererEvent,
): AnswererStep {
  switch (request.type) {
    case 'query':
      return { state, effects: answerQuery(self, request) };
    case 'offer': {
      const counted = count(state, occasion);
      if (counted === undefined) return busy(state);
      return { state: counted, effects: [replied(answerOffer(self, request, occasion))] };
    }
    case 'sign': {
      const counted = count(state, occasion);
      if (counted === undefined) return busy(state);
      return { state: counted, effects: answerSignature(self, request, occasion) };
    }
    default:
      return assertNever(request);
  }
}

function replied(reply: NegotiationReply): AnswererEffect {
  return { type: 'reply', reply };
}

function refusal(reason: NegotiationCode, detail: string): NegotiationReply {
  return { type: 'refused', reason, detail };
}

function busy(state: AnswererState): AnswererStep {
  return { state, effects: [replied(refusal('negotiation.busy', 'ask again later'))] };
}

/** The state with this message counted, or undefined when it is one too many. */
function count(
  { open }: AnswererState,
  { from, now, relation }: Occasion,
): AnswererState | undefined {
  const living = [...open].filter(([, { since }]) => Math.abs(now - since) <= openMs);
  const next = new Map(living);
  const before = next.get(from);
  const isStranger = relation.current === undefined;
  if (before === undefined && isStranger && next.size >= openMaximum) return undefined;
  const messages = (before?.messages ?? 0) + 1;
  if (messages > messagesMaximum) return undefined;
  next.set(from, { since: before?.since ?? now, messages });
  return { open: next };
}

function answerQuery(self: Negotiator, query: Query): readonly AnswererEffect[] {
  const { profile, addresses } = self;
  return [
    { type: 'heard', profile: query.profile, addresses: query.addresses },
    replied({ type: 'answer', profile, addresses }),
  ];
}

function answerOffer(self: Negotiator, offer: Offer, occasion: Occasion): NegotiationReply {
  const { negotiation, round, terms, replaces } = offer;
  const unfit = unfitting(self, offer.protocol, { ...occasion, replaces });
  if (unfit !== undefined) return unfit;
  const { stance, relation } = occasion;
  if (stance === undefined) return refusal('negotiation.not-wanted', 'no partner is wanted now');
  const own: Party =
    replaces === undefined || relation.current?.link.agreement.first === self.peer
      ? 'first'
      : 'second';
  const judged = judgeTerms(stance.policy, stance.circumstances, { terms, own });
  switch (judged.verdict) {
    case 'acceptable':
      return { type: 'accepted', negotiation, round };
    case 'refused':
      return refusal(judged.code, judged.detail);
    case 'counter':
      return round >= roundsMaximum
        ? refusal('negotiation.rounds', judged.because)
        : { type: 'counter', negotiation, round, terms: judged.terms };
    default:
      return assertNever(judged);
  }
}

/** What stands in the way of any agreement of this kind, whatever its terms. */
function unfitting(
  self: Negotiator,
  protocol: number,
  { relation, replaces }: Occasion & { readonly replaces: Replaces | undefined },
): NegotiationReply | undefined {
  const { current } = relation;
  if (!self.protocols.includes(protocol))
    return refusal('negotiation.protocol', `spoken here: ${self.protocols.join(', ')}`);
  if (replaces === undefined)
    return current === undefined
      ? undefined
      : refusal('negotiation.partners-already', `under ${current.link.root}`);
  if (current === undefined || current.link.root !== replaces.root)
    return refusal('negotiation.not-in-force', 'there is no such agreement in force here');
  const { number } = current.link;
  return replaces.number > number && replaces.number <= number + skippedMaximum
    ? undefined
    : refusal('negotiation.not-in-force', `number ${number} is in force`);
}

function answerSignature(
  self: Negotiator,
  sign: Sign,
  occasion: Occasion,
): readonly AnswererEffect[] {
  const { from, relation } = occasion;
  const signed = decodeSignedAgreement(sign.agreement);
  if (!signed.ok) return [replied(refusal('negotiation.unexpected', signed.error.code))];
  const id = agreementIdOf(signed.value.body);
  const theirs = signedBy(signed.value, from);
  if (theirs === undefined || partyOf(theirs, self.peer) === undefined)
    return [replied(refusal('negotiation.unexpected', 'not signed by the one that asks'))];
  const { current } = relation;
  if (current?.link.id === id) return [replied(signedReply(self, current))];
  const reason = refuseSignature(self, { agreement: theirs, protocol: sign.protocol }, occasion);
  if (reason !== undefined) return [replied(reason)];
  if (relation.ended.some((link) => link.id === id || link.root === id))
    return [replied(refusal('negotiation.not-in-force', 'this agreement has ended'))];
  const own: Party = theirs.first === self.peer ? 'first' : 'second';
  const both = signAgreement(onlyTheirs(signed.value, own), own, self.identitySeed);
  if (!verifyAgreement(both).ok)
    return [replied(refusal('negotiation.unexpected', 'the signature is wrong'))];
  const deed = deedOf(theirs, id, both);
  const { proposed } = relation;
  return [
    { type: 'store-agreement', deed, partnerName: sign.name, addresses: sign.addresses },
    { type: 'withdraw-asking' },
    ...(proposed === undefined ? [] : [{ type: 'drop-proposal' as const, proposal: proposed }]),
    replied(signedReply(self, deed)),
  ];
}

/** The agreement, when `peer` is a party of it and signed it. */
function signedBy(signed: SignedAgreement, peer: PeerId): Agreement | undefined {
  for (const party of ['first', 'second'] as const) {
    const agreement = verifyParty(signed, party);
    if (agreement.ok && agreement.value[party] === peer) return agreement.value;
  }
  return undefined;
}

/** Whatever stands in our place is not taken over. */
function onlyTheirs({ body, signatures }: SignedAgreement, own: Party): SignedAgreement {
  const { first, second } = signatures;
  if (own === 'first') return { body, signatures: second === undefined ? {} : { second } };
  return { body, signatures: first === undefined ? {} : { first } };
}

function signedReply({ name, addresses }: Negotiator, { document }: Deed): NegotiationReply {
  return { type: 'signed', agreement: document, name, addresses };
}

/** Why this side does not put its name to the agreement. */
function refuseSignature(
  self: Negotiator,
  { agreement, protocol }: { readonly agreement: Agreement; readonly protocol: number },
  occasion: Occasion,
): NegotiationReply | undefined {
  const { relation, stance, now } = occasion;
  const { replaces, terms } = agreement;
  const unfit = unfitting(self, protocol, { ...occasion, replaces });
  if (unfit !== undefined) return unfit;
  if (!partiesFit(self, agreement, relation))
    return refusal('negotiation.unexpected', 'the parties are in each other’s place');
  if (relation.proposed !== undefined && self.peer < occasion.from)
    return refusal('negotiation.crossed', 'our own proposal goes first');
  if (!beginsNow(agreement, now))
    return refusal('negotiation.start', `it is ${new Date(now).toISOString()} here`);
  if (stance === undefined) return refusal('negotiation.not-wanted', 'no partner is wanted now');
  const own: Party = agreement.first === self.peer ? 'first' : 'second';
  const judged = judgeTerms(stance.policy, stance.circumstances, { terms, own });
  switch (judged.verdict) {
    case 'acceptable':
      return undefined;
    case 'counter':
      return refusal(judged.because, 'other terms would be signed');
    case 'refused':
      return refusal(judged.code, judged.detail);
    default:
      return assertNever(judged);
  }
}

/** Whoever comes is the second party; in a change the parts stay. */
function partiesFit(self: Negotiator, agreement: Agreement, { current }: Relation): boolean {
  if (agreement.replaces === undefined) return agreement.first === self.peer;
  return current !== undefined && mayReplace(current.link, agreement).ok;
}
