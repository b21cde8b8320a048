/**
 * Signatures over documents: `covault/v1/TYPE` and then the document's deterministic CBOR.
 *
 * The type keeps a signature given for one kind of document from being shown for another. A document is a CBOR array or map, whose
 * first byte is no ASCII character, so the end of the type is unambiguous.
 */
import { assert } from '../../base/assert.ts';
import { type Bytes, concatBytes, utf8Bytes } from '../../base/bytes.ts';
import { sign, signingKey, verify } from '../../primitives/signature.ts';
import { bytesOf, type PeerId } from '../vocabulary/ids.ts';
import type { DocumentType } from './domains.ts';

/** The 64-byte signature of `body` by the identity whose seed is given. */
export function signDocument(
  type: DocumentType,
  body: Uint8Array,
  identitySeed: Uint8Array,
): Bytes {
  assert(isDocument(body), 'a document is a CBOR array or map');
  return sign(signingKey(identitySeed), signedBytes(type, body));
}

export interface DocumentSignature {
  readonly signature: Uint8Array;
  readonly signer: PeerId;
}

/** Whether `signer` signed exactly this body as a document of this type. */
export function verifyDocument(
  type: DocumentType,
  body: Uint8Array,
  { signature, signer }: DocumentSignature,
): boolean {
  return isDocument(body) && verify(bytesOf(signer), signedBytes(type, body), signature);
}

/** CBOR major types 4 (array) and 5 (map) have first bytes 0x80 to 0xbf (RFC 8949 §3.1). */
function isDocument(body: Uint8Array): boolean {
  const first = body[0] ?? 0;
  return first >= 0x80 && first <= 0xbf;
}

function signedBytes(type: DocumentType, body: Uint8Array): Bytes {
  return concatBytes([utf8Bytes(`covault/v1/${type}`), body]);
}
