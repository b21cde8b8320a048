/** The pipeline on worker threads: files are read, cut, named, compressed and encrypted where they are read (claims C8–C15). */
import { availableParallelism } from 'node:os';
import { assert, present } from '../../base/assert.ts';
import type { FileToCut } from '../../core/chunking/file-cutter.ts';
import type { PackKind } from '../../core/packing/pack-header.ts';
import type { ScanBatch, ScanRequest } from '../../core/scan/tree-walk.ts';
import type { Suite } from '../../core/vocabulary/suite.ts';
import type {
  ChunkPipeline,
  ChunkToSeal,
  CutBatch,
  OwnerNames,
  SealedPack,
} from '../../ports/chunk-pipeline.ts';
import type { EventLog } from '../../ports/event-log.ts';
import { readLocalOwners } from '../posix/owner-names.ts';
import { packFiles } from './cut-request.ts';
import type {
  CutReply,
  PipelineKeys,
  PipelineRequest,
  PipelineSettings,
  ScanReply,
} from './pipeline-messages.ts';
import { unpackBatch } from './scan-reply.ts';
import { workerEntry } from './worker-entry.ts';
import { WorkerPool, type WorkerPoolOptions } from './worker-pool.ts';

export interface WorkerPipelineOptions {
  readonly keys: PipelineKeys;
  readonly suite: Suite;
  /** Zstandard's, 1 to 19. */
  readonly compressionLevel: number;
  /** Default: as many as the computer has processors. */
  readonly workers?: number;
  readonly log: EventLog;
}

/** A thread that seals one batch while the engine thinks about the other is never idle. */
const batchesPerWorker = 2;
/** Batches of a scan that are asked for before they are needed. */
const scanAhead = 3;
/** The thread that packs what the engine made. */
const engineWorker = 0;

export function createWorkerPipeline(options: WorkerPipelineOptions): ChunkPipeline {
  return new WorkerPipeline(options);
}

class WorkerPipeline implements ChunkPipeline {
  readonly width: number;
  readonly #options: WorkerPoolOptions;
  #pool: WorkerPool;
  #isClosed = false;
  /** Which thread holds the bytes of a ticket. */
  readonly #holders = new Map<number, number>();
  #nextNumber = 1;

  constructor(options: WorkerPipelineOptions) {
    const { suite, compressionLevel, log } = options;
    // Threads get the keys that they need and no others.
    const { chunkIdKey, gearKey, packKey } = options.keys;
    const keys = { chunkIdKey, gearKey, packKey };
    this.#options = {
      entry: workerEntry('pipeline-worker'),
      settings: { keys, suite, compressionLevel } satisfies PipelineSettings,
      count: options.workers ?? availableParallelism(),
      log,
    };
    this.#pool = new WorkerPool(this.#options);
    this.width = batchesPerWorker * this.#pool.count;
  }

  renew(): void {
    if (this.#isClosed || !this.#pool.isBroken) return;
    void this.#pool.close();
    this.#pool = new WorkerPool(this.#options);
    this.#holders.clear();
  }

  async ownerNames(): Promise<OwnerNames> {
    return readLocalOwners();
  }

  async *scan(request: ScanRequest, signal: AbortSignal): AsyncGenerator<ScanBatch, void> {
    const scan = this.#number();
    const pool = this.#pool;
    const worker = pool.lightest();
    const ask = (message: PipelineRequest): Promise<ScanReply> => {
      const reply = pool.run<ScanReply>(worker, message);
      // A failure is met when its turn comes; until then nobody waits for it.
      reply.catch(() => undefined);
      return reply;
    };
    const asked = [ask({ type: 'begin-scan', scan, request })];
    try {
      while (!signal.aborted) {
        while (asked.length < scanAhead) asked.push(ask({ type: 'continue-scan', scan }));
        const packed = await present(asked.shift(), 'a batch was asked for');
        if (packed === undefined) return;
        yield unpackBatch(packed);
      }
      signal.throwIfAborted();
    } finally {
      await Promise.allSettled([...asked, ask({ type: 'end-scan', scan })]);
    }
  }

  async cut(files: readonly FileToCut[]): Promise<CutBatch> {
    const ticket = this.#number();
    const worker = this.#pool.lightest();
    const packed = packFiles(files);
    this.#holders.set(ticket, worker);
    const request: PipelineRequest = { type: 'cut', ticket, files: packed };
    const transfer = [packed.paths.buffer, packed.numbers.buffer];
    return { ticket, ...(await this.#pool.run<CutReply>(worker, request, transfer)) };
  }

  async seal(ticket: number, wanted: Uint8Array): Promise<readonly SealedPack[]> {
    const worker = this.#holders.get(ticket);
    assert(worker !== undefined, 'a ticket is sealed once');
    this.#holders.delete(ticket);
    return this.#run(worker, { type: 'seal', ticket, wanted });
  }

  async sealChunks(kind: PackKind, chunks: readonly ChunkToSeal[]): Promise<readonly SealedPack[]> {
    return this.#run(engineWorker, { type: 'seal-chunks', kind, chunks });
  }

  async flush(): Promise<readonly SealedPack[]> {
    // A thread that never started has nothing open, and starting it only to hear so costs a tenth of a second.
    const workers = Array.from({ length: this.#pool.count }, (_, index) => index).filter((index) =>
      this.#pool.started(index),
    );
    const packs = await Promise.all(workers.map((index) => this.#run(index, { type: 'flush' })));
    return packs.flat();
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return this.#pool.close();
  }

  #run(worker: number, request: PipelineRequest): Promise<readonly SealedPack[]> {
    return this.#pool.run(worker, request);
  }

  #number(): number {
    this.#nextNumber += 1;
    return this.#nextNumber;
  }
}
