/**
 * Where a drill restores to: nowhere. Every chunk is opened and compared with its id, every file's length with what the snapshot says, and nothing is written.
 */
import { type Bytes, hexText } from '../../base/bytes.ts';
import { frameKeyOf, openFrame } from '../../core/packing/frame.ts';
import { chunkOf } from '../../core/packing/pack-reader.ts';
import type { TreeEntry } from '../../core/scan/tree-entry.ts';
import { ChunkNamer } from '../../core/sealing/chunk-id.ts';
import type { OwnerKeys } from '../../core/sealing/keys.ts';
import { parseSuite } from '../../core/vocabulary/suite.ts';
import type {
  FinishedEntry,
  RestoreTarget,
  SealedFrame,
  Standing,
  TargetProblem,
  WriteBatch,
} from '../../ports/restore-target.ts';

export class NowhereTarget implements RestoreTarget {
  readonly #packKey: Bytes;
  readonly #namer: ChunkNamer;
  /** Bytes that came of each file that is not whole yet. */
  readonly #arrived = new Map<string, number>();
  /** Files whose every chunk was right and whose length is the snapshot's. */
  files = 0;
  bytes = 0;

  constructor(keys: Pick<OwnerKeys, 'packKey' | 'chunkIdKey'>) {
    this.#packKey = keys.packKey;
    this.#namer = new ChunkNamer(keys.chunkIdKey);
  }

  async inspect(paths: readonly Bytes[]): Promise<readonly (Standing | undefined)[]> {
    return paths.map(() => undefined);
  }

  async holds(files: readonly unknown[]): Promise<readonly boolean[]> {
    return files.map(() => false);
  }

  async makeFolders(): Promise<readonly TargetProblem[]> {
    return [];
  }

  async write(batch: WriteBatch): Promise<readonly TargetProblem[]> {
    const broken = new Set<number>();
    const frames = batch.frames.map((frame) => this.#open(frame));
    for (const chunk of batch.chunks) {
      const frame = frames[chunk.frame];
      const bytes = frame && chunkOf(frame, chunk);
      const isTrue = bytes !== undefined && this.#namer.names(chunk.id, bytes);
      for (const { file } of chunk.places) {
        if (!isTrue) broken.add(file);
        const key = hexText(batch.files[file]?.path ?? new Uint8Array(0));
        this.#arrived.set(key, (this.#arrived.get(key) ?? 0) + (bytes?.length ?? 0));
      }
    }
    return batch.files.flatMap(({ path, entry }, file): readonly TargetProblem[] => {
      if (broken.has(file)) return [wrong(path, 'a chunk is not what its id names')];
      return entry === undefined ? [] : this.#finish(path, entry);
    });
  }

  async finish(entries: readonly FinishedEntry[]): Promise<readonly TargetProblem[]> {
    return entries.flatMap(({ path, entry, linkTo }) =>
      entry.kind === 'file' && linkTo === undefined ? this.#finish(path, entry) : [],
    );
  }

  async names(): Promise<readonly Bytes[]> {
    return [];
  }

  async remove(): Promise<readonly TargetProblem[]> {
    return [];
  }

  async close(): Promise<void> {
    this.#arrived.clear();
  }

  #finish(path: Bytes, { sizeBytes }: TreeEntry): readonly TargetProblem[] {
    const key = hexText(path);
    const arrived = this.#arrived.get(key) ?? 0;
    this.#arrived.delete(key);
    if (arrived !== sizeBytes) return [wrong(path, `${arrived} of ${sizeBytes} bytes came`)];
    this.files += 1;
    this.bytes += sizeBytes;
    return [];
  }

  #open({ suite, salt, number, bytes, rawBytes }: SealedFrame): Bytes | undefined {
    const known = parseSuite(suite);
    if (known === undefined) return undefined;
    const key = frameKeyOf(this.#packKey, { suite: known, salt });
    const opened = openFrame(key, number, { sealed: bytes, rawBytes });
    return opened.ok ? opened.value : undefined;
  }
}

function wrong(path: Bytes, detail: string): TargetProblem {
  return { path, problem: 'integrity', detail };
}
