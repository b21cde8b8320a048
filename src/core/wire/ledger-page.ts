/** Entries of a ledger, in order: what an owner asks for when it missed some, or lost them all. */
import type { Bytes } from '../../base/bytes.ts';
import { type DocumentFailure, decodeDocument, encodeDocument } from '../../base/document.ts';
import type { Outcome } from '../../base/outcome.ts';
import { acknowledgementMaximumBytes } from '../agreements/acknowledgement.ts';
import { messageMaximumBytes } from '../vocabulary/limits.ts';

export const ledgerPageEntries = 64;

/** An acknowledgement with its signature. */
const entryMaximumBytes: number = acknowledgementMaximumBytes + 128;
const kind = { magic: 'covault/ledger-page', version: 1, limitBytes: messageMaximumBytes };

export function encodeLedgerPage(documents: readonly Bytes[]): Bytes {
  return encodeDocument(kind, [documents]);
}

/** The encoded acknowledgements; each is still to be checked against the ledger's head. */
export function decodeLedgerPage(bytes: Uint8Array): Outcome<readonly Bytes[], DocumentFailure> {
  return decodeDocument(kind, bytes, (fields) =>
    fields.list(ledgerPageEntries, (list) =>
      list.bytes({ minimum: 1, maximum: entryMaximumBytes }),
    ),
  );
}
