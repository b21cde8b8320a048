/**
 * Chunk id → place, in memory.
 *
 * A tree on disk keyed by random ids rewrites about one page for each chunk added: 18 ms for a pack of a thousand chunks, once a million are known. So the catalogue stores
 * what a pack holds as one row, and this table, built from those rows when it is first asked, finds a chunk among them. It is
 * exact (it keeps whole ids) and costs about 50 bytes a chunk. See docs/decisions/0005-chunk-index-in-memory.md.
 */
import { present } from '../../base/assert.ts';
import { hexText } from '../../base/bytes.ts';
import { idBytes } from '../../core/vocabulary/ids.ts';

/** Entries lie in pages, so that growing copies nothing. */
const pageShift = 14;
const pageEntries = 1 << pageShift;
const emptySlot = 0;
const removedSlot = -1;

interface Page {
  readonly ids: Uint8Array;
  /** Number of the pack, and number of the chunk within it. */
  readonly packs: Uint32Array;
  readonly chunks: Uint32Array;
}

export interface IndexedPlace {
  readonly packNumber: number;
  readonly chunkNumber: number;
}

export class ChunkIndex {
  readonly #pages: Page[] = [];
  /** 0: empty, −1: removed, else the entry's number + 1. Length is a power of two. */
  #slots: Int32Array = new Int32Array(1 << 12);
  #entryCount = 0;
  #usedSlots = 0;
  #size = 0;
  /** Further places of chunks that lie in several packs, in rising order of pack. */
  readonly #further = new Map<string, IndexedPlace[]>();

  /** Number of different chunks. */
  get size(): number {
    return this.#size;
  }

  /** The entry of the id at `offset` of `column`, or −1. Stands until the index changes. */
  find(column: Uint8Array, offset: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hashAt(column, offset) & mask; ; slot = (slot + 1) & mask) {
      const content = this.#slots[slot] ?? emptySlot;
      if (content === emptySlot) return -1;
      if (content !== removedSlot && this.#holds(content - 1, column, offset)) return content - 1;
    }
  }

  placeOf(entry: number): IndexedPlace {
    const page = this.#page(entry);
    const row = entry & (pageEntries - 1);
    return { packNumber: page.packs[row] ?? 0, chunkNumber: page.chunks[row] ?? 0 };
  }

  /** Adds the chunks of a pack whose number is higher than all before it. */
  addPack(packNumber: number, chunkIds: Uint8Array): void {
    for (let chunk = 0; chunk * idBytes < chunkIds.length; chunk += 1) {
      const offset = chunk * idBytes;
      if (this.find(chunkIds, offset) < 0)
        this.#insert(chunkIds, offset, { packNumber, chunkNumber: chunk });
      else this.#addFurther(chunkIds, offset, { packNumber, chunkNumber: chunk });
    }
  }

  removePack(packNumber: number, chunkIds: Uint8Array): void {
    for (let offset = 0; offset < chunkIds.length; offset += idBytes) {
      const others = this.#othersThan(packNumber, chunkIds, offset);
      const entry = this.find(chunkIds, offset);
      if (entry < 0 || this.placeOf(entry).packNumber !== packNumber) continue;
      const next = others?.shift();
      if (next === undefined) this.#remove(entry, chunkIds, offset);
      else this.#setPlace(entry, next);
    }
  }

  #addFurther(column: Uint8Array, offset: number, place: IndexedPlace): void {
    const key = hexText(column.subarray(offset, offset + idBytes));
    const places = this.#further.get(key);
    if (places === undefined) this.#further.set(key, [place]);
    else places.push(place);
  }

  /** The further places without those of this pack; undefined when there are none, which is nearly always. */
  #othersThan(packNumber: number, column: Uint8Array, offset: number): IndexedPlace[] | undefined {
    if (this.#further.size === 0) return undefined;
    const key = hexText(column.subarray(offset, offset + idBytes));
    const others = this.#further.get(key)?.filter((place) => place.packNumber !== packNumber);
    if (others === undefined) return undefined;
    if (others.length === 0) this.#further.delete(key);
    else this.#further.set(key, others);
    return others;
  }

  #insert(column: Uint8Array, offset: number, place: IndexedPlace): void {
    if ((this.#usedSlots + 1) * 2 > this.#slots.length) this.#rebuildSlots();
    const entry = this.#entryCount;
    this.#entryCount += 1;
    if (entry >> pageShift === this.#pages.length) this.#pages.push(emptyPage());
    const start = (entry & (pageEntries - 1)) * idBytes;
    this.#page(entry).ids.set(column.subarray(offset, offset + idBytes), start);
    this.#setPlace(entry, place);
    this.#occupy(entry, hashAt(column, offset));
    this.#size += 1;
  }

  #setPlace(entry: number, place: IndexedPlace): void {
    const page = this.#page(entry);
    const row = entry & (pageEntries - 1);
    page.packs[row] = place.packNumber;
    page.chunks[row] = place.chunkNumber;
  }

  #remove(entry: number, column: Uint8Array, offset: number): void {
    const mask = this.#slots.length - 1;
    let slot = hashAt(column, offset) & mask;
    while (this.#slots[slot] !== entry + 1) slot = (slot + 1) & mask;
    this.#slots[slot] = removedSlot;
    // Pack numbers begin at 1: an entry of pack 0 is vacant.
    this.#setPlace(entry, { packNumber: 0, chunkNumber: 0 });
    this.#size -= 1;
  }

  #occupy(entry: number, hash: number): void {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    while (this.#slots[slot] !== emptySlot) slot = (slot + 1) & mask;
    this.#slots[slot] = entry + 1;
    this.#usedSlots += 1;
  }

  #rebuildSlots(): void {
    const length =
      this.#size * 4 > this.#slots.length ? this.#slots.length * 2 : this.#slots.length;
    this.#slots = new Int32Array(length);
    this.#usedSlots = 0;
    for (let entry = 0; entry < this.#entryCount; entry += 1) {
      if (this.placeOf(entry).packNumber === 0) continue;
      const start = (entry & (pageEntries - 1)) * idBytes;
      this.#occupy(entry, hashAt(this.#page(entry).ids, start));
    }
  }

  #page(entry: number): Page {
    return present(this.#pages[entry >> pageShift], 'an entry lies in a page');
  }

  #holds(entry: number, column: Uint8Array, offset: number): boolean {
    const ids = this.#page(entry).ids;
    const start = (entry & (pageEntries - 1)) * idBytes;
    for (let index = 0; index < idBytes; index += 1)
      if (ids[start + index] !== column[offset + index]) return false;
    return true;
  }
}

function emptyPage(): Page {
  return {
    ids: new Uint8Array(pageEntries * idBytes),
    packs: new Uint32Array(pageEntries),
    chunks: new Uint32Array(pageEntries),
  };
}

/** Ids are keyed hashes, so any four bytes of one are as good as a hash of it. */
function hashAt(column: Uint8Array, offset: number): number {
  return (
    (column[offset] ?? 0) |
    ((column[offset + 1] ?? 0) << 8) |
    ((column[offset + 2] ?? 0) << 16) |
    ((column[offset + 3] ?? 0) << 24)
  );
}
