/**
 * The owner's keys: all of them from one 32-byte root seed, which is what the 24 words of the recovery kit stand for.
 *
 * Each key has one purpose and its own label, so none can be computed from another.
 */
import { assert } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import { deriveKey } from '../../primitives/kdf.ts';
import { publicKeyOf } from '../../primitives/signature.ts';
import { idOf, type PeerId } from '../vocabulary/ids.ts';
import { keyLabels } from './domains.ts';

export const rootSeedBytes = 32;

/** Every key has 32 bytes. */
export interface OwnerKeys {
  /** Ed25519 seed of the identity: it signs, and it is the key of the TLS certificate. */
  readonly identitySeed: Bytes;
  /** Ed25519 public key of the identity. */
  readonly peerId: PeerId;
  readonly chunkIdKey: Bytes;
  readonly gearKey: Bytes;
  readonly packKey: Bytes;
  readonly sealKey: Bytes;
  readonly shardNameKey: Bytes;
  readonly manifestKey: Bytes;
  readonly recoveryTopicKey: Bytes;
}

export function deriveKeys(rootSeed: Uint8Array): OwnerKeys {
  assert(rootSeed.length === rootSeedBytes, 'a root seed has 32 bytes');
  const identitySeed = deriveKey(rootSeed, keyLabels.identity);
  return {
    identitySeed,
    peerId: idOf<PeerId>(publicKeyOf(identitySeed)),
    chunkIdKey: deriveKey(rootSeed, keyLabels.chunkId),
    gearKey: deriveKey(rootSeed, keyLabels.gear),
    packKey: deriveKey(rootSeed, keyLabels.pack),
    sealKey: deriveKey(rootSeed, keyLabels.seal),
    shardNameKey: deriveKey(rootSeed, keyLabels.shardName),
    manifestKey: deriveKey(rootSeed, keyLabels.manifest),
    recoveryTopicKey: deriveKey(rootSeed, keyLabels.recoveryTopic),
  };
}
