/** Consecutive entries of a ledger, encoded and signed, for an owner that missed some or lost its own. */
import { assert } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import { type DocumentFailure, decodeDocument, encodeDocument } from '../../base/document.ts';
import type { Outcome } from '../../base/outcome.ts';
import { messageMaximumBytes } from '../vocabulary/limits.ts';

/** A page of so many entries keeps to the limit of messages. */
export const ledgerPageEntries = 100;
/** A signed acknowledgement with its heads. */
const entryMaximumBytes = 600;

const kind = { magic: 'covault/ledger-page', version: 1, limitBytes: messageMaximumBytes };

/** An empty page: there are no more. */
export function encodeLedgerPage(documents: readonly Bytes[]): Bytes {
  assert(documents.length <= ledgerPageEntries, 'a page keeps to its limit');
  return encodeDocument(kind, [documents]);
}

/** The entries in order; each is checked by `checkLedgerEntry`. */
export function decodeLedgerPage(bytes: Uint8Array): Outcome<readonly Bytes[], DocumentFailure> {
  return decodeDocument(kind, bytes, (fields) =>
    fields.list(ledgerPageEntries, (list) =>
      list.bytes({ minimum: 1, maximum: entryMaximumBytes }),
    ),
  );
}
