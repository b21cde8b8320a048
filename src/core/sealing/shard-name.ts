/**
 * What a partner calls a shard: 16 bytes that mean nothing to it.
 *
 * The name is one AES-256 block under a key for the partner, over the beginning of the stripe id and the shard's index. Two partners
 * cannot match their shards of one stripe by name, while the owner decrypts a partner's inventory and so rebuilds, with no other
 * record, which shards lie there.
 */
import { assert } from '../../base/assert.ts';
import { type Bytes, bigEndian, concatBytes, equalBytes } from '../../base/bytes.ts';
import { type BlockCipher, blockCipher } from '../../primitives/block-cipher.ts';
import { deriveKey } from '../../primitives/kdf.ts';
import { bytesOf, idOf, type PeerId, type ShardName, type StripeId } from '../vocabulary/ids.ts';
import { shardsMaximum } from '../vocabulary/limits.ts';
import { derivedLabels } from './domains.ts';

/** How much of a stripe id stands in a name. */
export const stripePrefixBytes = 14;

/** What a name says. A name that the owner did not give reads as a prefix of no stripe. */
export interface NamedShard {
  /** The first 14 bytes of the stripe id. */
  readonly stripePrefix: Bytes;
  readonly index: number;
}

/** Names of the shards at one partner. */
export class ShardNamer {
  readonly #cipher: BlockCipher;

  constructor(shardNameKey: Uint8Array, partner: PeerId) {
    const key = deriveKey(shardNameKey, derivedLabels.shardNameOfPartner, bytesOf(partner));
    this.#cipher = blockCipher(key);
  }

  nameOf(stripeId: StripeId, index: number): ShardName {
    assert(
      Number.isInteger(index) && index >= 0 && index < shardsMaximum,
      'the index lies within a stripe',
    );
    const prefix = bytesOf(stripeId).subarray(0, stripePrefixBytes);
    return idOf<ShardName>(this.#cipher.encrypt(concatBytes([prefix, bigEndian(index, 2)])));
  }

  /** The index of a shard of this stripe; undefined when the name is of another, or none that the owner gave. */
  indexIn(stripeId: StripeId, name: ShardName): number | undefined {
    const { stripePrefix, index } = this.read(name);
    const prefix = bytesOf(stripeId).subarray(0, stripePrefixBytes);
    return equalBytes(prefix, stripePrefix) ? index : undefined;
  }

  read(name: ShardName): NamedShard {
    const block = this.#cipher.decrypt(bytesOf(name));
    const index = (block[stripePrefixBytes] ?? 0) * 256 + (block[stripePrefixBytes + 1] ?? 0);
    return { stripePrefix: block.slice(0, stripePrefixBytes), index };
  }
}
