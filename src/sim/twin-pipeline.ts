/**
 * The pipeline over a tree in memory, in the calling thread: the same walk, cutter and packs as the real one (claims C8–C15).
 *
 * A scan sees the tree as it is when each batch is asked for, and a cut as it is when it is called, so a simulated computer can change its
 * files in between.
 */
import { assert, present } from '../base/assert.ts';
import type { Bytes } from '../base/bytes.ts';
import { cutterOf } from '../core/chunking/cutter.ts';
import {
  type ContentSource,
  type CutChunks,
  FileCutter,
  type FileToCut,
} from '../core/chunking/file-cutter.ts';
import { gearTable } from '../core/chunking/gear-table.ts';
import { packSaltBytes } from '../core/packing/frame.ts';
import { OpenPacks } from '../core/packing/open-packs.ts';
import type { PackKind } from '../core/packing/pack-header.ts';
import { textOfBytes } from '../core/scan/stat-columns.ts';
import { type ScanBatch, type ScanRequest, walkTree } from '../core/scan/tree-walk.ts';
import { ChunkNamer } from '../core/sealing/chunk-id.ts';
import { idBytes } from '../core/vocabulary/ids.ts';
import type { Suite } from '../core/vocabulary/suite.ts';
import type {
  ChunkPipeline,
  ChunkToSeal,
  CutBatch,
  OwnerNames,
  SealedPack,
} from '../ports/chunk-pipeline.ts';
import type { Random } from '../ports/random.ts';
import type { Kernels } from '../primitives/kernels/kernels.ts';
import type { SimNode, SimTree } from './sim-tree.ts';

export interface TwinPipelineOptions {
  readonly tree: SimTree;
  readonly keys: {
    readonly chunkIdKey: Bytes;
    readonly gearKey: Bytes;
    readonly packKey: Bytes;
  };
  readonly suite: Suite;
  readonly compressionLevel: number;
  readonly kernels: Kernels;
  readonly random: Random;
  readonly owners?: OwnerNames;
}

export function createTwinPipeline(options: TwinPipelineOptions): ChunkPipeline {
  return new TwinPipeline(options);
}

class TwinPipeline implements ChunkPipeline {
  readonly width = 2;
  readonly #options: TwinPipelineOptions;
  readonly #cutter: FileCutter;
  readonly #packs: OpenPacks;
  readonly #tickets = new Map<number, CutChunks>();
  #nextTicket = 1;

  constructor(options: TwinPipelineOptions) {
    const { keys, kernels, random, suite, compressionLevel } = options;
    this.#options = options;
    this.#cutter = new FileCutter({
      source: contentsOf(options.tree),
      namer: new ChunkNamer(keys.chunkIdKey),
      cutter: cutterOf(kernels, gearTable(keys.gearKey)),
    });
    const salt = () => random.bytes(packSaltBytes);
    this.#packs = new OpenPacks({ packKey: keys.packKey, suite, compressionLevel, salt });
  }

  async ownerNames(): Promise<OwnerNames> {
    return this.#options.owners ?? { users: new Map(), groups: new Map() };
  }

  async *scan(request: ScanRequest, signal: AbortSignal): AsyncGenerator<ScanBatch, void> {
    for (const batch of walkTree(this.#options.tree.source, request)) {
      signal.throwIfAborted();
      yield batch;
    }
  }

  async cut(files: readonly FileToCut[]): Promise<CutBatch> {
    const batch = this.#cutter.cut(files);
    const ticket = this.#nextTicket;
    this.#nextTicket += 1;
    this.#tickets.set(ticket, batch);
    const chunkLengths = Uint32Array.from(batch.chunks, (chunk) => chunk.length);
    return { ticket, files: batch.files, chunkIds: batch.ids.slice(), chunkLengths };
  }

  async seal(ticket: number, wanted: Uint8Array): Promise<readonly SealedPack[]> {
    const batch = present(this.#tickets.get(ticket), 'a ticket is sealed once');
    this.#tickets.delete(ticket);
    const full = batch.chunks.flatMap((chunk, index) => {
      if (wanted[index] !== 1) return [];
      const id = batch.ids.subarray(index * idBytes, (index + 1) * idBytes);
      return this.#packs.add('data', id, chunk) ?? [];
    });
    batch.arena.release();
    return full;
  }

  async sealChunks(kind: PackKind, chunks: readonly ChunkToSeal[]): Promise<readonly SealedPack[]> {
    return chunks.flatMap(({ id, bytes }) => this.#packs.add(kind, id, bytes) ?? []);
  }

  renew(): void {
    // It has no threads that could fail.
  }

  async flush(): Promise<readonly SealedPack[]> {
    return this.#packs.flush();
  }

  async close(): Promise<void> {
    this.#tickets.clear();
  }
}

/** Contents of the tree's files. A handle keeps its node, as an open file does when its name is gone. */
function contentsOf(tree: SimTree): ContentSource {
  const open = new Map<number, SimNode>();
  const nodeOf = (handle: number): SimNode => present(open.get(handle), 'an open handle');
  let nextHandle = 1;
  return {
    open: (path) => {
      const text = textOfBytes(path);
      const node = tree.find(text);
      if (node === undefined) return { problem: 'vanished', detail: 'ENOENT' };
      if (node.kind === 'symlink') return { problem: 'vanished', detail: 'ELOOP' };
      if (node.isDenied) return { problem: 'unreadable', detail: 'EACCES' };
      open.set(nextHandle, node);
      nextHandle += 1;
      return nextHandle - 1;
    },
    read: (handle, area, position) => {
      const part = nodeOf(handle).bytes.subarray(position, position + area.length);
      area.set(part);
      return part.length;
    },
    stat: (handle) => {
      const { kind, bytes, mtimeNs, ctimeNs, inode } = nodeOf(handle);
      return { isFile: kind === 'file', size: bytes.length, mtimeNs, ctimeNs, inode };
    },
    close: (handle) => {
      assert(open.delete(handle), 'a handle is closed once');
    },
  };
}
