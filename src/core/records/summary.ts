/** The track record as a profile shows it (C27): whom to ask, and what both signed last. */
import type { Bytes } from '../../base/bytes.ts';
import { hashBytes } from '../../primitives/hash.ts';
import type { PeerId } from '../vocabulary/ids.ts';
import { type Reference, referenceAddressesMaximum, referencesMaximum } from '../wire/reference.ts';
import { hasReneged } from './conduct.ts';
import { conductIn, receiptHash, type TrackReceipt } from './track-receipt.ts';

/** A partner, present or former, and the newest receipt with it. */
export interface RecordedPartner {
  readonly peer: PeerId;
  readonly addresses: readonly string[];
  readonly newest: { readonly receipt: TrackReceipt; readonly document: Bytes } | undefined;
}

/** References to these partners, those that can bear out most first; as many as a profile takes. */
export function referencesOf(
  self: PeerId,
  partners: readonly RecordedPartner[],
): readonly Reference[] {
  return partners
    .map((partner) => referenceTo(self, partner))
    .sort((left, right) => right.provenDays - left.provenDays || right.sequence - left.sequence)
    .slice(0, referencesMaximum);
}

function referenceTo(self: PeerId, { peer, addresses, newest }: RecordedPartner): Reference {
  const contact = { peer, addresses: addresses.slice(0, referenceAddressesMaximum) };
  if (newest === undefined)
    return {
      ...contact,
      sequence: 0,
      receiptHash: new Uint8Array(hashBytes),
      provenDays: 0,
      renegedCount: 0,
    };
  const { provenDays, outcome } = conductIn(newest.receipt, self);
  return {
    ...contact,
    sequence: newest.receipt.sequence,
    receiptHash: receiptHash(newest.document),
    provenDays,
    renegedCount: hasReneged(outcome) ? 1 : 0,
  };
}
