/**
 * Files through the pipeline: batches are cut, chunks that are new are packed, packs go to the spool.
 *
 * As many batches as the pipeline takes are under way at once; whoever adds more waits, which holds back the scan.
 */
import { present } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import { mebi } from '../../base/units.ts';
import type { CutFile, FileToCut } from '../../core/chunking/file-cutter.ts';
import type { PackKind } from '../../core/packing/pack-header.ts';
import type { ReadProblem } from '../../core/scan/tree-walk.ts';
import { type ChunkId, idBytes, idOf } from '../../core/vocabulary/ids.ts';
import type {
  ChunkPipeline,
  ChunkToSeal,
  CutBatch,
  SealedPack,
} from '../../ports/chunk-pipeline.ts';
import type { ChunkStore } from '../../ports/stores.ts';
import { TaskPool } from '../work/task-pool.ts';

/** A batch is sent off once it has this much to read, or this many files. */
const batchBytes: number = 4 * mebi;
const batchFiles = 512;

/** A file on its way. `done` is called once, with null when nothing of it could be read. */
export interface FileTask {
  readonly file: FileToCut;
  readonly done: (content: readonly ChunkId[] | null, sizeBytes: number) => void;
}

export interface CuttingOptions {
  readonly pipeline: Pick<ChunkPipeline, 'width' | 'cut' | 'seal' | 'sealChunks' | 'flush'>;
  readonly chunks: ChunkStore;
  /** Stores a pack durably or throws what ends the run. */
  readonly store: (pack: SealedPack) => Promise<void>;
  readonly problem: (problem: ReadProblem) => void;
  /** Bytes of files read so far, and files finished. */
  readonly read: (bytes: number, files: number) => void;
}

interface FileUnderWay {
  readonly task: FileTask;
  readonly content: ChunkId[];
  offset: number;
}

export class FileCutting {
  readonly #options: CuttingOptions;
  readonly #pool: TaskPool;
  #batch: FileUnderWay[] = [];
  #batchBytes = 0;
  /** Chunks that are in a pack which is not stored yet. */
  readonly #packing = new Set<ChunkId>();
  readonly #storing = new Set<Promise<void>>();
  /** Why a pack could not be stored; nothing that may rest on it counts as durable any more. */
  #failure: { readonly reason: unknown } | undefined;
  /** Bytes of new chunks, before compression. */
  newBytes = 0;

  constructor(options: CuttingOptions) {
    this.#options = options;
    this.#pool = new TaskPool(options.pipeline.width);
  }

