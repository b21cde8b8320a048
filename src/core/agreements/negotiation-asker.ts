/**
 * The side that asks for an agreement, or for a change of one (C3): query, offers, signature.
 *
 * It signs once, last, and only terms that its own policy accepts. From then on the proposal binds nobody until the other's signature has come; as long as the
 * other does not say anything definite the proposal stays, and sending it again is harmless. Everything else ends after at most `roundsMaximum` offers.
 */
import { assertNever } from '../../base/assert.ts';
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import type { Instant } from '../../base/units.ts';
import type { PeerId } from '../vocabulary/ids.ts';
import {
  type NegotiationReply,
  type NegotiationRequest,
  roundsMaximum,
} from '../wire/negotiation.ts';
import {
  type Agreement,
  agreementIdOf,
  decodeSignedAgreement,
  encodeAgreement,
  type Party,
  signAgreement,
  verifyAgreement,
} from './agreement.ts';
import { judgeTerms } from './judgement.ts';
import {
  type Deed,
  deedOf,
  type NegotiationRefusal,
  type Negotiator,
  type Stance,
} from './negotiation.ts';
import { openingTerms } from './policy.ts';
import { type ChainLink, nextReplaces } from './replacement.ts';
import type { Terms } from './terms.ts';

/** What one negotiation is about; it does not change while it lasts. */
export interface Inquiry {
  /** 16 random bytes. */
  readonly negotiation: Bytes;
  readonly with: PeerId;
  /** The agreement in force, for a renewal or a change of terms. */
  readonly current?: ChainLink;
  /** What is offered first instead of what the policy prefers. */
  readonly wish?: Terms;
}

export type AskerState =
  /** The other's profile is asked for. */
  | { readonly phase: 'querying'; readonly inquiry: Inquiry }
  /** The profile is here; whoever runs this looks into references, then says what it found. */
  | { readonly phase: 'considering'; readonly inquiry: Inquiry }
  | {
      readonly phase: 'offering';
      readonly inquiry: Inquiry;
      readonly stance: Stance;
      readonly protocol: number;
      readonly round: number;
      readonly terms: Terms;
    }
  /** Our signature is on its way. */
  | {
      readonly phase: 'signing';
      readonly inquiry: Inquiry;
      readonly protocol: number;
      readonly proposal: Deed;
    }
  /** Both have signed. */
  | { readonly phase: 'concluded'; readonly deed: Deed }
  | { readonly phase: 'failed'; readonly refusal: NegotiationRefusal };

export type AskerEvent =
  | { readonly type: 'reply-received'; readonly reply: NegotiationReply; readonly now: Instant }
  /** The request brought no answer, or one that nobody can read. */
  | { readonly type: 'silence' }
  /** In `considering`: what is known of the other now, and the version of the protocol both speak (undefined: none). */
  | {
      readonly type: 'considered';
      readonly stance: Stance;
      readonly protocol: number | undefined;
    }
  /** No partner is wanted any more, or the other's proposal was signed instead. Ends it in any phase but `concluded`. */
  | { readonly type: 'withdrawn' };

export type AskerEffect =
  | { readonly type: 'send'; readonly request: NegotiationRequest }
  /** Hand the other's signed profile to whoever decides; `considered` goes on. */
  | {
      readonly type: 'consider';
      readonly profile: Bytes;
      readonly addresses: readonly string[];
    }
  /** To be durable before the effects that follow it: our half of an agreement. */
  | { readonly type: 'store-proposal'; readonly proposal: Deed }
  /** The agreement is in force; it replaces what stands under its root. */
  | {
      readonly type: 'store-agreement';
      readonly deed: Deed;
      readonly partnerName: string;
      readonly addresses: readonly string[];
    }
  /** The proposal was refused for good: it may be forgotten. */
  | { readonly type: 'drop-proposal'; readonly proposal: Deed }
  /** No definite answer to our signature: send it again, at some later time. */
  | { readonly type: 'ask-again'; readonly request: NegotiationRequest };

