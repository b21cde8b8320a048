/**
 * Where the bytes of a pack lie in its stripe (C40).
 *
 * A stripe is p codewords of n elements; element i of each goes to shard i, as the payload of the
 * block of the codeword's number. Byte b of the pack lies in codeword ⌊b / 65520k⌋, shard
 * ⌊b / 65520⌋ mod k. The last codeword is filled up with zeros.
 */
import { assert } from '../../base/assert.ts';
import { bigEndian, utf8Bytes } from '../../base/bytes.ts';
import { hashWithDomain } from '../../primitives/hash.ts';
import { domains } from '../sealing/domains.ts';
import type { Code } from '../vocabulary/code.ts';
import { bytesOf, idOf, type PackId, type StripeId } from '../vocabulary/ids.ts';
import { payloadBytes, shardsMaximum } from '../vocabulary/limits.ts';

export const layoutVersion = 1;

/** Codewords of a stripe: also the blocks of each of its shards. */
export function codewordCount(packLength: number, dataShards: number): number {
  assert(packLength > 0 && dataShards > 0, 'a pack has bytes and data shards to lie in');
  return Math.ceil(packLength / (payloadBytes * dataShards));
}

/** Bytes that one shard's payloads have together. */
export function shardPayloadBytes(packLength: number, dataShards: number): number {
  return codewordCount(packLength, dataShards) * payloadBytes;
}

/**
 * `hashWithDomain` of four parts: the pack id (32 bytes), the pack's length (8 bytes, big-endian), the
 * code's id as text, and the three bytes k, m, layout version.
 */
export function stripeIdOf(stripe: {
  readonly packId: PackId;
  readonly packLength: number;
  readonly code: Code;
}): StripeId {
  const { id, dataShards, parityShards } = stripe.code;
  assert(Math.max(dataShards, parityShards) <= shardsMaximum, 'k and m have one byte each');
  return idOf<StripeId>(
    hashWithDomain(
      domains.stripeId,
      bytesOf(stripe.packId),
      bigEndian(stripe.packLength, 8),
      utf8Bytes(id),
      Uint8Array.of(dataShards, parityShards, layoutVersion),
    ),
  );
}

/** Bytes [start, end) of the element of `codeword` that shard `shard` holds. */
export interface ElementRange {
  readonly codeword: number;
  readonly shard: number;
  readonly start: number;
  readonly end: number;
}

/** The pieces that hold bytes [offset, offset + length) of a pack, in the order of the pack. */
export function rangesOf(offset: number, length: number, dataShards: number): ElementRange[] {
  assert(Number.isSafeInteger(offset) && offset >= 0, 'an offset in the pack');
  assert(Number.isSafeInteger(length) && length >= 0 && dataShards > 0, 'a length in the pack');
  const ranges: ElementRange[] = [];
  const limit = offset + length;
  for (let at = offset; at < limit; ) {
    const element = Math.floor(at / payloadBytes);
    const start = at - element * payloadBytes;
    const end = Math.min(payloadBytes, start + limit - at);
    ranges.push({
      codeword: Math.floor(element / dataShards),
      shard: element % dataShards,
      start,
      end,
    });
    at += end - start;
  }
  return ranges;
}
