/**
 * The directory of a pack: which chunks lie in which frames.
 *
 * Nothing in it can contradict anything else. Frames lie one behind the other, so their lengths give their offsets; chunks fill their
 * frame one behind the other, so their lengths give theirs. Integers are
 * big-endian:
 *
 *     for each frame: stored bytes (4), raw bytes (4), number of chunks (4)
 *     for each chunk: id (32)
 *     for each chunk: length (4)
 */
import { assert, present } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { idBytes } from '../vocabulary/ids.ts';
import { frameMaximumRawBytes, frameOverheadBytes } from './frame.ts';
import {
  chunkEntryBytes,
  frameEntryBytes,
  type PackFailure,
  type PackHeader,
  packHeaderBytes,
} from './pack-header.ts';

/** Where a frame lies in its pack, and how long it is once opened. */
export interface FramePlace {
  readonly offset: number;
  readonly storedBytes: number;
  readonly rawBytes: number;
}

/** Contents of a pack in columns, which can be posted between threads. Chunks are in order of frames and offsets. */
export interface PackContents {
  readonly frames: readonly FramePlace[];
  /** 32 bytes a chunk. */
  readonly chunkIds: Bytes;
  readonly chunkFrames: Uint32Array;
  /** Offset of each chunk in its opened frame. */
  readonly chunkOffsets: Uint32Array;
  readonly chunkLengths: Uint32Array;
}

/** What the directory says of itself: the part of the header that its reading rests on. */
export type DirectoryShape = Pick<PackHeader, 'frameCount' | 'chunkCount' | 'directoryOffset'>;

export function encodeDirectory(contents: PackContents): Bytes {
  const frameCount = contents.frames.length;
  const chunkCount = contents.chunkLengths.length;
  assert(contents.chunkIds.length === chunkCount * idBytes, 'an id for each chunk');
  const bytes = new Uint8Array(frameCount * frameEntryBytes + chunkCount * chunkEntryBytes);
  const view = new DataView(bytes.buffer);
  contents.frames.forEach((frame, number) => {
    view.setUint32(number * frameEntryBytes, frame.storedBytes);
    view.setUint32(number * frameEntryBytes + 4, frame.rawBytes);
  });
  for (const frame of contents.chunkFrames) {
    const place = frame * frameEntryBytes + 8;
    view.setUint32(place, view.getUint32(place) + 1);
  }
  const idsStart = frameCount * frameEntryBytes;
  bytes.set(contents.chunkIds, idsStart);
  const lengthsStart = idsStart + contents.chunkIds.length;
  contents.chunkLengths.forEach((length, chunk) => {
    view.setUint32(lengthsStart + chunk * 4, length);
  });
  return bytes;
}

/** The contents that a directory lists; a failure unless they fill exactly the pack that the header describes. */
export function decodeDirectory(
  bytes: Uint8Array,
  shape: DirectoryShape,
): Outcome<PackContents, PackFailure> {
  const { frameCount, chunkCount } = shape;
  if (bytes.length !== frameCount * frameEntryBytes + chunkCount * chunkEntryBytes)
    return malformed;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const frames = decodeFrames(view, shape);
  if (frames === undefined) return malformed;
  const idsStart = frameCount * frameEntryBytes;
  const lengthsStart = idsStart + chunkCount * idBytes;
  const chunkIds = new Uint8Array(bytes.subarray(idsStart, lengthsStart));
  const columns = {
    chunkFrames: new Uint32Array(chunkCount),
    chunkOffsets: new Uint32Array(chunkCount),
    chunkLengths: new Uint32Array(chunkCount),
  };
  let chunk = 0;
  for (let number = 0; number < frameCount; number += 1) {
    const last = chunk + view.getUint32(number * frameEntryBytes + 8);
    // A frame without chunks would be dead weight that no writer makes.
    if (last === chunk || last > chunkCount) return malformed;
    let offset = 0;
    for (; chunk < last; chunk += 1) {
      const length = view.getUint32(lengthsStart + chunk * 4);
      columns.chunkFrames[chunk] = number;
      columns.chunkOffsets[chunk] = offset;
      columns.chunkLengths[chunk] = length;
      offset += length;
    }
    if (offset !== present(frames[number], 'one for each number').rawBytes) return malformed;
  }
  return chunk === chunkCount ? succeeded({ frames, chunkIds, ...columns }) : malformed;
}

const malformed: Outcome<never, PackFailure> = failed({ code: 'pack.malformed' });

/** The frames one behind the other, or undefined when they do not fill the space before the directory. */
function decodeFrames(view: DataView, shape: DirectoryShape): readonly FramePlace[] | undefined {
  const frames: FramePlace[] = [];
  let offset = packHeaderBytes;
  for (let number = 0; number < shape.frameCount; number += 1) {
    const storedBytes = view.getUint32(number * frameEntryBytes);
    const rawBytes = view.getUint32(number * frameEntryBytes + 4);
    if (rawBytes > frameMaximumRawBytes) return undefined;
    if (storedBytes < frameOverheadBytes || storedBytes > rawBytes + frameOverheadBytes)
      return undefined;
    frames.push({ offset, storedBytes, rawBytes });
    offset += storedBytes;
  }
  return offset === shape.directoryOffset ? frames : undefined;
}
