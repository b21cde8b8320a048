/** What a partner says to a challenge: its own nonce, or that the ledger it is held to is not its own. Both signed, so neither can be taken back. */
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import { decodeDocument, encodeDocument } from '../../base/document.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { hashBytes } from '../../primitives/hash.ts';
import type { LedgerHead } from '../agreements/acknowledgement.ts';
import type { PeerId } from '../vocabulary/ids.ts';
import { decodeRecord, recordSignedBy, signRecord } from '../wire/signed-record.ts';
import { nonceBytes } from './challenge.ts';

const limitBytes = 256;
const nonceKind = { magic: 'covault/audit-nonce', version: 1, limitBytes };
const denialKind = { magic: 'covault/audit-denial', version: 1, limitBytes };

export type ReplyFailure = {
  readonly code: 'audit.malformed' | 'audit.bad-signature' | 'audit.other-challenge';
};

export function signNonce(
  challenge: Uint8Array,
  nonce: Uint8Array,
  identitySeed: Uint8Array,
): Bytes {
  return signRecord('audit-nonce', encodeDocument(nonceKind, [challenge, nonce]), identitySeed);
}

/** The partner's nonce for this challenge. */
export function readNonce(
  document: Uint8Array,
  expected: { readonly challenge: Uint8Array; readonly partner: PeerId },
): Outcome<Bytes, ReplyFailure> {
  const record = decodeRecord(document, limitBytes);
  if (!record.ok) return failed({ code: 'audit.malformed' });
  if (!recordSignedBy('audit-nonce', record.value, expected.partner))
    return failed({ code: 'audit.bad-signature' });
  const read = decodeDocument(nonceKind, record.value.body, (fields) => ({
    challenge: fields.fixed(hashBytes),
    nonce: fields.fixed(nonceBytes),
  }));
  if (!read.ok) return failed({ code: 'audit.malformed' });
  if (!equalBytes(read.value.challenge, expected.challenge))
    return failed({ code: 'audit.other-challenge' });
  return succeeded(read.value.nonce);
}

/** `head`: the end of the ledger that the partner has. */
export function signDenial(
  challenge: Uint8Array,
  head: LedgerHead,
  identitySeed: Uint8Array,
): Bytes {
  const body = encodeDocument(denialKind, [challenge, head.epoch, head.sequence, head.hash]);
  return signRecord('audit-denial', body, identitySeed);
}

export function readDenial(
  document: Uint8Array,
  expected: { readonly challenge: Uint8Array; readonly partner: PeerId },
): Outcome<LedgerHead, ReplyFailure> {
  const record = decodeRecord(document, limitBytes);
  if (!record.ok) return failed({ code: 'audit.malformed' });
  if (!recordSignedBy('audit-denial', record.value, expected.partner))
    return failed({ code: 'audit.bad-signature' });
  const read = decodeDocument(denialKind, record.value.body, (fields) => ({
    challenge: fields.fixed(hashBytes),
    head: { epoch: fields.uint(), sequence: fields.uint(), hash: fields.fixed(hashBytes) },
  }));
  if (!read.ok) return failed({ code: 'audit.malformed' });
  if (!equalBytes(read.value.challenge, expected.challenge))
    return failed({ code: 'audit.other-challenge' });
  return succeeded(read.value.head);
}
