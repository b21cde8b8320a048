/**
 * A thread of the pipeline: scans, and turns files into packs. Bytes of files stay here until they are sealed.
 *
 * The bytes of a cut batch wait under its ticket until the engine has said which chunks are new.
 */
import { randomBytes } from 'node:crypto';
import { workerData } from 'node:worker_threads';
import { assertNever, present } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import { cutterOf } from '../../core/chunking/cutter.ts';
import { type CutChunks, FileCutter } from '../../core/chunking/file-cutter.ts';
import { gearTable } from '../../core/chunking/gear-table.ts';
import { packSaltBytes } from '../../core/packing/frame.ts';
import { OpenPacks } from '../../core/packing/open-packs.ts';
import type { PackKind } from '../../core/packing/pack-header.ts';
import type { SealedPack } from '../../core/packing/pack-writer.ts';
import { type ScanBatch, walkTree } from '../../core/scan/tree-walk.ts';
import { ChunkNamer } from '../../core/sealing/chunk-id.ts';
import { idBytes } from '../../core/vocabulary/ids.ts';
import type { ChunkToSeal } from '../../ports/chunk-pipeline.ts';
import { loadKernels } from '../kernels/kernel-files.ts';
import { posixContents } from '../posix/posix-contents.ts';
import { posixSource } from '../posix/posix-source.ts';
import { type PackedFiles, unpackFiles } from './cut-request.ts';
import { type JobReply, serveJobs } from './job-loop.ts';
import type { CutReply, PipelineRequest, PipelineSettings } from './pipeline-messages.ts';
import { packBatch } from './scan-reply.ts';

const settings = workerData as PipelineSettings;
const cutter: FileCutter = new FileCutter({
  source: posixContents,
  namer: new ChunkNamer(settings.keys.chunkIdKey),
  cutter: cutterOf(loadKernels(), gearTable(settings.keys.gearKey)),
});
const packs: OpenPacks = new OpenPacks({
  packKey: settings.keys.packKey,
  suite: settings.suite,
  compressionLevel: settings.compressionLevel,
  salt: () => new Uint8Array(randomBytes(packSaltBytes)),
});
const scans = new Map<number, Iterator<ScanBatch, void>>();
const tickets = new Map<number, CutChunks>();

serveJobs((request: PipelineRequest): JobReply => {
  switch (request.type) {
    case 'begin-scan':
      scans.set(request.scan, walkTree(posixSource, request.request));
      return continueScan(request.scan);
    case 'continue-scan':
      return continueScan(request.scan);
    case 'end-scan':
      scans.delete(request.scan);
      return { reply: undefined, transfer: [] };
    case 'cut':
      return cut(request.ticket, request.files);
    case 'seal':
      return packsReply(seal(request.ticket, request.wanted));
    case 'seal-chunks':
      return packsReply(sealChunks(request.kind, request.chunks));
    case 'flush':
      return packsReply(packs.flush());
    default:
      return assertNever(request);
  }
});

function continueScan(scan: number): JobReply {
  const next = scans.get(scan)?.next();
  if (next === undefined || next.done === true) {
    scans.delete(scan);
    return { reply: undefined, transfer: [] };
  }
  const reply = packBatch(next.value);
  return { reply, transfer: [reply.columns.buffer, reply.names.buffer, reply.ends.buffer] };
}

function cut(ticket: number, files: PackedFiles): JobReply {
  const batch = cutter.cut(unpackFiles(files));
  tickets.set(ticket, batch);
  const chunkLengths = Uint32Array.from(batch.chunks, (chunk) => chunk.length);
  const reply: CutReply = { files: batch.files, chunkIds: batch.ids, chunkLengths };
  // The ids stay here too, for sealing.
  return { reply, transfer: [chunkLengths.buffer] };
}

function seal(ticket: number, wanted: Uint8Array): readonly SealedPack[] {
  const batch = present(tickets.get(ticket), 'a batch that was cut and not sealed yet');
  tickets.delete(ticket);
  const full: SealedPack[] = [];
  batch.chunks.forEach((chunk, index) => {
    if (wanted[index] !== 1) return;
    const id = batch.ids.subarray(index * idBytes, (index + 1) * idBytes);
    const pack = packs.add('data', id, chunk);
    if (pack !== undefined) full.push(pack);
  });
  batch.arena.release();
  return full;
}

function sealChunks(kind: PackKind, chunks: readonly ChunkToSeal[]): readonly SealedPack[] {
  return chunks.flatMap(({ id, bytes }) => packs.add(kind, id, bytes) ?? []);
}

function packsReply(sealed: readonly SealedPack[]): JobReply {
  const transfer = sealed.flatMap(({ bytes, contents }) =>
    [
      bytes,
      contents.chunkIds,
      contents.chunkFrames,
      contents.chunkOffsets,
      contents.chunkLengths,
    ].map((column) => column.buffer as Bytes['buffer']),
  );
  return { reply: sealed, transfer };
}
