/**
 * Builds one pack in memory: chunks gathered into frames, the frames sealed, the directory behind them.
 *
 * Small chunks share a frame, because thousands of small files must not cost a compression and a tag each; larger ones get a frame of
 * their own, so that reading one does not mean opening its neighbours. An unfinished writer is dropped together with its salt.
 */
import { assert } from '../../base/assert.ts';
import { type Bytes, concatBytes, discard } from '../../base/bytes.ts';
import { sha256 } from '../../primitives/hash.ts';
import { idBytes, idOf, type PackId } from '../vocabulary/ids.ts';
import {
  chunkMaximumBytes,
  chunkMinimumBytes,
  frameTargetBytes,
  packMaximumBytes,
  packTargetBytes,
} from '../vocabulary/limits.ts';
import type { Suite } from '../vocabulary/suite.ts';
import { encodeDirectory, type FramePlace, type PackContents } from './directory.ts';
import {
  directoryNumber,
  type FrameKey,
  frameKeyOf,
  frameOverheadBytes,
  sealFrame,
  sealText,
} from './frame.ts';
import {
  directoryBytesOf,
  encodeHeader,
  type PackHeader,
  type PackKind,
  packHeaderBytes,
} from './pack-header.ts';
import { paddedLength } from './padding.ts';

/** Twice as fast as level 3; gathering small files into frames gains back more than the level loses. */
export const defaultCompressionLevel = 1;

/** Smaller chunks are gathered; this size and more has a frame of its own. */
const gatherBelowBytes: number = chunkMinimumBytes;

export interface PackWriterOptions {
  readonly packKey: Uint8Array;
  readonly suite: Suite;
  readonly kind: PackKind;
  /** 32 random bytes, never used for another pack. */
  readonly salt: Bytes;
  readonly compressionLevel?: number;
}

/** A finished pack. `bytes` has a buffer of its own, so that it can be transferred to another thread. */
export interface SealedPack {
  readonly pack: PackId;
  readonly kind: PackKind;
  readonly suite: Suite;
  readonly salt: Bytes;
  readonly bytes: Bytes;
  readonly contents: PackContents;
  /** Bytes of all chunks before compression. */
  readonly rawBytes: number;
}

export class PackWriter {
  readonly #options: PackWriterOptions;
  readonly #key: FrameKey;
  readonly #sealed: Bytes[] = [];
  readonly #frames: FramePlace[] = [];
  readonly #chunks: ChunkColumns = new ChunkColumns();
  #framesEnd = packHeaderBytes;
  #rawBytes = 0;

  /** Small chunks waiting for their frame; ids and lengths beside their bytes. */
  #gathered: Bytes | undefined;
  #gatheredBytes = 0;
  #waiting: { readonly id: Bytes; readonly length: number }[] = [];
  #finished = false;

  constructor(options: PackWriterOptions) {
    this.#options = options;
    this.#key = frameKeyOf(options.packKey, options);
  }

  get chunkCount(): number {
    return this.#chunks.count + this.#waiting.length;
  }

  /** Bytes of all chunks before compression. */
  get rawBytes(): number {
    return this.#rawBytes;
  }

  /** An upper bound of the pack's length if it were finished now, without padding. */
  get storedBytes(): number {
    const waiting = this.#waiting.length > 0 ? this.#gatheredBytes + frameOverheadBytes : 0;
    const frameCount = this.#frames.length + (waiting > 0 ? 1 : 0);
    return this.#framesEnd + waiting + directoryBytesOf(frameCount, this.chunkCount);
  }

  /** A full pack takes no more chunks. */
  isFull(): boolean {
    return this.storedBytes >= packTargetBytes;
  }

