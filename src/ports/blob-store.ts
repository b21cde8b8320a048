/**
 * Named byte strings on a disk: the spool's packs, the shards held for others.
 *
 * A name is `[a-z0-9][a-z0-9.-]*` in at most three parts joined by `/`. A blob is either whole or growing; both kinds share one name
 * space, and a growing blob shows only to `grown` until it is finished.
 */
import type { Bytes } from '../base/bytes.ts';
import type { Outcome } from '../base/outcome.ts';

export type BlobFailure = {
  readonly code: 'blob.no-space' | 'blob.missing' | 'blob.range' | 'blob.input-output';
  readonly detail: string;
};

export interface BlobRange {
  readonly offset: number;
  readonly length: number;
}

export interface BlobStore {
  /** Writes the whole blob. Once this resolves it survives a power cut; if it fails nothing of it is left. */
  write(name: string, bytes: Uint8Array): Promise<Outcome<void, BlobFailure>>;

  /** How many bytes of the growing blob are durable; 0 when there is none. */
  grown(name: string): Promise<number>;
  /** Writes at `offset`, at most the end of what was written so far; what stood behind it is cut off. Not durable before `sync`. */
  grow(name: string, offset: number, bytes: Uint8Array): Promise<Outcome<void, BlobFailure>>;
  /** Makes what was grown so far durable. */
  sync(name: string): Promise<Outcome<void, BlobFailure>>;
  /** Makes the growing blob whole and durable under its name, replacing a whole one. */
  finish(name: string): Promise<Outcome<void, BlobFailure>>;

  /** The bytes of a whole blob; `blob.range` when the range is not inside it. */
  read(name: string, range?: BlobRange): Promise<Outcome<Bytes, BlobFailure>>;
  /** Length of a whole blob in bytes, or undefined. */
  size(name: string): Promise<number | undefined>;
  /** Names of whole blobs below `prefix` (a folder with a trailing `/`, or '' for all), sorted. */
  list(prefix: string): Promise<readonly string[]>;
  /** Names of growing blobs below `prefix`, sorted. */
  listGrowing(prefix: string): Promise<readonly string[]>;
  /** Removes a blob, whole or growing; it is no error when there is none. */
  remove(name: string): Promise<Outcome<void, BlobFailure>>;
  /** Bytes that can still be written to this disk. */
  freeBytes(): Promise<number>;
}
