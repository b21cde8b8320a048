/** A document with the signature of one peer, as it is sent and stored: `[body, signature]`. */
import type { Bytes } from '../../base/bytes.ts';
import { encodeCbor } from '../../base/codec.ts';
import { type DocumentFailure, decodeFields } from '../../base/document.ts';
import type { Outcome } from '../../base/outcome.ts';
import { signatureBytes } from '../../primitives/signature.ts';
import type { DocumentType } from '../sealing/domains.ts';
import { signDocument, verifyDocument } from '../sealing/signed-document.ts';
import type { PeerId } from '../vocabulary/ids.ts';

export interface SignedRecord {
  readonly body: Bytes;
  /** 64 bytes. */
  readonly signature: Bytes;
}

/** What a record needs besides its body: two heads and the signature. */
const overheadBytes: number = signatureBytes + 16;

export function signRecord(type: DocumentType, body: Bytes, identitySeed: Uint8Array): Bytes {
  return encodeCbor([body, signDocument(type, body, identitySeed)]);
}

/** The parts of a record whose body has at most `limitBytes`; the signature is not checked. */
export function decodeRecord(
  bytes: Uint8Array,
  limitBytes: number,
): Outcome<SignedRecord, DocumentFailure> {
  return decodeFields(bytes, limitBytes + overheadBytes, (fields) => ({
    body: fields.bytes({ minimum: 1, maximum: limitBytes }),
    signature: fields.fixed(signatureBytes),
  }));
}

export function recordSignedBy(type: DocumentType, record: SignedRecord, signer: PeerId): boolean {
  return verifyDocument(type, record.body, { signature: record.signature, signer });
}
