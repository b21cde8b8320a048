/**
 * A receipt of the track record (C27): what both parties of an agreement sign about how each behaved, from the agreement's beginning up to a moment.
 *
 * Each side states what it observed of the other and signs what is said of itself only where its own account bears it out, so neither can make praise or blame
 * alone. The receipts of an agreement are a chain, each with the hash of the one before. One of the two always proposes, the one whose id is smaller, so
 * that two proposals never meet.
 */
import { assert } from '../../base/assert.ts';
import { type Bytes, bigEndian, compareBytes } from '../../base/bytes.ts';
import {
  type DocumentFailure,
  decodeDocument,
  encodeDocument,
  type FieldReader,
  orNull,
} from '../../base/document.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import type { Instant } from '../../base/units.ts';
import { hashBytes, hashWithDomain, sha256 } from '../../primitives/hash.ts';
import { signatureBytes } from '../../primitives/signature.ts';
import { domains } from '../sealing/domains.ts';
import { signDocument, verifyDocument } from '../sealing/signed-document.ts';
import { type AgreementId, bytesOf, idBytes, idOf, type PeerId } from '../vocabulary/ids.ts';
import { readPeer } from '../wire/contact.ts';
import { type Conduct, conductFields, readConduct } from './conduct.ts';

export interface TrackReceipt {
  /** The id of the first agreement between the two (`AgreementRow.agreement`). */
  readonly agreement: AgreementId;
  /** The party with the smaller id. */
  readonly proposer: PeerId;
  readonly countersigner: PeerId;
  /** From 1, rising by one. */
  readonly sequence: number;
  /** SHA-256 of the signed receipt before; of the first, see `recordStart`. */
  readonly previousHash: Bytes;
  /** The end of the receipt before; in the first, when the agreement began. */
  readonly from: Instant;
  /** By the proposer's clock, with which the countersigner's agreed within an hour. */
  readonly until: Instant;
  /** As the countersigner observed it. */
  readonly conductOfProposer: Conduct;
  /** As the proposer observed it. */
  readonly conductOfCountersigner: Conduct;
}

export type ReceiptSide = 'proposer' | 'countersigner';

export type RecordFailure =
  | DocumentFailure
  | { readonly code: 'record.bad-parties' | 'record.bad-period' }
  | {
      readonly code: 'record.bad-signature' | 'record.missing-signature';
      readonly by: ReceiptSide;
    };

/** A receipt with the signatures that it has; those that are there were checked. */
export interface ReadReceipt {
  readonly receipt: TrackReceipt;
  /** The bytes that are signed. */
  readonly body: Bytes;
  readonly signatures: { readonly proposer: Bytes; readonly countersigner: Bytes | undefined };
}

const bodyMaximumBytes = 640;
export const trackReceiptMaximumBytes = 832;

const kind = { magic: 'covault/track-receipt', version: 1, limitBytes: bodyMaximumBytes };
const signedKind = {
  magic: 'covault/signed-track-receipt',
  version: 1,
  limitBytes: trackReceiptMaximumBytes,
};

/** The party that proposes the receipts of an agreement between these two. */
export function proposerOf(one: PeerId, other: PeerId): PeerId {
  assert(one !== other, 'an agreement has two parties');
  return compareBytes(bytesOf(one), bytesOf(other)) < 0 ? one : other;
}

/** What stands for the hash of the receipt before in the first of an agreement. */
export function recordStart(agreement: AgreementId): Bytes {
  return hashWithDomain(domains.recordStart, bytesOf(agreement), bigEndian(0, 8));
}

/** What the next receipt of the chain refers to as the one before. */
export function receiptHash(document: Uint8Array): Bytes {
  return sha256(document);
}

/** The receipt with the proposer's signature alone. */
export function proposeReceipt(receipt: TrackReceipt, identitySeed: Uint8Array): Bytes {
  const body = encodeBody(receipt);
  const signature = signDocument('track-receipt', body, identitySeed);
  return encodeSigned(body, { proposer: signature, countersigner: undefined });
}

