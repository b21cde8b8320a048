/** What partners lend each other, and how much of it is taken. */

import { assert, present } from '../base/assert.ts';
import {
  type Agreement,
  bytesLentBy,
  bytesLentTo,
  decodeAgreement,
  decodeSignedAgreement,
} from '../core/agreements/agreement.ts';
import { codewordCount } from '../core/erasure/layout.ts';
import type { Code } from '../core/vocabulary/code.ts';
import type { PeerId } from '../core/vocabulary/ids.ts';
import { blockBytes } from '../core/vocabulary/limits.ts';
import type { AgreementRow, Stores } from '../ports/stores.ts';

/** What one shard of a pack takes at its partner. */
export function shardBytesOf(packBytes: number, code: Code): number {
  return codewordCount(packBytes, code.dataShards) * blockBytes;
}

/** Both sides of what partners lend each other under one agreement, in bytes of sealed blocks. */
export interface SpaceAccount {
  readonly lendsUsBytes: number;
  /** Held or on the way. */
  readonly holdsBytes: number;
  readonly weLendBytes: number;
  readonly weHoldBytes: number;
}

/** The parties and terms in a stored row, which were checked when it was stored. */
export function agreementOf(row: AgreementRow): Agreement {
  const signed = decodeSignedAgreement(row.document);
  assert(signed.ok, 'a stored agreement is well formed');
  const agreement = decodeAgreement(signed.value.body);
  assert(agreement.ok, 'a stored agreement has valid terms');
  return agreement.value;
}

export function spaceAccount(stores: Stores, row: AgreementRow): SpaceAccount {
  const agreement = agreementOf(row);
  return {
    lendsUsBytes: bytesLentBy(agreement, row.partner),
    holdsBytes: bytesAt(stores, row.partner),
    weLendBytes: bytesLentTo(agreement, row.partner),
    weHoldBytes: stores.held.blockCount(row.partner) * blockBytes,
  };
}

/** Bytes that our shards take at a partner, held or planned. */
export function bytesAt(stores: Stores, partner: PeerId): number {
  let bytes = 0;
  for (const { lengthBytes, code, shards } of stores.shards.amountsAt(partner))
    bytes += shards * shardBytesOf(lengthBytes, present(code, 'a shard belongs to a coded pack'));
  return bytes;
}
