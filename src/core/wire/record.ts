/**
 * What partners send each other on POST /v1/records to come to a receipt that both sign (docs/protocol.md#records).
 *
 * First the accounts: each tells how many receipts it has, gives those that the other lacks, and says what it observed of the other. Nothing of that is signed.
 * Then the receipt, with one signature; the answer is the same with both.
 */
import type { Bytes } from '../../base/bytes.ts';
import {
  type DocumentFailure,
  decodeDocument,
  encodeDocument,
  type FieldReader,
} from '../../base/document.ts';
import type { Outcome } from '../../base/outcome.ts';
import { type Conduct, conductFields, readConduct } from '../records/conduct.ts';
import { trackReceiptMaximumBytes } from '../records/track-receipt.ts';
import { type AgreementId, bytesOf, idBytes, idOf } from '../vocabulary/ids.ts';

/** One side's account, as it is told to the other. */
export interface RecordAccount {
  readonly agreement: AgreementId;
  /** Number of the newest receipt that the sender has; 0 without one. */
  readonly sequence: number;
  /** Signed receipts that the other side may lack, rising. */
  readonly receipts: readonly Bytes[];
  /** How the receiver of this behaved, as the sender observed it. */
  readonly conduct: Conduct;
}

export type RecordMessage =
  | { readonly type: 'account'; readonly account: RecordAccount }
  /** A receipt with its proposer's signature (see `proposeReceipt`). */
  | { readonly type: 'receipt'; readonly document: Bytes };

/** Receipts in one message at most. */
export const receiptsMaximum = 8;

const kind = { magic: 'covault/record', version: 1, limitBytes: 8_192 };
const types = ['account', 'receipt'] as const;

export function encodeRecordMessage(message: RecordMessage): Bytes {
  if (message.type === 'receipt') return encodeDocument(kind, [message.type, message.document]);
  const { agreement, sequence, receipts, conduct } = message.account;
  const fields = [bytesOf(agreement), sequence, receipts, conductFields(conduct)];
  return encodeDocument(kind, [message.type, ...fields]);
}

/** The parts; whether receipts are what they should be is for `verifyReceipt`. */
export function decodeRecordMessage(bytes: Uint8Array): Outcome<RecordMessage, DocumentFailure> {
  return decodeDocument(kind, bytes, (fields) => {
    const type = fields.choice(types);
    if (type === 'receipt') return { type, document: readDocument(fields) };
    return {
      type,
      account: {
        agreement: idOf<AgreementId>(fields.fixed(idBytes)),
        sequence: fields.uint(),
        receipts: fields.list(receiptsMaximum, readDocument),
        conduct: readConduct(fields),
      },
    };
  });
}

function readDocument(fields: FieldReader): Bytes {
  return fields.bytes({ minimum: 1, maximum: trackReceiptMaximumBytes });
}
