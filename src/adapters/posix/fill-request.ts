/** Chunks and their places, packed into three arrays: thousands of small objects would cost more to post than the chunks to write. */
import { present } from '../../base/assert.ts';
import { type Bytes, concatBytes } from '../../base/bytes.ts';
import { idBytes } from '../../core/vocabulary/ids.ts';
import type { ChunkWrite } from '../../ports/restore-target.ts';

export interface PackedChunks {
  /** 32 bytes a chunk. */
  readonly ids: Bytes;
  /** Four numbers a chunk: frame, offset, length, how many places. */
  readonly numbers: Uint32Array<ArrayBuffer>;
  /** Two numbers a place: file, position. */
  readonly places: Float64Array<ArrayBuffer>;
}

const chunkWidth = 4;
const placeWidth = 2;

export function packChunks(chunks: readonly ChunkWrite[]): PackedChunks {
  const numbers = new Uint32Array(chunks.length * chunkWidth);
  const placeCount = chunks.reduce((sum, { places }) => sum + places.length, 0);
  const packedPlaces = new Float64Array(placeCount * placeWidth);
  let at = 0;
  chunks.forEach(({ frame, offset, length, places }, index) => {
    numbers.set([frame, offset, length, places.length], index * chunkWidth);
    for (const { file, position } of places) {
      packedPlaces[at] = file;
      packedPlaces[at + 1] = position;
      at += placeWidth;
    }
  });
  return { ids: concatBytes(chunks.map(({ id }) => id)), numbers, places: packedPlaces };
}

/** How many places each of `files` files has. */
export function placeCounts({ places }: PackedChunks, files: number): Uint32Array {
  const counts = new Uint32Array(files);
  for (let at = 0; at < places.length; at += placeWidth) {
    const file = places[at] ?? 0;
    counts[file] = (counts[file] ?? 0) + 1;
  }
  return counts;
}

export function* unpackChunks({ ids, numbers, places }: PackedChunks): Generator<ChunkWrite> {
  let at = 0;
  for (let index = 0; index * idBytes < ids.length; index += 1) {
    const number = (column: number): number =>
      present(numbers[index * chunkWidth + column], 'four numbers for every chunk');
    const end = at + number(3) * placeWidth;
    const chunkPlaces: { readonly file: number; readonly position: number }[] = [];
    for (; at < end; at += placeWidth)
      chunkPlaces.push({ file: places[at] ?? 0, position: places[at + 1] ?? 0 });
    yield {
      id: ids.subarray(index * idBytes, (index + 1) * idBytes),
      frame: number(0),
      offset: number(1),
      length: number(2),
      places: chunkPlaces,
    };
  }
}
