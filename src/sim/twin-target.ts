/** The restore target in a tree in memory: the same checks of paths, frames and chunks as the real one. */
import { present } from '../base/assert.ts';
import { type Bytes, hexText } from '../base/bytes.ts';
import { type Cutter, cutterOf } from '../core/chunking/cutter.ts';
import { gearTable } from '../core/chunking/gear-table.ts';
import { frameKeyOf, openFrame } from '../core/packing/frame.ts';
import { chunkOf } from '../core/packing/pack-reader.ts';
import { pathParts } from '../core/scan/relative-path.ts';
import { bytesOfText, textOfBytes } from '../core/scan/stat-columns.ts';
import { ChunkNamer } from '../core/sealing/chunk-id.ts';
import { idBytes } from '../core/vocabulary/ids.ts';
import { parseSuite } from '../core/vocabulary/suite.ts';
import type {
  ChunkWrite,
  FinishedEntry,
  RestoreTarget,
  SealedFrame,
  Standing,
  TargetProblem,
  WriteBatch,
} from '../ports/restore-target.ts';
import type { Kernels } from '../primitives/kernels/kernels.ts';
import type { SimNode, SimTree } from './sim-tree.ts';

export interface TwinTargetOptions {
  readonly tree: SimTree;
  /** A folder of the tree, one character for every byte, without links on its way. */
  readonly folder: string;
  readonly keys: {
    readonly chunkIdKey: Bytes;
    readonly gearKey: Bytes;
    readonly packKey: Bytes;
  };
  readonly kernels: Kernels;
  /** Bytes that can be written before the disk is full. */
  readonly spaceBytes?: number;
}

interface Unfinished {
  readonly bytes: Bytes;
  written: number;
}

export function createTwinTarget(options: TwinTargetOptions): RestoreTarget {
  options.tree.makeFolder(options.folder);
  return new TwinTarget(options);
}

class TwinTarget implements RestoreTarget {
  readonly #options: TwinTargetOptions;
  readonly #tree: SimTree;
  readonly #namer: ChunkNamer;
  readonly #cutter: Cutter;
  readonly #unfinished = new Map<string, Unfinished>();
  #spaceBytes: number;

  constructor(options: TwinTargetOptions) {
    this.#options = options;
    this.#tree = options.tree;
    this.#namer = new ChunkNamer(options.keys.chunkIdKey);
    this.#cutter = cutterOf(options.kernels, gearTable(options.keys.gearKey));
    this.#spaceBytes = options.spaceBytes ?? Number.MAX_SAFE_INTEGER;
  }

  async inspect(paths: readonly Bytes[]): Promise<readonly (Standing | undefined)[]> {
    return paths.map((path) => {
      const place = this.#place(path);
      const node = place === undefined ? undefined : this.#tree.find(place);
      return node && standingOf(node);
    });
  }

  async holds(
    files: readonly { readonly path: Bytes; readonly chunkIds: Bytes; readonly size: number }[],
  ): Promise<readonly boolean[]> {
    return files.map(({ path, chunkIds, size }) => {
      const place = this.#place(path);
      const node = place === undefined ? undefined : this.#tree.find(place);
      if (node?.kind !== 'file' || node.bytes.length !== size) return false;
      return this.#hasChunks(node.bytes, chunkIds);
    });
  }

  async makeFolders(paths: readonly Bytes[]): Promise<readonly TargetProblem[]> {
    return paths.flatMap((path) => {
      const place = this.#place(path);
      const standing = place === undefined ? undefined : this.#tree.find(place);
      if (place === undefined || standing?.kind === 'symlink') return [notWritten(path, 'ELOOP')];
      if (standing !== undefined && standing.kind !== 'directory') this.#tree.remove(place);
      this.#tree.makeFolder(place);
      return [];
    });
  }

