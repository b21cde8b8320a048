/**
 * A few threads that do jobs, one at a time each, in the order in which they were given.
 *
 * What a thread cannot go on after is a fault in the program: the whole pool is broken then, every job that waits ends in `WorkerFailed`, and
 * so does every later one. Nothing waits for ever. Failures that are expected are values inside a reply.
 */
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { type Transferable, Worker } from 'node:worker_threads';
import { assert } from '../../base/assert.ts';
import type { EventLog } from '../../ports/event-log.ts';

export class WorkerFailed extends Error {
  override readonly name = 'WorkerFailed';
}

export interface WorkerPoolOptions {
  readonly entry: URL;
  /** What every thread gets as its `workerData`. */
  readonly settings: unknown;
  readonly count: number;
  readonly log: EventLog;
}

/** What goes to a thread: the reply bears the same number. */
export interface JobMessage {
  readonly job: number;
  readonly request: unknown;
}

export interface ReplyMessage {
  readonly job: number;
  readonly reply: unknown;
}

interface Waiting {
  readonly resolve: (reply: unknown) => void;
  readonly reject: (problem: Error) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, Waiting>;
}

export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #threads: (Thread | undefined)[];
  #nextJob = 1;
  #failure: Error | undefined;

  constructor(options: WorkerPoolOptions) {
    assert(options.count > 0, 'a pool has at least one thread');
    this.#options = options;
    this.#threads = new Array<Thread | undefined>(options.count).fill(undefined);
  }

  get count(): number {
    return this.#threads.length;
  }

  /** Nothing can be run any more. */
  get isBroken(): boolean {
    return this.#failure !== undefined;
  }

  /** Whether thread `index` was ever given a job. */
  started(index: number): boolean {
    return this.#threads[index] !== undefined;
  }

  /** The thread with the fewest jobs; threads are started when they first get one. */
  lightest(): number {
    const loads = this.#threads.map((thread) => thread?.waiting.size ?? 0);
    return loads.indexOf(Math.min(...loads));
  }

  /** The reply of thread `index` to a request whose `transfer` it takes over. */
  async run<Reply>(
    index: number,
    request: unknown,
    transfer: readonly Transferable[] = [],
  ): Promise<Reply> {
    if (this.#failure !== undefined) throw this.#failure;
    const thread = this.#thread(index);
    const job = this.#nextJob;
    this.#nextJob += 1;
    // A pool at rest must not keep the process alive, one at work must.
    thread.worker.ref();
    thread.worker.postMessage({ job, request } satisfies JobMessage, transfer);
    const replied = new Promise<unknown>((resolve, reject) => {
      thread.waiting.set(job, { resolve, reject });
    });
    return (await replied) as Reply;
  }

  /** Ends all threads; jobs that still wait end in `WorkerFailed`. */
  async close(): Promise<void> {
    this.#fail(new WorkerFailed('the pool was closed'));
    await Promise.all(this.#threads.map((thread) => thread?.worker.terminate()));
  }

  #thread(index: number): Thread {
    assert(index >= 0 && index < this.#threads.length, 'a thread of the pool');
    const thread = this.#threads[index] ?? this.#start();
    this.#threads[index] = thread;
    return thread;
  }

  #start(): Thread {
    const { entry, settings: workerData } = this.#options;
    const worker = new Worker(entry, { workerData, env: threadEnvironment() });
    const thread: Thread = { worker, waiting: new Map() };
    worker.on('message', ({ job, reply }: ReplyMessage) => {
      const waiting = thread.waiting.get(job);
      // When the pool broke, everybody who waited was told; what other threads still say comes too late.
      if (waiting === undefined) return;
      thread.waiting.delete(job);
      if (thread.waiting.size === 0) worker.unref();
      waiting.resolve(reply);
    });
    worker.on('error', (cause) => {
      this.#break('a worker thread failed', cause);
    });
    worker.on('exit', (code) => {
      this.#break(`a worker thread ended with code ${code}`, undefined);
    });
    return thread;
  }

  #break(message: string, cause: unknown): void {
    if (this.#failure !== undefined) return;
    const reason = cause instanceof Error ? `${message}: ${cause.message}` : message;
    this.#options.log.write('error', 'worker.failed', { reason });
    this.#fail(new WorkerFailed(reason, { cause }));
  }

  #fail(failure: Error): void {
    this.#failure ??= failure;
    for (const thread of this.#threads) {
      const waiting = [...(thread?.waiting.values() ?? [])];
      thread?.waiting.clear();
      for (const { reject } of waiting) reject(this.#failure);
    }
  }
}

/** Threads take sources that were compiled before from where the process does; by themselves they would begin without. That halves their start. */
function threadEnvironment(): NodeJS.ProcessEnv {
  const folder = getCompileCacheDir();
  if (folder === undefined) return process.env;
  return { ...process.env, NODE_COMPILE_CACHE: dirname(folder) };
}
