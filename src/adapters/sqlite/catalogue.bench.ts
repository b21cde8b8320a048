/** How fast the catalogue learns and finds a million chunks, and what that costs in memory and on disk. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { assert } from '../../base/assert.ts';
import { instant } from '../../base/units.ts';
import type { PackContents } from '../../core/packing/directory.ts';
import { type ChunkId, idOf, type PackId } from '../../core/vocabulary/ids.ts';
import { type Catalogue, openCatalogue } from './catalogue.ts';

const packCount = 1000;
const chunksPerPack = 1000;

function opened(path: string): Catalogue {
  const outcome = openCatalogue(path);
  assert(outcome.ok, 'the catalogue opens');
  return outcome.value;
}

function randomContents(): PackContents {
  return {
    frames: Array.from({ length: 16 }, (_, frame) => ({
      ...{ offset: frame << 20, storedBytes: 1 << 20, rawBytes: 1 << 21 },
    })),
    chunkIds: new Uint8Array(randomBytes(chunksPerPack * 32)),
    chunkFrames: Uint32Array.from({ length: chunksPerPack }, (_, row) => row >> 6),
    chunkOffsets: Uint32Array.from({ length: chunksPerPack }, (_, row) => row * 1000),
    chunkLengths: new Uint32Array(chunksPerPack).fill(1000),
  };
}

function timed<T>(label: string, count: number, work: () => T): T {
  const start = performance.now();
  const result = work();
  const spent = performance.now() - start;
  console.log(`${label}: ${((spent * 1000) / count).toFixed(2)} µs each, ${spent.toFixed(0)} ms`);
  return result;
}

function addPacks(catalogue: Catalogue): Uint8Array[] {
  const columns: Uint8Array[] = [];
  const times: number[] = [];
  for (let number = 0; number < packCount; number += 1) {
    const contents = randomContents();
    const pack = idOf<PackId>(randomBytes(32));
    const start = performance.now();
    catalogue.packs.add(
      {
        ...{ pack, kind: 'data', suite: 1, salt: new Uint8Array(32), lengthBytes: 1 << 24 },
        ...{ storedAt: instant(number), code: undefined, stripe: undefined },
        ...{ indexed: false, spooled: true },
      },
      contents,
    );
    times.push(performance.now() - start);
    columns.push(contents.chunkIds);
  }
  times.sort((left, right) => left - right);
  const at = (share: number): string => (times[Math.floor(times.length * share)] ?? 0).toFixed(2);
  console.log(`add of a pack of ${chunksPerPack}: median ${at(0.5)} ms, 99 % ${at(0.99)} ms`);
  return columns;
}

function residentMebibytes(): string {
  return `${(process.memoryUsage().rss / 1_048_576).toFixed(0)} MiB resident`;
}

const folder = mkdtempSync(join(tmpdir(), 'covault-bench-'));
try {
  const path = join(folder, 'catalog.db');
  const first = opened(path);
  console.log(residentMebibytes());
  assert(first.chunks.count() === 0, 'the index is built before the packs come');
  const columns = addPacks(first);
  first.close();
  console.log(`file: ${(statSync(path).size / 1e6).toFixed(0)} MB, ${residentMebibytes()}`);

  const catalogue = opened(path);
  timed('building the index, a chunk', 1e6, () => catalogue.chunks.count());
  timed('known, hits', 1e6, () => {
    for (const column of columns) catalogue.chunks.known(column);
  });
  const strangers = new Uint8Array(randomBytes(32 * 100_000));
  timed('known, misses', 1e5, () => catalogue.chunks.known(strangers));
  const sample = columns.slice(0, 32).map((column) => column.subarray(0, 32 * 500));
  timed('place, neighbouring', 16_000, () => {
    for (const column of sample)
      for (let offset = 0; offset < column.length; offset += 32)
        catalogue.chunks.place(idOf<ChunkId>(column.subarray(offset, offset + 32)));
  });
  timed('place, scattered over all packs', packCount, () => {
    for (const column of columns) catalogue.chunks.place(idOf<ChunkId>(column.subarray(0, 32)));
  });
  console.log(residentMebibytes());
  catalogue.close();
} finally {
  rmSync(folder, { recursive: true });
}
