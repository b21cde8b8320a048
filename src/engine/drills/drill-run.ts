/**
 * One drill (DESIGN §8): restores a few files and pieces of packs, through the restore path and from partners alone, to nowhere; and tells how each partner behaved.
 *
 * A partner cannot tell it from a restore: the same requests, for blocks that chance chose, from shards that chance prefers, after the same notice when there is
 * one. Whoever would deny a restore, or give wrong bytes for one, has to do so now, where nothing is lost yet.
 */
import type { Bytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { mebi } from '../../base/units.ts';
import { drillBytes } from '../../core/agreements/daily-need.ts';
import type { OwnerKeys } from '../../core/sealing/keys.ts';
import { ShardNamer } from '../../core/sealing/shard-name.ts';
import {
  type ChunkId,
  chunkOfSnapshot,
  type PackId,
  type PeerId,
  type ShardName,
  type SnapshotId,
} from '../../core/vocabulary/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import type { PackRow, ShardRow, Stores } from '../../ports/stores.ts';
import type { WalkedEntry } from '../backup/tree-walk.ts';
import { NowhereTarget } from '../restore/nowhere-target.ts';
import type { PackSource } from '../restore/pack-source.ts';
import { joinPath } from '../restore/path-join.ts';
import { RestoreRun } from '../restore/restore-run.ts';
import type { ShardReading } from '../restore/shard-fetch.ts';
import { TreeReader } from '../restore/tree-reader.ts';
import { drawnUnit } from '../work/jitter.ts';
import { DrillPace } from './drill-pace.ts';
import type { DrillPartner, DrillProblem, DrillReport } from './drill-report.ts';
import { type DrillSample, drawSample } from './drill-sample.ts';
import { graver } from './refused-drills.ts';

export interface DrillRunParts {
  readonly keys: OwnerKeys;
  readonly stores: Stores;
  readonly clock: Clock;
  readonly random: Random;
  /** Reads from wherever is nearest: for finding out what there is. */
  readonly reader: TreeReader;
  /** Reads from partners alone. */
  readonly newSource: (options: {
    readonly onlyPartners: true;
    readonly pace: DrillPace;
    readonly watched: (reading: ShardReading) => void;
  }) => PackSource;
  /** Restores may be made from this partner now. */
  readonly mayRead: (partner: PeerId) => boolean;
  /** What a partner need not give back yet, though restores may be made from it. */
  readonly uncommitted: (partner: PeerId) => ReadonlySet<ShardName>;
  readonly partners: () => readonly { readonly partner: PeerId }[];
}

export interface DrillRequest {
  /** Files drawn besides those of the packs whose turn it is. */
  readonly files: number;
  /** Stops when so much was read; undefined: what drills have a day. */
  readonly bytes: number | undefined;
  /** Packs that no drill has visited for longest. */
  readonly packs: readonly PackId[];
  readonly announced: boolean;
}

export interface DrillProgress {
  readonly items: number;
  readonly itemsDone: number;
  readonly fetchedBytes: number;
}

export interface DrillOptions {
  readonly signal: AbortSignal;
  readonly progress: (progress: DrillProgress) => void;
}

export type DrillFailure = {
  readonly code: 'drill.nothing' | 'drill.running' | 'drill.cancelled';
  readonly detail: string;
};

/** One of this many newest snapshots is drawn from. */
const newestSnapshots = 3;
const leastBytes: number = 32 * mebi;

export class DrillRun {
  readonly #parts: DrillRunParts;
  readonly #request: DrillRequest;
  readonly #options: DrillOptions;
  readonly #pace: DrillPace;
  readonly #source: PackSource;
  readonly #partners = new Map<PeerId, DrillPartner>();
  readonly #problems: DrillProblem[] = [];
  readonly #visited = new Set<PackId>();
  #files = 0;
  #bytes = 0;
  #fetched = 0;

  constructor(parts: DrillRunParts, request: DrillRequest, options: DrillOptions) {
    this.#parts = parts;
    this.#request = request;
    this.#options = options;
    this.#pace = new DrillPace(parts.random);
    this.#source = parts.newSource({
      onlyPartners: true,
      pace: this.#pace,
      watched: (reading) => this.#watched(reading),
    });
  }

  /** Packs that something was read of. */
  get visited(): ReadonlySet<PackId> {
    return this.#visited;
  }

  async run(): Promise<Outcome<DrillReport, DrillFailure>> {
    const { clock, reader } = this.#parts;
    const drawn = this.#drawSnapshot();
    const snapshot = drawn && (await reader.snapshot(drawn));
    if (drawn === undefined || !snapshot?.ok)
      return failed({ code: 'drill.nothing', detail: 'no snapshot is with partners' });
    const bytes = this.#request.bytes ?? this.#daily();
    const sample = await drawSample(this.#parts, snapshot.value, {
      packs: this.#request.packs.filter((pack) => this.#isReadable(pack)),
      files: this.#request.files,
      fileMaximumBytes: bytes,
      isReadable: (pack) => this.#isReadable(pack),
      signal: this.#options.signal,
    });
    if (this.#options.signal.aborted) return cancelled();
    if (!sample.ok) this.#problem(undefined, sample.error);
    else await this.#restoreAll(drawn, sample.value, bytes);
    if (this.#options.signal.aborted) return cancelled();
    if (this.#visited.size === 0 && this.#problems.length === 0)
      return failed({ code: 'drill.nothing', detail: 'nothing can be read from partners yet' });
    return succeeded({
      at: clock.now(),
      files: this.#files,
      bytes: this.#bytes,
      packs: this.#visited.size,
      partners: [...this.#partners.values()],
      problems: this.#problems,
      announced: this.#request.announced,
    });
  }

  async #restoreAll(snapshot: SnapshotId, sample: DrillSample, mostBytes: number): Promise<void> {
    const items = sample.files.length + sample.chunks.length + 1;
    const work = [
      () => this.#readChunk(chunkOfSnapshot(snapshot)),
      ...sample.files.map((file) => () => this.#restoreFile(snapshot, file)),
      ...sample.chunks.map(
        ({ chunk }) =>
          () =>
            this.#readChunk(chunk),
      ),
    ];
    for (const [itemsDone, each] of work.entries()) {
      const { signal, progress } = this.#options;
      if (signal.aborted || this.#fetched >= mostBytes) return;
      progress({ items, itemsDone, fetchedBytes: this.#fetched });
      this.#pace.preferOthers(this.#parts.partners().map(({ partner }) => partner));
      await each();
    }
    this.#options.progress({ items, itemsDone: items, fetchedBytes: this.#fetched });
  }

  /** The same that a person's restore of one file does. */
  async #restoreFile(snapshot: SnapshotId, { path, entry }: WalkedEntry): Promise<void> {
    const { stores, partners, keys } = this.#parts;
    const target = new NowhereTarget(keys);
    const absolute = joinPath(new Uint8Array([0x2f]), path);
    const request = {
      ...{ snapshot, path: absolute, include: [], exclude: [], overwrite: 'always' as const },
      ...{ deleteExtra: false, dryRun: false, verify: false },
    };
    const parts = { stores, source: this.#source, reader: this.#freshReader(), partners };
    const report = await new RestoreRun({ ...parts, pace: this.#pace }, request, {
      ...{ target, signal: this.#options.signal, progress: () => undefined },
    }).run();
    if (this.#options.signal.aborted) return;
    if (!report.ok) this.#problem(absolute, report.error);
    else this.#fetched += report.value.fetchedBytes;
    for (const { problem, detail } of report.ok ? report.value.problems : [])
      this.#problem(absolute, { code: `restore.${problem}`, detail });
    this.#files += target.files;
    this.#bytes += target.bytes;
    for (const chunk of entry.content) this.#visit(chunk);
  }

  /** A piece of a pack, as of a file that has nothing else. */
  async #readChunk(chunk: ChunkId): Promise<void> {
    const place = this.#parts.stores.chunks.place(chunk);
    if (place === undefined || !this.#isReadable(place.pack)) return;
    const read = await this.#freshReader().chunk(chunk);
    if (this.#options.signal.aborted) return;
    if (read.ok) {
      this.#fetched += read.value.length;
      this.#bytes += read.value.length;
    } else this.#problem(undefined, read.error);
    this.#visit(chunk);
  }

  /** Like a new computer it has no trees at hand, unless some of them cannot be asked for yet. */
  #freshReader(): TreeReader {
    const { stores, keys } = this.#parts;
    const { snapshots, chunks, packs } = stores;
    const isAllReadable = packs.all().every(({ pack, kind }) => {
      return kind !== 'tree' || this.#isReadable(pack);
    });
    const trees = isAllReadable ? noTrees : stores.trees;
    return new TreeReader({ snapshots, chunks, packs, trees }, this.#source, keys);
  }

  #visit(chunk: ChunkId): void {
    const place = this.#parts.stores.chunks.place(chunk);
    if (place !== undefined) this.#visited.add(place.pack);
  }

  #problem(
    path: Bytes | undefined,
    { code, detail }: { readonly code: string; readonly detail: string },
  ): void {
    this.#problems.push({ path, code, detail });
  }

  #drawSnapshot(): SnapshotId | undefined {
    const { stores, random } = this.#parts;
    const there = stores.snapshots.heads().filter(({ phase }) => phase !== 'captured');
    const newest = there.slice(-newestSnapshots);
    return newest[Math.floor(drawnUnit(random) * newest.length)]?.snapshot;
  }

  /** Enough shards are held by partners of whom restores may be asked now. */
  #isReadable(pack: PackId): boolean {
    const { stores, mayRead } = this.#parts;
    const row: PackRow | undefined = stores.packs.get(pack);
    if (row?.code === undefined) return false;
    const readable = stores.shards
      .ofPack(pack)
      .filter(({ phase, partner }) => phase === 'held' && mayRead(partner))
      .filter((shard) => this.#isCommitted(row, shard));
    return readable.length >= row.code.dataShards;
  }

  #isCommitted({ stripe }: PackRow, { partner, index }: ShardRow): boolean {
    const { uncommitted, keys } = this.#parts;
    const names = uncommitted(partner);
    if (names.size === 0 || stripe === undefined) return true;
    return !names.has(new ShardNamer(keys.shardNameKey, partner).nameOf(stripe, index));
  }

  /** Of all together no partner gives more than its part. */
  #daily(): number {
    const { packs } = this.#parts.stores;
    const total = packs.all().reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
    return Math.max(leastBytes, drillBytes(total));
  }

  #watched({ partner, blocks, wrong, code }: ShardReading): void {
    const before = this.#partners.get(partner);
    const { blocks: right, wrongBlocks, refusals, code: last } = before ?? { ...unasked };
    this.#partners.set(partner, {
      partner,
      blocks: right + (code === undefined ? blocks - wrong : 0),
      wrongBlocks: wrongBlocks + wrong,
      refusals: refusals + (code === undefined ? 0 : 1),
      code: code === undefined ? last : graver(last, code),
    });
  }
}

const unasked = { blocks: 0, wrongBlocks: 0, refusals: 0, code: '' };

const noTrees: Stores['trees'] = { get: () => undefined, putAll: () => undefined };

function cancelled(): Outcome<never, DrillFailure> {
  return failed({ code: 'drill.cancelled', detail: 'on request' });
}
