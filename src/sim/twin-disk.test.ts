import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bytes } from '../base/bytes.ts';
import { checkFullDisk, patternBytes, testBlobs } from '../ports/blob-store.conformance.ts';
import type { Random } from '../ports/random.ts';
import { TwinDisk } from './twin-disk.ts';

function seededRandom(seed: number): Random {
  let state = seed;
  const next = (): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 24;
  };
  return { bytes: (count): Bytes => Uint8Array.from({ length: count }, next) };
}

testBlobs('twin disk', async () => {
  const disk = new TwinDisk({ random: seededRandom(1) });
  return {
    blobs: disk.attach(),
    reopen: async () => {
      disk.crash();
      return disk.attach();
    },
    close: async () => undefined,
  };
});

test('a full twin disk refuses and keeps what it had', async () => {
  const disk = new TwinDisk({ random: seededRandom(1), capacityBytes: 1_000_000 });
  await checkFullDisk(disk.attach(), 1_000_000);
});

test('a crash keeps what was synced and loses a part of the rest, the same for one seed', async () => {
  const kept = async (seed: number): Promise<number> => {
    const disk = new TwinDisk({ random: seededRandom(seed) });
    const blobs = disk.attach();
    await blobs.grow('shard', 0, patternBytes(1000, 1));
    await blobs.sync('shard');
    await blobs.grow('shard', 1000, patternBytes(5000, 2));
    disk.crash();
    return disk.attach().grown('shard');
  };
  const results = await Promise.all([1, 2, 3, 4, 5].map(kept));
  for (const result of results) assert(result >= 1000 && result <= 6000);
  assert(new Set(results).size > 1);
  assert.deepEqual(await Promise.all([1, 2, 3, 4, 5].map(kept)), results);
});

test('a store whose computer crashed does nothing more', async () => {
  const disk = new TwinDisk({ random: seededRandom(1) });
  const blobs = disk.attach();
  const late = blobs.write('late', patternBytes(10, 1));
  disk.crash();
  await assert.rejects(late, { name: 'DiskDetached' });
  await assert.rejects(blobs.freeBytes(), { name: 'DiskDetached' });
  assert.deepEqual(await disk.attach().list(''), []);
});

test('throwing before a step leaves it undone, after it leaves it done', async () => {
  for (const moment of ['before', 'after'] as const) {
    const disk = new TwinDisk({
      random: seededRandom(1),
      onWrite: (label, reached) => {
        if (label === 'blob.write' && reached === moment) throw new RangeError('crash');
      },
    });
    await assert.rejects(disk.attach().write('blob', patternBytes(10, 1)), { message: 'crash' });
    disk.crash();
    assert.deepEqual(await disk.attach().list(''), moment === 'after' ? ['blob'] : []);
  }
});

test('rot changes one bit of a blob', async () => {
  const disk = new TwinDisk({ random: seededRandom(9) });
  const blobs = disk.attach();
  const bytes = patternBytes(1000, 1);
  await blobs.write('blob', bytes);
  disk.rot('blob');
  const read = await blobs.read('blob');
  assert(read.ok);
  let flipped = 0;
  for (const [index, value] of read.value.entries())
    for (let rest = value ^ (bytes[index] ?? 0); rest > 0; rest >>= 1) flipped += rest & 1;
  assert.equal(flipped, 1);
});
