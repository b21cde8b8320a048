/**
 * The restore target on POSIX: real files, written by worker threads (C14, C41–C43).
 *
 * Restored files are not forced to the disk one by one: a restore that a power failure interrupts is run again, and finds what is whole.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, opendirSync, realpathSync, statSync } from 'node:fs';
import { assert } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import { bytesOfText, textOfBytes } from '../../core/scan/stat-columns.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type {
  FinishedEntry,
  RestoreTarget,
  SealedFrame,
  Standing,
  TargetProblem,
  WriteBatch,
} from '../../ports/restore-target.ts';
import { workerEntry } from '../workers/worker-entry.ts';
import { WorkerPool } from '../workers/worker-pool.ts';
import { fsPath } from './byte-path.ts';
import { packChunks } from './fill-request.ts';
import type {
  EntryToFinish,
  FillReply,
  FillRequest,
  TargetRequest,
  TargetSettings,
  TextProblem,
} from './target-messages.ts';
import { sweepAbandoned } from './unfinished-file.ts';

export interface PosixTargetOptions {
  /** Absolute, raw bytes; made if it is not there. It may be reached through links. */
  readonly folder: Bytes;
  readonly keys: TargetSettings['keys'];
  /** Default: two, which keep one disk busy. */
  readonly workers?: number;
  readonly log: EventLog;
}

/** A request without what every request bears. */
type Ask = TargetRequest extends infer Request
  ? Request extends { readonly type: string }
    ? Omit<Request, 'removals'>
    : never
  : never;

/** Throws what the system says when the folder can be neither found nor made. */
export function createPosixTarget(options: PosixTargetOptions): RestoreTarget {
  const folder = fsPath(textOfBytes(options.folder));
  mkdirSync(folder, { recursive: true });
  const real = realpathSync.native(folder, { encoding: 'latin1' });
  sweepAbandoned(real);
  return new WorkerTarget(options, real);
}

/** To look at what stands in a folder, which is left as it is; undefined where there is none. Throws what the system says of one that cannot be looked into. */
export function viewPosixTarget(options: PosixTargetOptions): RestoreTarget | undefined {
  const folder = fsPath(textOfBytes(options.folder));
  if (statSync(folder, { throwIfNoEntry: false }) === undefined) return undefined;
  opendirSync(folder).closeSync();
  return new WorkerTarget(options, realpathSync.native(folder, { encoding: 'latin1' }));
}

/** Work for one thread at least, so that small requests are not torn apart. */
const shareMinimum = 16;

class WorkerTarget implements RestoreTarget {
  readonly #pool: WorkerPool;
  /** Bytes written so far to each unfinished file. */
  readonly #written = new Map<string, number>();
  #removals = 0;

