/**
 * The agreement between two peers (C1, C3): one document, signed by both, kept by both.
 *
 * The first party is the one that invited or was asked, the second the one that came. Its id is the SHA-256 of the body, so both know it
 * before either has signed. An agreement binds only with both signatures. A renewal or a change of terms is an agreement of its own that says which
 * one it replaces (replacement.ts).
 */
import { assert } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import {
  type DocumentFailure,
  decodeDocument,
  encodeDocument,
  type FieldReader,
  orNull,
} from '../../base/document.ts';
import { failed, type Outcome } from '../../base/outcome.ts';
import type { Instant } from '../../base/units.ts';
import { sha256 } from '../../primitives/hash.ts';
import { signatureBytes } from '../../primitives/signature.ts';
import { signDocument, verifyDocument } from '../sealing/signed-document.ts';
import { type AgreementId, bytesOf, idBytes, idOf, type PeerId } from '../vocabulary/ids.ts';
import { readPeer } from '../wire/contact.ts';
import { readTerms, type Terms, type TermsFailure, termsFields, validTerms } from './terms.ts';

export interface Agreement {
  /** The peer that invited. */
  readonly first: PeerId;
  /** The peer that joined. */
  readonly second: PeerId;
  readonly start: Instant;
  readonly terms: Terms;
  /** Absent in the first agreement between two peers. */
  readonly replaces?: Replaces;
}

/** Whose place an agreement takes. */
export interface Replaces {
  /** The first agreement of the chain: its id stays the key of the partnership, of its ledger and its track record. */
  readonly root: AgreementId;
  /** From 1; the higher number is in force. */
  readonly number: number;
}

/** Which of the two parties. */
export type Party = 'first' | 'second';

export interface SignedAgreement {
  /** The encoded agreement: the bytes that are signed. */
  readonly body: Bytes;
  readonly signatures: { readonly first?: Bytes; readonly second?: Bytes };
}

export type AgreementFailure =
  | DocumentFailure
  | TermsFailure
  | { readonly code: 'agreement.same-party' }
  | {
      readonly code: 'agreement.bad-signature' | 'agreement.missing-signature';
      readonly by: Party;
    };

export const agreementMaximumBytes = 2_048;

const kind = { magic: 'covault/agreement', version: 1, limitBytes: agreementMaximumBytes };
const changeKind = { ...kind, magic: 'covault/agreement-change' };
const signedKind = {
  magic: 'covault/signed-agreement',
  version: 1,
  limitBytes: agreementMaximumBytes + 256,
};

export function encodeAgreement(agreement: Agreement): Bytes {
  assert(validTerms(agreement.terms).ok, 'only terms that make sense are put in writing');
  assert(agreement.first !== agreement.second, 'an agreement has two parties');
  const { first, second, start, terms, replaces } = agreement;
  const fields = [bytesOf(first), bytesOf(second), start, termsFields(terms)];
  if (replaces === undefined) return encodeDocument(kind, fields);
  assert(replaces.number >= 1, 'the first agreement has number 0');
  return encodeDocument(changeKind, [...fields, bytesOf(replaces.root), replaces.number]);
}

/** The agreement in `body`, with terms that make sense between two different peers. */
export function decodeAgreement(body: Uint8Array): Outcome<Agreement, AgreementFailure> {
  const plain = decodeDocument(kind, body, readAgreement);
  const decoded =
    plain.ok || plain.error.code !== 'document.wrong-magic'
      ? plain
      : decodeDocument(changeKind, body, readChange);
  if (!decoded.ok) return decoded;
  const terms = validTerms(decoded.value.terms);
  if (!terms.ok) return terms;
  if (decoded.value.first === decoded.value.second) return failed({ code: 'agreement.same-party' });
  return decoded;
}

function readAgreement(fields: FieldReader): Agreement {
  return {
    first: readPeer(fields),
    second: readPeer(fields),
    start: fields.instant(),
    terms: readTerms(fields),
  };
}