export interface AskerStep {
  readonly state: AskerState;
  readonly effects: readonly AskerEffect[];
}

/** Starts with a query. */
export function startAsking(self: Negotiator, inquiry: Inquiry): AskerStep {
  const { profile, addresses } = self;
  const request: NegotiationRequest = { type: 'query', profile, addresses };
  return { state: { phase: 'querying', inquiry }, effects: [{ type: 'send', request }] };
}

/** Starts with a stored proposal that no definite answer came to. */
export function resumeAsking(
  self: Negotiator,
  inquiry: Inquiry,
  { proposal, protocol }: { readonly proposal: Deed; readonly protocol: number },
): AskerStep {
  const request = signRequest(self, inquiry, { proposal, protocol });
  return {
    state: { phase: 'signing', inquiry, protocol, proposal },
    effects: [{ type: 'send', request }],
  };
}

export function stepAsker(self: Negotiator, state: AskerState, event: AskerEvent): AskerStep {
  switch (event.type) {
    case 'reply-received':
      return received(self, state, event);
    case 'considered':
      return considered(state, event);
    case 'silence':
      return silence(self, state);
    case 'withdrawn':
      if (state.phase === 'concluded' || state.phase === 'failed') return unchanged(state);
      return ended(state, { code: 'negotiation.not-wanted', detail: 'withdrawn' });
    default:
      return assertNever(event);
  }
}

/** Our part in the agreement: whoever comes is the second party; in a change the parts stay. */
function ownParty({ current, with: other }: Inquiry): Party {
  return current?.agreement.second === other ? 'first' : 'second';
}

function received(
  self: Negotiator,
  state: AskerState,
  event: Extract<AskerEvent, { readonly type: 'reply-received' }>,
): AskerStep {
  const { reply } = event;
  if (state.phase === 'concluded' || state.phase === 'failed') return unchanged(state);
  if (reply.type === 'refused') return ended(state, { code: reply.reason, detail: reply.detail });
  switch (state.phase) {
    case 'querying': {
      if (reply.type !== 'answer') return silence(self, state);
      const { profile, addresses } = reply;
      return {
        state: { phase: 'considering', inquiry: state.inquiry },
        effects: [{ type: 'consider', profile, addresses }],
      };
    }
    case 'considering':
      return unchanged(state);
    case 'offering':
      return answered(self, state, event);
    case 'signing':
      return reply.type === 'signed' ? countersigned(self, state, reply) : silence(self, state);
    default:
      return assertNever(state);
  }
}

function considered(
  state: AskerState,
  { stance, protocol }: Extract<AskerEvent, { readonly type: 'considered' }>,
): AskerStep {
  if (state.phase !== 'considering') return unchanged(state);
  const { inquiry } = state;
  if (protocol === undefined)
    return ended(state, { code: 'negotiation.protocol', detail: 'no version in common' });
  const own = ownParty(inquiry);
  const wish = inquiry.wish ?? openingTerms(stance.policy, own);
  const judged = judgeTerms(stance.policy, stance.circumstances, { terms: wish, own });
  if (judged.verdict === 'refused') return ended(state, judged);
  const terms = judged.verdict === 'counter' ? judged.terms : wish;
  return offer({ phase: 'offering', inquiry, stance, protocol, round: 1, terms });
}

type Offering = Extract<AskerState, { readonly phase: 'offering' }>;
type Signing = Extract<AskerState, { readonly phase: 'signing' }>;

function offer(state: Offering): AskerStep {
  const { inquiry, protocol, round, terms } = state;
  const { negotiation, current } = inquiry;
  const replaces = current === undefined ? {} : { replaces: nextReplaces(current) };
  const request: NegotiationRequest = {
    type: 'offer',
    protocol,
    negotiation,
    round,
    terms,
    ...replaces,
  };
  return { state, effects: [{ type: 'send', request }] };
}

