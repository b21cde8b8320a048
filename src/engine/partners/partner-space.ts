/** What partners lend each other, and how much of it is taken. */

import { assert, present } from '../../base/assert.ts';
import {
  type Agreement,
  bytesLentBy,
  bytesLentTo,
  decodeAgreement,
  decodeSignedAgreement,
} from '../../core/agreements/agreement.ts';
import { codewordCount } from '../../core/erasure/layout.ts';
import type { Code } from '../../core/vocabulary/code.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import { blockBytes } from '../../core/vocabulary/limits.ts';
import type { NextLayoutRow } from '../../ports/layout-store.ts';
import type { AgreementRow, ShardRow, Stores } from '../../ports/stores.ts';
import { partnerTrash } from './partner-trash.ts';

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

/** What stands in a document, as long as that is in memory: space is counted at every offer. */
const readAgreements = new WeakMap<Uint8Array, Agreement>();

/** The parties and terms in a stored row, which were checked when it was stored. */
export function agreementOf(row: AgreementRow): Agreement {
  const known = readAgreements.get(row.document);
  if (known !== undefined) return known;
  const agreement = readAgreement(row);
  readAgreements.set(row.document, agreement);
  return agreement;
}

function readAgreement(row: AgreementRow): Agreement {
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

/** Bytes that our shards take at a partner: held, planned, or deleted and not gone yet. */
export function bytesAt(stores: Stores, partner: PeerId): number {
  return liveBytesAt(stores, partner) + partnerTrash.bytesAt(stores, partner);
}

/** The same without what was deleted. */
export function liveBytesAt(stores: Stores, partner: PeerId): number {
  let bytes = 0;
  for (const { lengthBytes, code, shards } of stores.shards.amountsAt(partner))
    bytes += shards * shardBytesOf(lengthBytes, present(code, 'a shard belongs to a coded pack'));
  for (const next of stores.layouts.all()) bytes += arrivingBytes(stores, next, partner);
  return bytes;
}

/** What the next layout of a pack takes at a partner beside the present one. */
function arrivingBytes(stores: Stores, next: NextLayoutRow, partner: PeerId): number {
  const pack = present(stores.packs.get(next.pack), 'the pack of a layout');
  const isThere = (shard: ShardRow): boolean =>
    pack.stripe === next.stripe &&
    stores.shards
      .ofPack(next.pack)
      .some((other) => other.index === shard.index && other.partner === partner);
  const arriving = stores.layouts
    .shards(next.pack)
    .filter((shard) => shard.partner === partner && !isThere(shard));
  return arriving.length * shardBytesOf(pack.lengthBytes, next.code);
}