  /** Takes a file in; resolves when there is room for more. */
  async add(task: FileTask): Promise<void> {
    if (task.file.size > batchBytes) {
      await this.#pool.start(() => this.#cutLarge({ task, content: [], offset: 0 }));
      return;
    }
    this.#batch.push({ task, content: [], offset: 0 });
    this.#batchBytes += task.file.size;
    if (this.#batchBytes >= batchBytes || this.#batch.length >= batchFiles) await this.#send();
  }

  /** Packs chunks that the engine made, unless they are known. */
  async pack(kind: PackKind, chunks: readonly ChunkToSeal[]): Promise<void> {
    const fresh = chunks.filter(({ id, bytes }) => this.#claim(idOf<ChunkId>(id), bytes.length));
    if (fresh.length > 0)
      await this.#storeAll(await this.#options.pipeline.sealChunks(kind, fresh));
  }

  /** Resolves when every file taken in is done; throws what ended one of them. */
  async drain(): Promise<void> {
    await this.#send();
    await this.#pool.drain();
  }

  /** Resolves when nothing is under way any more; files that were not begun stay unread. */
  async abandon(): Promise<void> {
    this.#batch = [];
    this.#batchBytes = 0;
    await this.#pool.drain().catch(() => undefined);
    await Promise.allSettled(this.#storing);
  }

  /**
   * Closes all open packs and stores them, files' chunks before the trees that name them. Once it resolves, whatever was
   * handed to the pipeline before is durable, packs that others are storing included; it throws when one of them could not be stored.
   */
  async flush(): Promise<void> {
    const packs = await this.#options.pipeline.flush();
    await Promise.allSettled(this.#storing);
    if (this.#failure !== undefined) throw this.#failure.reason;
    await this.#storeAll(packs.filter((pack) => pack.kind === 'data'));
    await this.#storeAll(packs.filter((pack) => pack.kind !== 'data'));
  }

  async #send(): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    if (batch.length > 0) await this.#pool.start(() => this.#cut(batch));
  }

  async #cutLarge(file: FileUnderWay): Promise<void> {
    let pending: readonly FileUnderWay[] = [file];
    while (pending.length > 0) pending = await this.#cutOnce(pending);
  }

  /** A file that grew since the scan may need further rounds. */
  async #cut(batch: readonly FileUnderWay[]): Promise<void> {
    for (const rest of await this.#cutOnce(batch)) await this.#cutLarge(rest);
  }

  /** One round of a batch; gives the files that are not at their end. */
  async #cutOnce(batch: readonly FileUnderWay[]): Promise<readonly FileUnderWay[]> {
    const { pipeline } = this.#options;
    const cut = await pipeline.cut(
      batch.map((under) => ({ ...under.task.file, offset: under.offset })),
    );
    await this.#storeAll(await pipeline.seal(cut.ticket, await this.#wantedOrNone(cut)));
    const unfinished: FileUnderWay[] = [];
    let first = 0;
    batch.forEach((under, index) => {
      const outcome = present(cut.files[index], 'an outcome for every file');
      for (let chunk = first; chunk < first + outcome.chunkCount; chunk += 1)
        under.content.push(idOf<ChunkId>(idAt(cut.chunkIds, chunk)));
      first += outcome.chunkCount;
      if (this.#advance(under, outcome)) unfinished.push(under);
    });
    return unfinished;
  }

  /** Whether the file has more to read. */
  #advance(under: FileUnderWay, cut: CutFile): boolean {
    const { task } = under;
    this.#options.read(
      Math.max(0, cut.nextOffset - under.offset),
      cut.outcome === 'partial' ? 0 : 1,
    );
    under.offset = cut.nextOffset;
    if (cut.outcome === 'partial') return true;
    if (cut.outcome !== 'whole')
      this.#options.problem({ path: task.file.path, problem: cut.outcome, detail: cut.detail });
    const kept = cut.outcome === 'whole' || cut.outcome === 'changed-while-read';
    task.done(kept ? under.content : null, cut.nextOffset);
    return false;
  }

  /** Whatever happens, the pipeline lets go of what it cut. */
  async #wantedOrNone(cut: CutBatch): Promise<Uint8Array> {
    try {
      return this.#wanted(cut);
    } catch (reason) {
      await this.#options.pipeline.seal(cut.ticket, new Uint8Array(cut.chunkLengths.length));
      throw reason;
    }
  }

  /** Flags for the chunks that nothing holds yet; each of them counts as taken from here on. */
  #wanted(cut: CutBatch): Uint8Array {
    const known = this.#options.chunks.known(cut.chunkIds);
    return known.map((flag, index) => {
      if (flag === 1) return 0;
      const id = idOf<ChunkId>(idAt(cut.chunkIds, index));
      if (this.#packing.has(id)) return 0;
      this.#packing.add(id);
      this.newBytes += cut.chunkLengths[index] ?? 0;
      return 1;
    });
  }

  #claim(id: ChunkId, length: number): boolean {
    if (this.#packing.has(id) || this.#options.chunks.place(id) !== undefined) return false;
    this.#packing.add(id);
    this.newBytes += length;
    return true;
  }

  #storeAll(packs: readonly SealedPack[]): Promise<void> {
    const storing = this.#storeEach(packs)
      .catch((reason: unknown) => {
        this.#failure ??= { reason };
        throw reason;
      })
      .finally(() => this.#storing.delete(storing));
    this.#storing.add(storing);
    return storing;
  }

  async #storeEach(packs: readonly SealedPack[]): Promise<void> {
    for (const pack of packs) {
      await this.#options.store(pack);
      const { chunkIds } = pack.contents;
      for (let chunk = 0; chunk * idBytes < chunkIds.length; chunk += 1)
        this.#packing.delete(idOf<ChunkId>(idAt(chunkIds, chunk)));
    }
  }
}

/** Id `index` of a column of ids: a view. */
function idAt(ids: Bytes, index: number): Bytes {
  return ids.subarray(index * idBytes, (index + 1) * idBytes);
}