function answered(
  self: Negotiator,
  state: Offering,
  { reply, now }: Extract<AskerEvent, { readonly type: 'reply-received' }>,
): AskerStep {
  if (reply.type !== 'accepted' && reply.type !== 'counter') return silence(self, state);
  const { inquiry, round, stance } = state;
  if (!equalBytes(reply.negotiation, inquiry.negotiation) || reply.round !== round)
    return silence(self, state);
  if (reply.type === 'accepted') return propose(self, state, { terms: state.terms, now });
  const own = ownParty(inquiry);
  const judged = judgeTerms(stance.policy, stance.circumstances, { terms: reply.terms, own });
  if (judged.verdict === 'refused') return ended(state, judged);
  if (judged.verdict === 'acceptable') return propose(self, state, { terms: reply.terms, now });
  if (round >= roundsMaximum)
    return ended(state, { code: 'negotiation.rounds', detail: judged.because });
  return offer({ ...state, round: round + 1, terms: judged.terms });
}

function propose(
  self: Negotiator,
  { inquiry, protocol }: Offering,
  { terms, now }: { readonly terms: Terms; readonly now: Instant },
): AskerStep {
  const { current } = inquiry;
  const own = ownParty(inquiry);
  const [first, second] = own === 'first' ? [self.peer, inquiry.with] : [inquiry.with, self.peer];
  const replaces = current === undefined ? {} : { replaces: nextReplaces(current) };
  const agreement: Agreement = { first, second, start: now, terms, ...replaces };
  const body = encodeAgreement(agreement);
  const signed = signAgreement({ body, signatures: {} }, own, self.identitySeed);
  const proposal = deedOf(agreement, agreementIdOf(body), signed);
  return {
    state: { phase: 'signing', inquiry, protocol, proposal },
    effects: [
      { type: 'store-proposal', proposal },
      { type: 'send', request: signRequest(self, inquiry, { proposal, protocol }) },
    ],
  };
}

function signRequest(
  { name, addresses }: Negotiator,
  { negotiation }: Inquiry,
  { proposal, protocol }: { readonly proposal: Deed; readonly protocol: number },
): NegotiationRequest {
  return {
    type: 'sign',
    protocol,
    negotiation,
    agreement: proposal.document,
    name,
    addresses,
  };
}

/** The other's signature counts on exactly what we signed, and nothing else. */
function countersigned(
  self: Negotiator,
  state: Signing,
  reply: Extract<NegotiationReply, { readonly type: 'signed' }>,
): AskerStep {
  const signed = decodeSignedAgreement(reply.agreement);
  if (!signed.ok || !equalBytes(signed.value.body, state.proposal.signed.body))
    return silence(self, state);
  const agreement = verifyAgreement(signed.value);
  if (!agreement.ok) return silence(self, state);
  const deed = deedOf(agreement.value, state.proposal.link.id, signed.value);
  const { name: partnerName, addresses } = reply;
  return {
    state: { phase: 'concluded', deed },
    effects: [{ type: 'store-agreement', deed, partnerName, addresses }],
  };
}

/** No answer, or one that says nothing that fits: before our signature it is over, after it the question stays open. */
function silence(self: Negotiator, state: AskerState): AskerStep {
  switch (state.phase) {
    case 'querying':
    case 'offering':
      return ended(state, { code: 'negotiation.silent', detail: `while ${state.phase}` });
    case 'signing': {
      const request = signRequest(self, state.inquiry, state);
      return { state, effects: [{ type: 'ask-again', request }] };
    }
    case 'considering':
    case 'concluded':
    case 'failed':
      return unchanged(state);
    default:
      return assertNever(state);
  }
}

function ended(state: AskerState, { code, detail }: NegotiationRefusal): AskerStep {
  return {
    state: { phase: 'failed', refusal: { code, detail } },
    effects: state.phase === 'signing' ? [{ type: 'drop-proposal', proposal: state.proposal }] : [],
  };
}

function unchanged(state: AskerState): AskerStep {
  return { state, effects: [] };
}
