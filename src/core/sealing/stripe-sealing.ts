/**
 * From a pack to sealed shards: the erasure code, then the second encryption (C5, C12, C13, C36).
 *
 * Only wanted shards are coded and sealed. Memory for payloads is kept from pack to pack: fresh memory costs as much as the coding.
 */
import { assert, present } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import type { Kernels } from '../../primitives/kernels/kernels.ts';
import { type ErasureCode, erasureCodeOf } from '../erasure/erasure-code.ts';
import { shardPayloadBytes, stripeIdOf } from '../erasure/layout.ts';
import { encodeShardsInto } from '../erasure/stripe.ts';
import { type Code, codeText, indexCount } from '../vocabulary/code.ts';
import type { PackId, PeerId } from '../vocabulary/ids.ts';
import type { Suite } from '../vocabulary/suite.ts';
import { ShardSealer } from './block.ts';

export interface StripeSealingOptions {
  readonly sealKey: Uint8Array;
  readonly owner: PeerId;
  readonly kernels: Kernels;
}

export interface PackToCode {
  readonly pack: PackId;
  readonly suite: Suite;
  readonly bytes: Uint8Array;
}

export interface WantedShard {
  readonly index: number;
  readonly partner: PeerId;
}

export interface SealedShard extends WantedShard {
  readonly bytes: Bytes;
  readonly merkleRoot: Bytes;
}

export class StripeSealing {
  readonly #options: StripeSealingOptions;
  readonly #codes = new Map<string, ErasureCode>();
  #payloads: Bytes = new Uint8Array(0);

  constructor(options: StripeSealingOptions) {
    this.#options = options;
  }

  /** The wanted shards, in their order. Equal arguments give equal bytes. */
  seal(pack: PackToCode, code: Code, wanted: readonly WantedShard[]): readonly SealedShard[] {
    const payloads = this.#encode(pack.bytes, code, wanted);
    const { pack: packId, suite } = pack;
    const stripeId = stripeIdOf({ packId, packLength: pack.bytes.length, code });
    return wanted.map(({ index, partner }) => {
      const { sealKey, owner } = this.#options;
      const sealer = new ShardSealer(sealKey, { suite, owner, partner, stripeId, index });
      const payload = present(payloads.get(index), 'a wanted shard was coded');
      return { index, partner, ...sealer.sealShard(payload) };
    });
  }

  #encode(
    bytes: Uint8Array,
    code: Code,
    wanted: readonly WantedShard[],
  ): ReadonlyMap<number, Uint8Array> {
    const indices = [...new Set(wanted.map(({ index }) => index))];
    const length = shardPayloadBytes(bytes.length, code.dataShards);
    if (this.#payloads.length < indices.length * length)
      this.#payloads = new Uint8Array(indices.length * length);
    const payloads = new Map<number, Uint8Array>();
    indices.forEach((index, place) => {
      assert(index >= 0 && index < indexCount(code), 'a shard of the stripe');
      payloads.set(index, this.#payloads.subarray(place * length, (place + 1) * length));
    });
    encodeShardsInto(this.#codeOf(code), bytes, payloads);
    return payloads;
  }

  #codeOf(code: Code): ErasureCode {
    const key = `${code.id} ${codeText(code)}`;
    const known = this.#codes.get(key);
    if (known !== undefined) return known;
    const made = erasureCodeOf(code, this.#options.kernels);
    this.#codes.set(key, made);
    return made;
  }
}
