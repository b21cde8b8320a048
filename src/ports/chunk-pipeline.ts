/**
 * From the file tree to packs: scan, read, cut, name, compress, encrypt (claims C8–C15).
 *
 * One unit, so that the bytes of files never leave the worker that read them: the engine sees stat columns, chunk ids and finished packs. Calls move
 * batches.
 */
import type { Bytes } from '../base/bytes.ts';
import type { PackId } from '../core/vocabulary/ids.ts';
import type { PackContents, PackKind } from './stores.ts';

/** Everything that `lstat` tells of a number of entries; row r of `numbers` starts at r × statFields.length. */
export interface StatColumns {
  readonly count: number;
  /** All names, one after the other, raw bytes; name r ends at `nameEnds[r]`. Sorted by bytes. */
  readonly names: Bytes;
  readonly nameEnds: Uint32Array;
  readonly numbers: BigInt64Array;
  /** Targets of symbolic links by row. */
  readonly targets: ReadonlyMap<number, Bytes>;
}

/** The columns of `StatColumns.numbers`, in this order. `mode` is st_mode with its type bits. */
export const statFields = [
  'mode',
  'uid',
  'gid',
  'size',
  'mtimeNs',
  'ctimeNs',
  'inode',
  'device',
  'linkCount',
  'rawDevice',
  'birthNs',
  'blocks',
] as const;

export type StatField = (typeof statFields)[number];

export type ReadProblem = {
  /** Absolute path, raw bytes. */
  readonly path: Bytes;
  readonly problem: 'unreadable' | 'vanished' | 'changed-while-read' | 'too-long-name';
  readonly detail: string;
};

export interface ScannedDirectory {
  /** Absolute path, raw bytes; `/` for the top. */
  readonly path: Bytes;
  readonly entries: StatColumns;
  /** SHA-256 over `entries`: equal signatures mean that nothing in this directory itself changed. */
  readonly signature: Bytes;
}

/** Directories come after all directories inside them; the last of a scan is `/`. */
export interface ScanBatch {
  readonly directories: readonly ScannedDirectory[];
  readonly problems: readonly ReadProblem[];
}

export interface ScanRequest {
  /** Absolute paths of files and directories, raw bytes. */
  readonly roots: readonly Bytes[];
  /** Patterns in gitignore syntax, relative to each root. */
  readonly excludePatterns: readonly string[];
  /** Names of files which, where they stand, hold patterns for their folder, such as `.gitignore`. */
  readonly excludeFileNames: readonly string[];
  readonly oneFileSystem: boolean;
  /** Larger files are left out. */
  readonly maximumFileBytes: number | undefined;
  /** Folders with a CACHEDIR.TAG keep only the tag. */
  readonly skipCacheFolders: boolean;
}

/** A file, or the rest of one, to be read and cut. */
export interface FileToCut {
  readonly path: Bytes;
  /** Where to go on: a cut point of this file, 0 at first. */
  readonly offset: number;
  /** What the scan saw; a file that differs now is read all the same and reported as changed. */
  readonly size: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly inode: bigint;
}

export interface CutFile {
  readonly outcome: 'whole' | 'partial' | 'changed-while-read' | 'vanished' | 'unreadable';
  readonly detail: string;
  /** How many of the batch's chunks are this file's, in order. */
  readonly chunkCount: number;
  /** `partial`: where the next call goes on. Otherwise: the bytes read in all. */
  readonly nextOffset: number;
}

export interface CutBatch {
  /** For `seal` or `drop`, which must follow. */
  readonly ticket: number;
  /** One for each file of the request. A call reads at most about 16 MiB of a large file. */
  readonly files: readonly CutFile[];
  /** 32 bytes a chunk. */
  readonly chunkIds: Bytes;
  readonly chunkLengths: Uint32Array;
}

export interface SealedPack {
  readonly pack: PackId;
  readonly kind: PackKind;
  readonly suite: number;
  readonly salt: Bytes;
  readonly bytes: Bytes;
  readonly contents: PackContents;
}

export interface ChunkToSeal {
  /** 32 bytes. */
  readonly id: Bytes;
  readonly bytes: Bytes;
}

export interface ChunkPipeline {
  scan(request: ScanRequest, signal: AbortSignal): AsyncIterable<ScanBatch>;
  /** How many batches it is worth having in flight at once. */
  readonly width: number;
  cut(files: readonly FileToCut[]): Promise<CutBatch>;
  /** Packs the chunks of a cut batch whose flag is 1 and forgets the rest; gives the packs that became full. */
  seal(ticket: number, wanted: Uint8Array): Promise<readonly SealedPack[]>;
  /** Packs chunks that the engine made itself (trees, snapshots, index segments). */
  sealChunks(kind: PackKind, chunks: readonly ChunkToSeal[]): Promise<readonly SealedPack[]>;
  /** Finishes every open pack, padded. */
  flush(): Promise<readonly SealedPack[]>;
  close(): Promise<void>;
}