  async write(batch: WriteBatch): Promise<readonly TargetProblem[]> {
    const problems = new Map<number, TargetProblem>();
    const frames = batch.frames.map((frame) => this.#open(frame));
    for (const chunk of batch.chunks) {
      const frame = frames[chunk.frame];
      const bytes = frame && chunkOf(frame, chunk);
      const isTrue = bytes !== undefined && this.#namer.names(chunk.id, bytes);
      for (const place of chunk.places) {
        const problem = this.#writeAt(batch, place, isTrue ? bytes : undefined);
        if (problem !== undefined && !problems.has(place.file)) problems.set(place.file, problem);
      }
    }
    const whole = batch.files.flatMap(({ path, entry }, file) =>
      entry === undefined || problems.has(file) ? [] : [{ path, entry }],
    );
    return [...problems.values(), ...(await this.finish(whole))];
  }

  async finish(entries: readonly FinishedEntry[]): Promise<readonly TargetProblem[]> {
    return entries.flatMap((entry) => this.#finish(entry));
  }

  async names(folder: Bytes): Promise<readonly Bytes[]> {
    const place = folder.length === 0 ? this.#options.folder : this.#place(folder);
    const node = place === undefined ? undefined : this.#tree.find(place);
    return [...(node?.children.keys() ?? [])].sort().map(bytesOfText);
  }

  async remove(path: Bytes): Promise<readonly TargetProblem[]> {
    const place = this.#place(path);
    if (place === undefined) return [notWritten(path, 'EINVAL')];
    if (this.#tree.find(place) !== undefined) this.#tree.remove(place);
    return [];
  }

  async close(): Promise<void> {
    this.#unfinished.clear();
  }

  /** The absolute path of a relative one; undefined when a folder on its way is none, or it leads out. */
  #place(path: Bytes): string | undefined {
    const parts = pathParts(path)?.map(textOfBytes);
    if (parts === undefined) return undefined;
    let place = this.#options.folder;
    for (const part of parts) {
      if (this.#tree.find(place)?.kind !== 'directory') return undefined;
      place = `${place}/${part}`;
    }
    return place;
  }

  #hasChunks(bytes: Bytes, chunkIds: Bytes): boolean {
    let offset = 0;
    let compared = 0;
    while (offset < bytes.length) {
      const search = { offset, end: bytes.length, final: true };
      const length = present(this.#cutter.nextCut(bytes, search), 'a cut before the end');
      const id = chunkIds.subarray(compared, compared + idBytes);
      if (!this.#namer.names(id, bytes.subarray(offset, offset + length))) return false;
      offset += length;
      compared += idBytes;
    }
    return compared === chunkIds.length;
  }

  #open({ suite, salt, number, bytes, rawBytes }: SealedFrame): Bytes | undefined {
    const known = parseSuite(suite);
    if (known === undefined) return undefined;
    const key = frameKeyOf(this.#options.keys.packKey, { suite: known, salt });
    const opened = openFrame(key, number, { sealed: bytes, rawBytes });
    return opened.ok ? opened.value : undefined;
  }

  #writeAt(
    batch: WriteBatch,
    at: ChunkWrite['places'][number],
    bytes: Bytes | undefined,
  ): TargetProblem | undefined {
    const { path, size } = present(batch.files[at.file], 'a file of the batch');
    if (bytes === undefined || at.position + bytes.length > size)
      return { path, problem: 'integrity', detail: 'a chunk is not what its id names' };
    if (this.#place(path) === undefined) return notWritten(path, 'no folder stands there');
    if (this.#spaceBytes < bytes.length) return { path, problem: 'no-space', detail: 'ENOSPC' };
    this.#spaceBytes -= bytes.length;
    const key = hexText(path);
    const unfinished = this.#unfinished.get(key) ?? { bytes: new Uint8Array(size), written: 0 };
    this.#unfinished.set(key, unfinished);
    unfinished.bytes.set(bytes, at.position);
    unfinished.written += bytes.length;
    return undefined;
  }

  #finish({ path, entry, linkTo }: FinishedEntry): readonly TargetProblem[] {
    const place = this.#place(path);
    if (place === undefined) return [notWritten(path, 'no folder stands there')];
    const refusal =
      linkTo === undefined ? this.#finishAt(path, place, entry) : this.#finishLink(linkTo, place);
    if (refusal !== undefined) return [notWritten(path, refusal)];
    const { mode, uid, gid, modifiedNs } = entry;
    this.#tree.change(place, { mode, uid, gid, mtimeNs: modifiedNs });
    return [];
  }

  #finishAt(path: Bytes, place: string, entry: FinishedEntry['entry']): string | undefined {
    const standing = this.#tree.find(place);
    if (entry.kind === 'directory')
      return standing?.kind === 'directory' ? undefined : 'the folder is not there';
    if (entry.kind === 'file') return this.#finishFile(path, place, entry.sizeBytes);
    if (entry.kind !== 'symlink') return 'special files are not restored in this version';
    if (!this.#makeWay(place)) return 'ENOTEMPTY';
    this.#tree.makeSymlink(place, present(entry.target, 'a link has a target'));
    return undefined;
  }

  #finishFile(path: Bytes, place: string, size: number): string | undefined {
    const key = hexText(path);
    const unfinished = this.#unfinished.get(key);
    this.#unfinished.delete(key);
    const standing = this.#tree.find(place);
    if (unfinished === undefined && size > 0)
      return standing?.kind === 'file' && standing.bytes.length === size
        ? undefined
        : 'the file has another length than its contents';
    if (unfinished !== undefined && unfinished.written !== size)
      return `${unfinished.written} of ${size} bytes were written`;
    if (!this.#makeWay(place)) return 'ENOTEMPTY';
    this.#tree.writeFile(place, unfinished?.bytes ?? new Uint8Array(0));
    return undefined;
  }

  #finishLink(linkTo: Bytes, place: string): string | undefined {
    const existing = this.#place(linkTo);
    const node = existing === undefined ? undefined : this.#tree.find(existing);
    if (existing === undefined || node === undefined)
      return 'the file that it is a further name of is not there';
    if (this.#tree.find(place) === node) return undefined;
    if (!this.#makeWay(place)) return 'ENOTEMPTY';
    this.#tree.link(existing, place);
    return undefined;
  }

  /** Removes what stands in the place, unless it is a folder that holds something. */
  #makeWay(place: string): boolean {
    const standing = this.#tree.find(place);
    if (standing === undefined) return true;
    if (standing.kind === 'directory' && standing.children.size > 0) return false;
    this.#tree.remove(place);
    return true;
  }
}

function standingOf(node: SimNode): Standing {
  const kind =
    node.kind === 'file' || node.kind === 'directory' || node.kind === 'symlink'
      ? node.kind
      : 'other';
  const size = kind === 'symlink' ? node.target.length : node.bytes.length;
  return { kind, size, mtimeNs: node.mtimeNs };
}

function notWritten(path: Bytes, detail: string): TargetProblem {
  return { path, problem: 'not-written', detail };
}
