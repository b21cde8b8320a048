/**
 * Contents of files: which frames of which packs they need, read once each, handed to the target in batches.
 *
 * Packs are read in the order in which the files first need them, several at once; the frames of a pack that lie close together are read in one go.
 */
import { present } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { kibi, mebi } from '../../base/units.ts';
import type { FramePlace } from '../../core/packing/directory.ts';
import { bytesOf, type ChunkId, type PackId } from '../../core/vocabulary/ids.ts';
import type {
  ChunkWrite,
  RestoreTarget,
  SealedFrame,
  TargetProblem,
  WriteBatch,
} from '../../ports/restore-target.ts';
import type { ChunkPlace, PackRow, Stores } from '../../ports/stores.ts';
import type { WalkedEntry } from '../backup/tree-walk.ts';
import type { RestoreFailure } from '../computer.ts';
import { TaskPool } from '../work/task-pool.ts';
import { type PackSource, restoreFailureOf } from './pack-source.ts';

/** Packs read at once. */
const packsAtOnce = 3;
/** Frames with less than this between them are read together. */
const gapBytes: number = 128 * kibi;
/** A batch for the target has about this much in its frames. */
const batchBytes: number = 8 * mebi;

export interface ContentPorts {
  readonly target: RestoreTarget;
  readonly fetched: (bytes: number) => void;
}

/** Where a chunk goes: file of the portion, position in it. */
type Place = ChunkWrite['places'][number];

/** What a portion needs of one pack: by frame, by chunk. */
type PackNeeds = Map<
  number,
  Map<ChunkId, { readonly place: ChunkPlace; readonly places: Place[] }>
>;

export interface ContentsWritten {
  readonly problems: readonly TargetProblem[];
  /** Files that the target finished along with their contents, or told a problem with. */
  readonly finished: ReadonlySet<WalkedEntry>;
}

class WriteEnded extends Error {
  override readonly name = 'WriteEnded';
  readonly failure: RestoreFailure;

  constructor(failure: RestoreFailure) {
    super(failure.code);
    this.failure = failure;
  }
}

export class ContentWriter {
  readonly #stores: Stores;
  readonly #source: PackSource;
  readonly #ports: ContentPorts;

  constructor(stores: Stores, source: PackSource, ports: ContentPorts) {
    this.#stores = stores;
    this.#source = source;
    this.#ports = ports;
  }

