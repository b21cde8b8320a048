/**
 * The second encryption (C12, C13): every block of a shard sealed under a key for its partner, stripe and index alone (C34, C37).
 *
 * A partner can neither rebuild its shard from the shards of others nor share one copy with a friend, and the tag at a block's end is
 * the keyed hash that audits and restores check. The stripe id fixes the bytes of the pack and its code; with the partner and the
 * index it fixes the key, and the block's number is the nonce. So one pair of key and nonce only ever seals one text, whatever
 * was repaired, forgotten or run twice in between.
 */
import { assert } from '../../base/assert.ts';
import { type Bytes, bigEndian, concatBytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import {
  type AeadContext,
  type AeadKey,
  aeadKey,
  aeadNonceBytes,
  open,
  sealInto,
} from '../../primitives/aead.ts';
import { deriveKey } from '../../primitives/kdf.ts';
import { MerkleBuilder } from '../../primitives/merkle.ts';
import { bytesOf, type PeerId, type StripeId } from '../vocabulary/ids.ts';
import { blockBytes, payloadBytes, shardsMaximum } from '../vocabulary/limits.ts';
import { cipherOf, type Suite } from '../vocabulary/suite.ts';
import { derivedLabels } from './domains.ts';

/** Whose shard, for whom, and which one. */
export interface ShardIdentity {
  readonly suite: Suite;
  readonly owner: PeerId;
  readonly partner: PeerId;
  readonly stripeId: StripeId;
  /** 0 to n − 1 within the stripe. */
  readonly index: number;
}

export interface SealedShardBytes {
  /** A whole number of blocks of 65,536 bytes. */
  readonly bytes: Bytes;
  /** Over the SHA-256 of the blocks; what the partner signs. */
  readonly merkleRoot: Bytes;
}

export type SealFailure = { readonly code: 'seal.bad-tag' };

const numberBytes = 4;

/** Seals and opens the blocks of one shard; derives its key once. */
export class ShardSealer {
  readonly #key: AeadKey;
  /** Ends in the block's number, which each call writes. */
  readonly #associated: Bytes;
  readonly #nonce: Bytes = new Uint8Array(aeadNonceBytes);
  readonly #context: AeadContext;

  constructor(sealKey: Uint8Array, shard: ShardIdentity) {
    assert(
      Number.isInteger(shard.index) && shard.index >= 0 && shard.index < shardsMaximum,
      'the index lies within a stripe',
    );
    const partner = bytesOf(shard.partner);
    const stripe = bytesOf(shard.stripeId);
    const index = bigEndian(shard.index, 2);
    const suite = bigEndian(shard.suite, 1);
    const key = deriveKey(sealKey, derivedLabels.block, suite, partner, stripe, index);
    this.#key = aeadKey(cipherOf(shard.suite), key);
    const number = new Uint8Array(numberBytes);
    this.#associated = concatBytes([bytesOf(shard.owner), partner, stripe, index, number]);
    this.#context = { nonce: this.#nonce, associated: this.#associated };
  }

  /** Writes block `number` into `output` (65,536 bytes) from its payload (65,520 bytes). */
  sealBlock(number: number, payload: Uint8Array, output: Uint8Array): void {
    assert(payload.length === payloadBytes, 'a payload has 65,520 bytes');
    assert(output.length === blockBytes, 'a block has 65,536 bytes');
    sealInto(this.#key, this.#contextOf(number), { parts: [payload], output });
  }

  /** The payload of block `number`, or a failure when this is not exactly the block that was sealed. */
  openBlock(number: number, sealed: Uint8Array): Outcome<Bytes, SealFailure> {
    if (sealed.length !== blockBytes) return failed({ code: 'seal.bad-tag' });
    const opened = open(this.#key, this.#contextOf(number), sealed);
    return opened.ok ? succeeded(opened.value) : failed({ code: 'seal.bad-tag' });
  }

  /** The whole shard from its payload, a whole number of elements of 65,520 bytes. */
  sealShard(payload: Uint8Array): SealedShardBytes {
    assert(payload.length % payloadBytes === 0, 'a shard is a whole number of elements');
    const blockCount = payload.length / payloadBytes;
    const bytes = new Uint8Array(blockCount * blockBytes);
    const merkle = new MerkleBuilder();
    for (let number = 0; number < blockCount; number += 1) {
      const block = bytes.subarray(number * blockBytes, (number + 1) * blockBytes);
      const start = number * payloadBytes;
      this.sealBlock(number, payload.subarray(start, start + payloadBytes), block);
      merkle.addBlock(block);
    }
    return { bytes, merkleRoot: merkle.root() };
  }

  #contextOf(number: number): AeadContext {
    assert(Number.isInteger(number) && number >= 0 && number <= 0xffffffff, 'a block number');
    const big = [number >>> 24, number >>> 16, number >>> 8, number];
    this.#nonce.set(big, aeadNonceBytes - numberBytes);
    this.#associated.set(big, this.#associated.length - numberBytes);
    return this.#context;
  }
}
