/** Trees and small chunks of a snapshot, from the cache of trees or else from their packs, each checked against its id. */
import { present } from '../../base/assert.ts';
import { type Bytes, concatBytes } from '../../base/bytes.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import type { FramePlace } from '../../core/packing/directory.ts';
import { frameKeyOf, openFrame } from '../../core/packing/frame.ts';
import { decodeSnapshot, type Snapshot } from '../../core/scan/snapshot.ts';
import { textOfBytes } from '../../core/scan/stat-columns.ts';
import { decodeTree } from '../../core/scan/tree-codec.ts';
import type { TreeEntry } from '../../core/scan/tree-entry.ts';
import { ChunkNamer } from '../../core/sealing/chunk-id.ts';
import type { OwnerKeys } from '../../core/sealing/keys.ts';
import { bytesOf, type ChunkId, type PackId, type SnapshotId } from '../../core/vocabulary/ids.ts';
import { parseSuite } from '../../core/vocabulary/suite.ts';
import { StorageFull, type Stores } from '../../ports/stores.ts';
import type { RestoreFailure } from '../computer.ts';
import { type PackSource, restoreFailureOf } from './pack-source.ts';

/** Frames kept open: the chunks of one directory's trees lie together. */
const framesKept = 16;

export type TreeStores = Pick<Stores, 'snapshots' | 'chunks' | 'packs' | 'trees'>;

export class TreeReader {
  readonly #stores: TreeStores;
  readonly #source: PackSource;
  readonly #packKey: Bytes;
  readonly #namer: ChunkNamer;
  readonly #frames = new Map<string, Bytes>();

  constructor(stores: TreeStores, source: PackSource, keys: OwnerKeys) {
    this.#stores = stores;
    this.#source = source;
    this.#packKey = keys.packKey;
    this.#namer = new ChunkNamer(keys.chunkIdKey);
  }

  async snapshot(id: SnapshotId): Promise<Outcome<Snapshot, RestoreFailure>> {
    const row = this.#stores.snapshots.get(id);
    if (row === undefined) return failed({ code: 'restore.no-such-snapshot', detail: id });
    const decoded = decodeSnapshot(row.body);
    if (!decoded.ok) return failed({ code: 'restore.integrity', detail: decoded.error.code });
    return decoded;
  }

  async tree(chunks: readonly ChunkId[]): Promise<Outcome<readonly TreeEntry[], RestoreFailure>> {
    const bodies: Bytes[] = [];
    for (const chunk of chunks) {
      const body = await this.#treeChunk(chunk);
      if (!body.ok) return body;
      bodies.push(body.value);
    }
    const decoded = decodeTree(
      bodies.length === 1 ? present(bodies[0], 'one') : concatBytes(bodies),
    );
    if (!decoded.ok) return failed({ code: 'restore.integrity', detail: decoded.error.code });
    return succeeded(decoded.value);
  }

  /** The entry at an absolute path; undefined for the top, which is only a tree. */
  async find(
    snapshot: Snapshot,
    path: Uint8Array,
  ): Promise<
    Outcome<
      { readonly entry: TreeEntry | undefined; readonly tree: readonly ChunkId[] },
      RestoreFailure
    >
  > {
    let entry: TreeEntry | undefined;
    let tree = snapshot.tree;
    for (const name of textOfBytes(path)
      .split('/')
      .filter((part) => part !== '' && part !== '.')) {
      if (entry !== undefined && entry.kind !== 'directory') return noSuchPath(path);
      const entries = await this.tree(tree);
      if (!entries.ok) return entries;
      entry = entries.value.find((candidate) => textOfBytes(candidate.name) === name);
      if (entry === undefined) return noSuchPath(path);
      tree = entry.content;
    }
    return succeeded({ entry, tree });
  }

  /** A chunk of a file or tree, checked. */
  async chunk(id: ChunkId): Promise<Outcome<Bytes, RestoreFailure>> {
    const place = this.#stores.chunks.place(id);
    if (place === undefined)
      return failed({
        code: 'restore.integrity',
        detail: `the catalogue does not know chunk ${id}`,
      });
    const frame = await this.#frame(place.pack, place.frame);
    if (!frame.ok) return frame;
    const bytes = frame.value.slice(place.offset, place.offset + place.length);
    if (!this.#namer.names(bytesOf(id), bytes))
      return failed({ code: 'restore.integrity', detail: `chunk ${id} differs from its name` });
    return succeeded(bytes);
  }

  async #treeChunk(chunk: ChunkId): Promise<Outcome<Bytes, RestoreFailure>> {
    const cached = this.#stores.trees.get(chunk);
    if (cached !== undefined) return succeeded(cached);
    const read = await this.chunk(chunk);
    if (read.ok) this.#keep(chunk, read.value);
    return read;
  }

  #keep(chunk: ChunkId, body: Bytes): void {
    try {
      this.#stores.trees.putAll([{ chunk, body }]);
    } catch (reason) {
      // A restore goes on without its cache.
      if (!(reason instanceof StorageFull)) throw reason;
    }
  }

  async #frame(pack: PackId, number: number): Promise<Outcome<Bytes, RestoreFailure>> {
    const key = `${pack}/${number}`;
    const kept = this.#frames.get(key);
    if (kept !== undefined) return succeeded(kept);
    const row = present(this.#stores.packs.get(pack), 'the pack of a known chunk');
    const place = this.#framePlace(pack, number);
    const sealed = await this.#source.read(pack, {
      offset: place.offset,
      length: place.storedBytes,
    });
    if (!sealed.ok) return failed(restoreFailureOf(sealed.error));
    const suite = present(parseSuite(row.suite), 'a suite that the catalogue took in');
    const opened = openFrame(frameKeyOf(this.#packKey, { suite, salt: row.salt }), number, {
      sealed: sealed.value,
      rawBytes: place.rawBytes,
    });
    if (!opened.ok) return failed({ code: 'restore.integrity', detail: opened.error.code });
    if (this.#frames.size >= framesKept)
      this.#frames.delete(present(this.#frames.keys().next().value, 'the oldest frame'));
    this.#frames.set(key, opened.value);
    return succeeded(opened.value);
  }

  #framePlace(pack: PackId, number: number): FramePlace {
    const contents = present(this.#stores.packs.contents(pack), 'contents of a known pack');
    return present(contents.frames[number], 'a frame of its pack');
  }
}

function noSuchPath(path: Uint8Array): Outcome<never, RestoreFailure> {
  return failed({ code: 'restore.no-such-path', detail: textOfBytes(path) });
}
