/**
 * Making partners by invite (C2, C3): codes that are good for one partner, and their redemption, on both sides.
 *
 * Negotiation proper has its place on the same resource; here the inviter's terms stand in the code, and whoever joins takes them or leaves them.
 */
import { present } from '../../base/assert.ts';
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import { encodeCbor } from '../../base/codec.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { dayMs, instant, minuteMs } from '../../base/units.ts';
import {
  type Agreement,
  agreementIdOf,
  decodeSignedAgreement,
  encodeAgreement,
  encodeSignedAgreement,
  type SignedAgreement,
  signAgreement,
  verifyAgreement,
  verifyParty,
} from '../../core/agreements/agreement.ts';
import {
  type Invitation,
  invitationSecretBytes,
  invitationText,
  parseInvitation,
  secretHashOf,
} from '../../core/agreements/invitation.ts';
import { circleTerms, termsFields } from '../../core/agreements/terms.ts';
import { isInForce } from '../../core/partners/lifecycle-phase.ts';
import type { OwnerKeys } from '../../core/sealing/keys.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import {
  decodeRedemption,
  decodeRedemptionReply,
  encodeRedemption,
  encodeRedemptionReply,
  type Redemption,
} from '../../core/wire/redemption.ts';
import type { Refusal, RefusalCode } from '../../core/wire/refusal.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import type { AgreementRow, InvitationRow, Stores } from '../../ports/stores.ts';
import type { InvitationTerms, JoinFailure, JoinOffer } from '../computer.ts';
import { facts } from '../facts.ts';
import type { Notifier } from '../work/notifier.ts';
import type { PartnerClient, PeerFailure } from './partner-client.ts';
import { agreementOf } from './partner-space.ts';

export interface InvitationDeskParts {
  readonly keys: OwnerKeys;
  readonly name: string;
  readonly stores: Stores;
  readonly clock: Clock;
  readonly random: Random;
  readonly client: PartnerClient;
  readonly changes: Notifier;
  /** Where this computer can be found. */
  readonly addresses: () => readonly string[];
  /** What this peer can be lent by an agreement that takes the place of all that was promised to it, in bytes. */
  readonly freeBytesFor: (peer: PeerId) => number;
}

/** An agreement may begin this far from our own clock. */
const startToleranceMs = dayMs;
/** A request of our own for an invite that nobody answered for so long stands in nobody's way. */
const crossingMs: number = 2 * minuteMs;
/** Enough of an id for a command to know whom it means. */
const idShown = 12;

export class InvitationDesk {
  readonly #parts: InvitationDeskParts;

  constructor(parts: InvitationDeskParts) {
    this.#parts = parts;
  }

  invite(terms: InvitationTerms): string {
    const { stores, clock, random, keys, addresses } = this.#parts;
    const secret = random.bytes(invitationSecretBytes);
    const expiresAt = instant(clock.now() + terms.validMs);
    const wantsBytes = terms.wantsBytes ?? terms.spaceBytes;
    stores.invitations.put({
      secretHash: secretHashOf(secret),
      spaceBytes: terms.spaceBytes,
      wantsBytes,
      expiresAt,
      redeemedBy: undefined,
      agreement: undefined,
    });
    return invitationText({
      inviter: keys.peerId,
      addresses: addresses(),
      secret,
      lendsBytes: terms.spaceBytes,
      wantsBytes,
      expiresAt,
    });
  }

  /** The agreement that came of a code of ours; resolves with undefined when `signal` aborts first. */
  async redeemed(code: string, signal: AbortSignal): Promise<AgreementRow | undefined> {
    const invitation = parseInvitation(code);
    if (!invitation.ok) return undefined;
    const { stores, changes } = this.#parts;
    const secretHash = secretHashOf(invitation.value.secret);
    while (!signal.aborted) {
      const agreement = stores.invitations.get(secretHash)?.agreement;
      if (agreement !== undefined) return stores.agreements.get(agreement);
      await changes.changed(signal);
    }
    return undefined;
  }

