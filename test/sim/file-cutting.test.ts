import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../src/base/prng.ts';
import { mebi } from '../../src/base/units.ts';
import { statOffset, statWidth } from '../../src/core/scan/stat-columns.ts';
import { deriveKeys } from '../../src/core/sealing/keys.ts';
import { suiteAesGcm } from '../../src/core/vocabulary/suite.ts';
import { FileCutting } from '../../src/engine/backup/file-cutting.ts';
import { SimTree } from '../../src/sim/sim-tree.ts';
import { createTwinPipeline } from '../../src/sim/twin-pipeline.ts';
import { kernels } from '../claims/sim-circle.ts';

test('nothing counts as durable once a pack could not be stored, however well the later ones are', async () => {
  const prng = new Prng('file cutting');
  const tree = new SimTree(() => 1n);
  tree.writeFile('/large', prng.bytes(20 * mebi));
  const pipeline = createTwinPipeline({
    tree,
    keys: deriveKeys(new Uint8Array(32).fill(1)),
    suite: suiteAesGcm,
    compressionLevel: 1,
    kernels,
    random: { bytes: (count) => prng.bytes(count) },
  });
  let stored = 0;
  const cutting = new FileCutting({
    pipeline,
    chunks: {
      known: (ids) => new Uint8Array(ids.length / 32),
      place: () => undefined,
      count: () => 0,
    },
    store: async () => {
      stored += 1;
      if (stored === 1) throw new Error('the disk broke');
    },
    problem: () => undefined,
    read: () => undefined,
  });
  const numbers = new BigInt64Array(statWidth);
  assert.equal(tree.source.stat('/large', numbers, 0), undefined);
  const stat = (field: keyof typeof statOffset): bigint => numbers[statOffset[field]] ?? 0n;
  await cutting.add({
    file: {
      path: new TextEncoder().encode('/large'),
      offset: 0,
      size: Number(stat('size')),
      mtimeNs: stat('mtimeNs'),
      ctimeNs: stat('ctimeNs'),
      inode: stat('inode'),
    },
    done: () => undefined,
  });
  await assert.rejects(cutting.drain(), /the disk broke/);
  assert.equal(stored, 1);
  await assert.rejects(cutting.flush(), /the disk broke/);
});

test('a batch whose chunks could not be looked up is let go of', async () => {
  const cut = new Set<number>();
  const failing = new FileCutting({
    pipeline: {
      width: 1,
      cut: async () => {
        cut.add(7);
        return {
          ticket: 7,
          files: [{ outcome: 'whole', chunkCount: 1, nextOffset: 1, detail: '' }],
          chunkIds: new Uint8Array(32),
          chunkLengths: Uint32Array.of(1),
        };
      },
      seal: async (ticket, wanted) => {
        assert.deepEqual(wanted, Uint8Array.of(0));
        cut.delete(ticket);
        return [];
      },
      sealChunks: async () => [],
      flush: async () => [],
    },
    chunks: {
      known: () => {
        throw new Error('the catalogue broke');
      },
      place: () => undefined,
      count: () => 0,
    },
    store: async () => undefined,
    problem: () => undefined,
    read: () => undefined,
  });
  const file = { path: new Uint8Array(1), offset: 0, size: 1, mtimeNs: 0n, ctimeNs: 0n, inode: 0n };
  await failing.add({ file, done: () => undefined });
  await assert.rejects(failing.drain(), /the catalogue broke/);
  assert.equal(cut.size, 0);
});
