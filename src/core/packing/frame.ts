/**
 * The first encryption (C7–C13): chunks compressed together and sealed, the smallest part of a pack that can be read.
 *
 * A frame's text is one byte that says how the rest is stored, then the chunks, compressed or as they are. Its key belongs to one
 * pack, by the pack's random salt; its number in the pack is the nonce. A pack that was not finished is thrown away with its salt, so
 * no pair of key and nonce meets a second text.
 */
import { assert } from '../../base/assert.ts';
import { type Bytes, bigEndian, concatBytes, discard } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import {
  type AeadContext,
  type AeadKey,
  aeadKey,
  aeadTagBytes,
  numberNonce,
  open,
  sealInto,
} from '../../primitives/aead.ts';
import { deriveKey } from '../../primitives/kdf.ts';
import { compress, decompress } from '../../primitives/zstd.ts';
import { derivedLabels } from '../sealing/domains.ts';
import { chunkMaximumBytes } from '../vocabulary/limits.ts';
import { cipherOf, type Suite } from '../vocabulary/suite.ts';

export const packVersion = 1;
export const packSaltBytes = 32;
/** No frame holds more before compression: a chunk is in one frame, and only small chunks share one. */
export const frameMaximumRawBytes: number = chunkMaximumBytes;
/** What a frame takes beyond its compressed contents: the storage byte and the tag. */
export const frameOverheadBytes: number = 1 + aeadTagBytes;
/** The nonce of the directory, out of reach of frame numbers. */
export const directoryNumber = 0xffffffff;

const storedRaw = new Uint8Array([0]);
const storedZstd = new Uint8Array([1]);

export type FrameFailure = { readonly code: 'frame.bad-tag' | 'frame.malformed' };

/** The key of one pack's frames and directory, ready for use. */
export interface FrameKey {
  readonly key: AeadKey;
  readonly salt: Uint8Array;
}

export interface PackCipher {
  readonly suite: Suite;
  /** 32 random bytes, one pack's own. */
  readonly salt: Uint8Array;
}

/** Costs about 15 µs: keep it while working on one pack. */
export function frameKeyOf(packKey: Uint8Array, { suite, salt }: PackCipher): FrameKey {
  assert(salt.length === packSaltBytes, 'a pack salt has 32 bytes');
  const key = deriveKey(packKey, derivedLabels.frame, bigEndian(suite, 1), salt);
  return { key: aeadKey(cipherOf(suite), key), salt };
}

/** The sealed frame `number` of `raw`, compressed when that makes it shorter. */
export function sealFrame(
  key: FrameKey,
  number: number,
  contents: { readonly raw: Uint8Array; readonly compressionLevel: number },
): Bytes {
  const { raw, compressionLevel } = contents;
  assert(raw.length <= frameMaximumRawBytes, 'a frame holds at most its maximum');
  assert(number < directoryNumber, 'a frame number is below the number of the directory');
  const compressed = compress(raw, compressionLevel);
  const parts = compressed.length < raw.length ? [storedZstd, compressed] : [storedRaw, raw];
  const sealed = sealText(key, number, { parts });
  discard(compressed);
  return sealed;
}

/** The contents of frame `number`, which are exactly `rawBytes` long; checked before memory is taken for them. */
export function openFrame(
  key: FrameKey,
  number: number,
  frame: { readonly sealed: Uint8Array; readonly rawBytes: number },
): Outcome<Bytes, FrameFailure> {
  if (!Number.isInteger(frame.rawBytes) || frame.rawBytes < 0) return malformed;
  if (frame.rawBytes > frameMaximumRawBytes || number >= directoryNumber) return malformed;
  const text = openText(key, number, { sealed: frame.sealed });
  if (!text.ok) return text;
  const stored = text.value.subarray(1);
  if (text.value[0] === storedRaw[0])
    return stored.length === frame.rawBytes ? succeeded(stored) : malformed;
  if (text.value[0] !== storedZstd[0]) return malformed;
  const raw = decompress(stored, frame.rawBytes);
  return raw.ok && raw.value.length === frame.rawBytes ? raw : malformed;
}

/** What is sealed under one number of a pack. */
export interface PackText {
  readonly parts: readonly Uint8Array[];
  /** Authenticated beside version, salt and number. */
  readonly bound?: Uint8Array;
}

export function sealText(key: FrameKey, number: number, { parts, bound }: PackText): Bytes {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const output = new Uint8Array(length + aeadTagBytes);
  sealInto(key.key, contextOf(key, number, bound), { parts, output });
  return output;
}

export function openText(
  key: FrameKey,
  number: number,
  { sealed, bound }: { readonly sealed: Uint8Array; readonly bound?: Uint8Array },
): Outcome<Bytes, FrameFailure> {
  const text = open(key.key, contextOf(key, number, bound), sealed);
  return text.ok ? text : failed({ code: 'frame.bad-tag' });
}

const malformed: Outcome<never, FrameFailure> = failed({ code: 'frame.malformed' });

function contextOf(key: FrameKey, number: number, bound: Uint8Array | undefined): AeadContext {
  const parts = [bigEndian(packVersion, 1), key.salt, bigEndian(number, 4)];
  return {
    nonce: numberNonce(number),
    associated: concatBytes(bound === undefined ? parts : [...parts, bound]),
  };
}
