/**
 * Where a lost computer looks for its partners in the DHT, knowing only its root seed.
 *
 * There are 64 topics. Each partner announces itself under one that the owner gave it, so no partner can list the others or crowd
 * all topics, and nobody else can tell that the topics belong together.
 */
import { assert } from '../../base/assert.ts';
import { type Bytes, bigEndian } from '../../base/bytes.ts';
import { deriveKey } from '../../primitives/kdf.ts';
import { derivedLabels } from './domains.ts';

export const recoveryTopicCount = 64;

/** Topic `index` of 0 to 63: 32 bytes. */
export function recoveryTopic(recoveryTopicKey: Uint8Array, index: number): Bytes {
  assert(
    Number.isInteger(index) && index >= 0 && index < recoveryTopicCount,
    'a recovery topic has an index from 0 to 63',
  );
  return deriveKey(recoveryTopicKey, derivedLabels.recoveryTopic, bigEndian(index, 1));
}
