/**
 * What a drill restores: files of a snapshot that chance draws, and one of each of some packs that no drill has visited for longest, so that all packs are
 * visited in time.
 *
 * Nobody but the owner knows what it will be, and a restore of single files asks for it in the same way.
 */

import { present } from '../../base/assert.ts';
import { emptyBytes } from '../../base/bytes.ts';
import { type Outcome, succeeded } from '../../base/outcome.ts';
import type { Snapshot } from '../../core/scan/snapshot.ts';
import { textOfBytes } from '../../core/scan/stat-columns.ts';
import { type ChunkId, idBytes, idOf, type PackId } from '../../core/vocabulary/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import type { Stores } from '../../ports/stores.ts';
import { type WalkedEntry, walkTree } from '../backup/tree-walk.ts';
import type { RestoreFailure } from '../computer.ts';
import type { TreeReader } from '../restore/tree-reader.ts';
import { drawnUnit } from '../work/jitter.ts';

export interface SampleWish {
  /** Packs of which something is to be restored. */
  readonly packs: readonly PackId[];
  /** Files drawn besides, each as likely as any other. */
  readonly files: number;
  /** Longer files are left out; of their packs single chunks are read. */
  readonly fileMaximumBytes: number;
  /** Whether a pack can be read from partners now. */
  readonly isReadable: (pack: PackId) => boolean;
  readonly signal: AbortSignal;
}

export interface DrillSample {
  readonly files: readonly WalkedEntry[];
  /** One of each pack of which no file could be taken. */
  readonly chunks: readonly { readonly pack: PackId; readonly chunk: ChunkId }[];
}

export interface SampleParts {
  readonly stores: Pick<Stores, 'packs' | 'chunks'>;
  readonly reader: TreeReader;
  readonly random: Random;
  readonly clock: Clock;
}

/** So many entries are looked at before others get a turn. */
const entriesAtOnce = 1_024;

/** Draws `count` of what is offered, however much that turns out to be. */
class Reservoir<T> {
  readonly taken: T[] = [];
  readonly #count: number;
  readonly #random: Random;
  #seen = 0;

  constructor(count: number, random: Random) {
    this.#count = count;
    this.#random = random;
  }

  offer(item: T): void {
    this.#seen += 1;
    if (this.taken.length < this.#count) this.taken.push(item);
    else {
      const place = Math.floor(drawnUnit(this.#random) * this.#seen);
      if (place < this.#count) this.taken[place] = item;
    }
  }
}

export async function drawSample(
  parts: SampleParts,
  snapshot: Snapshot,
  wish: SampleWish,
): Promise<Outcome<DrillSample, RestoreFailure>> {
  const { stores, reader, random, clock } = parts;
  const packOf = new Map<ChunkId, PackId>();
  for (const pack of wish.packs) for (const id of chunksOf(stores, pack)) packOf.set(id, pack);
  const ofPacks = new Map(wish.packs.map((pack) => [pack, new Reservoir<WalkedEntry>(1, random)]));
  const others = new Reservoir<WalkedEntry>(wish.files, random);
  let looked = 0;
  const visit = async (walked: WalkedEntry): Promise<void> => {
    looked += 1;
    if (looked % entriesAtOnce === 0) await clock.sleep(1, wish.signal);
    const { entry } = walked;
    if (entry.kind !== 'file' || entry.sizeBytes > wish.fileMaximumBytes) return;
    if (entry.content.length > 0) others.offer(walked);
    for (const chunk of entry.content) {
      const pack = packOf.get(chunk);
      if (pack !== undefined) ofPacks.get(pack)?.offer(walked);
    }
  };
  const start = { path: emptyBytes, tree: snapshot.tree };
  const choose = () => ({ take: true, enter: !wish.signal.aborted });
  const walked = await walkTree(reader, start, { choose, visit });
  if (!walked.ok) return walked;
  const isWhole = ({ entry }: WalkedEntry): boolean =>
    entry.content.every((chunk) => {
      const place = stores.chunks.place(chunk);
      return place !== undefined && wish.isReadable(place.pack);
    });
  const files = new Map<string, WalkedEntry>();
  const chunks: { readonly pack: PackId; readonly chunk: ChunkId }[] = [];
  for (const [pack, { taken }] of ofPacks) {
    const [file] = taken.filter(isWhole);
    if (file !== undefined) files.set(textOfBytes(file.path), file);
    else {
      const ids = chunksOf(stores, pack);
      const chunk = ids[Math.floor(drawnUnit(random) * ids.length)];
      if (chunk !== undefined) chunks.push({ pack, chunk });
    }
  }
  for (const file of others.taken.filter(isWhole)) files.set(textOfBytes(file.path), file);
  return succeeded({ files: [...files.values()], chunks });
}

function chunksOf(stores: Pick<Stores, 'packs'>, pack: PackId): readonly ChunkId[] {
  const { chunkIds } = present(stores.packs.contents(pack), 'contents of a known pack');
  return Array.from({ length: chunkIds.length / idBytes }, (_, index) =>
    idOf<ChunkId>(chunkIds.subarray(index * idBytes, (index + 1) * idBytes)),
  );
}
