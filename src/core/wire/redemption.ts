/**
 * Redeeming an invite: one request, one reply (C2, C3 in their simplest form).
 *
 * Whoever joins writes the agreement from the terms in the code, signs it and sends it with the secret; the inviter checks it, signs too and returns it.
 * The same peer may ask again with the same secret and gets the same agreement; another peer is refused.
 */
import type { Bytes } from '../../base/bytes.ts';
import { type DocumentFailure, decodeDocument, encodeDocument } from '../../base/document.ts';
import type { Outcome } from '../../base/outcome.ts';
import { agreementMaximumBytes } from '../agreements/agreement.ts';
import { invitationSecretBytes } from '../agreements/invitation.ts';
import { messageMaximumBytes } from '../vocabulary/limits.ts';
import { readAddresses, readName } from './contact.ts';

export interface Redemption {
  readonly secret: Bytes;
  /** The agreement with the joiner's signature, encoded. */
  readonly agreement: Bytes;
  /** What the joiner calls itself. */
  readonly name: string;
  /** Where the joiner can be found; may be empty. */
  readonly addresses: readonly string[];
}

export interface RedemptionReply {
  /** With both signatures, encoded. */
  readonly agreement: Bytes;
  readonly name: string;
  readonly addresses: readonly string[];
}

const requestKind = { magic: 'covault/redemption', version: 1, limitBytes: messageMaximumBytes };
const replyKind = { magic: 'covault/redeemed', version: 1, limitBytes: messageMaximumBytes };
const signedMaximumBytes: number = agreementMaximumBytes + 256;

export function encodeRedemption(redemption: Redemption): Bytes {
  const { secret, agreement, name, addresses } = redemption;
  return encodeDocument(requestKind, [secret, agreement, name, addresses]);
}

export function decodeRedemption(bytes: Uint8Array): Outcome<Redemption, DocumentFailure> {
  return decodeDocument(requestKind, bytes, (fields) => ({
    secret: fields.fixed(invitationSecretBytes),
    agreement: fields.bytes({ minimum: 1, maximum: signedMaximumBytes }),
    name: readName(fields),
    addresses: readAddresses(fields),
  }));
}

export function encodeRedemptionReply(reply: RedemptionReply): Bytes {
  return encodeDocument(replyKind, [reply.agreement, reply.name, reply.addresses]);
}

export function decodeRedemptionReply(
  bytes: Uint8Array,
): Outcome<RedemptionReply, DocumentFailure> {
  return decodeDocument(replyKind, bytes, (fields) => ({
    agreement: fields.bytes({ minimum: 1, maximum: signedMaximumBytes }),
    name: readName(fields),
    addresses: readAddresses(fields),
  }));
}
