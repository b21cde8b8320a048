/** From sealed frames to bytes in files: every chunk is opened, checked against its id and written wherever it belongs (C14, C41–C43). */
import { present } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import { type FrameKey, frameKeyOf, openFrame } from '../../core/packing/frame.ts';
import { chunkOf } from '../../core/packing/pack-reader.ts';
import type { ChunkNamer } from '../../core/sealing/chunk-id.ts';
import { parseSuite } from '../../core/vocabulary/suite.ts';
import type { ChunkWrite, SealedFrame } from '../../ports/restore-target.ts';
import { errnoOf } from './byte-path.ts';
import type { EntryFinishing } from './entry-finishing.ts';
import { placeCounts, unpackChunks } from './fill-request.ts';
import type { TargetFolders } from './target-folders.ts';
import type { FileToFill, FillReply, FillRequest, TextProblem } from './target-messages.ts';
import { UnfinishedFiles } from './unfinished-file.ts';

export interface ChunkPlacingParts {
  readonly folders: TargetFolders;
  readonly namer: ChunkNamer;
  readonly packKey: Uint8Array;
  readonly session: string;
  readonly finishing: EntryFinishing;
}

const withoutSpace: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);

export function placeChunks(parts: ChunkPlacingParts, request: FillRequest): FillReply {
  const placing = new ChunkPlacing(parts, request);
  try {
    for (const chunk of unpackChunks(request.chunks)) placing.place(chunk);
    return placing.reply();
  } finally {
    placing.close();
  }
}

class ChunkPlacing {
  readonly #parts: ChunkPlacingParts;
  readonly #request: FillRequest;
  readonly #unfinished: UnfinishedFiles;
  /** Absolute path of each file that was written to so far. */
  readonly #places = new Map<number, string>();
  /** The first problem of each file; nothing more is written to it. */
  readonly #problems = new Map<number, TextProblem>();
  /** What could not be kept of files that are finished. */
  readonly #shortfalls: TextProblem[] = [];
  readonly #written: (number | undefined)[];
  /** How many places of each file are still to come. */
  readonly #missing: Uint32Array;
  /** The frame that was opened last. */
  #opened: { readonly frame: number; readonly bytes: Bytes | undefined } | undefined;
  #key: { readonly frame: SealedFrame; readonly key: FrameKey } | undefined;

  constructor(parts: ChunkPlacingParts, request: FillRequest) {
    this.#parts = parts;
    this.#request = request;
    this.#unfinished = new UnfinishedFiles(parts.session);
    this.#written = request.files.map(() => 0);
    this.#missing = placeCounts(request.chunks, request.files.length);
  }

  place(chunk: ChunkWrite): void {
    const frame = this.#frame(chunk.frame);
    const bytes = frame && chunkOf(frame, chunk);
    const isTrue = bytes !== undefined && this.#parts.namer.names(chunk.id, bytes);
    for (const { file, position } of chunk.places) {
      if (this.#problems.has(file)) continue;
      if (isTrue) this.#write(file, position, bytes);
      else this.#note(file, 'integrity', 'a chunk is not what its id names');
    }
  }

  reply(): FillReply {
    const problems = [...this.#problems.values(), ...this.#shortfalls];
    return { problems, written: this.#written };
  }

  close(): void {
    this.#unfinished.close();
  }

  #write(file: number, position: number, bytes: Bytes): void {
    const fill = present(this.#request.files[file], 'a file of the batch');
    const { path, size } = fill;
    if (position < 0 || position + bytes.length > size) {
      this.#note(file, 'integrity', 'a chunk reaches behind the end of its file');
      return;
    }
    const place = this.#placeOf(file, path);
    if (place === undefined) return;
    try {
      this.#unfinished.write(place, fill, { position, bytes });
      this.#written[file] = (this.#written[file] ?? 0) + bytes.length;
      const missing = (this.#missing[file] ?? 0) - 1;
      this.#missing[file] = missing;
      if (missing === 0) this.#finish(file, fill, place);
    } catch (problem) {
      const code = errnoOf(problem);
      this.#note(file, withoutSpace.has(code) ? 'no-space' : 'not-written', code);
    }
  }

  /** While the file is still open: most files of most computers are small, and opening costs more than writing them. */
  #finish(file: number, fill: FileToFill, place: string): void {
    const { finish, size } = fill;
    if (finish === undefined) return;
    const written = this.#written[file];
    if (written !== size) {
      this.#note(file, 'not-written', `${written} of ${size} bytes were written`);
      return;
    }
    const unfinished = this.#unfinished.open(place, fill);
    this.#shortfalls.push(...this.#parts.finishing.finishWritten(finish, place, unfinished));
    this.#unfinished.closeOne(place);
    this.#written[file] = undefined;
  }

  #placeOf(file: number, path: string): string | undefined {
    const known = this.#places.get(file);
    if (known !== undefined) return known;
    const place = this.#parts.folders.place(path);
    if (place.ok) this.#places.set(file, place.value);
    else this.#note(file, 'not-written', place.error.detail);
    return place.ok ? place.value : undefined;
  }

  #note(file: number, problem: TextProblem['problem'], detail: string): void {
    const { path } = present(this.#request.files[file], 'a file of the batch');
    this.#problems.set(file, { path, problem, detail });
  }

  #frame(number: number): Bytes | undefined {
    if (this.#opened?.frame === number) return this.#opened.bytes;
    const bytes = this.#open(present(this.#request.frames[number], 'a frame of the batch'));
    this.#opened = { frame: number, bytes };
    return bytes;
  }

  #open(frame: SealedFrame): Bytes | undefined {
    const key = this.#keyOf(frame);
    if (key === undefined) return undefined;
    const opened = openFrame(key, frame.number, { sealed: frame.bytes, rawBytes: frame.rawBytes });
    return opened.ok ? opened.value : undefined;
  }

  /** Frames of one pack come together and share a key. */
  #keyOf(frame: SealedFrame): FrameKey | undefined {
    const last = this.#key;
    if (last?.frame.suite === frame.suite && Buffer.compare(last.frame.salt, frame.salt) === 0)
      return last.key;
    const suite = parseSuite(frame.suite);
    if (suite === undefined) return undefined;
    const key = frameKeyOf(this.#parts.packKey, { suite, salt: frame.salt });
    this.#key = { frame, key };
    return key;
  }
}
