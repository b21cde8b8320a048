/**
 * Reads packs: as a whole, or just the header, the directory and one frame, as a restore of a single file does.
 *
 * Every step authenticates what it gives out. That a chunk is the one its id names is checked by whoever has the owner's chunk id key;
 * `verifyPack` does so for all chunks.
 */
import type { Bytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import type { ChunkNamer } from '../sealing/chunk-id.ts';
import { idBytes } from '../vocabulary/ids.ts';
import { decodeDirectory, type PackContents } from './directory.ts';
import {
  directoryNumber,
  type FrameFailure,
  type FrameKey,
  frameKeyOf,
  openFrame,
  openText,
  type PackCipher,
} from './frame.ts';
import { encodeHeader, type PackFailure, type PackHeader, readHeader } from './pack-header.ts';

export interface OpenedPack {
  readonly header: PackHeader;
  readonly contents: PackContents;
}

export type PackVerificationFailure =
  | PackFailure
  | FrameFailure
  | { readonly code: 'chunk.wrong-id'; readonly chunk: number };

/** The contents, from the bytes between `directoryOffset` and `directoryOffset + directoryBytes`; proves the header too. */
export function openDirectory(
  packKey: Uint8Array,
  header: PackHeader,
  sealed: Uint8Array,
): Outcome<PackContents, PackFailure> {
  const directory = openText(frameKeyOf(packKey, header), directoryNumber, {
    sealed,
    bound: encodeHeader(header),
  });
  if (!directory.ok) return failed({ code: 'pack.bad-tag' });
  return decodeDirectory(directory.value, header);
}

/** Header and contents of a whole pack; its length and padding are checked, its frames are not opened. */
export function openPack(packKey: Uint8Array, pack: Uint8Array): Outcome<OpenedPack, PackFailure> {
  const header = readHeader(pack);
  if (!header.ok) return header;
  const { directoryOffset, directoryBytes, packBytes } = header.value;
  if (pack.length !== packBytes) return failed({ code: 'pack.malformed' });
  const directoryEnd = directoryOffset + directoryBytes;
  const sealed = pack.subarray(directoryOffset, directoryEnd);
  const contents = openDirectory(packKey, header.value, sealed);
  if (!contents.ok) return contents;
  if (pack.subarray(directoryEnd).some((value) => value !== 0))
    return failed({ code: 'pack.malformed' });
  return succeeded({ header: header.value, contents: contents.value });
}

/** One frame on its own; `frameKeyOf` and `openFrame` do the same for many frames of a pack. */
export function openFrameAt(
  packKey: Uint8Array,
  cipher: PackCipher,
  frame: { readonly number: number; readonly sealed: Uint8Array; readonly rawBytes: number },
): Outcome<Bytes, FrameFailure> {
  return openFrame(frameKeyOf(packKey, cipher), frame.number, frame);
}

/** A chunk's bytes in its opened frame (a view), or undefined when the frame is too short for that. */
export function chunkOf(
  frame: Bytes,
  place: { readonly offset: number; readonly length: number },
): Bytes | undefined {
  const end = place.offset + place.length;
  return place.offset >= 0 && place.length >= 0 && end <= frame.length
    ? frame.subarray(place.offset, end)
    : undefined;
}

/** Opens every frame and checks every chunk against its id: what a pack must pass before it counts. */
export function verifyPack(
  packKey: Uint8Array,
  namer: ChunkNamer,
  pack: Uint8Array,
): Outcome<OpenedPack, PackVerificationFailure> {
  const opened = openPack(packKey, pack);
  if (!opened.ok) return opened;
  const { contents, header } = opened.value;
  const key = frameKeyOf(packKey, header);
  let chunk = 0;
  for (const number of contents.frames.keys()) {
    const raw = openFrameIn(key, pack, { contents, number });
    if (!raw.ok) return raw;
    for (; contents.chunkFrames[chunk] === number; chunk += 1) {
      const id = contents.chunkIds.subarray(chunk * idBytes, (chunk + 1) * idBytes);
      const bytes = chunkOf(raw.value, {
        offset: contents.chunkOffsets[chunk] ?? 0,
        length: contents.chunkLengths[chunk] ?? 0,
      });
      if (bytes === undefined || !namer.names(id, bytes))
        return failed({ code: 'chunk.wrong-id', chunk });
    }
  }
  return opened;
}

/** Frame `number` of a whole pack. */
export function openFrameIn(
  key: FrameKey,
  pack: Uint8Array,
  { contents, number }: { readonly contents: PackContents; readonly number: number },
): Outcome<Bytes, FrameFailure> {
  const place = contents.frames[number];
  if (place === undefined) return failed({ code: 'frame.malformed' });
  const sealed = pack.subarray(place.offset, place.offset + place.storedBytes);
  return openFrame(key, number, { sealed, rawBytes: place.rawBytes });
}