  constructor(options: PosixTargetOptions, folder: string) {
    const { chunkIdKey, gearKey, packKey } = options.keys;
    const keys = { chunkIdKey, gearKey, packKey };
    const settings: TargetSettings = { folder, session: randomUUID(), keys };
    this.#pool = new WorkerPool({
      entry: workerEntry('target-worker'),
      settings,
      count: options.workers ?? 2,
      log: options.log,
    });
  }

  inspect(paths: readonly Bytes[]): Promise<readonly (Standing | undefined)[]> {
    const texts = paths.map(textOfBytes);
    return this.#shared(texts, (share) => this.#ask({ type: 'inspect', paths: share }));
  }

  holds(
    files: readonly { readonly path: Bytes; readonly chunkIds: Bytes; readonly size: number }[],
  ): Promise<readonly boolean[]> {
    const compared = files.map(({ path, chunkIds, size }) => ({
      path: textOfBytes(path),
      chunkIds: chunkIds.slice(),
      size,
    }));
    return this.#shared(compared, (share) => this.#ask({ type: 'compare', files: share }));
  }

  async makeFolders(paths: readonly Bytes[]): Promise<readonly TargetProblem[]> {
    if (paths.length === 0) return [];
    const texts = paths.map(textOfBytes);
    return problemsOf(await this.#ask({ type: 'make-folders', paths: texts }));
  }

  async write(batch: WriteBatch): Promise<readonly TargetProblem[]> {
    const fill: FillRequest = {
      frames: batch.frames,
      chunks: packChunks(batch.chunks),
      files: batch.files.map(({ path, size, sparse, entry }) => ({
        path: textOfBytes(path),
        size,
        sparse,
        finish: entry === undefined ? undefined : this.#toFinish({ path, entry }),
      })),
    };
    const transfer = batch.handedOver === true ? wholeBuffersOf(batch.frames) : [];
    const reply = await this.#ask<FillReply>({ type: 'fill', fill }, transfer);
    fill.files.forEach(({ path }, file) => {
      const written = reply.written[file];
      if (written === undefined) this.#written.delete(path);
      else this.#written.set(path, (this.#written.get(path) ?? 0) + written);
    });
    return problemsOf(reply.problems);
  }

  /** Files and links in the order given would wait for each other without need: only folders and further names do. */
  async finish(entries: readonly FinishedEntry[]): Promise<readonly TargetProblem[]> {
    const problems: TargetProblem[] = [];
    for (const run of runsOf(entries.map((entry) => this.#toFinish(entry)))) {
      const finish = (share: readonly EntryToFinish[]): Promise<readonly TextProblem[]> =>
        this.#ask({ type: 'finish', entries: share });
      const isOrdered = run.some(waits);
      problems.push(...problemsOf(isOrdered ? await finish(run) : await this.#shared(run, finish)));
      for (const { path } of run) this.#written.delete(path);
    }
    return problems;
  }

  async names(folder: Bytes): Promise<readonly Bytes[]> {
    const names = await this.#ask<readonly string[]>({
      type: 'names',
      folder: textOfBytes(folder),
    });
    return names.map(bytesOfText);
  }

  async remove(path: Bytes): Promise<readonly TargetProblem[]> {
    this.#removals += 1;
    return problemsOf(await this.#ask({ type: 'remove', path: textOfBytes(path) }));
  }

  /** Removes what was not finished. */
  async close(): Promise<void> {
    const paths = [...this.#written.keys()];
    this.#written.clear();
    // Threads that failed have told so to whoever waited for them; closing is not the place to tell it again.
    if (paths.length > 0) await Promise.allSettled([this.#ask({ type: 'discard', paths })]);
    await this.#pool.close();
  }

  #ask<Reply>(request: Ask, transfer: readonly ArrayBuffer[] = []): Promise<Reply> {
    const bearing = { ...request, removals: this.#removals };
    return this.#pool.run(this.#pool.lightest(), bearing, transfer);
  }

  /** Every thread gets a stretch of the items; the replies are in order again. */
  async #shared<Item, Reply>(
    items: readonly Item[],
    ask: (share: readonly Item[]) => Promise<readonly Reply[]>,
  ): Promise<readonly Reply[]> {
    const shareLength = Math.max(shareMinimum, Math.ceil(items.length / this.#pool.count));
    const shares: Promise<readonly Reply[]>[] = [];
    for (let start = 0; start < items.length; start += shareLength)
      shares.push(ask(items.slice(start, start + shareLength)));
    return (await Promise.all(shares)).flat();
  }

  #toFinish({ path, entry, linkTo }: FinishedEntry): EntryToFinish {
    const text = textOfBytes(path);
    return {
      path: text,
      kind: entry.kind,
      mode: entry.mode,
      modifiedNs: entry.modifiedNs,
      size: entry.sizeBytes,
      uid: entry.uid,
      gid: entry.gid,
      userName: entry.userName,
      groupName: entry.groupName,
      target: entry.target?.slice(),
      linkTo: linkTo === undefined ? undefined : textOfBytes(linkTo),
      written: this.#written.get(text),
    };
  }
}

/** Their memory, to go to a thread without being copied. */
function wholeBuffersOf(frames: readonly SealedFrame[]): readonly ArrayBuffer[] {
  return [...new Set(frames.map(({ bytes }) => bytes.buffer))];
}

/** Whether an entry needs those before it to be finished. */
function waits(entry: EntryToFinish): boolean {
  return entry.kind === 'directory' || entry.linkTo !== undefined;
}

/** Stretches of entries that are alike in whether they wait. */
function runsOf(entries: readonly EntryToFinish[]): EntryToFinish[][] {
  const runs: EntryToFinish[][] = [];
  let last: EntryToFinish | undefined;
  for (const entry of entries) {
    if (last === undefined || waits(last) !== waits(entry)) runs.push([]);
    const run = runs.at(-1);
    assert(run !== undefined, 'a run was begun');
    run.push(entry);
    last = entry;
  }
  return runs;
}

function problemsOf(problems: readonly TextProblem[]): readonly TargetProblem[] {
  return problems.map(({ path, problem, detail }) => ({
    path: bytesOfText(path),
    problem,
    detail,
  }));
}
