/**
 * Where restored files go. Paths are relative to the target folder, raw bytes, without `.`, `..` or empty parts; no symbolic link that stands in the target or was restored
 * is ever followed.
 */
import type { Bytes } from '../base/bytes.ts';
import type { TreeEntry } from '../core/scan/tree-entry.ts';

export interface Standing {
  readonly kind: 'file' | 'directory' | 'symlink' | 'other';
  readonly size: number;
  readonly mtimeNs: bigint;
}

export type TargetProblem = {
  readonly path: Bytes;
  readonly problem: 'not-written' | 'metadata' | 'no-space' | 'integrity';
  readonly detail: string;
};

/** A frame as it stands in its pack, authenticated once more when it is opened. */
export interface SealedFrame {
  readonly suite: number;
  readonly salt: Bytes;
  readonly number: number;
  readonly rawBytes: number;
  readonly bytes: Bytes;
}

/** A chunk and the places in files where it goes. */
export interface ChunkWrite {
  readonly id: Bytes;
  /** Index into `frames` of the batch. */
  readonly frame: number;
  readonly offset: number;
  readonly length: number;
  readonly places: readonly { readonly file: number; readonly position: number }[];
}

export interface WriteBatch {
  readonly frames: readonly SealedFrame[];
  readonly chunks: readonly ChunkWrite[];
  /** Indexed by `places[].file`. Bytes go to an unfinished file beside `path` until `finish`. */
  readonly files: readonly {
    readonly path: Bytes;
    readonly size: number;
    readonly sparse: boolean;
    /** All contents of the file are in this batch: it is finished with it, as if `finish` were called, unless a problem with it is told. */
    readonly entry?: TreeEntry;
  }[];
  /** The memory of the frames is the target's from now on; nobody else uses it. */
  readonly handedOver?: boolean;
}

export interface FinishedEntry {
  readonly path: Bytes;
  readonly entry: TreeEntry;
  /** This entry is a further name of the file at this path, which is finished already. */
  readonly linkTo?: Bytes;
}

export interface RestoreTarget {
  /** What stands at each path now; undefined where nothing does. */
  inspect(paths: readonly Bytes[]): Promise<readonly (Standing | undefined)[]>;
  /** For each file whether its contents are exactly these chunks (32-byte ids in order). */
  holds(
    files: readonly { readonly path: Bytes; readonly chunkIds: Bytes; readonly size: number }[],
  ): Promise<readonly boolean[]>;
  /** Makes folders, parents first; those that exist stay. */
  makeFolders(paths: readonly Bytes[]): Promise<readonly TargetProblem[]>;
  /** Opens the frames, checks every chunk against its id, writes it to its places. */
  write(batch: WriteBatch): Promise<readonly TargetProblem[]>;
  /** Gives unfinished files their names and everything its metadata, in the order given; folders come after what is in them. */
  finish(entries: readonly FinishedEntry[]): Promise<readonly TargetProblem[]>;
  /** Names in a folder of the target (for --delete). */
  names(folder: Bytes): Promise<readonly Bytes[]>;
  /** Removes a file, link or whole folder. */
  remove(path: Bytes): Promise<readonly TargetProblem[]>;
  close(): Promise<void>;
}