  /** Takes a chunk under its 32-byte id. The bytes are copied or used up before this returns. */
  add(id: Uint8Array, chunk: Uint8Array): void {
    assert(!this.#finished && !this.isFull(), 'a full or finished pack takes no chunks');
    assert(id.length === idBytes, 'a chunk id has 32 bytes');
    assert(chunk.length <= chunkMaximumBytes, 'a chunk is at most its maximum long');
    this.#rawBytes += chunk.length;
    const entry = { id: new Uint8Array(id), length: chunk.length };
    if (chunk.length >= gatherBelowBytes) {
      this.#closeFrame(chunk, [entry]);
      return;
    }
    if (this.#gatheredBytes + chunk.length > frameTargetBytes) this.#closeGathered();
    this.#gathered ??= new Uint8Array(frameTargetBytes);
    this.#gathered.set(chunk, this.#gatheredBytes);
    this.#gatheredBytes += chunk.length;
    this.#waiting.push(entry);
  }

  /** The pack, padded with zeros (Padmé) when it is the last one of a run. */
  finish({ pad }: { readonly pad: boolean }): SealedPack {
    assert(!this.#finished && this.chunkCount > 0, 'a pack is finished once, and not empty');
    this.#finished = true;
    this.#closeGathered();
    const contents = this.#chunks.contentsWith(this.#frames);
    const directoryBytes = directoryBytesOf(this.#frames.length, this.#chunks.count);
    const length = this.#framesEnd + directoryBytes;
    const { kind, suite, salt } = this.#options;
    const header: PackHeader = {
      kind,
      suite,
      salt,
      frameCount: this.#frames.length,
      chunkCount: this.#chunks.count,
      directoryOffset: this.#framesEnd,
      directoryBytes,
      packBytes: pad ? paddedLength(length) : length,
    };
    assert(header.packBytes <= packMaximumBytes, 'a pack is at most its maximum long');
    const bytes = this.#assemble(header, contents);
    const pack = idOf<PackId>(sha256(bytes));
    return { pack, kind, suite, salt, bytes, contents, rawBytes: this.#rawBytes };
  }

  #assemble(header: PackHeader, contents: PackContents): Bytes {
    const headerBytes = encodeHeader(header);
    const directory = sealText(this.#key, directoryNumber, {
      parts: [encodeDirectory(contents)],
      bound: headerBytes,
    });
    const end = header.directoryOffset + header.directoryBytes;
    const padding = new Uint8Array(header.packBytes - end);
    const bytes = concatBytes([headerBytes, ...this.#sealed, directory, padding]);
    for (const frame of this.#sealed.splice(0)) discard(frame);
    return bytes;
  }

  #closeGathered(): void {
    if (this.#waiting.length === 0 || this.#gathered === undefined) return;
    this.#closeFrame(this.#gathered.subarray(0, this.#gatheredBytes), this.#waiting);
    this.#waiting = [];
    this.#gatheredBytes = 0;
  }

  #closeFrame(
    raw: Uint8Array,
    chunks: readonly { readonly id: Bytes; readonly length: number }[],
  ): void {
    const number = this.#frames.length;
    const compressionLevel = this.#options.compressionLevel ?? defaultCompressionLevel;
    const sealed = sealFrame(this.#key, number, { raw, compressionLevel });
    this.#frames.push({
      offset: this.#framesEnd,
      storedBytes: sealed.length,
      rawBytes: raw.length,
    });
    this.#sealed.push(sealed);
    this.#framesEnd += sealed.length;
    this.#chunks.addFrame(number, chunks);
  }
}

/** The chunks of closed frames, in order. */
class ChunkColumns {
  readonly #ids: Bytes[] = [];
  readonly #frames: number[] = [];
  readonly #offsets: number[] = [];
  readonly #lengths: number[] = [];

  get count(): number {
    return this.#ids.length;
  }

  addFrame(
    number: number,
    chunks: readonly { readonly id: Bytes; readonly length: number }[],
  ): void {
    let offset = 0;
    for (const { id, length } of chunks) {
      this.#ids.push(id);
      this.#frames.push(number);
      this.#offsets.push(offset);
      this.#lengths.push(length);
      offset += length;
    }
  }

  contentsWith(frames: readonly FramePlace[]): PackContents {
    return {
      frames,
      chunkIds: concatBytes(this.#ids),
      chunkFrames: Uint32Array.from(this.#frames),
      chunkOffsets: Uint32Array.from(this.#offsets),
      chunkLengths: Uint32Array.from(this.#lengths),
    };
  }
}
