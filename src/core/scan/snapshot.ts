/** A snapshot: one backup's root, which names its tree and says what it is. Stored as one chunk, whose id is the snapshot's. */
import type { Bytes } from '../../base/bytes.ts';
import {
  type DocumentFailure,
  decodeDocument,
  encodeDocument,
  type FieldReader,
  orNull,
} from '../../base/document.ts';
import type { Outcome } from '../../base/outcome.ts';
import type { Instant } from '../../base/units.ts';
import { bytesOf, type ChunkId, idBytes, idOf } from '../vocabulary/ids.ts';
import { chunkMaximumBytes } from '../vocabulary/limits.ts';
import { type FidelityReport, fidelityFields, readFidelity } from './fidelity.ts';

export interface SnapshotCounts {
  readonly files: number;
  readonly directories: number;
  readonly symlinks: number;
  /** FIFOs, sockets, devices. */
  readonly other: number;
  /** Of all files, before deduplication and compression. */
  readonly bytes: number;
  /** Of chunks that no earlier snapshot had, before compression. */
  readonly newBytes: number;
}

export interface Snapshot {
  /** When the scan began. */
  readonly time: Instant;
  readonly hostName: string;
  readonly userName?: string;
  /** Absolute paths that were asked for, raw, sorted by bytes. */
  readonly roots: readonly Bytes[];
  /** Chunks of the tree of `/`, which holds only the way to the roots. */
  readonly tree: readonly ChunkId[];
  readonly tags: readonly string[];
  /** Patterns that were left out. */
  readonly excludes: readonly string[];
  readonly counts: SnapshotCounts;
  readonly fidelity: FidelityReport;
  /** The version of covault that made it. */
  readonly program: string;
}

/** Bounds of a snapshot's lists; together they keep it within one chunk. Whoever takes them from a person checks them first. */
export const snapshotLimits = {
  roots: 256,
  rootBytes: 4_096,
  tags: 64,
  tagLength: 128,
  excludes: 512,
  excludeLength: 1_024,
  nameLength: 255,
  programLength: 64,
  treeChunks: 1_024,
} as const;

const kind = { magic: 'covault/snapshot', version: 1, limitBytes: chunkMaximumBytes };

export function encodeSnapshot(snapshot: Snapshot): Bytes {
  const { counts } = snapshot;
  return encodeDocument(kind, [
    snapshot.time,
    snapshot.hostName,
    orNull(snapshot.userName),
    snapshot.roots,
    snapshot.tree.map(bytesOf),
    snapshot.tags,
    snapshot.excludes,
    [
      counts.files,
      counts.directories,
      counts.symlinks,
      counts.other,
      counts.bytes,
      counts.newBytes,
    ],
    fidelityFields(snapshot.fidelity),
    snapshot.program,
  ]);
}

export function decodeSnapshot(bytes: Uint8Array): Outcome<Snapshot, DocumentFailure> {
  return decodeDocument(kind, bytes, readSnapshot);
}

function readSnapshot(fields: FieldReader): Snapshot {
  const limits = snapshotLimits;
  const time = fields.instant();
  const hostName = fields.text(limits.nameLength);
  const userName = fields.optional((field) => field.text(limits.nameLength));
  return {
    time,
    hostName,
    ...(userName === undefined ? {} : { userName }),
    roots: fields.list(limits.roots, (list) =>
      list.bytes({ minimum: 1, maximum: limits.rootBytes }),
    ),
    tree: fields.list(limits.treeChunks, (list) => idOf<ChunkId>(list.fixed(idBytes))),
    tags: fields.list(limits.tags, (list) => list.text(limits.tagLength)),
    excludes: fields.list(limits.excludes, (list) => list.text(limits.excludeLength)),
    counts: fields.record(readCounts),
    fidelity: readFidelity(fields),
    program: fields.text(limits.programLength),
  };
}

function readCounts(fields: FieldReader): SnapshotCounts {
  return {
    files: fields.uint(),
    directories: fields.uint(),
    symlinks: fields.uint(),
    other: fields.uint(),
    bytes: fields.uint(),
    newBytes: fields.uint(),
  };
}
