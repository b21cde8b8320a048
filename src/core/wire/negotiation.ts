/**
 * What two computers say to each other until they have an agreement (C3, C24–C27; docs/protocol.md#negotiation), on `POST /v1/negotiation`.
 *
 * The asker sends a request, the other answers it; the magic tells these from redemptions of invites on the same resource. Signed profiles and signed agreements
 * travel as the bytes that were signed.
 */
import { assertNever } from '../../base/assert.ts';
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import { type CborValue, encodeCbor } from '../../base/codec.ts';
import {
  type DocumentFailure,
  decodeDocument,
  encodeDocument,
  type FieldReader,
} from '../../base/document.ts';
import type { Outcome } from '../../base/outcome.ts';
import { agreementMaximumBytes, type Replaces, readReplaces } from '../agreements/agreement.ts';
import { readTerms, type Terms, termsFields } from '../agreements/terms.ts';
import { bytesOf } from '../vocabulary/ids.ts';
import { readAddresses, readName } from './contact.ts';

/** Why no agreement comes about, or none yet. */
export type NegotiationCode =
  /** No version of the protocol that both speak. */
  | 'negotiation.protocol'
  /** No partner is wanted: there are enough, or strangers are not taken. */
  | 'negotiation.not-wanted'
  /** Too many negotiations at once, or too many offers of this one. */
  | 'negotiation.busy'
  /** The last round was reached without terms that suit both. */
  | 'negotiation.rounds'
  /** There is not enough space to lend or to borrow. */
  | 'negotiation.space'
  /** The two are not on line together often enough (C24, C25). */
  | 'negotiation.schedule'
  /** The average bandwidth is below the threshold (C26). */
  | 'negotiation.bandwidth'
  /** The asker reneged on too many others (C27). */
  | 'negotiation.record'
  /** Periods, quotas or trust that this side does not sign. */
  | 'negotiation.terms'
  /** The agreement begins too far from this side's clock. */
  | 'negotiation.start'
  /** The two are partners already: the agreement in force must be replaced. */
  | 'negotiation.partners-already'
  /** The agreement to be replaced is not in force here, or a later one is. */
  | 'negotiation.not-in-force'
  /** Both proposed at once, and the other's proposal goes first. */
  | 'negotiation.crossed'
  /** The message does not fit what was said before, or a signature is wrong. */
  | 'negotiation.unexpected';

const codes: Readonly<Record<NegotiationCode, true>> = {
  'negotiation.protocol': true,
  'negotiation.not-wanted': true,
  'negotiation.busy': true,
  'negotiation.rounds': true,
  'negotiation.space': true,
  'negotiation.schedule': true,
  'negotiation.bandwidth': true,
  'negotiation.record': true,
  'negotiation.terms': true,
  'negotiation.start': true,
  'negotiation.partners-already': true,
  'negotiation.not-in-force': true,
  'negotiation.crossed': true,
  'negotiation.unexpected': true,
};

export const negotiationCodes: readonly NegotiationCode[] = Object.keys(codes) as NegotiationCode[];

/** From the one that asks. */
export type NegotiationRequest =
  | {
      readonly type: 'query';
      /** Signed profile of the asker. */
      readonly profile: Bytes;
      readonly addresses: readonly string[];
    }
  | {
      readonly type: 'offer';
      readonly protocol: number;
      /** 16 random bytes, the asker's. */
      readonly negotiation: Bytes;
      /** 1 for the first offer, rising by one. */
      readonly round: number;
      readonly terms: Terms;
      /** For a renewal or a change of terms. */
      readonly replaces?: Replaces;
    }
  | {
      readonly type: 'sign';
      readonly protocol: number;
      readonly negotiation: Bytes;
      /** Encoded signed agreement with the asker's signature. */
      readonly agreement: Bytes;
      /** What the asker calls itself, and where it can be found. */
      readonly name: string;
      readonly addresses: readonly string[];
    };

/** From the one that was asked. */
export type NegotiationReply =
  | { readonly type: 'answer'; readonly profile: Bytes; readonly addresses: readonly string[] }
  | {
      /** Not these terms, but those. */
      readonly type: 'counter';
      readonly negotiation: Bytes;
      /** Of the offer that it answers. */
      readonly round: number;
      readonly terms: Terms;
    }
  | {
      /** An agreement with exactly the offered terms would be signed. */
      readonly type: 'accepted';
      readonly negotiation: Bytes;
      readonly round: number;
    }
  | {
      readonly type: 'refused';
      readonly reason: NegotiationCode;
      /** For people; cut to its limit. */
      readonly detail: string;
    }
  | {
      readonly type: 'signed';
      /** Encoded signed agreement with both signatures. */
      readonly agreement: Bytes;
      readonly name: string;
      readonly addresses: readonly string[];
    };

