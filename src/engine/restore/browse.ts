/** Looking into snapshots without restoring them. */
import type { Bytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import type { TreeEntry } from '../../core/scan/tree-entry.ts';
import type { ChunkId, SnapshotId } from '../../core/vocabulary/ids.ts';
import type { ListedEntry, RestoreFailure } from '../computer.ts';
import { joinPath } from './path-join.ts';
import type { TreeReader } from './tree-reader.ts';

export interface ListingRequest {
  readonly snapshot: SnapshotId;
  /** Absolute in the snapshot; empty for the top. */
  readonly path: Bytes;
  readonly recursive: boolean;
}

/** Thrown by a listing that cannot go on. */
export class ListingFailed extends Error {
  override readonly name = 'ListingFailed';
  readonly failure: RestoreFailure;

  constructor(failure: RestoreFailure) {
    super(failure.code);
    this.failure = failure;
  }
}

/** Entries below a path, or the one entry that it names. Throws `ListingFailed`. */
export async function* listEntries(
  reader: TreeReader,
  request: ListingRequest,
): AsyncGenerator<ListedEntry> {
  const snapshot = taken(await reader.snapshot(request.snapshot));
  const { entry, tree } = taken(await reader.find(snapshot, request.path));
  if (entry !== undefined && entry.kind !== 'directory') yield { path: request.path, entry };
  else
    yield* entriesBelow(reader, request.path.length === 0 ? top : request.path, {
      tree,
      recursive: request.recursive,
    });
}

const top: Bytes = new Uint8Array([0x2f]);

async function* entriesBelow(
  reader: TreeReader,
  folder: Bytes,
  below: { readonly tree: readonly ChunkId[]; readonly recursive: boolean },
): AsyncGenerator<ListedEntry> {
  for (const entry of taken(await reader.tree(below.tree))) {
    const path = joinPath(folder, entry.name);
    yield { path, entry };
    if (below.recursive && entry.kind === 'directory')
      yield* entriesBelow(reader, path, { tree: entry.content, recursive: true });
  }
}

/** The contents of a file, chunk by chunk, each checked. The stream throws `ListingFailed` when a chunk cannot be had. */
export async function readFile(
  reader: TreeReader,
  id: SnapshotId,
  path: Bytes,
): Promise<Outcome<AsyncIterable<Bytes>, RestoreFailure>> {
  const snapshot = await reader.snapshot(id);
  if (!snapshot.ok) return snapshot;
  const found = await reader.find(snapshot.value, path);
  if (!found.ok) return found;
  const { entry } = found.value;
  if (entry?.kind !== 'file') return failed({ code: 'restore.no-such-path', detail: 'not a file' });
  return succeeded(contentsOf(reader, entry));
}

async function* contentsOf(reader: TreeReader, entry: TreeEntry): AsyncGenerator<Bytes> {
  for (const chunk of entry.content) yield taken(await reader.chunk(chunk));
}

function taken<T>(outcome: Outcome<T, RestoreFailure>): T {
  if (!outcome.ok) throw new ListingFailed(outcome.error);
  return outcome.value;
}
