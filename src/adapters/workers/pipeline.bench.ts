/**
 * How fast files become packs: scan, read, cut, name, compress, encrypt, by number of threads.
 *
 *     node src/adapters/workers/pipeline.bench.ts [folder] [largest number of threads]
 *
 * Without a folder a tree of 51,000 files and 0.81 GB is generated under the system's folder for temporary files and removed afterwards.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { concatBytes } from '../../base/bytes.ts';
import { growTree, largeShape } from '../../cli/demo/generated-tree.ts';
import type { FileToCut } from '../../core/chunking/file-cutter.ts';
import { bytesOfText, kindAt, nameAt, smallStatAt, statAt } from '../../core/scan/stat-columns.ts';
import type { ScannedDirectory } from '../../core/scan/tree-walk.ts';
import { deriveKeys } from '../../core/sealing/keys.ts';
import { suiteAesGcm } from '../../core/vocabulary/suite.ts';
import type { ChunkPipeline, SealedPack } from '../../ports/chunk-pipeline.ts';
import { createWorkerPipeline } from './worker-pipeline.ts';

const batchBytes = 8 * 1_048_576;
const batchFiles = 512;

function* filesOf({ path, entries }: ScannedDirectory): Generator<FileToCut> {
  const slash = bytesOfText('/');
  for (let row = 0; row < entries.count; row += 1) {
    if (kindAt(entries, row) !== 'file') continue;
    yield {
      path: concatBytes([path, slash, nameAt(entries, row)]),
      offset: 0,
      size: smallStatAt(entries, row, 'size'),
      mtimeNs: statAt(entries, row, 'mtimeNs'),
      ctimeNs: statAt(entries, row, 'ctimeNs'),
      inode: statAt(entries, row, 'inode'),
    };
  }
}

interface Totals {
  files: number;
  readBytes: number;
  storedBytes: number;
  packs: number;
}

async function cutAndSeal(pipeline: ChunkPipeline, batch: readonly FileToCut[], totals: Totals) {
  let files = batch;
  while (files.length > 0) {
    const cut = await pipeline.cut(files);
    for (const length of cut.chunkLengths) totals.readBytes += length;
    count(totals, await pipeline.seal(cut.ticket, cut.chunkLengths.map(() => 1) as never));
    const before = files;
    files = cut.files.flatMap(({ outcome, nextOffset }, index) => {
      const file = before[index];
      if (outcome === 'partial' && file !== undefined) return [{ ...file, offset: nextOffset }];
      totals.files += 1;
      return [];
    });
  }
}

function count(totals: Totals, packs: readonly SealedPack[]): void {
  totals.packs += packs.length;
  for (const { bytes } of packs) totals.storedBytes += bytes.length;
}

async function capture(pipeline: ChunkPipeline, folder: string): Promise<Totals> {
  const totals: Totals = { files: 0, readBytes: 0, storedBytes: 0, packs: 0 };
  const running = new Set<Promise<void>>();
  let batch: FileToCut[] = [];
  let bytes = 0;
  const send = async (): Promise<void> => {
    const work = cutAndSeal(pipeline, batch, totals).finally(() => running.delete(work));
    running.add(work);
    batch = [];
    bytes = 0;
    if (running.size >= pipeline.width) await Promise.race(running);
  };
  for await (const { directories } of scanOf(pipeline, folder))
    for (const directory of directories)
      for (const file of filesOf(directory)) {
        batch.push(file);
        bytes += file.size;
        if (bytes >= batchBytes || batch.length >= batchFiles) await send();
      }
  await send();
  await Promise.all(running);
  count(totals, await pipeline.flush());
  return totals;
}

function scanOf(pipeline: ChunkPipeline, folder: string): ReturnType<ChunkPipeline['scan']> {
  const request = {
    roots: [bytesOfText(Buffer.from(folder).toString('latin1'))],
    excludePatterns: [],
    excludeFileNames: [],
    oneFileSystem: false,
    maximumFileBytes: undefined,
    skipCacheFolders: false,
  };
  return pipeline.scan(request, new AbortController().signal);
}

function newPipeline(workers: number): ChunkPipeline {
  return createWorkerPipeline({
    keys: deriveKeys(new Uint8Array(32).fill(7)),
    suite: suiteAesGcm,
    compressionLevel: 1,
    workers,
    log: { write: (_level, event, fields) => console.error(event, fields) },
  });
}

async function measured<T>(what: string, work: () => Promise<T>): Promise<T> {
  const before = process.cpuUsage();
  const start = performance.now();
  const result = await work();
  const wall = performance.now() - start;
  const cpu = process.cpuUsage(before);
  const cpuMs = (cpu.user + cpu.system) / 1_000;
  console.log(`${what}: ${wall.toFixed(0)} ms, ${cpuMs.toFixed(0)} ms of processor time`, result);
  return result;
}

async function measure(folder: string, workersMaximum: number): Promise<void> {
  for (let workers = 1; workers <= workersMaximum; workers += 1) {
    const pipeline = newPipeline(workers);
    await measured(`start, ${workers} threads`, () => pipeline.flush());
    for (const round of ['first', 'second'])
      await measured(`${round} scan, ${workers} threads`, async () => {
        let entries = 0;
        for await (const batch of scanOf(pipeline, folder))
          for (const directory of batch.directories) entries += directory.entries.count;
        return entries;
      });
    const start = performance.now();
    const totals = await measured(`capture, ${workers} threads`, () => capture(pipeline, folder));
    const seconds = (performance.now() - start) / 1_000;
    console.log(`  ${(totals.readBytes / 1e6 / seconds).toFixed(0)} MB/s`);
    await pipeline.close();
  }
}

const [givenFolder, givenWorkers] = process.argv.slice(2);
const folder = givenFolder ?? mkdtempSync(join(tmpdir(), 'covault-bench-'));
try {
  if (givenFolder === undefined) console.log(growTree(folder, largeShape));
  await measure(folder, givenWorkers === undefined ? availableParallelism() : Number(givenWorkers));
} finally {
  if (givenFolder === undefined) rmSync(folder, { recursive: true });
}
