/**
 * Negotiating with peers, on both sides (C3, C24–C27): runs the machines of src/core/agreements over the wire and the catalogue.
 *
 * Our signature is durable before it is sent, an agreement before it is answered. A proposal whose answer got lost stays, with the space that it promises, and
 * is sent again until the other says what became of it.
 */
import { assertNever, present } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { dayMs } from '../../base/units.ts';
import { bytesLentTo } from '../../core/agreements/agreement.ts';
import type {
  Deed,
  NegotiationRefusal,
  Negotiator,
  Stance,
} from '../../core/agreements/negotiation.ts';
import {
  type AnswererEffect,
  type AnswererState,
  idleAnswerer,
  type Occasion,
  type Relation,
  stepAnswerer,
} from '../../core/agreements/negotiation-answerer.ts';
import {
  type AskerEffect,
  type AskerEvent,
  type AskerState,
  type AskerStep,
  type Inquiry,
  resumeAsking,
  startAsking,
  stepAsker,
} from '../../core/agreements/negotiation-asker.ts';
import type { ChainLink } from '../../core/agreements/replacement.ts';
import type { Terms } from '../../core/agreements/terms.ts';
import { isInForce } from '../../core/partners/lifecycle-phase.ts';
import type { OwnerKeys } from '../../core/sealing/keys.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import {
  decodeNegotiationReply,
  decodeNegotiationRequest,
  encodeNegotiationReply,
  encodeNegotiationRequest,
  type NegotiationReply,
  type NegotiationRequest,
  negotiationBytes,
} from '../../core/wire/negotiation.ts';
import { spokenProtocols } from '../../core/wire/protocol.ts';
import type { Refusal } from '../../core/wire/refusal.ts';
import type { Random } from '../../ports/random.ts';
import type { AgreementRow } from '../../ports/stores.ts';
import type { PeerAddress } from '../../ports/transport.ts';
import { AgreementRegister, type AgreementRegisterParts, deedIn } from './agreement-register.ts';
import type { PartnerClient } from './partner-client.ts';
import type { PartnerStance } from './partner-stance.ts';

export interface NegotiationDeskParts extends AgreementRegisterParts {
  readonly keys: OwnerKeys;
  readonly name: string;
  readonly random: Random;
  readonly client: PartnerClient;
  readonly stance: PartnerStance;
  /** Towards somebody that is no partner and asks by itself; undefined: it is not wanted. */
  readonly towardsAsker: (peer: PeerId) => Stance | undefined;
  readonly addresses: () => readonly string[];
  /** Our own signed profile. */
  readonly profile: () => Bytes;
  /** Told when somebody new showed its profile by itself. */
  readonly onCandidate: (peer: PeerId) => void;
  /** Finds out how a stranger behaved before; false when that has to wait. */
  readonly checkAsker: (peer: PeerId) => Promise<boolean>;
}

/** What whoever decides says once the other's profile is here. */
export interface Considered {
  readonly stance: Stance;
  readonly protocol: number | undefined;
}

export interface Approach {
  readonly to: PeerAddress;
  /** For a change: the agreement in force. */
  readonly current?: ChainLink;
  /** What is offered first instead of what the policy prefers. */
  readonly wish?: Terms;
  /** undefined: it is no longer wanted. */
  readonly consider: (profile: Bytes) => Promise<Considered | undefined>;
}

export type Concluded =
  | { readonly outcome: 'signed'; readonly row: AgreementRow }
  /** Our signature is out, and no answer came: it is sent again. */
  | { readonly outcome: 'open' }
  | {
      readonly outcome: 'refused';
      readonly by: 'us' | 'peer';
      readonly refusal: NegotiationRefusal;
    }
  | { readonly outcome: 'silent'; readonly refusal: NegotiationRefusal };

/** A proposal that nobody answered for so long is given up. */
const proposalLifeMs: number = 7 * dayMs;

export class NegotiationDesk {
  readonly #parts: NegotiationDeskParts;
  readonly #register: AgreementRegister;
  #answerer: AnswererState = idleAnswerer;
  /** Peers that are being asked: one negotiation with each at a time. */
  readonly #asking = new Map<PeerId, { isWithdrawn: boolean }>();

  constructor(parts: NegotiationDeskParts) {
    this.#parts = parts;
    this.#register = new AgreementRegister(parts);
  }

