import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Bytes } from '../../base/bytes.ts';
import { bytesOfText } from '../../core/scan/stat-columns.ts';
import { deriveKeys } from '../../core/sealing/keys.ts';
import { suiteAesGcm } from '../../core/vocabulary/suite.ts';
import {
  type GrowingTree,
  type PipelineSubject,
  testPipeline,
} from '../../ports/chunk-pipeline.conformance.ts';
import { fsPath } from '../posix/byte-path.ts';
import { createWorkerPipeline } from './worker-pipeline.ts';
import { WorkerFailed } from './worker-pool.ts';

const posixTree: GrowingTree = {
  makeFolder: (path) => {
    mkdirSync(fsPath(path));
  },
  writeFile: (path, bytes) => {
    writeFileSync(fsPath(path), bytes);
  },
  makeSymlink: (path, target) => {
    symlinkSync(Buffer.from(target), fsPath(path));
  },
  link: (existing, path) => {
    linkSync(fsPath(existing), fsPath(path));
  },
  remove: (path) => {
    rmSync(fsPath(path), { recursive: true });
  },
};

async function open(workers: number): Promise<PipelineSubject> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'covault-pipeline-')));
  const keys = deriveKeys(new Uint8Array(32).fill(1));
  const log = { write: () => undefined };
  const options = { keys, suite: suiteAesGcm, compressionLevel: 1, workers, log };
  return {
    pipeline: createWorkerPipeline(options),
    tree: posixTree,
    folder,
    keys,
    close: async () => {
      rmSync(folder, { recursive: true });
    },
  };
}

testPipeline('one thread', () => open(1));
testPipeline('two threads', () => open(2));

function fileAt(path: string): Parameters<PipelineSubject['pipeline']['cut']>[0][number] {
  return {
    path: bytesOfText(path) as Bytes,
    offset: 0,
    size: 10,
    mtimeNs: 0n,
    ctimeNs: 0n,
    inode: 0n,
  };
}

test('a pipe in the place of a file is not waited for', async () => {
  const subject = await open(1);
  execFileSync('mkfifo', [join(subject.folder, 'pipe')]);
  const cut = await subject.pipeline.cut([fileAt(join(subject.folder, 'pipe'))]);
  assert.equal(cut.files[0]?.outcome, 'vanished');
  await subject.pipeline.close();
  await subject.close();
});

test('after a fault in a thread every call ends in a failure, none waits, until it is renewed', async () => {
  const subject = await open(2);
  const { pipeline } = subject;
  const cut = await pipeline.cut([]);
  // A request that the protocol does not know, as a fault in the program would send it.
  const broken = pipeline.sealChunks('data', [{ id: new Uint8Array(3), bytes: new Uint8Array(1) }]);
  await assert.rejects(broken, WorkerFailed);
  await assert.rejects(pipeline.seal(cut.ticket, new Uint8Array(0)), WorkerFailed);
  await assert.rejects(pipeline.flush(), WorkerFailed);
  pipeline.renew();
  await assert.rejects(pipeline.seal(cut.ticket, new Uint8Array(0)), /sealed once/);
  const chunk = { id: new Uint8Array(32), bytes: new Uint8Array(10) };
  assert.deepEqual(await pipeline.sealChunks('data', [chunk]), []);
  pipeline.renew();
  assert.equal((await pipeline.flush()).length, 1, 'what works is left alone');
  await pipeline.close();
  pipeline.renew();
  await assert.rejects(pipeline.flush(), WorkerFailed);
  await subject.close();
});

test('closing ends what is under way', async () => {
  const subject = await open(1);
  const cut = subject.pipeline.cut([]);
  const closed = subject.pipeline.close();
  await assert.rejects(cut, /closed/);
  await closed;
  await subject.close();
});
