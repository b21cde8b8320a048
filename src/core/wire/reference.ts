/**
 * A reference: a peer that can be asked how another one behaved with it (C27).
 *
 * What a profile says of it is the word of the one who names it. The receipt that it points to is signed by both, and the peer named answers for itself.
 */
import type { Bytes } from '../../base/bytes.ts';
import type { CborValue } from '../../base/codec.ts';
import type { FieldReader } from '../../base/document.ts';
import { hashBytes } from '../../primitives/hash.ts';
import { bytesOf, type PeerId } from '../vocabulary/ids.ts';
import { addressMaximumLength, readPeer, validAddress } from './contact.ts';

export interface Reference {
  readonly peer: PeerId;
  /** At most three, most promising first. */
  readonly addresses: readonly string[];
  /** Number of the newest receipt that both signed; 0 when there is none. */
  readonly sequence: number;
  /** SHA-256 of that receipt, 32 bytes; zeros when there is none. */
  readonly receiptHash: Bytes;
  /** Days on which the one who names the reference proved to it that it holds its data. */
  readonly provenDays: number;
  /** How often the one who names the reference reneged on it. */
  readonly renegedCount: number;
}

export const referencesMaximum = 16;
export const referenceAddressesMaximum = 3;
const daysMaximum = 100_000;

export function referenceFields(reference: Reference): CborValue {
  return [
    bytesOf(reference.peer),
    reference.addresses,
    reference.sequence,
    reference.receiptHash,
    reference.provenDays,
    reference.renegedCount,
  ];
}

export function readReferences(fields: FieldReader): Reference[] {
  return fields.list(referencesMaximum, (list) => list.record(readReference));
}

function readReference(record: FieldReader): Reference {
  return {
    peer: readPeer(record),
    addresses: record.list(referenceAddressesMaximum, readAddress),
    sequence: record.uint(),
    receiptHash: record.fixed(hashBytes),
    provenDays: record.uint(daysMaximum),
    renegedCount: record.uint(daysMaximum),
  };
}

function readAddress(list: FieldReader): string {
  const address = list.text(addressMaximumLength);
  list.require(validAddress(address), 'an address');
  return address;
}