  /** A request of a peer, partner or stranger. */
  async answer(from: PeerId, message: Bytes): Promise<Outcome<Bytes, Refusal>> {
    const request = decodeNegotiationRequest(message);
    if (!request.ok) return failed({ code: 'request.malformed', detail: request.error.code });
    if (!(await this.#isKnown(from, request.value))) return succeeded(comeAgain);
    const occasion = this.#occasion(from, request.value);
    const event = { type: 'request-received', request: request.value, occasion } as const;
    const step = stepAnswerer(this.#self(), this.#answerer, event);
    this.#answerer = step.state;
    let reply: NegotiationReply | undefined;
    for (const effect of step.effects) reply = this.#done(from, effect) ?? reply;
    return succeeded(encodeNegotiationReply(present(reply, 'every request has its reply')));
  }

  /** Whether a stranger that offers something was asked about; those that are wanted anyway only. */
  async #isKnown(from: PeerId, { type }: NegotiationRequest): Promise<boolean> {
    const { book, stance, checkAsker } = this.#parts;
    if (type !== 'offer' || book.get(from) !== undefined) return true;
    return stance.openBytes() === 0 || (await checkAsker(from));
  }

  /** Tells a peer who we are, and learns who it is; gives the code of the failure, if there is one. */
  async query(to: PeerAddress, signal: AbortSignal): Promise<string | undefined> {
    const { client, candidates, profile, addresses } = this.#parts;
    const request: NegotiationRequest = {
      type: 'query',
      profile: profile(),
      addresses: addresses(),
    };
    const answer = await client.negotiate(to, encodeNegotiationRequest(request), signal);
    if (!answer.ok)
      return answer.error.code === 'peer.wrong-identity'
        ? 'candidate.wrong-identity'
        : 'negotiation.silent';
    const reply = decodeNegotiationReply(answer.value);
    if (!reply.ok || reply.value.type !== 'answer') return 'negotiation.unexpected';
    const shown = { peer: to.peer, addresses: reply.value.addresses };
    return candidates.showed(shown, reply.value.profile, { asked: false })
      ? undefined
      : 'negotiation.unexpected';
  }

  /** Negotiates until there is an agreement, or none comes about. */
  async ask(approach: Approach, signal: AbortSignal): Promise<Concluded> {
    const { peer } = approach.to;
    if (this.#asking.has(peer) || this.#register.proposalTo(peer) !== undefined)
      return { outcome: 'open' };
    this.#asking.set(peer, { isWithdrawn: false });
    try {
      const inquiry: Inquiry = {
        negotiation: this.#parts.random.bytes(negotiationBytes),
        with: peer,
        ...(approach.current === undefined ? {} : { current: approach.current }),
        ...(approach.wish === undefined ? {} : { wish: approach.wish }),
      };
      return await this.#run(approach, startAsking(this.#self(), inquiry), signal);
    } finally {
      this.#asking.delete(peer);
    }
  }

  /** Sends proposals again that were never answered; those that are too old are given up. */
  async resume(signal: AbortSignal): Promise<void> {
    for (const row of this.#register.proposals()) {
      if (signal.aborted) return;
      const { stores, clock, log } = this.#parts;
      if (clock.now() - row.since > proposalLifeMs) {
        log.write('info', 'negotiation.given-up', { partner: row.partner });
        stores.agreements.remove(row.agreement);
      } else if (!this.#asking.has(row.partner)) await this.#resume(row, signal);
    }
  }

  async #resume(row: AgreementRow, signal: AbortSignal): Promise<void> {
    const { random, candidates } = this.#parts;
    const to = candidates.addressOf(row.partner);
    const current = this.#register.current(row.partner)?.link;
    const inquiry: Inquiry = {
      negotiation: random.bytes(negotiationBytes),
      with: row.partner,
      ...(current === undefined ? {} : { current }),
    };
    this.#asking.set(row.partner, { isWithdrawn: false });
    try {
      const step = resumeAsking(this.#self(), inquiry, {
        proposal: deedIn(row),
        protocol: Math.max(...spokenProtocols),
      });
      await this.#run({ to, consider: async () => undefined }, step, signal);
    } finally {
      this.#asking.delete(row.partner);
    }
  }

  async #run(approach: Approach, first: AskerStep, signal: AbortSignal): Promise<Concluded> {
    let step = first;
    let row: AgreementRow | undefined;
    for (;;) {
      const { state } = step;
      let event: AskerEvent | undefined;
      for (const effect of step.effects) {
        if (effect.type === 'store-proposal' && !this.#hasRoomFor(approach, effect.proposal)) {
          event = { type: 'withdrawn' };
          break;
        }
        if (effect.type === 'store-agreement') row = this.#register.adopt(approach.to.peer, effect);
        else event = (await this.#follow(approach, effect, { state, signal })) ?? event;
      }
      if (this.#asking.get(approach.to.peer)?.isWithdrawn === true && event !== undefined)
        event = { type: 'withdrawn' };
      if (event === undefined) return this.#concluded(approach.to.peer, state, row);
      step = stepAsker(this.#self(), state, event);
    }
  }

  /** A change may have been overtaken: what it adds must be free still when it is signed. New partners have theirs reserved. */
  #hasRoomFor({ to, current }: Approach, { link }: Deed): boolean {
    if (current === undefined) return true;
    const [before, after] = [current, link].map(({ agreement }) => bytesLentTo(agreement, to.peer));
    const more = present(after, 'the next') - present(before, 'the present one');
    return more <= 0 || more <= this.#parts.stance.freeBytes();
  }

  #concluded(peer: PeerId, state: AskerState, row: AgreementRow | undefined): Concluded {
    const { log } = this.#parts;
    if (state.phase === 'concluded')
      return { outcome: 'signed', row: present(row, 'a concluded agreement was stored') };
    if (state.phase !== 'failed') return { outcome: 'open' };
    const { refusal } = state;
    log.write('info', 'negotiation.failed', { peer, code: refusal.code, detail: refusal.detail });
    return refusal.code === 'negotiation.silent'
      ? { outcome: 'silent', refusal }
      : { outcome: 'refused', by: 'peer', refusal };
  }

  /** What comes of an effect, if that is an event. */
  async #follow(
    approach: Approach,
    effect: Exclude<AskerEffect, { readonly type: 'store-agreement' }>,
    { signal }: { readonly state: AskerState; readonly signal: AbortSignal },
  ): Promise<AskerEvent | undefined> {
    const { stores } = this.#parts;
    switch (effect.type) {
      case 'send':
        return await this.#send(approach.to, effect.request, signal);
      case 'consider': {
        const known = this.#parts.candidates.showed(
          { peer: approach.to.peer, addresses: effect.addresses },
          effect.profile,
          { asked: false },
        );
        const considered = known ? await approach.consider(effect.profile) : undefined;
        return considered === undefined || signal.aborted
          ? { type: 'withdrawn' }
          : { type: 'considered', ...considered };
      }
      case 'store-proposal':
        this.#register.propose(approach.to.peer, effect.proposal);
        return undefined;
      case 'drop-proposal':
        stores.agreements.remove(effect.proposal.link.id);
        return undefined;
      case 'ask-again':
        return undefined;
      default:
        return assertNever(effect);
    }
  }

