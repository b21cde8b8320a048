/**
 * Redeeming an invite: whoever joins shows the secret and an agreement that it has signed; the inviter answers with the same agreement, signed by
 * both. Asked again by the same peer it gives the same answer, so a reply that was lost costs nothing.
 */
import type { Bytes } from '../../base/bytes.ts';
import { type DocumentFailure, decodeDocument, encodeDocument } from '../../base/document.ts';
import type { Outcome } from '../../base/outcome.ts';
import { readAddresses, readName } from './contact.ts';

export interface Redemption {
  /** 16 bytes, from the invite. */
  readonly secret: Bytes;
  /** Encoded signed agreement with the joiner's signature. */
  readonly agreement: Bytes;
  /** What the joiner calls itself. */
  readonly name: string;
  /** Where the joiner can be found. */
  readonly addresses: readonly string[];
}

export interface RedemptionReply {
  /** Encoded signed agreement with both signatures. */
  readonly agreement: Bytes;
  /** What the inviter calls itself. */
  readonly name: string;
  readonly addresses: readonly string[];
}

const secretBytes = 16;
const agreementDocumentMaximumBytes = 2_304;

const redemptionKind = { magic: 'covault/redemption', version: 1, limitBytes: 8_192 };
const replyKind = { magic: 'covault/redemption-reply', version: 1, limitBytes: 8_192 };

export function encodeRedemption(redemption: Redemption): Bytes {
  const { secret, agreement, name, addresses } = redemption;
  return encodeDocument(redemptionKind, [secret, agreement, name, addresses]);
}

export function decodeRedemption(bytes: Uint8Array): Outcome<Redemption, DocumentFailure> {
  return decodeDocument(redemptionKind, bytes, (fields) => ({
    secret: fields.fixed(secretBytes),
    agreement: fields.bytes({ minimum: 1, maximum: agreementDocumentMaximumBytes }),
    name: readName(fields),
    addresses: readAddresses(fields),
  }));
}

export function encodeRedemptionReply({ agreement, name, addresses }: RedemptionReply): Bytes {
  return encodeDocument(replyKind, [agreement, name, addresses]);
}

export function decodeRedemptionReply(
  bytes: Uint8Array,
): Outcome<RedemptionReply, DocumentFailure> {
  return decodeDocument(replyKind, bytes, (fields) => ({
    agreement: fields.bytes({ minimum: 1, maximum: agreementDocumentMaximumBytes }),
    name: readName(fields),
    addresses: readAddresses(fields),
  }));
}
