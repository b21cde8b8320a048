/**
 * Canonical CBOR for arrays of columns, written and read without building a value for every number.
 *
 * A tree has a column of names, one of modes, one of times, and so on: byte strings in one array. Equal things then lie side by side (they
 * compress well), and fifty thousand entries cost a few milliseconds. What is written here is deterministic CBOR (RFC 8949 §4.2) like any
 * other document; heads that are not in their shortest form are refused.
 */
import { assert } from '../../base/assert.ts';
import { type Bytes, utf8Bytes, utf8Text } from '../../base/bytes.ts';

const unsigned = 0;
const byteString = 2;
const textString = 3;
const array = 4;
const nullByte = 0xf6;

export class ColumnWriter {
  #bytes: Bytes;
  #view: DataView;
  #length = 0;

  constructor(expectedBytes: number) {
    this.#bytes = new Uint8Array(expectedBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Opens an array; its items are written next. */
  array(items: number): void {
    this.#head(array, items);
  }

  unsigned(value: number): void {
    this.#head(unsigned, value);
  }

  text(value: string | undefined): void {
    if (value === undefined) {
      this.#reserve(1);
      this.#bytes[this.#length] = nullByte;
      this.#length += 1;
      return;
    }
    const bytes = utf8Bytes(value);
    this.#head(textString, bytes.length);
    this.#append(bytes);
  }

  bytes(value: Uint8Array): void {
    this.#head(byteString, value.length);
    this.#append(value);
  }

  finish(): Bytes {
    return this.#bytes.slice(0, this.#length);
  }

  #append(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  #head(major: number, value: number): void {
    assert(value >= 0 && value <= 0xffff_ffff, 'a head of at most 32 bits');
    this.#reserve(5);
    const type = major << 5;
    const at = this.#length;
    if (value < 24) {
      this.#view.setUint8(at, type | value);
      this.#length += 1;
    } else if (value < 0x100) {
      this.#view.setUint16(at, ((type | 24) << 8) | value);
      this.#length += 2;
    } else if (value < 0x1_0000) {
      this.#view.setUint8(at, type | 25);
      this.#view.setUint16(at + 1, value);
      this.#length += 3;
    } else {
      this.#view.setUint8(at, type | 26);
      this.#view.setUint32(at + 1, value);
      this.#length += 5;
    }
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + more));
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** Thrown by a `ColumnReader` at whatever is not canonical; caught by the codec that uses it. */
export class BadColumn extends Error {
  override readonly name = 'BadColumn';
}

/** Reads what a `ColumnWriter` wrote. Byte strings are views of the input, not copies. */
export class ColumnReader {
  readonly #bytes: Uint8Array;
  #next = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  array(): number {
    return this.#head(array);
  }

  unsigned(): number {
    return this.#head(unsigned);
  }

  /** At most `maximum` bytes of text, or undefined for null. */
  text(maximum: number): string | undefined {
    if (this.#bytes[this.#next] === nullByte) {
      this.#next += 1;
      return undefined;
    }
    const bytes = this.#take(this.#head(textString));
    const text = bytes.length <= maximum ? utf8Text(bytes) : undefined;
    if (text === undefined) throw new BadColumn('text that is too long or not UTF-8');
    return text;
  }

  bytes(): Uint8Array {
    return this.#take(this.#head(byteString));
  }

  /** A byte string of exactly `length` bytes. */
  fixed(length: number): Uint8Array {
    const bytes = this.bytes();
    if (bytes.length !== length) throw new BadColumn(`a column of ${length} bytes`);
    return bytes;
  }

  /** The same, for reading its numbers. */
  view(length: number): DataView {
    const bytes = this.fixed(length);
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  end(): void {
    if (this.#next !== this.#bytes.length) throw new BadColumn('bytes after the end');
  }

  #take(length: number): Uint8Array {
    const end = this.#next + length;
    if (end > this.#bytes.length) throw new BadColumn('a byte string that is cut short');
    const taken = this.#bytes.subarray(this.#next, end);
    this.#next = end;
    return taken;
  }

  #head(major: number): number {
    const first = this.#byte();
    if (first >> 5 !== major) throw new BadColumn('another type than the format has here');
    const short = first & 31;
    if (short < 24) return short;
    if (short > 26) throw new BadColumn('a head of more than 32 bits');
    const width = 1 << (short - 24);
    let value = 0;
    for (let index = 0; index < width; index += 1) value = value * 256 + this.#byte();
    const least = width === 1 ? 24 : width === 2 ? 0x100 : 0x1_0000;
    if (value < least) throw new BadColumn('a head that is not in its shortest form');
    return value;
  }

  #byte(): number {
    const value = this.#bytes[this.#next];
    if (value === undefined) throw new BadColumn('cut short');
    this.#next += 1;
    return value;
  }
}
