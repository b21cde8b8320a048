/** Zstandard (RFC 8878), with the output bounded before it is produced. */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { assert } from '../base/assert.ts';
import type { Bytes } from '../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../base/outcome.ts';

export type ZstdFailure = { readonly code: 'zstd.malformed' | 'zstd.too-long' };

/** The platform refuses smaller work buffers. */
const workBufferMinimumBytes = 64;

/** One Zstandard frame. `level` 1 to 19; equal input and level give equal bytes within one version of the library. */
export function compress(bytes: Uint8Array, level: number): Bytes {
  assert(level >= 1 && level <= 19, 'a Zstandard level');
  // A work buffer that holds any result saves the platform joining pieces.
  const chunkSize = bytes.length + (bytes.length >>> 8) + 1024;
  return asBytes(
    zstdCompressSync(bytes, {
      chunkSize,
      pledgedSrcSize: bytes.length,
      params: {
        [constants.ZSTD_c_compressionLevel]: level,
        [constants.ZSTD_c_contentSizeFlag]: 0,
      },
    }),
  );
}

/**
 * The original of exactly one Zstandard frame, at most `limitBytes` long; memory beyond the limit is never taken, and bytes behind
 * the frame are refused.
 */
export function decompress(bytes: Uint8Array, limitBytes: number): Outcome<Bytes, ZstdFailure> {
  try {
    const { buffer, engine } = zstdDecompressSync(bytes, {
      chunkSize: Math.max(limitBytes + 1, workBufferMinimumBytes),
      maxOutputLength: Math.max(limitBytes, 1),
      info: true,
    }) as unknown as WithEngine;
    // The platform stops quietly where the frame ends; what it took is all that it counts.
    if (engine.bytesWritten !== bytes.length) return failed({ code: 'zstd.malformed' });
    if (buffer.length > limitBytes) return failed({ code: 'zstd.too-long' });
    return succeeded(asBytes(buffer));
  } catch (error) {
    const tooLong = error instanceof RangeError;
    return failed({ code: tooLong ? 'zstd.too-long' : 'zstd.malformed' });
  }
}

/** What the platform gives with `info: true`, which its typings leave out. */
interface WithEngine {
  readonly buffer: Uint8Array<ArrayBuffer>;
  readonly engine: { readonly bytesWritten: number };
}

/** A plain array, in a buffer of its own. */
function asBytes(buffer: Uint8Array<ArrayBuffer>): Bytes {
  return buffer.byteLength === buffer.buffer.byteLength
    ? new Uint8Array(buffer.buffer)
    : new Uint8Array(buffer);
}
