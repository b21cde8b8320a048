/** A pack's contents as the three blobs of its row: ids, then three columns of chunks, then three of frames, all 32-bit little-endian. */
import { assert } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import type { FramePlace, PackContents } from '../../core/packing/directory.ts';
import { idBytes } from '../../core/vocabulary/ids.ts';
import { StorageDamaged } from '../../ports/stores.ts';

export interface ContentsBlobs {
  readonly chunkIds: Bytes;
  readonly chunkPlaces: Bytes;
  readonly frames: Bytes;
}

const wordBytes = 4;
const columnCount = 3;

export function encodeContents(contents: PackContents): ContentsBlobs {
  const count = contents.chunkFrames.length;
  assert(contents.chunkIds.length === count * idBytes, 'every chunk has an id');
  assert(contents.chunkOffsets.length === count, 'every chunk has an offset');
  assert(contents.chunkLengths.length === count, 'every chunk has a length');
  const { chunkFrames, chunkOffsets, chunkLengths, frames } = contents;
  return {
    chunkIds: contents.chunkIds,
    chunkPlaces: writeColumns([chunkFrames, chunkOffsets, chunkLengths]),
    frames: writeColumns([
      frames.map((frame) => frame.offset),
      frames.map((frame) => frame.storedBytes),
      frames.map((frame) => frame.rawBytes),
    ]),
  };
}

export function decodeContents(blobs: ContentsBlobs): PackContents {
  const [chunkFrames, chunkOffsets, chunkLengths] = readColumns(blobs.chunkPlaces);
  const [offsets, storedBytes, rawBytes] = readColumns(blobs.frames);
  if (blobs.chunkIds.length !== chunkFrames.length * idBytes)
    throw new StorageDamaged('the columns of a pack differ in length');
  const frames = Array.from(
    offsets,
    (offset, index): FramePlace => ({
      offset,
      storedBytes: storedBytes[index] ?? 0,
      rawBytes: rawBytes[index] ?? 0,
    }),
  );
  return { frames, chunkIds: blobs.chunkIds, chunkFrames, chunkOffsets, chunkLengths };
}

function writeColumns(columns: readonly ArrayLike<number>[]): Bytes {
  const count = columns[0]?.length ?? 0;
  const bytes = new Uint8Array(count * wordBytes * columns.length);
  const view = new DataView(bytes.buffer);
  let position = 0;
  for (const column of columns)
    for (let row = 0; row < count; row += 1) {
      const value = column[row] ?? 0;
      assert(value >>> 0 === value, 'places in a pack fit 32 bits');
      view.setUint32(position, value, true);
      position += wordBytes;
    }
  return bytes;
}

function readColumns(bytes: Bytes): [Uint32Array, Uint32Array, Uint32Array] {
  if (bytes.length % (wordBytes * columnCount) !== 0)
    throw new StorageDamaged('the columns of a pack are cut off');
  const count = bytes.length / (wordBytes * columnCount);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const column = (number: number): Uint32Array =>
    Uint32Array.from({ length: count }, (_, row) =>
      view.getUint32((number * count + row) * wordBytes, true),
    );
  return [column(0), column(1), column(2)];
}