export const negotiationBytes = 16;
/** Offers in one negotiation at most. */
export const roundsMaximum = 4;
/** A signed profile in a message. */
export const profileFieldMaximumBytes = 17_408;

const detailMaximumLength = 256;
const agreementDocumentMaximumBytes: number = agreementMaximumBytes + 256;
const limitBytes = 24_576;
const requestKind = { magic: 'covault/negotiation', version: 1, limitBytes };
const replyKind = { magic: 'covault/negotiation-reply', version: 1, limitBytes };

const magicItem = encodeCbor(requestKind.magic);

/**
 * Whether the body of a POST to the resource is a negotiation rather than the redemption of an invite. Only the magic is looked at, which stands after
 * the head of the array, one byte.
 */
export function isNegotiation(body: Uint8Array): boolean {
  return equalBytes(body.subarray(1, 1 + magicItem.length), magicItem);
}

export function encodeNegotiationRequest(request: NegotiationRequest): Bytes {
  return encodeDocument(requestKind, requestFields(request));
}

function requestFields(request: NegotiationRequest): readonly CborValue[] {
  switch (request.type) {
    case 'query':
      return [request.type, request.profile, request.addresses];
    case 'offer': {
      const { type, protocol, negotiation, round, terms, replaces } = request;
      const place = replaces === undefined ? null : [bytesOf(replaces.root), replaces.number];
      return [type, protocol, negotiation, round, termsFields(terms), place];
    }
    case 'sign': {
      const { type, protocol, negotiation, agreement, name, addresses } = request;
      return [type, protocol, negotiation, agreement, name, addresses];
    }
    default:
      return assertNever(request);
  }
}

export function decodeNegotiationRequest(
  bytes: Uint8Array,
): Outcome<NegotiationRequest, DocumentFailure> {
  return decodeDocument(requestKind, bytes, readRequest);
}

function readRequest(fields: FieldReader): NegotiationRequest {
  const type = fields.choice(['query', 'offer', 'sign']);
  if (type === 'query')
    return { type, profile: readProfileField(fields), addresses: readAddresses(fields) };
  const protocol = fields.uint(255);
  const negotiation = fields.fixed(negotiationBytes);
  if (type === 'sign')
    return {
      type,
      protocol,
      negotiation,
      agreement: readAgreementField(fields),
      name: readName(fields),
      addresses: readAddresses(fields),
    };
  const round = readRound(fields);
  const terms = readTerms(fields);
  const replaces = fields.optional((field) => field.record(readReplaces));
  return {
    type,
    protocol,
    negotiation,
    round,
    terms,
    ...(replaces === undefined ? {} : { replaces }),
  };
}

export function encodeNegotiationReply(reply: NegotiationReply): Bytes {
  return encodeDocument(replyKind, replyFields(reply));
}

function replyFields(reply: NegotiationReply): readonly CborValue[] {
  switch (reply.type) {
    case 'answer':
      return [reply.type, reply.profile, reply.addresses];
    case 'counter':
      return [reply.type, reply.negotiation, reply.round, termsFields(reply.terms)];
    case 'accepted':
      return [reply.type, reply.negotiation, reply.round];
    case 'refused':
      return [reply.type, reply.reason, reply.detail.slice(0, detailMaximumLength).toWellFormed()];
    case 'signed':
      return [reply.type, reply.agreement, reply.name, reply.addresses];
    default:
      return assertNever(reply);
  }
}

export function decodeNegotiationReply(
  bytes: Uint8Array,
): Outcome<NegotiationReply, DocumentFailure> {
  return decodeDocument(replyKind, bytes, readReply);
}

function readReply(fields: FieldReader): NegotiationReply {
  const type = fields.choice(['answer', 'counter', 'accepted', 'refused', 'signed']);
  switch (type) {
    case 'answer':
      return { type, profile: readProfileField(fields), addresses: readAddresses(fields) };
    case 'refused':
      return {
        type,
        reason: fields.choice(negotiationCodes),
        detail: fields.text(detailMaximumLength),
      };
    case 'signed':
      return {
        type,
        agreement: readAgreementField(fields),
        name: readName(fields),
        addresses: readAddresses(fields),
      };
    case 'counter':
    case 'accepted': {
      const negotiation = fields.fixed(negotiationBytes);
      const round = readRound(fields);
      if (type === 'accepted') return { type, negotiation, round };
      return { type, negotiation, round, terms: readTerms(fields) };
    }
    default:
      return assertNever(type);
  }
}

function readRound(fields: FieldReader): number {
  const round = fields.uint(roundsMaximum);
  fields.require(round >= 1, 'a round from 1');
  return round;
}

function readProfileField(fields: FieldReader): Bytes {
  return fields.bytes({ minimum: 1, maximum: profileFieldMaximumBytes });
}

function readAgreementField(fields: FieldReader): Bytes {
  return fields.bytes({ minimum: 1, maximum: agreementDocumentMaximumBytes });
}
