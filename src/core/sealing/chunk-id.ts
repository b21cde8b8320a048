/**
 * Names of chunks: HMAC-SHA-256 of their bytes under the owner's chunk id key.
 *
 * Equal chunks have equal names, which is what deduplication rests on; the key keeps everyone else from confirming that an owner
 * holds a known file.
 */
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import { hmacKey, hmacSha256, type KeyObject } from '../../primitives/hash.ts';
import { type ChunkId, idOf } from '../vocabulary/ids.ts';

export class ChunkNamer {
  readonly #key: KeyObject;

  constructor(chunkIdKey: Uint8Array) {
    this.#key = hmacKey(chunkIdKey);
  }

  idOf(chunk: Uint8Array): ChunkId {
    return idOf<ChunkId>(this.idBytesOf(chunk));
  }

  /** 32 bytes. */
  idBytesOf(chunk: Uint8Array): Bytes {
    return hmacSha256(this.#key, chunk);
  }

  /** Whether these are the bytes that `id` (32 bytes) names: the last check of every restore. */
  names(id: Uint8Array, chunk: Uint8Array): boolean {
    return equalBytes(this.idBytesOf(chunk), id);
  }
}