  async #send(
    to: PeerAddress,
    request: NegotiationRequest,
    signal: AbortSignal,
  ): Promise<AskerEvent> {
    const { client, clock } = this.#parts;
    const answer = await client.negotiate(to, encodeNegotiationRequest(request), signal);
    const reply = answer.ok ? decodeNegotiationReply(answer.value) : answer;
    if (!reply.ok) return { type: 'silence' };
    return { type: 'reply-received', reply: reply.value, now: clock.now() };
  }

  #done(from: PeerId, effect: AnswererEffect): NegotiationReply | undefined {
    const { stores, candidates, onCandidate } = this.#parts;
    switch (effect.type) {
      case 'store-agreement':
        this.#register.adopt(from, effect);
        return undefined;
      case 'withdraw-asking': {
        const asking = this.#asking.get(from);
        if (asking !== undefined) asking.isWithdrawn = true;
        return undefined;
      }
      case 'drop-proposal':
        stores.agreements.remove(effect.proposal.link.id);
        return undefined;
      case 'heard': {
        const isNew = candidates.get(from) === undefined;
        const { profile, addresses } = effect;
        const known = candidates.showed({ peer: from, addresses }, profile, { asked: true });
        if (known && isNew) onCandidate(from);
        return undefined;
      }
      case 'reply':
        return effect.reply;
      default:
        return assertNever(effect);
    }
  }

  #occasion(from: PeerId, request: NegotiationRequest): Occasion {
    const { clock, stance, towardsAsker, book } = this.#parts;
    const now = clock.now();
    if (request.type === 'query') return { from, now, relation: nothing, stance: undefined };
    const row = book.get(from);
    const inForce = row !== undefined && isInForce(row.phase) ? row : undefined;
    return {
      from,
      now,
      relation: this.#register.relation(from),
      stance: inForce === undefined ? towardsAsker(from) : stance.towardsPartner(inForce),
    };
  }

  #self(): Negotiator {
    const { keys, name, addresses, profile } = this.#parts;
    return {
      peer: keys.peerId,
      identitySeed: keys.identitySeed,
      name,
      addresses: addresses(),
      profile: profile(),
      protocols: spokenProtocols,
    };
  }
}

const comeAgain: Bytes = encodeNegotiationReply({
  type: 'refused',
  reason: 'negotiation.busy',
  detail: 'others are being asked about it',
});

const nothing: Relation = { current: undefined, ended: [], proposed: undefined };
