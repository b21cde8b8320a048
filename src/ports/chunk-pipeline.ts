/**
 * From the file tree to packs: scan, read, cut, name, compress, encrypt (claims C8–C15).
 *
 * One unit, so that the bytes of files never leave the worker that read them: the engine sees stat columns, chunk ids and finished packs. Calls move
 * batches.
 */
import type { Bytes } from '../base/bytes.ts';
import type { CutFile, FileToCut } from '../core/chunking/file-cutter.ts';
import type { PackContents } from '../core/packing/directory.ts';
import type { PackKind } from '../core/packing/pack-header.ts';
import type { ScanBatch, ScanRequest } from '../core/scan/tree-walk.ts';
import type { PackId } from '../core/vocabulary/ids.ts';

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

/** Names of users and groups on this computer, by number. */
export interface OwnerNames {
  readonly users: ReadonlyMap<number, string>;
  readonly groups: ReadonlyMap<number, string>;
}

export interface ChunkPipeline {
  /** Before a run: begins anew if it failed since. What it held then is lost, and the run that it was of has ended. */
  renew(): void;
  ownerNames(): Promise<OwnerNames>;
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
