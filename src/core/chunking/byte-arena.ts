/**
 * Memory for the bytes of a batch, taken piece by piece and given back at once.
 *
 * Fresh memory costs more than filling it with a file's bytes; released slabs are kept for the next batches.
 */
import { assert, present } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import { kibi, mebi } from '../../base/units.ts';

/** Room for the longest single piece, a read of 16 MiB and a byte. */
const slabBytes: number = 16 * mebi + 64 * kibi;
/** As many released slabs are kept. */
const spareSlabsMaximum = 2;

/** Slabs that no batch uses at the moment. */
export class SpareSlabs {
  readonly #slabs: Bytes[] = [];

  take(): Bytes {
    return this.#slabs.pop() ?? new Uint8Array(slabBytes);
  }

  give(slab: Bytes): void {
    if (this.#slabs.length < spareSlabsMaximum) this.#slabs.push(slab);
  }
}

export class ByteArena {
  readonly #spare: SpareSlabs;
  readonly #slabs: Bytes[] = [];
  #free = 0;
  #usedBytes = 0;

  constructor(spare: SpareSlabs) {
    this.#spare = spare;
  }

  /** Bytes taken so far. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** `length` bytes of any content. */
  take(length: number): Bytes {
    assert(length <= slabBytes, 'a piece fits into a slab');
    if (this.#free < length) {
      this.#slabs.push(this.#spare.take());
      this.#free = slabBytes;
    }
    const start = slabBytes - this.#free;
    this.#free -= length;
    this.#usedBytes += length;
    return present(this.#slabs.at(-1), 'a slab with room').subarray(start, start + length);
  }

  /** Ends the use of everything taken. */
  release(): void {
    for (const slab of this.#slabs.splice(0)) this.#spare.give(slab);
    this.#free = 0;
  }
}
