/**
 * From files to chunks: reads a batch of files, cuts them and names the chunks (C15, C44).
 *
 * Files change while they are read, vanish, or turn into something else. What was read is kept all the same, and the outcome says what
 * happened: a file that differs from what the scan saw counts as changed, whatever changed it.
 */
import type { Bytes } from '../../base/bytes.ts';
import { mebi } from '../../base/units.ts';
import type { SourceFailure } from '../scan/scan-source.ts';
import type { ChunkNamer } from '../sealing/chunk-id.ts';
import { idBytes } from '../vocabulary/ids.ts';
import { ByteArena, SpareSlabs } from './byte-arena.ts';
import type { Cutter } from './cutter.ts';

/** A file, or the rest of one, to be read and cut. */
export interface FileToCut {
  readonly path: Bytes;
  /** Where to go on: a cut point of this file, 0 at first. */
  readonly offset: number;
  /** What the scan saw; a file that differs now is read all the same and reported as changed. */
  readonly size: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly inode: bigint;
}

export interface CutFile {
  readonly outcome: 'whole' | 'partial' | 'changed-while-read' | 'vanished' | 'unreadable';
  readonly detail: string;
  /** How many of the batch's chunks are this file's, in order. */
  readonly chunkCount: number;
  /** `partial`: where the next call goes on. Otherwise: the bytes read in all. */
  readonly nextOffset: number;
}

/** What a file is now, by its open handle. */
export interface ContentStat {
  readonly isFile: boolean;
  readonly size: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly inode: bigint;
}

/** Contents of files, read synchronously, by handles. */
export interface ContentSource {
  /** Never follows a link and never waits for a pipe. */
  open(path: Bytes): number | SourceFailure;
  /** How many bytes came from `position` on; 0 at the end. */
  read(handle: number, area: Bytes, position: number): number | SourceFailure;
  stat(handle: number): ContentStat;
  close(handle: number): void;
}

/** Of one file, at most this much is read by one call. */
const fileReadMaximumBytes: number = 16 * mebi;
/** Of one batch; what is behind is left for another call. */
const batchReadMaximumBytes: number = 64 * mebi;

/** The chunks of a batch. Their bytes lie in `arena` until it is released. */
export interface CutChunks {
  readonly files: readonly CutFile[];
  readonly ids: Bytes;
  readonly chunks: readonly Bytes[];
  readonly arena: ByteArena;
}

export interface FileCutterOptions {
  readonly source: ContentSource;
  readonly namer: ChunkNamer;
  readonly cutter: Cutter;
}

interface Stretch {
  readonly bytes: Bytes;
  /** The file ends behind these bytes. */
  readonly final: boolean;
  readonly stat: ContentStat;
}

export class FileCutter {
  readonly #options: FileCutterOptions;
  readonly #spare: SpareSlabs = new SpareSlabs();

  constructor(options: FileCutterOptions) {
    this.#options = options;
  }

  cut(files: readonly FileToCut[]): CutChunks {
    const arena = new ByteArena(this.#spare);
    const chunks: Bytes[] = [];
    const outcomes = files.map((file) =>
      arena.usedBytes > batchReadMaximumBytes
        ? postponed(file)
        : this.#cutFile(file, arena, chunks),
    );
    const ids = new Uint8Array(chunks.length * idBytes);
    chunks.forEach((chunk, index) => {
      ids.set(this.#options.namer.idBytesOf(chunk), index * idBytes);
    });
    return { files: outcomes, ids, chunks, arena };
  }

  #cutFile(file: FileToCut, arena: ByteArena, chunks: Bytes[]): CutFile {
    const { source } = this.#options;
    const handle = source.open(file.path);
    if (typeof handle !== 'number') return lost(handle);
    try {
      const stretch = this.#read(handle, file, arena);
      if ('problem' in stretch) return lost(stretch);
      if (!stretch.stat.isFile) return lost({ problem: 'vanished', detail: 'no file any more' });
      return this.#cutStretch(file, stretch, chunks);
    } finally {
      source.close(handle);
    }
  }

  /** Reads what the scan promised and one byte more, which shows whether the file has grown. */
  #read(handle: number, file: FileToCut, arena: ByteArena): Stretch | SourceFailure {
    const promised = Math.max(0, file.size - file.offset);
    const stretch = this.#readInto(
      arena.take(Math.min(promised, fileReadMaximumBytes) + 1),
      handle,
      file.offset,
    );
    if ('problem' in stretch || stretch.final || promised >= fileReadMaximumBytes) return stretch;
    return this.#readInto(arena.take(fileReadMaximumBytes + 1), handle, file.offset);
  }

  #readInto(area: Bytes, handle: number, offset: number): Stretch | SourceFailure {
    const { source } = this.#options;
    let length = 0;
    while (length < area.length) {
      const count = source.read(handle, area.subarray(length), offset + length);
      if (typeof count !== 'number') return count;
      length += count;
      const stat = source.stat(handle);
      // A read that stops where the file says it ends saves asking once more.
      if (count === 0 || stat.size === offset + length)
        return { bytes: area.subarray(0, length), final: true, stat };
    }
    return { bytes: area.subarray(0, length), final: false, stat: source.stat(handle) };
  }

  #cutStretch(file: FileToCut, { bytes, final, stat }: Stretch, chunks: Bytes[]): CutFile {
    const { cutter } = this.#options;
    const first = chunks.length;
    let offset = 0;
    while (offset < bytes.length) {
      const length = cutter.nextCut(bytes, { offset, end: bytes.length, final });
      if (length === undefined) break;
      chunks.push(bytes.subarray(offset, offset + length));
      offset += length;
    }
    const difference = final ? differenceOf(file, stat) : '';
    return {
      outcome: !final ? 'partial' : difference === '' ? 'whole' : 'changed-while-read',
      detail: difference,
      chunkCount: chunks.length - first,
      nextOffset: file.offset + offset,
    };
  }
}

/** What is not as the scan saw it; empty when everything is. */
function differenceOf(file: FileToCut, stat: ContentStat): string {
  const differences: string[] = [];
  if (stat.inode !== file.inode) differences.push('another file');
  if (stat.size !== file.size) differences.push('size');
  if (stat.mtimeNs !== file.mtimeNs) differences.push('modification time');
  if (stat.ctimeNs !== file.ctimeNs) differences.push('change time');
  return differences.join(', ');
}

function lost(failure: SourceFailure): CutFile {
  const outcome = failure.problem === 'vanished' ? 'vanished' : 'unreadable';
  return { outcome, detail: failure.detail, chunkCount: 0, nextOffset: 0 };
}

function postponed(file: FileToCut): CutFile {
  return { outcome: 'partial', detail: '', chunkCount: 0, nextOffset: file.offset };
}