  /** Writes all chunks of these files. Problems with single files are listed; what ends the restore is a failure. */
  async write(
    files: readonly WalkedEntry[],
    signal: AbortSignal,
  ): Promise<Outcome<ContentsWritten, RestoreFailure>> {
    const finished = new Set<WalkedEntry>();
    const problems: TargetProblem[] = [];
    const needs = this.#needsOf(files, problems);
    const pool = new TaskPool(packsAtOnce);
    try {
      for (const [pack, frames] of needs) {
        if (signal.aborted) return failed({ code: 'restore.cancelled', detail: 'on request' });
        await pool.start(async () => {
          problems.push(...(await this.#writePack(pack, frames, { files, finished })));
        });
      }
      await pool.drain();
      return succeeded({ problems, finished });
    } catch (reason) {
      await pool.drain().catch(() => undefined);
      if (reason instanceof WriteEnded) return failed(reason.failure);
      throw reason;
    }
  }

  #needsOf(files: readonly WalkedEntry[], problems: TargetProblem[]): Map<PackId, PackNeeds> {
    const needs = new Map<PackId, PackNeeds>();
    files.forEach(({ path, entry }, file) => {
      let position = 0;
      for (const id of entry.content) {
        const place = this.#stores.chunks.place(id);
        if (place === undefined) {
          problems.push({
            path,
            problem: 'integrity',
            detail: `the catalogue does not know chunk ${id}`,
          });
          return;
        }
        const frames = ofKey(needs, place.pack, (): PackNeeds => new Map());
        const chunks = ofKey(frames, place.frame, () => new Map());
        ofKey(chunks, id, () => ({ place, places: [] })).places.push({ file, position });
        position += place.length;
      }
    });
    return needs;
  }

  async #writePack(
    pack: PackId,
    needs: PackNeeds,
    { files, finished }: { readonly files: readonly WalkedEntry[]; finished: Set<WalkedEntry> },
  ): Promise<readonly TargetProblem[]> {
    const row = present(this.#stores.packs.get(pack), 'the pack of a known chunk');
    const contents = present(this.#stores.packs.contents(pack), 'contents of a known pack');
    const frameNumbers = [...needs.keys()].sort((left, right) => left - right);
    const problems: TargetProblem[] = [];
    for (const run of runsOf(frameNumbers, contents.frames)) {
      const sealed = await this.#readRun(row, run, contents.frames);
      const { batch, whole } = batchOf({ row, run, sealed, needs, files }, contents.frames);
      problems.push(...(await this.#ports.target.write(batch)));
      for (const file of whole) finished.add(file);
    }
    return problems;
  }

  async #readRun(
    row: PackRow,
    run: readonly number[],
    frames: readonly FramePlace[],
  ): Promise<Bytes> {
    const range = rangeOf(run, frames);
    const read = await this.#source.read(row.pack, range);
    if (!read.ok) throw new WriteEnded(restoreFailureOf(read.error));
    this.#ports.fetched(range.length);
    return read.value;
  }
}

function rangeOf(
  run: readonly number[],
  frames: readonly FramePlace[],
): { offset: number; length: number } {
  const first = present(frames[present(run[0], 'a run has frames')], 'a frame of its pack');
  const last = present(frames[present(run.at(-1), 'a run has frames')], 'a frame of its pack');
  return { offset: first.offset, length: last.offset + last.storedBytes - first.offset };
}

/** Rising frame numbers in runs that are read in one go. */
function runsOf(numbers: readonly number[], frames: readonly FramePlace[]): number[][] {
  const runs: number[][] = [];
  for (const number of numbers) {
    const run = runs.at(-1);
    if (run !== undefined && joins(run, number, frames)) run.push(number);
    else runs.push([number]);
  }
  return runs;
}

function joins(run: readonly number[], number: number, frames: readonly FramePlace[]): boolean {
  const { offset, length } = rangeOf(run, frames);
  const frame = present(frames[number], 'a frame of its pack');
  if (frame.offset - (offset + length) > gapBytes) return false;
  return frame.offset + frame.storedBytes - offset <= batchBytes;
}

function batchOf(
  work: {
    readonly row: PackRow;
    readonly run: readonly number[];
    readonly sealed: Bytes;
    readonly needs: PackNeeds;
    readonly files: readonly WalkedEntry[];
  },
  frames: readonly FramePlace[],
): { readonly batch: WriteBatch; readonly whole: readonly WalkedEntry[] } {
  const { row, run, sealed, needs, files } = work;
  const start = rangeOf(run, frames).offset;
  const renumbered = new Map<number, number>();
  const placed: number[] = [];
  const sealedFrames: SealedFrame[] = [];
  const chunks: ChunkWrite[] = [];
  run.forEach((number, frame) => {
    const place = present(frames[number], 'a frame of its pack');
    const at = place.offset - start;
    sealedFrames.push({
      suite: row.suite,
      salt: row.salt,
      number,
      rawBytes: place.rawBytes,
      bytes: sealed.subarray(at, at + place.storedBytes),
    });
    for (const [id, chunk] of present(needs.get(number), 'a needed frame'))
      chunks.push({
        id: bytesOf(id),
        frame,
        offset: chunk.place.offset,
        length: chunk.place.length,
        places: chunk.places.map((to) => {
          const file = ofKey(renumbered, to.file, () => renumbered.size);
          placed[file] = (placed[file] ?? 0) + 1;
          return { file, position: to.position };
        }),
      });
  });
  const whole: WalkedEntry[] = [];
  const batchFiles = [...renumbered].map(([file, index]) => {
    const walked = present(files[file], 'a file of the portion');
    const { path, entry } = walked;
    const written = { path, size: entry.sizeBytes, sparse: entry.sparse === true };
    if (placed[index] !== entry.content.length) return written;
    whole.push(walked);
    return { ...written, entry };
  });
  return {
    batch: { frames: sealedFrames, chunks, files: batchFiles, handedOver: true },
    whole,
  };
}

/** The value of a key, made when there is none yet. */
function ofKey<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
