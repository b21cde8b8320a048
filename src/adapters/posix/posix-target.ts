/** A restore's target on POSIX, in the calling thread. */
import { rmSync } from 'node:fs';
import { assertNever } from '../../base/assert.ts';
import { equalBytes } from '../../base/bytes.ts';
import { cutterOf } from '../../core/chunking/cutter.ts';
import { FileCutter, type FileToCut } from '../../core/chunking/file-cutter.ts';
import { gearTable } from '../../core/chunking/gear-table.ts';
import { bytesOfText } from '../../core/scan/stat-columns.ts';
import { ChunkNamer } from '../../core/sealing/chunk-id.ts';
import { loadKernels } from '../kernels/kernel-files.ts';
import { errnoOf, fsPath } from './byte-path.ts';
import { placeChunks } from './chunk-placing.ts';
import { EntryFinishing } from './entry-finishing.ts';
import { inspectPaths, statOf } from './inspection.ts';
import { OwnerMapping } from './owner-mapping.ts';
import { readLocalOwners } from './owner-names.ts';
import { posixContents } from './posix-contents.ts';
import { removableNames, removeWhole } from './removal.ts';
import { TargetFolders } from './target-folders.ts';
import type {
  FileToCompare,
  FillReply,
  InspectReply,
  TargetRequest,
  TargetSettings,
  TextProblem,
} from './target-messages.ts';
import { unfinishedPath } from './unfinished-file.ts';

/** What each request is answered with. */
type TargetReply =
  | InspectReply
  | readonly boolean[]
  | readonly TextProblem[]
  | FillReply
  | readonly string[];

export class PosixTarget {
  readonly #settings: TargetSettings;
  readonly #folders: TargetFolders;
  readonly #namer: ChunkNamer;
  readonly #cutter: FileCutter;
  readonly #finishing: EntryFinishing;
  #removals = 0;

  constructor(settings: TargetSettings) {
    const { keys, folder, session } = settings;
    this.#settings = settings;
    this.#folders = new TargetFolders(folder);
    this.#namer = new ChunkNamer(keys.chunkIdKey);
    this.#cutter = new FileCutter({
      source: posixContents,
      namer: this.#namer,
      cutter: cutterOf(loadKernels(), gearTable(keys.gearKey)),
    });
    const owner = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
    const owners = new OwnerMapping(readLocalOwners(), owner);
    this.#finishing = new EntryFinishing({ folders: this.#folders, session, owners });
  }

  answer(request: TargetRequest): TargetReply {
    if (request.removals !== this.#removals) this.#folders.forget();
    this.#removals = request.removals;
    switch (request.type) {
      case 'inspect':
        return inspectPaths(this.#folders, request.paths);
      case 'compare':
        return request.files.map((file) => this.#holds(file));
      case 'make-folders':
        return request.paths.flatMap((path) => this.#makeFolder(path));
      case 'fill':
        return placeChunks(
          {
            folders: this.#folders,
            namer: this.#namer,
            packKey: this.#settings.keys.packKey,
            session: this.#settings.session,
            finishing: this.#finishing,
          },
          request.fill,
        );
      case 'finish':
        return this.#finishing.finish(request.entries);
      case 'names':
        return this.#names(request.folder);
      case 'remove':
        return this.#remove(request.path);
      case 'discard':
        return request.paths.flatMap((path) => this.#discard(path));
      default:
        return assertNever(request);
    }
  }

  /** Cuts the file again: equal bytes have equal cuts. */
  #holds({ path, chunkIds, size }: FileToCompare): boolean {
    const place = this.#folders.place(path);
    const stat = place.ok ? statOf(place.value) : undefined;
    if (!place.ok || stat?.isFile() !== true || Number(stat.size) !== size) return false;
    const file = {
      path: bytesOfText(place.value),
      size,
      mtimeNs: stat.mtimeNs,
      ctimeNs: stat.ctimeNs,
      inode: BigInt.asIntN(64, stat.ino),
    };
    return this.#hasChunks(file, chunkIds);
  }

  #hasChunks(file: Omit<FileToCut, 'offset'>, chunkIds: Uint8Array): boolean {
    let offset = 0;
    let compared = 0;
    for (;;) {
      const cut = this.#cutter.cut([{ ...file, offset }]);
      cut.arena.release();
      const expected = chunkIds.subarray(compared, compared + cut.ids.length);
      if (!equalBytes(cut.ids, expected)) return false;
      compared += cut.ids.length;
      const [result] = cut.files;
      if (result?.outcome !== 'partial')
        return result?.outcome === 'whole' && compared === chunkIds.length;
      offset = result.nextOffset;
    }
  }

  #makeFolder(path: string): readonly TextProblem[] {
    const refusal = this.#folders.make(path);
    if (refusal === undefined) return [];
    const problem = refusal.code === 'ENOSPC' || refusal.code === 'EDQUOT';
    return [{ path, problem: problem ? 'no-space' : 'not-written', detail: refusal.detail }];
  }

  #names(folder: string): readonly string[] {
    const place = this.#folders.folder(folder);
    if (!place.ok) return [];
    const outer =
      folder === ''
        ? undefined
        : this.#folders.absolute(folder.slice(0, Math.max(0, folder.lastIndexOf('/'))));
    try {
      return removableNames(place.value, outer);
    } catch (problem) {
      errnoOf(problem);
      return [];
    }
  }

  #remove(path: string): readonly TextProblem[] {
    const place = this.#folders.place(path);
    if (!place.ok) return [{ path, problem: 'not-written', detail: place.error.detail }];
    this.#folders.forget();
    try {
      const stays = removeWhole(place.value);
      return stays === undefined ? [] : [{ path, problem: 'not-written', detail: stays }];
    } catch (problem) {
      const code = errnoOf(problem);
      return code === 'ENOENT' ? [] : [{ path, problem: 'not-written', detail: code }];
    }
  }

  /** Removes an unfinished file, if there is one. */
  #discard(path: string): readonly TextProblem[] {
    const place = this.#folders.place(path);
    if (!place.ok) return [];
    try {
      rmSync(fsPath(unfinishedPath(place.value, this.#settings.session)), { force: true });
      return [];
    } catch (problem) {
      return [{ path, problem: 'not-written', detail: errnoOf(problem) }];
    }
  }
}
