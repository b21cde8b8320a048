/**
 * From a pack to the payloads of its shards, and back (C40).
 *
 * A pack is read once, codeword by codeword, however many shards are wanted; data elements are read
 * where they lie in the pack, and decoded ones written where they belong.
 */
import { assert } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import { type Outcome, succeeded } from '../../base/outcome.ts';
import { shardCount } from '../vocabulary/code.ts';
import { payloadBytes } from '../vocabulary/limits.ts';
import type { ErasureCode, InsufficientElements } from './erasure-code.ts';
import { codewordCount, shardPayloadBytes } from './layout.ts';

/**
 * The payloads of the shards `indices`, by index: each the shard's elements one after the other,
 * `codewordCount` × 65,520 bytes. Shards that are not asked for cost nothing.
 */
export function encodeShards(
  code: ErasureCode,
  pack: Uint8Array,
  indices: Iterable<number>,
): Map<number, Bytes> {
  const length = shardPayloadBytes(pack.length, code.code.dataShards);
  const shards = new Map<number, Bytes>();
  for (const index of indices) shards.set(index, new Uint8Array(length));
  encodeShardsInto(code, pack, shards);
  return shards;
}

/**
 * As `encodeShards`, but into areas that the caller gives, by index and as long as a shard: with
 * memory that is used again this is twice as fast.
 */
export function encodeShardsInto(
  code: ErasureCode,
  pack: Uint8Array,
  shards: ReadonlyMap<number, Uint8Array>,
): void {
  const { dataShards } = code.code;
  const length = shardPayloadBytes(pack.length, dataShards);
  for (const shard of shards.values()) assert(shard.length === length, 'an area holds a shard');
  for (let codeword = 0; codeword < codewordCount(pack.length, dataShards); codeword += 1) {
    const places = new Map<number, Uint8Array>();
    for (const [index, shard] of shards) places.set(index, elementOf(shard, codeword));
    const outcome = code.decodeInto(dataElements(pack, codeword, dataShards), places);
    assert(outcome.ok, 'all data elements are sufficient');
  }
}

/**
 * Calls `visit` with each codeword's n elements in turn, in one pass and without making shards of
 * them. Data elements are views of the pack. The elements are valid during the call only.
 */
export function encodeCodewords(
  code: ErasureCode,
  pack: Uint8Array,
  visit: (codeword: number, elements: readonly Uint8Array[]) => void,
): void {
  const { dataShards } = code.code;
  const parity = new Map<number, Bytes>();
  for (let index = dataShards; index < shardCount(code.code); index += 1)
    parity.set(index, new Uint8Array(payloadBytes));
  for (let codeword = 0; codeword < codewordCount(pack.length, dataShards); codeword += 1) {
    const data = dataElements(pack, codeword, dataShards);
    const outcome = code.decodeInto(data, parity);
    assert(outcome.ok, 'all data elements are sufficient');
    visit(codeword, [...data.values(), ...parity.values()]);
  }
}

/** The wanted elements of one codeword, from the payloads of the blocks of its number, by shard. */
export function decodeElements(
  code: ErasureCode,
  payloads: ReadonlyMap<number, Uint8Array>,
  wanted: readonly number[],
): Outcome<Map<number, Bytes>, InsufficientElements> {
  for (const payload of payloads.values())
    assert(payload.length === payloadBytes, 'an element is the payload of a block');
  return code.decode(payloads, wanted);
}

/** The pack of `packLength` bytes, from the whole payloads of any sufficient set of its shards. */
export function decodePack(
  code: ErasureCode,
  packLength: number,
  shards: ReadonlyMap<number, Uint8Array>,
): Outcome<Bytes, InsufficientElements> {
  const { dataShards } = code.code;
  const length = shardPayloadBytes(packLength, dataShards);
  for (const shard of shards.values()) assert(shard.length === length, 'a shard is whole');
  // Decoded in place: the zeros that fill the last codeword lie behind the pack.
  const filled = new Uint8Array(length * dataShards);
  for (let codeword = 0; codeword < codewordCount(packLength, dataShards); codeword += 1) {
    const available = new Map<number, Uint8Array>();
    for (const [index, shard] of shards) available.set(index, elementOf(shard, codeword));
    const outcome = code.decodeInto(available, dataElements(filled, codeword, dataShards));
    if (!outcome.ok) return outcome;
  }
  return succeeded(filled.subarray(0, packLength));
}

function elementOf(shard: Uint8Array, codeword: number): Uint8Array {
  return shard.subarray(codeword * payloadBytes, (codeword + 1) * payloadBytes);
}

/** The k data elements of a codeword, by index: views of the pack, but where it ends. */
function dataElements(
  pack: Uint8Array,
  codeword: number,
  dataShards: number,
): Map<number, Uint8Array> {
  const elements = new Map<number, Uint8Array>();
  for (let shard = 0; shard < dataShards; shard += 1) {
    const start = (codeword * dataShards + shard) * payloadBytes;
    elements.set(shard, filledElement(pack.subarray(start, start + payloadBytes)));
  }
  return elements;
}

function filledElement(part: Uint8Array): Uint8Array {
  if (part.length === payloadBytes) return part;
  const element = new Uint8Array(payloadBytes);
  element.set(part);
  return element;
}