  /** The inviter's side. */
  redeem(from: PeerId, message: Bytes): Outcome<Bytes, Refusal> {
    const redemption = decodeRedemption(message);
    if (!redemption.ok) return refused('request.malformed', redemption.error.code);
    if (facts.recovering(this.#parts.stores))
      return refused('invite.unknown', 'this computer is being recovered');
    const row = this.#parts.stores.invitations.get(secretHashOf(redemption.value.secret));
    if (row === undefined) return refused('invite.unknown', 'no invite has this secret');
    if (row.redeemedBy !== undefined) return this.#redeemAgain(from, row);
    if (this.#parts.clock.now() > row.expiresAt)
      return refused('invite.expired', 'the invite is too old');
    return this.#sign(from, row, redemption.value);
  }

  #redeemAgain(from: PeerId, row: InvitationRow): Outcome<Bytes, Refusal> {
    if (row.redeemedBy !== from) return refused('invite.used', 'somebody else used this invite');
    const id = present(row.agreement, 'a redeemed invite has its agreement');
    const agreement = present(this.#parts.stores.agreements.get(id), 'a signed agreement is kept');
    return succeeded(this.#reply(agreement.document));
  }

  #sign(from: PeerId, row: InvitationRow, redemption: Redemption): Outcome<Bytes, Refusal> {
    const { stores, keys, clock, changes } = this.#parts;
    const between = stores.agreements.all().filter(({ partner }) => partner === from);
    if (between.some(({ phase }) => isInForce(phase)))
      return refused('terms.refused', existingAgreement(from));
    if (this.#goesFirst(between))
      return refused('terms.refused', 'this computer is about to accept an invite of yours');
    // A code is no room: it may have been promised to others since.
    if (row.spaceBytes > this.#parts.freeBytesFor(from))
      return refused('agreement.no-space', 'what the invite lends was promised to others since');
    const offered = this.#acceptable(from, row, redemption.agreement);
    if (!offered.ok) return offered;
    const signed = signAgreement(offered.value, 'first', keys.identitySeed);
    const document = encodeSignedAgreement(signed);
    const agreement = agreementIdOf(signed.body);
    stores.transact(() => {
      // What was offered to a stranger is void.
      for (const row of between) if (isOffer(row)) stores.agreements.remove(row.agreement);
      stores.agreements.put({
        agreement,
        partner: from,
        document,
        phase: 'standing',
        paused: false,
        lifecycle: undefined,
        partnerName: redemption.name,
        addresses: redemption.addresses,
        since: clock.now(),
        lastSeenAt: clock.now(),
      });
      stores.invitations.put({ ...row, redeemedBy: from, agreement });
    });
    changes.notify();
    return succeeded(this.#reply(document));
  }

  /** Two that accept each other's invites at the same time would have two agreements: of their requests that of the smaller id goes first, for a while. */
  #goesFirst(between: readonly AgreementRow[]): boolean {
    const { keys, clock } = this.#parts;
    return between.some(
      (row) =>
        row.phase === 'proposed' &&
        !isOffer(row) &&
        keys.peerId < row.partner &&
        Math.abs(clock.now() - row.since) < crossingMs,
    );
  }

  /** An agreement that says what the invite says, signed by whoever sent it. */
  #acceptable(
    from: PeerId,
    row: InvitationRow,
    document: Bytes,
  ): Outcome<SignedAgreement, Refusal> {
    const signed = decodeSignedAgreement(document);
    if (!signed.ok) return refused('request.malformed', signed.error.code);
    const offered = verifyParty(signed.value, 'second');
    if (!offered.ok) return refused('terms.refused', offered.error.code);
    const { first, second, start, terms } = offered.value;
    if (first !== this.#parts.keys.peerId || second !== from)
      return refused('terms.refused', 'the agreement is between others');
    if (Math.abs(start - this.#parts.clock.now()) > startToleranceMs)
      return refused('terms.refused', 'it begins too far from now; compare the clocks');
    const { secondLendsBytes } = terms;
    if (secondLendsBytes < row.wantsBytes)
      return refused('terms.refused', `the invite wants ${row.wantsBytes} bytes lent at least`);
    const invited = circleTerms({ firstLendsBytes: row.spaceBytes, secondLendsBytes });
    if (!equalBytes(encodeCbor(termsFields(terms)), encodeCbor(termsFields(invited))))
      return refused('terms.refused', 'the terms are not those of the invite');
    return signed;
  }

  #reply(agreement: Bytes): Bytes {
    const { name, addresses } = this.#parts;
    return encodeRedemptionReply({ agreement, name, addresses: addresses() });
  }

  /** The joiner's side. */
  async join(
    code: string,
    offer: JoinOffer,
    signal: AbortSignal,
  ): Promise<Outcome<AgreementRow, JoinFailure>> {
    const { keys, clock, client } = this.#parts;
    const parsed = parseInvitation(code);
    if (!parsed.ok) return joinFailed('invite.malformed', parsed.error.code);
    const invitation = parsed.value;
    if (invitation.inviter === keys.peerId)
      return joinFailed('invite.own', 'this code is your own');
    const known = this.#knownTo(invitation.inviter);
    if (known !== undefined)
      return agreementOf(known).terms.trusted
        ? succeeded(known)
        : joinFailed('invite.already-partner', adviceFor(invitation));
    if (clock.now() > invitation.expiresAt)
      return joinFailed('invite.expired', 'the invite is too old');
    const wantsBytes = invitation.wantsBytes ?? invitation.lendsBytes;
    const { spaceBytes = wantsBytes } = offer;
    if (spaceBytes < wantsBytes)
      return joinFailed('invite.lends-too-little', `${wantsBytes} bytes at least are wanted`);
    const proposed = this.#propose(invitation, spaceBytes);
    const answer = await client.negotiate(
      { peer: invitation.inviter, addresses: invitation.addresses },
      this.#request(invitation, proposed),
      signal,
    );
    if (!answer.ok) return failed(joinFailureOf(answer.error));
    return this.#conclude(invitation.inviter, answer.value);
  }

  /** The agreement in force with the inviter. One that strangers came to is void when the inviter may have signed what was asked for before. */
  #knownTo(inviter: PeerId): AgreementRow | undefined {
    const between = this.#parts.stores.agreements.all().filter((row) => row.partner === inviter);
    const asked = between.some((row) => row.phase === 'proposed' && !isOffer(row));
    return between.find(
      (row) => isInForce(row.phase) && (!asked || agreementOf(row).terms.trusted),
    );
  }

  /**
   * Our half of the agreement, kept before it is sent: the inviter may sign it and its answer get lost, and whoever then asks again is given
   * what was signed the first time, whatever space it offers then.
   */
  #propose(invitation: Invitation, spaceBytes: number): AgreementRow {
    const { stores, keys, clock } = this.#parts;
    const agreement: Agreement = {
      first: invitation.inviter,
      second: keys.peerId,
      start: clock.now(),
      terms: circleTerms({ firstLendsBytes: invitation.lendsBytes, secondLendsBytes: spaceBytes }),
    };
    const body = encodeAgreement(agreement);
    const signed = signAgreement({ body, signatures: {} }, 'second', keys.identitySeed);
    const row: AgreementRow = {
      agreement: agreementIdOf(body),
      partner: invitation.inviter,
      document: encodeSignedAgreement(signed),
      phase: 'proposed',
      paused: false,
      lifecycle: undefined,
      partnerName: '',
      addresses: invitation.addresses,
      since: clock.now(),
      lastSeenAt: undefined,
    };
    stores.agreements.put(row);
    return row;
  }

  #request(invitation: Invitation, proposed: AgreementRow): Bytes {
    const { name, addresses } = this.#parts;
    return encodeRedemption({
      secret: invitation.secret,
      agreement: proposed.document,
      name,
      addresses: addresses(),
    });
  }

  #conclude(inviter: PeerId, answer: Bytes): Outcome<AgreementRow, JoinFailure> {
    const { stores, clock, changes } = this.#parts;
    const reply = decodeRedemptionReply(answer);
    if (!reply.ok) return joinFailed('invite.refused', reply.error.code);
    const signed = decodeSignedAgreement(reply.value.agreement);
    if (!signed.ok) return joinFailed('invite.refused', signed.error.code);
    const proposed = stores.agreements.get(agreementIdOf(signed.value.body));
    if (proposed?.partner !== inviter || proposed.phase !== 'proposed')
      return joinFailed('invite.refused', 'the inviter answered with another agreement');
    const verified = verifyAgreement(signed.value);
    if (!verified.ok) return joinFailed('invite.refused', verified.error.code);
    const row: AgreementRow = {
      ...proposed,
      document: reply.value.agreement,
      phase: 'standing',
      partnerName: reply.value.name,
      addresses: reply.value.addresses.length > 0 ? reply.value.addresses : proposed.addresses,
      lastSeenAt: clock.now(),
    };
    stores.transact(() => {
      stores.agreements.put(row);
      this.#forgetOthers(inviter, row);
    });
    changes.notify();
    return succeeded(row);
  }

  /** One of them became the agreement; the others were never signed. One that strangers came to meanwhile is void on the inviter's side too. */
  #forgetOthers(inviter: PeerId, { agreement }: AgreementRow): void {
    const { agreements } = this.#parts.stores;
    for (const row of agreements.all()) {
      if (row.partner !== inviter || row.agreement === agreement) continue;
      const isVoid = isInForce(row.phase) && !agreementOf(row).terms.trusted;
      if (row.phase === 'proposed' || isVoid) agreements.remove(row.agreement);
    }
  }
}

/** A proposal that was negotiated, not one for an invite. */
function isOffer(row: AgreementRow): boolean {
  return row.phase === 'proposed' && !agreementOf(row).terms.trusted;
}

/** What to type instead of joining somebody that a search found already. */
function adviceFor({ inviter, lendsBytes, wantsBytes = lendsBytes }: Invitation): string {
  const partners = 'covault partners';
  const id = inviter.slice(0, idShown);
  return [
    `\`${partners} terms ${id} --lend ${wantsBytes}B --want ${lendsBytes}B\` asks it for these sizes, as between strangers`,
    `for terms of friends end what there is, and join by a new invitation: \`${partners} leave ${id}\` moves first what lies there`,
    `\`${partners} forget ${id}\` on both computers waits for nothing, and what lies there is sent again`,
  ].join('; ');
}

/** What whoever invited has to do, told to the one that joins. */
function existingAgreement(from: PeerId): string {
  return `there is an agreement between us already; whoever invited ends it first, by \`covault partners leave ${from.slice(0, idShown)}\``;
}

function refused(code: RefusalCode, detail: string): Outcome<never, Refusal> {
  return failed({ code, detail });
}

function joinFailed(code: JoinFailure['code'], detail: string): Outcome<never, JoinFailure> {
  return failed({ code, detail });
}

function joinFailureOf(failure: PeerFailure): JoinFailure {
  if (failure.code !== 'peer.refused')
    return { code: 'invite.inviter-unreachable', detail: `${failure.code}: ${failure.detail}` };
  switch (failure.refusal) {
    case 'invite.unknown':
    case 'invite.expired':
    case 'invite.used':
      return { code: failure.refusal, detail: failure.detail };
    default:
      return { code: 'invite.refused', detail: failure.detail };
  }
}
