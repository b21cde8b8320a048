/**
 * One restore: from a snapshot to files (C14, C41–C43).
 *
 * Files are taken in portions. For each, the frames that hold its chunks are read pack by pack, opened and checked by the target, and the files get
 * their names and metadata once whole; folders last, so that their times stay. A restore that is repeated finds finished files and leaves them alone.
 */
import { type Bytes, emptyBytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { mebi } from '../../base/units.ts';
import { textOfBytes } from '../../core/scan/stat-columns.ts';
import type { ChunkId } from '../../core/vocabulary/ids.ts';
import type {
  FinishedEntry,
  RestoreTarget,
  Standing,
  TargetProblem,
} from '../../ports/restore-target.ts';
import type { Stores } from '../../ports/stores.ts';
import { type WalkedEntry, walkTree } from '../backup/tree-walk.ts';
import type {
  RestoreFailure,
  RestoreProgress,
  RestoreReport,
  RestoreRequest,
} from '../computer.ts';
import type { PartnerPace } from '../partners/partner-pace.ts';
import { ContentWriter } from './content-writer.ts';
import { removableBy } from './extra-choice.ts';
import { contentOf, FurtherNames } from './further-names.ts';
import { wantsWriting } from './overwrite-choice.ts';
import type { PackSource } from './pack-source.ts';
import { chosenBy } from './path-choice.ts';
import { joinPath } from './path-join.ts';
import type { TreeReader } from './tree-reader.ts';

/** A portion is this many bytes of files, or this many entries. */
const portionBytes: number = 256 * mebi;
const portionEntries = 8_192;

export interface RestoreParts {
  readonly stores: Stores;
  readonly reader: TreeReader;
  readonly source: PackSource;
  readonly pace: PartnerPace;
  readonly partners: () => readonly {
    readonly partner: import('../../core/vocabulary/ids.ts').PeerId;
  }[];
}

export interface RestoreOptions {
  readonly signal: AbortSignal;
  readonly progress: (progress: RestoreProgress) => void;
}

/** Ends a restore from wherever it is; never leaves this file. */
class RestoreEnded extends Error {
  override readonly name = 'RestoreEnded';
  readonly failure: RestoreFailure;

  constructor(failure: RestoreFailure) {
    super(failure.code);
    this.failure = failure;
  }
}

export class RestoreRun {
  readonly #parts: RestoreParts;
  readonly #request: RestoreRequest;
  readonly #target: RestoreTarget;
  readonly #options: RestoreOptions;
  readonly #writer: ContentWriter;
  readonly #folders: WalkedEntry[] = [];
  readonly #names: FurtherNames;
  #portion: WalkedEntry[] = [];
  #portionBytes = 0;
  #problems: TargetProblem[] = [];
  /** Of this portion: files that have their names and metadata already. */
  #finishedFiles: ReadonlySet<WalkedEntry> = new Set();
  /** Of this portion: what stood in the target before, as far as something did. */
  readonly #standing = new Map<WalkedEntry, Standing>();
  #state: RestoreProgress = {
    files: 0,
    filesDone: 0,
    bytes: 0,
    bytesDone: 0,
    fetchedBytes: 0,
    phase: 'planning',
  };
  /** What came back: of a dry run, what would. */
  #written = { files: 0, links: 0, bytes: 0 };
  #skipped = 0;
  #removed = 0;
  #verified = 0;

  constructor(
    parts: RestoreParts,
    request: RestoreRequest,
    run: RestoreOptions & { readonly target: RestoreTarget },
  ) {
    this.#parts = parts;
    this.#request = request;
    this.#target = run.target;
    this.#names = new FurtherNames(run.target);
    this.#options = run;
    this.#writer = new ContentWriter(parts.stores, parts.source, {
      target: run.target,
      fetched: (bytes) => this.#report({ fetchedBytes: this.#state.fetchedBytes + bytes }),
    });
  }

  async run(): Promise<Outcome<RestoreReport, RestoreFailure>> {
    try {
      await this.#restoreTree();
      await this.#takePortion();
      await this.#finishFolders();
      if (this.#request.deleteExtra) await this.#deleteExtra();
      return succeeded(this.#finalReport());
    } catch (reason) {
      if (reason instanceof RestoreEnded) return failed(reason.failure);
      throw reason;
    }
  }

  async #restoreTree(): Promise<void> {
    const { reader } = this.#parts;
    const snapshot = unwrap(await reader.snapshot(this.#request.snapshot));
    const place = unwrap(await reader.find(snapshot, this.#request.path ?? emptyBytes));
    const choose = chosenBy(this.#request);
    const visit = (walked: WalkedEntry): Promise<void> => this.#take(walked);
    if (place.entry !== undefined && place.entry.kind !== 'directory')
      await visit({ path: place.entry.name, entry: place.entry });
    else unwrap(await walkTree(reader, { path: emptyBytes, tree: place.tree }, { choose, visit }));
  }

  async #take(walked: WalkedEntry): Promise<void> {
    if (this.#options.signal.aborted)
      throw new RestoreEnded({ code: 'restore.cancelled', detail: 'on request' });
    if (walked.entry.kind === 'directory') this.#folders.push(walked);
    else
      this.#report({
        files: this.#state.files + 1,
        bytes: this.#state.bytes + walked.entry.sizeBytes,
      });
    this.#portion.push(walked);
    this.#portionBytes += walked.entry.sizeBytes;
    if (this.#portionBytes >= portionBytes || this.#portion.length >= portionEntries)
      await this.#takePortion();
  }

  async #takePortion(): Promise<void> {
    const portion = this.#portion;
    this.#portion = [];
    this.#portionBytes = 0;
    const folders = portion.filter(({ entry }) => entry.kind === 'directory');
    const makable = await this.#makable(folders);
    const others = portion.filter(({ entry }) => entry.kind !== 'directory');
    if (this.#request.dryRun) {
      this.#countWritten((await this.#wanted(others)).filter(isWritable));
      return;
    }
    this.#report({ phase: 'fetching' });
    this.#note(await this.#target.makeFolders(makable));
    const wanted = await this.#wanted(others);
    await this.#names.compare(wanted);
    const first = wanted.filter((walked) => this.#names.isFirst(walked));
    const firsts = new Set(first);
    await this.#write(first.filter(({ entry }) => entry.kind === 'file'));
    await this.#finish(first);
    await this.#finish(wanted.filter((walked) => !firsts.has(walked)));
  }

  /** Folders to be made. A target makes what stands in their way make way, which `never` forbids. */
  async #makable(folders: readonly WalkedEntry[]): Promise<readonly Bytes[]> {
    const paths = folders.map(({ path }) => path);
    if (this.#request.overwrite !== 'never') return paths;
    const standing = await this.#target.inspect(paths);
    const inTheWay = new Set(
      paths.filter((_, index) => (standing[index]?.kind ?? 'directory') !== 'directory'),
    );
    for (const path of inTheWay)
      this.#note([{ path, problem: 'not-written', detail: 'no folder, but it is to stay' }]);
    return paths.filter((path) => !inTheWay.has(path));
  }

  /** Those entries that are to be written, by the mode of overwriting. */
  async #wanted(entries: readonly WalkedEntry[]): Promise<readonly WalkedEntry[]> {
    const standing = await this.#target.inspect(entries.map(({ path }) => path));
    this.#standing.clear();
    const wanted = entries.filter((walked, index) => {
      const stands = standing[index];
      if (stands !== undefined) this.#standing.set(walked, stands);
      const isWanted = wantsWriting(this.#request.overwrite, walked.entry, stands);
      if (!isWanted) this.#names.leftStanding(walked);
      return isWanted;
    });
    this.#skipped += entries.length - wanted.length;
    this.#report({ filesDone: this.#state.filesDone + entries.length - wanted.length });
    return wanted;
  }

  /** Writes the contents of files, but of those which hold them already. */
  async #write(files: readonly WalkedEntry[]): Promise<void> {
    const likely = files.filter((walked) => {
      const stands = this.#standing.get(walked);
      const { sizeBytes } = walked.entry;
      return stands?.kind === 'file' && stands.size === sizeBytes && sizeBytes > 0;
    });
    const holds = await this.#target.holds(likely.map(contentOf));
    const held = new Set(likely.filter((_, index) => holds[index] === true));
    const missing = files.filter((walked) => !held.has(walked));
    const written = await this.#writer.write(missing, this.#options.signal);
    if (!written.ok) throw new RestoreEnded(written.error);
    this.#finishedFiles = written.value.finished;
    this.#note(written.value.problems);
  }

  async #finish(entries: readonly WalkedEntry[]): Promise<void> {
    const broken = this.#broken();
    const whole: WalkedEntry[] = [];
    for (const walked of entries) {
      const { path, linkTo } = this.#finished(walked);
      if (broken.has(textOfBytes(path))) continue;
      if (linkTo === undefined || !broken.has(textOfBytes(linkTo))) whole.push(walked);
      // What stands under the first name is an older file: it must not get this name too.
      else this.#note([{ path, problem: 'not-written', detail: 'its first name is not whole' }]);
    }
    const unfinished = whole.filter((walked) => !this.#finishedFiles.has(walked));
    this.#note(await this.#target.finish(unfinished.map((walked) => this.#finished(walked))));
    if (this.#request.verify)
      await this.#verify(whole.filter(({ entry }) => entry.kind === 'file'));
    const missed = this.#broken();
    this.#countWritten(whole.filter(({ path }) => !missed.has(textOfBytes(path))));
    const bytes = entries.reduce((sum, { entry }) => sum + entry.sizeBytes, 0);
    this.#report({
      filesDone: this.#state.filesDone + entries.length,
      bytesDone: this.#state.bytesDone + bytes,
    });
  }

  /** Paths at which something else stands than the snapshot has, or nothing. */
  #broken(): ReadonlySet<string> {
    const broken = this.#problems.filter(({ problem }) => problem !== 'metadata');
    return new Set(broken.map(({ path }) => textOfBytes(path)));
  }

  #countWritten(entries: readonly WalkedEntry[]): void {
    const links = entries.filter(({ entry }) => entry.kind === 'symlink').length;
    const bytes = entries.reduce((sum, { entry }) => sum + entry.sizeBytes, 0);
    const before = this.#written;
    this.#written = {
      files: before.files + entries.length,
      links: before.links + links,
      bytes: before.bytes + bytes,
    };
  }

  #finished({ path, entry }: WalkedEntry): FinishedEntry {
    const linkTo = this.#names.joined({ path, entry });
    return linkTo === undefined ? { path, entry } : { path, entry, linkTo };
  }

  async #finishFolders(): Promise<void> {
    this.#report({ phase: 'finishing' });
    if (this.#request.dryRun) return;
    // Children come after their parents in the walk, and are finished before them.
    this.#note(await this.#target.finish(this.#folders.toReversed()));
  }

  /** Removes what the snapshot does not have, in folders that it does, as far as it would have it if it were there. */
  async #deleteExtra(): Promise<void> {
    const { reader } = this.#parts;
    const snapshot = unwrap(await reader.snapshot(this.#request.snapshot));
    const place = unwrap(await reader.find(snapshot, this.#request.path ?? emptyBytes));
    if (place.entry !== undefined && place.entry.kind !== 'directory') return;
    const isRemovable = removableBy(this.#request, snapshot);
    await this.#deleteExtraIn(emptyBytes, place.tree, isRemovable);
    for (const { path, entry } of this.#folders)
      await this.#deleteExtraIn(path, entry.content, isRemovable);
    if (this.#request.dryRun) return;
    this.#note(await this.#target.finish(this.#folders.toReversed()));
  }

  async #deleteExtraIn(
    folder: Bytes,
    tree: readonly ChunkId[],
    isRemovable: (path: Uint8Array) => boolean,
  ): Promise<void> {
    const entries = unwrap(await this.#parts.reader.tree(tree));
    const kept = new Set(entries.map(({ name }) => textOfBytes(name)));
    for (const name of await this.#target.names(folder)) {
      const path = joinPath(folder, name);
      if (kept.has(textOfBytes(name)) || !isRemovable(path)) continue;
      const problems = this.#request.dryRun ? [] : await this.#target.remove(path);
      if (problems.length === 0) this.#removed += 1;
      this.#note(problems);
    }
  }

  /** Reads what was written back, a portion at a time: a list of all files of a large restore would not fit into memory. */
  async #verify(files: readonly WalkedEntry[]): Promise<void> {
    this.#report({ phase: 'verifying' });
    const holds = await this.#target.holds(files.map(contentOf));
    files.forEach(({ path }, index) => {
      if (holds[index] === true) this.#verified += 1;
      else
        this.#note([
          { path, problem: 'integrity', detail: 'the restored file differs from the snapshot' },
        ]);
    });
  }

  #note(problems: readonly TargetProblem[]): void {
    this.#problems = this.#problems.concat(problems);
  }

  #report(change: Partial<RestoreProgress>): void {
    this.#state = { ...this.#state, ...change };
    this.#options.progress(this.#state);
  }

  #finalReport(): RestoreReport {
    const { pace, source, partners } = this.#parts;
    const broken = this.#broken();
    return {
      ...this.#written,
      filesSkipped: this.#skipped,
      directories: this.#folders.filter(({ path }) => !broken.has(textOfBytes(path))).length,
      fetchedBytes: this.#state.fetchedBytes,
      decodedCodewords: source.decodedCodewords,
      wrongBlocks: partners()
        .map(({ partner }) => ({ partner, count: pace.wrongBlocks(partner) }))
        .filter(({ count }) => count > 0),
      removed: this.#removed,
      verifiedFiles: this.#verified,
      problems: this.#problems,
    };
  }
}

/** What a target makes; fifos, sockets and devices it does not. */
function isWritable({ entry }: WalkedEntry): boolean {
  return entry.kind === 'file' || entry.kind === 'symlink';
}

function unwrap<T>(outcome: Outcome<T, RestoreFailure>): T {
  if (!outcome.ok) throw new RestoreEnded(outcome.error);
  return outcome.value;
}
