/** A partner's receipt for a manifest: it holds this one, durably, and said so under its signature. */
import type { Bytes } from '../../base/bytes.ts';
import { decodeDocument, encodeDocument, type FieldReader } from '../../base/document.ts';
import { failed, type Outcome } from '../../base/outcome.ts';
import type { Instant } from '../../base/units.ts';
import { hashBytes } from '../../primitives/hash.ts';
import { bytesOf, type PeerId } from '../vocabulary/ids.ts';
import { readPeer } from '../wire/contact.ts';
import { decodeRecord, recordSignedBy, signRecord } from '../wire/signed-record.ts';

export interface Receipt {
  readonly owner: PeerId;
  readonly incarnation: number;
  readonly sequence: number;
  /** What the manifest is named by. */
  readonly manifestHash: Bytes;
  /** By the partner's clock. */
  readonly time: Instant;
}

export type ReceiptFailure = {
  readonly code: 'receipt.malformed' | 'receipt.bad-signature';
};

export const receiptMaximumBytes = 512;

const kind = { magic: 'covault/receipt', version: 1, limitBytes: receiptMaximumBytes };

/** The receipt, encoded and signed. */
export function signReceipt(receipt: Receipt, identitySeed: Uint8Array): Bytes {
  const body = encodeDocument(kind, [
    bytesOf(receipt.owner),
    receipt.incarnation,
    receipt.sequence,
    receipt.manifestHash,
    receipt.time,
  ]);
  return signRecord('receipt', body, identitySeed);
}

/** The receipt, when `partner` signed it. Whether it is for the right manifest is the caller's question. */
export function readReceipt(
  document: Uint8Array,
  partner: PeerId,
): Outcome<Receipt, ReceiptFailure> {
  const record = decodeRecord(document, receiptMaximumBytes);
  if (!record.ok) return failed({ code: 'receipt.malformed' });
  if (!recordSignedBy('receipt', record.value, partner))
    return failed({ code: 'receipt.bad-signature' });
  const receipt = decodeDocument(kind, record.value.body, readFields);
  return receipt.ok ? receipt : failed({ code: 'receipt.malformed' });
}

function readFields(fields: FieldReader): Receipt {
  return {
    owner: readPeer(fields),
    incarnation: fields.uint(),
    sequence: fields.uint(),
    manifestHash: fields.fixed(hashBytes),
    time: fields.instant(),
  };
}