function readChange(fields: FieldReader): Agreement {
  const agreement = readAgreement(fields);
  return { ...agreement, replaces: readReplaces(fields) };
}

/** The two fields that follow those of an agreement in one that replaces another. */
export function readReplaces(fields: FieldReader): Replaces {
  const root = idOf<AgreementId>(fields.fixed(idBytes));
  const number = fields.uint();
  fields.require(number >= 1, 'a number above that of the first agreement');
  return { root, number };
}

export function agreementIdOf(body: Uint8Array): AgreementId {
  return idOf<AgreementId>(sha256(body));
}

/** The agreement with this party's signature added. */
export function signAgreement(
  signed: SignedAgreement,
  party: Party,
  identitySeed: Uint8Array,
): SignedAgreement {
  const signature = signDocument('agreement', signed.body, identitySeed);
  return { body: signed.body, signatures: { ...signed.signatures, [party]: signature } };
}

/** The agreement, when this party's signature on it is there and right. */
export function verifyParty(
  signed: SignedAgreement,
  party: Party,
): Outcome<Agreement, AgreementFailure> {
  const agreement = decodeAgreement(signed.body);
  if (!agreement.ok) return agreement;
  const signature = signed.signatures[party];
  if (signature === undefined) return failed({ code: 'agreement.missing-signature', by: party });
  const signer = agreement.value[party];
  if (!verifyDocument('agreement', signed.body, { signature, signer }))
    return failed({ code: 'agreement.bad-signature', by: party });
  return agreement;
}

/** The agreement, when both have signed it: only then does it bind. */
export function verifyAgreement(signed: SignedAgreement): Outcome<Agreement, AgreementFailure> {
  const byFirst = verifyParty(signed, 'first');
  return byFirst.ok ? verifyParty(signed, 'second') : byFirst;
}

export function encodeSignedAgreement(signed: SignedAgreement): Bytes {
  const { first, second } = signed.signatures;
  return encodeDocument(signedKind, [signed.body, orNull(first), orNull(second)]);
}

/** The parts; signatures are checked by `verifyAgreement`. */
export function decodeSignedAgreement(
  bytes: Uint8Array,
): Outcome<SignedAgreement, DocumentFailure> {
  return decodeDocument(signedKind, bytes, readSignedAgreement);
}

function readSignedAgreement(fields: FieldReader): SignedAgreement {
  const body = fields.bytes({ minimum: 1, maximum: agreementMaximumBytes });
  const first = fields.optional((field) => field.fixed(signatureBytes));
  const second = fields.optional((field) => field.fixed(signatureBytes));
  return {
    body,
    signatures: {
      ...(first === undefined ? {} : { first }),
      ...(second === undefined ? {} : { second }),
    },
  };
}

/** The part that `peer` has in the agreement, or undefined. */
export function partyOf(agreement: Agreement, peer: PeerId): Party | undefined {
  if (agreement.first === peer) return 'first';
  return agreement.second === peer ? 'second' : undefined;
}

/** The other party; `peer` is one of the two. */
export function partnerOf(agreement: Agreement, peer: PeerId): PeerId {
  assert(partyOf(agreement, peer) !== undefined, 'a party of the agreement');
  return agreement.first === peer ? agreement.second : agreement.first;
}

/** Bytes that `peer`, one of the two, lends to the other. */
export function bytesLentBy(agreement: Agreement, peer: PeerId): number {
  assert(partyOf(agreement, peer) !== undefined, 'a party of the agreement');
  const { firstLendsBytes, secondLendsBytes } = agreement.terms;
  return agreement.first === peer ? firstLendsBytes : secondLendsBytes;
}

/** Bytes that the other party lends to `peer`. */
export function bytesLentTo(agreement: Agreement, peer: PeerId): number {
  return bytesLentBy(agreement, partnerOf(agreement, peer));
}
