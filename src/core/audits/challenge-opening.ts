/**
 * The owner's second message: its nonce opened, together with all that came before (C19).
 *
 * It bears the challenge and the partner's signed nonce, so whoever holds it can tell which blocks are meant without remembering anything: it can be sent
 * again after any loss, on either side, and it asks for the same blocks every time.
 */
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import { decodeDocument, encodeDocument } from '../../base/document.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import type { PeerId } from '../vocabulary/ids.ts';
import { decodeRecord, recordSignedBy, signRecord } from '../wire/signed-record.ts';
import {
  type Challenge,
  challengeMaximumBytes,
  nonceBytes,
  readChallenge,
  sealNonce,
} from './challenge.ts';
import { readNonce } from './nonce-reply.ts';

export interface OpenedChallenge {
  readonly challenge: Challenge;
  readonly ownerNonce: Bytes;
  readonly partnerNonce: Bytes;
  /** Encoded and signed. */
  readonly document: Bytes;
}

export type OpeningFailure = {
  readonly code:
    | 'audit.malformed'
    | 'audit.bad-signature'
    | 'audit.other-parties'
    | 'audit.other-challenge'
    | 'audit.opening-mismatch';
};

const signedChallengeBytes: number = challengeMaximumBytes + 96;
const signedNonceBytes = 384;
export const openingMaximumBytes: number = signedChallengeBytes + signedNonceBytes + 256;

const kind = { magic: 'covault/audit-opening', version: 1, limitBytes: openingMaximumBytes };

/** `nonceDocument`: what the partner answered, checked by `readNonce`. */
export function signOpening(
  parts: { readonly challenge: Challenge; readonly nonceDocument: Bytes; readonly nonce: Bytes },
  identitySeed: Uint8Array,
): Bytes {
  const { challenge, nonceDocument, nonce } = parts;
  const body = encodeDocument(kind, [challenge.document, nonceDocument, nonce]);
  return signRecord('audit-opening', body, identitySeed);
}

/** The opened challenge, when both parties signed their parts and the nonce is the one that was sealed. */
export function readOpening(
  document: Uint8Array,
  parties: { readonly owner: PeerId; readonly partner: PeerId },
): Outcome<OpenedChallenge, OpeningFailure> {
  const record = decodeRecord(document, openingMaximumBytes);
  if (!record.ok) return failed({ code: 'audit.malformed' });
  if (!recordSignedBy('audit-opening', record.value, parties.owner))
    return failed({ code: 'audit.bad-signature' });
  const read = decodeDocument(kind, record.value.body, (fields) => ({
    challenge: fields.bytes({ minimum: 1, maximum: signedChallengeBytes }),
    nonceDocument: fields.bytes({ minimum: 1, maximum: signedNonceBytes }),
    ownerNonce: fields.fixed(nonceBytes),
  }));
  if (!read.ok) return failed({ code: 'audit.malformed' });
  const { nonceDocument, ownerNonce } = read.value;
  const challenge = readChallenge(read.value.challenge, parties);
  if (!challenge.ok) return challenge;
  const { id, binding, sealedNonce } = challenge.value;
  const nonce = readNonce(nonceDocument, { challenge: id, partner: parties.partner });
  if (!nonce.ok) return nonce;
  if (!equalBytes(sealNonce(binding, ownerNonce), sealedNonce))
    return failed({ code: 'audit.opening-mismatch' });
  return succeeded({
    ...{ challenge: challenge.value, ownerNonce, partnerNonce: nonce.value },
    document: new Uint8Array(document),
  });
}