/** The same with both signatures. */
export function countersignReceipt(proposal: ReadReceipt, identitySeed: Uint8Array): Bytes {
  const countersigner = signDocument('track-receipt', proposal.body, identitySeed);
  return encodeSigned(proposal.body, { ...proposal.signatures, countersigner });
}

/** A receipt that at least its proposer has signed. */
export function readProposal(document: Uint8Array): Outcome<ReadReceipt, RecordFailure> {
  const signed = decodeDocument(signedKind, document, readSigned);
  if (!signed.ok) return signed;
  const { body, signatures } = signed.value;
  const receipt = decodeBody(body);
  if (!receipt.ok) return receipt;
  for (const by of ['proposer', 'countersigner'] as const) {
    const signature = signatures[by];
    const signer = receipt.value[by];
    if (signature !== undefined && !verifyDocument('track-receipt', body, { signature, signer }))
      return failed({ code: 'record.bad-signature', by });
  }
  return succeeded({ receipt: receipt.value, body, signatures });
}

/** The receipt, when both parties have signed it: what anybody can check, who knows neither of them. */
export function verifyReceipt(document: Uint8Array): Outcome<TrackReceipt, RecordFailure> {
  const read = readProposal(document);
  if (!read.ok) return read;
  if (read.value.signatures.countersigner === undefined)
    return failed({ code: 'record.missing-signature', by: 'countersigner' });
  return succeeded(read.value.receipt);
}

/** How `peer`, one of the two, behaved by what both signed. */
export function conductIn(receipt: TrackReceipt, peer: PeerId): Conduct {
  assert(isParty(receipt, peer), 'a party of the receipt');
  return receipt.proposer === peer ? receipt.conductOfProposer : receipt.conductOfCountersigner;
}

export function isParty(receipt: TrackReceipt, peer: PeerId): boolean {
  return receipt.proposer === peer || receipt.countersigner === peer;
}

function encodeBody(receipt: TrackReceipt): Bytes {
  assert(proposerOf(receipt.proposer, receipt.countersigner) === receipt.proposer, 'who proposes');
  assert(receipt.sequence >= 1 && receipt.from <= receipt.until, 'a receipt of some time');
  return encodeDocument(kind, [
    bytesOf(receipt.agreement),
    bytesOf(receipt.proposer),
    bytesOf(receipt.countersigner),
    receipt.sequence,
    receipt.previousHash,
    receipt.from,
    receipt.until,
    conductFields(receipt.conductOfProposer),
    conductFields(receipt.conductOfCountersigner),
  ]);
}

function decodeBody(body: Uint8Array): Outcome<TrackReceipt, RecordFailure> {
  const decoded = decodeDocument(kind, body, readBody);
  if (!decoded.ok) return decoded;
  const { proposer, countersigner, sequence, from, until } = decoded.value;
  if (proposer === countersigner || proposerOf(proposer, countersigner) !== proposer)
    return failed({ code: 'record.bad-parties' });
  if (sequence < 1 || from > until) return failed({ code: 'record.bad-period' });
  return decoded;
}

function readBody(fields: FieldReader): TrackReceipt {
  return {
    agreement: idOf<AgreementId>(fields.fixed(idBytes)),
    proposer: readPeer(fields),
    countersigner: readPeer(fields),
    sequence: fields.uint(),
    previousHash: fields.fixed(hashBytes),
    from: fields.instant(),
    until: fields.instant(),
    conductOfProposer: readConduct(fields),
    conductOfCountersigner: readConduct(fields),
  };
}

function encodeSigned(body: Bytes, signatures: ReadReceipt['signatures']): Bytes {
  const { proposer, countersigner } = signatures;
  return encodeDocument(signedKind, [body, proposer, orNull(countersigner)]);
}

function readSigned(fields: FieldReader): Pick<ReadReceipt, 'body' | 'signatures'> {
  const body = fields.bytes({ minimum: 1, maximum: bodyMaximumBytes });
  const proposer = fields.fixed(signatureBytes);
  const countersigner = fields.optional((field) => field.fixed(signatureBytes));
  return { body, signatures: { proposer, countersigner } };
}
