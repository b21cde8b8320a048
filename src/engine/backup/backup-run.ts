/**
 * One backup: from the file tree to a captured snapshot (C11, C15, C44).
 *
 * Everything that a snapshot names is durable in the spool before the snapshot exists. What was finished on the way is remembered at
 * checkpoints, so that a run that is cut off costs the next one little.
 */
import type { Bytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { type Instant, mebi, minuteMs } from '../../base/units.ts';
import type { FileToCut } from '../../core/chunking/file-cutter.ts';
import { FidelityCollector } from '../../core/scan/fidelity.ts';
import { encodeSnapshot } from '../../core/scan/snapshot.ts';
import { statAt } from '../../core/scan/stat-columns.ts';
import type { ReadProblem } from '../../core/scan/tree-walk.ts';
import { ChunkNamer } from '../../core/sealing/chunk-id.ts';
import type { OwnerKeys } from '../../core/sealing/keys.ts';
import { type ChunkId, idOf, type SnapshotId } from '../../core/vocabulary/ids.ts';
import type { ChunkToSeal, SealedPack } from '../../ports/chunk-pipeline.ts';
import { type ScanMemoryRow, StorageBroken, StorageFull } from '../../ports/stores.ts';
import type {
  BackupFailure,
  BackupProgress,
  BackupReport,
  BackupRequest,
  ComputerPorts,
} from '../computer.ts';
import { DirectoryAssembly, type FinishedTree, type WantedFile } from './directory-assembly.ts';
import { FileCutting } from './file-cutting.ts';
import { specialFiles } from './special-files.ts';
import type { Spool } from './spool.ts';

export interface BackupContext {
  readonly ports: ComputerPorts;
  readonly keys: OwnerKeys;
  readonly spool: Spool;
  readonly programVersion: string;
}

/** Ends a run from wherever it is; never leaves this file. */
class RunEnded extends Error {
  override readonly name = 'RunEnded';
  readonly failure: BackupFailure;

  constructor(failure: BackupFailure) {
    super(failure.code);
    this.failure = failure;
  }
}

/** Trees are packed once this much of them has gathered. */
const treeBatchBytes: number = 1 * mebi;
/** A checkpoint is due after this much remembered, or this long, whichever comes first. */
const checkpointBytes: number = 32 * mebi;
const checkpointMs: number = 5 * minuteMs;
/** So many problems are listed by name; all are counted in the snapshot's fidelity report. */
const problemsListed = 10_000;
/** What no file's entry keeps in this version; said once for each root. */
const neverKept = [
  'xattrs-not-kept',
  'acl-not-kept',
  'inode-flags-not-kept',
  'sparse-map-not-kept',
  'birth-time-not-kept',
] as const;

export class BackupRun {
  readonly #context: BackupContext;
  readonly #request: BackupRequest;
  readonly #signal: AbortSignal;
  readonly #progress: (progress: BackupProgress) => void;
  readonly #startedAt: Instant;
  /** The same, but never before what was stored earlier, as a clock set back would have it. */
  readonly #takenAt: Instant;
  readonly #fidelity = new FidelityCollector();
  readonly #problems: ReadProblem[] = [];
  readonly #specials: Bytes[] = [];
  readonly #cutting: FileCutting;
  #trees: ChunkToSeal[] = [];
  #treesBytes = 0;
  #memory: ScanMemoryRow[] = [];
  #bodies: { readonly chunk: ChunkId; readonly body: Bytes }[] = [];
  #rememberedBytes = 0;
  #checkpointAt: number;
  #state: BackupProgress = {
    filesSeen: 0,
    bytesSeen: 0,
    filesDone: 0,
    bytesDone: 0,
    packsStored: 0,
    storedBytes: 0,
    scanned: false,
  };

  constructor(
    context: BackupContext,
    request: BackupRequest,
    options: {
      readonly signal: AbortSignal;
      readonly progress: (progress: BackupProgress) => void;
    },
  ) {
    this.#context = context;
    this.#request = request;
    this.#signal = options.signal;
    this.#progress = options.progress;
    this.#startedAt = context.ports.clock.now();
    this.#takenAt = context.spool.beginRun();
    this.#checkpointAt = this.#startedAt + checkpointMs;
    this.#cutting = new FileCutting({
      pipeline: context.ports.pipeline,
      chunks: context.ports.stores.chunks,
      store: (pack) => this.#store(pack),
      problem: (problem) => this.#note(problem),
      read: (bytes, files) => {
        this.#report({
          filesDone: this.#state.filesDone + files,
          bytesDone: this.#state.bytesDone + bytes,
        });
        // Here too, for one large file may take hours.
        this.#checkCancelled();
      },
    });
  }

  async run(): Promise<Outcome<BackupReport, BackupFailure>> {
    this.#context.ports.pipeline.renew();
    try {
      const assembly = await this.#scan();
      return succeeded(await this.#capture(assembly));
    } catch (reason) {
      await this.#cutting.abandon();
      return failed(this.#failureOf(reason));
    }
  }

  /** Why the run ended; throws what nobody foresaw. */
  #failureOf(reason: unknown): BackupFailure {
    if (reason instanceof RunEnded) return reason.failure;
    if (this.#signal.aborted) return { code: 'backup.cancelled', detail: 'on request' };
    if (reason instanceof StorageFull) return { code: 'spool.no-space', detail: reason.message };
    if (reason instanceof StorageBroken) return { code: 'spool.broken', detail: reason.message };
    throw reason;
  }

  async #scan(): Promise<DirectoryAssembly> {
    const { pipeline, stores } = this.#context.ports;
    const assembly = new DirectoryAssembly({
      stores,
      namer: new ChunkNamer(this.#context.keys.chunkIdKey),
      owners: await pipeline.ownerNames(),
      startedAt: this.#startedAt,
      finished: (tree) => this.#take(tree),
    });
    for await (const batch of pipeline.scan(this.#request.scan, this.#signal)) {
      this.#checkCancelled();
      for (const problem of batch.problems) this.#note(problem);
      for (const directory of batch.directories) {
        for (const special of specialFiles(directory)) this.#noteSpecial(special);
        for (const wanted of assembly.add(directory)) await this.#read(assembly, wanted);
      }
      this.#report({ filesSeen: assembly.counts.files, bytesSeen: assembly.counts.bytes });
      await this.#packTrees(treeBatchBytes);
      await this.#checkpointIfDue();
    }
    this.#checkCancelled();
    this.#report({ scanned: true });
    await this.#cutting.drain();
    return assembly;
  }

  async #read(assembly: DirectoryAssembly, wanted: WantedFile): Promise<void> {
    this.#checkCancelled();
    await this.#cutting.add({
      file: fileToCut(wanted),
      done: (content, sizeBytes) => assembly.settle(wanted, content, sizeBytes),
    });
  }

  /** Everything is read: the last packs, then the snapshot. */
  async #capture(assembly: DirectoryAssembly): Promise<BackupReport> {
    const { ports, keys } = this.#context;
    const tree = assembly.top();
    await this.#packTrees(0);
    const body = this.#snapshot(assembly, tree);
    const id = new ChunkNamer(keys.chunkIdKey).idBytesOf(body);
    const snapshot = idOf<SnapshotId>(id);
    await this.#cutting.pack('tree', [{ id, bytes: body }]);
    await this.#cutting.flush();
    this.#checkCancelled();
    ports.stores.transact(() => {
      this.#saveMemory();
      ports.stores.snapshots.put({ snapshot, body, takenAt: this.#takenAt, phase: 'captured' });
    });
    ports.log.write('info', 'snapshot.captured', { snapshot, files: assembly.counts.files });
    return this.#finalReport(assembly, snapshot);
  }

  #snapshot(assembly: DirectoryAssembly, tree: readonly ChunkId[]): Bytes {
    const { scan, hostName, userName, tags } = this.#request;
    const { counts } = assembly;
    for (const root of scan.roots)
      for (const problem of neverKept) this.#fidelity.note(root, problem);
    return encodeSnapshot({
      time: this.#startedAt,
      hostName,
      ...(userName === undefined ? {} : { userName }),
      roots: scan.roots,
      tree,
      tags,
      excludes: scan.excludePatterns,
      counts: { ...counts, newBytes: this.#cutting.newBytes },
      fidelity: this.#fidelity.report(),
      program: this.#context.programVersion,
    });
  }

  #finalReport(assembly: DirectoryAssembly, snapshot: SnapshotId): BackupReport {
    const { counts } = assembly;
    return {
      snapshot,
      files: counts.files,
      directories: counts.directories,
      others: counts.symlinks + counts.other,
      bytes: counts.bytes,
      newBytes: this.#cutting.newBytes,
      storedBytes: this.#state.storedBytes,
      filesUnchanged: counts.filesUnchanged,
      problems: this.#problems,
      specials: this.#specials,
      durationMs: this.#context.ports.clock.now() - this.#startedAt,
    };
  }

  #take(tree: FinishedTree): void {
    for (const chunk of tree.chunks) {
      this.#trees.push(chunk);
      this.#treesBytes += chunk.bytes.length;
      this.#rememberedBytes += chunk.bytes.length;
    }
    this.#bodies.push(...tree.bodies);
    if (tree.memory === undefined) return;
    this.#memory.push(tree.memory);
    this.#rememberedBytes += tree.memory.columns.length;
  }

  /** Packs the gathered trees once there are at least `fromBytes` of them. */
  async #packTrees(fromBytes: number): Promise<void> {
    if (this.#treesBytes < fromBytes) return;
    const trees = this.#trees;
    this.#trees = [];
    this.#treesBytes = 0;
    await this.#cutting.pack('tree', trees);
  }

  async #checkpointIfDue(): Promise<void> {
    const now = this.#context.ports.clock.now();
    if (this.#rememberedBytes < checkpointBytes && now < this.#checkpointAt) return;
    this.#checkpointAt = now + checkpointMs;
    await this.#packTrees(0);
    const memory = this.#memory;
    const bodies = this.#bodies;
    this.#memory = [];
    this.#bodies = [];
    this.#rememberedBytes = 0;
    // Everything that these rows stand for was handed to the pipeline before this flush.
    await this.#cutting.flush();
    const { stores, log } = this.#context.ports;
    stores.transact(() => {
      stores.trees.putAll(bodies);
      stores.scanMemory.putAll(memory);
    });
    log.write('debug', 'backup.checkpoint', { directories: memory.length });
  }

  #saveMemory(): void {
    const { stores } = this.#context.ports;
    stores.trees.putAll(this.#bodies);
    stores.scanMemory.putAll(this.#memory);
  }

  async #store(pack: SealedPack): Promise<void> {
    const stored = await this.#context.spool.store(pack, this.#signal);
    if (!stored.ok) throw new RunEnded(stored.error);
    this.#report({
      packsStored: this.#state.packsStored + 1,
      storedBytes: this.#state.storedBytes + pack.bytes.length,
    });
  }

  #note(problem: ReadProblem): void {
    this.#fidelity.note(problem.path, problem.problem);
    if (this.#problems.length < problemsListed) this.#problems.push(problem);
  }

  #noteSpecial(path: Bytes): void {
    this.#fidelity.note(path, 'special-not-kept');
    if (this.#specials.length < problemsListed) this.#specials.push(path);
  }

  #report(change: Partial<BackupProgress>): void {
    this.#state = { ...this.#state, ...change };
    this.#progress(this.#state);
  }

  #checkCancelled(): void {
    if (this.#signal.aborted)
      throw new RunEnded({ code: 'backup.cancelled', detail: 'on request' });
  }
}

function fileToCut(wanted: WantedFile): FileToCut {
  const { columns } = wanted.directory;
  return {
    path: wanted.path,
    offset: 0,
    size: Number(statAt(columns, wanted.row, 'size')),
    mtimeNs: statAt(columns, wanted.row, 'mtimeNs'),
    ctimeNs: statAt(columns, wanted.row, 'ctimeNs'),
    inode: statAt(columns, wanted.row, 'inode'),
  };
}
