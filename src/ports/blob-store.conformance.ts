/** What every blob store does, asked of the twin and of a real folder alike. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bytes, concatBytes, emptyBytes } from '../base/bytes.ts';
import type { Outcome } from '../base/outcome.ts';
import type { BlobFailure, BlobStore } from './blob-store.ts';

/** One disk under test. */
export interface BlobsUnderTest {
  readonly blobs: BlobStore;
  /** Ends the process's view without warning and opens what is there. */
  reopen(): Promise<BlobStore>;
  close(): Promise<void>;
}

/** `length` bytes that differ for different seeds. */
export function patternBytes(length: number, seed: number): Bytes {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + seed * 17 + (index >> 8)) & 0xff);
}

function codeOf<T>(outcome: Outcome<T, BlobFailure>): string {
  return outcome.ok ? 'ok' : outcome.error.code;
}

function bytesIn(outcome: Outcome<Bytes, BlobFailure>): Bytes {
  assert(outcome.ok, 'the blob is read');
  return outcome.value;
}

type Sentence = (text: string, check: (subject: BlobsUnderTest) => Promise<void>) => void;

/** Runs every sentence of the contract against implementations that `open` makes, each empty. */
export function testBlobs(name: string, open: () => Promise<BlobsUnderTest>): void {
  const sentence: Sentence = (text, check) => {
    test(`${name}: ${text}`, async () => {
      const subject = await open();
      try {
        await check(subject);
      } finally {
        await subject.close();
      }
    });
  };
  testWhole(sentence);
  testGrowing(sentence);
}

function testWhole(sentence: Sentence): void {
  sentence('a written blob comes back, also after reopening', async (subject) => {
    const bytes = patternBytes(200_000, 1);
    assert.equal(codeOf(await subject.blobs.write('ab/cd/ef-1.pack', bytes)), 'ok');
    assert.equal(codeOf(await subject.blobs.write('empty', emptyBytes)), 'ok');
    const blobs = await subject.reopen();
    assert.deepEqual(bytesIn(await blobs.read('ab/cd/ef-1.pack')), bytes);
    assert.deepEqual(bytesIn(await blobs.read('empty')), emptyBytes);
    assert.equal(await blobs.size('ab/cd/ef-1.pack'), 200_000);
    assert.equal(await blobs.size('ab'), undefined);
    assert.equal(await blobs.size('nothing'), undefined);
  });

  sentence('a blob is replaced as a whole', async ({ blobs }) => {
    await blobs.write('blob', patternBytes(1000, 1));
    await blobs.write('blob', patternBytes(10, 2));
    assert.deepEqual(bytesIn(await blobs.read('blob')), patternBytes(10, 2));
  });

  sentence('ranges inside a blob are read, others refused', async ({ blobs }) => {
    const bytes = patternBytes(1000, 3);
    await blobs.write('blob', bytes);
    const middle = bytesIn(await blobs.read('blob', { offset: 100, length: 300 }));
    assert.deepEqual(middle, bytes.slice(100, 400));
    assert.deepEqual(bytesIn(await blobs.read('blob', { offset: 1000, length: 0 })), emptyBytes);
    for (const range of [
      { offset: 1, length: 1000 },
      { offset: 1001, length: 0 },
      { offset: -1, length: 2 },
      { offset: 2, length: -1 },
    ])
      assert.equal(codeOf(await blobs.read('blob', range)), 'blob.range');
    assert.equal(codeOf(await blobs.read('other')), 'blob.missing');
  });

  sentence('names are listed in order, below a folder or in all', async (subject) => {
    for (const name of ['b/2', 'b/10', 'a', 'b-c/1', 'b/x/y'])
      await subject.blobs.write(name, emptyBytes);
    await subject.blobs.grow('b/3', 0, patternBytes(5, 1));
    const blobs = await subject.reopen();
    assert.deepEqual(await blobs.list(''), ['a', 'b-c/1', 'b/10', 'b/2', 'b/x/y']);
    assert.deepEqual(await blobs.list('b/'), ['b/10', 'b/2', 'b/x/y']);
    assert.deepEqual(await blobs.list('nowhere/'), []);
    assert.deepEqual(await blobs.listGrowing(''), ['b/3']);
    assert.deepEqual(await blobs.listGrowing('b/'), ['b/3']);
    assert.deepEqual(await blobs.listGrowing('b/x/'), []);
  });

  sentence('a removed blob is gone, and removing nothing is no error', async (subject) => {
    await subject.blobs.write('gone', patternBytes(10, 1));
    await subject.blobs.grow('growing', 0, patternBytes(10, 1));
    for (const name of ['gone', 'growing', 'never-was', 'no/such/folder'])
      assert.equal(codeOf(await subject.blobs.remove(name)), 'ok');
    const blobs = await subject.reopen();
    assert.deepEqual(await blobs.list(''), []);
    assert.equal(await blobs.grown('growing'), 0);
    assert.equal(codeOf(await blobs.read('gone')), 'blob.missing');
  });

  sentence('a bad name is a mistake of the caller', async ({ blobs }) => {
    const bad = ['', '/a', 'a/', 'a//b', '..', '../a', 'a/../b', '.hidden', 'A', 'a b', 'a+b', 'ä'];
    for (const name of [...bad, 'a/b/c/d', 'a\0', 'x'.repeat(201)]) {
      await assert.rejects(blobs.write(name, emptyBytes), { name: 'AssertionError' });
      await assert.rejects(blobs.read(name), { name: 'AssertionError' });
      await assert.rejects(blobs.grow(name, 0, emptyBytes), { name: 'AssertionError' });
    }
    await assert.rejects(blobs.list('a'), { name: 'AssertionError' });
    await assert.rejects(blobs.list('../'), { name: 'AssertionError' });
  });

  sentence('the disk tells how much room it has', async ({ blobs }) => {
    assert(Number.isSafeInteger(await blobs.freeBytes()));
    assert((await blobs.freeBytes()) > 0);
  });
}

function testGrowing(sentence: Sentence): void {
  const blocks = [1, 2, 3, 4].map((seed) => patternBytes(65_536, seed));
  const [first, second, third, fourth] = blocks as [Bytes, Bytes, Bytes, Bytes];

  sentence(
    'a growing blob is durable up to its last sync, whole when finished',
    async (subject) => {
      const { blobs } = subject;
      assert.equal(await blobs.grown('owner/shard'), 0);
      await blobs.grow('owner/shard', 0, first);
      assert.equal(await blobs.grown('owner/shard'), 0);
      assert.equal(codeOf(await blobs.sync('owner/shard')), 'ok');
      assert.equal(await blobs.grown('owner/shard'), 65_536);
      await blobs.grow('owner/shard', 65_536, second);
      assert.equal(await blobs.size('owner/shard'), undefined);
      assert.equal(codeOf(await blobs.read('owner/shard')), 'blob.missing');
      assert.equal(codeOf(await blobs.finish('owner/shard')), 'ok');
      assert.equal(await blobs.grown('owner/shard'), 0);
      const reopened = await subject.reopen();
      const read = bytesIn(await reopened.read('owner/shard'));
      assert.deepEqual(read, concatBytes([first, second]));
    },
  );

  sentence('growing is carried on after reopening at what had been synced', async (subject) => {
    await subject.blobs.grow('shard', 0, first);
    await subject.blobs.grow('shard', 65_536, second);
    await subject.blobs.sync('shard');
    const blobs = await subject.reopen();
    assert.equal(await blobs.grown('shard'), 131_072);
    await blobs.grow('shard', 131_072, third);
    await blobs.finish('shard');
    const read = bytesIn(await blobs.read('shard'));
    assert.deepEqual(read, concatBytes([first, second, third]));
  });

  sentence('writing further back cuts off what stood behind', async ({ blobs }) => {
    for (const [index, block] of [first, second, third].entries())
      await blobs.grow('shard', index * 65_536, block);
    await blobs.sync('shard');
    await blobs.grow('shard', 65_536, fourth);
    assert.equal(await blobs.grown('shard'), 65_536);
    await blobs.finish('shard');
    assert.deepEqual(bytesIn(await blobs.read('shard')), concatBytes([first, fourth]));
  });

  sentence('a gap is refused, and so is finishing what does not grow', async ({ blobs }) => {
    assert.equal(codeOf(await blobs.grow('shard', 1, first)), 'blob.range');
    await blobs.grow('shard', 0, first);
    assert.equal(codeOf(await blobs.grow('shard', 65_537, first)), 'blob.range');
    assert.equal(codeOf(await blobs.sync('other')), 'blob.missing');
    assert.equal(codeOf(await blobs.finish('other')), 'blob.missing');
  });

  sentence('a whole blob stays readable until a growing one replaces it', async ({ blobs }) => {
    await blobs.write('shard', first);
    await blobs.grow('shard', 0, second);
    assert.deepEqual(bytesIn(await blobs.read('shard')), first);
    await blobs.finish('shard');
    assert.deepEqual(bytesIn(await blobs.read('shard')), second);
  });

  sentence('two hundred blobs grow at the same time', async (subject) => {
    const names = Array.from({ length: 200 }, (_, number) => `owner/s${number}`);
    for (let step = 0; step < 3; step += 1)
      await Promise.all(
        names.map((name, seed) => subject.blobs.grow(name, step * 100, patternBytes(100, seed))),
      );
    await Promise.all(names.map((name) => subject.blobs.finish(name)));
    const blobs = await subject.reopen();
    for (const [seed, name] of names.entries()) {
      const part = patternBytes(100, seed);
      assert.deepEqual(bytesIn(await blobs.read(name)), concatBytes([part, part, part]));
    }
  });
}

/** On a disk with room for `roomBytes`: a blob that does not fit fails and leaves nothing. */
export async function checkFullDisk(blobs: BlobStore, roomBytes: number): Promise<void> {
  const half = patternBytes(Math.floor(roomBytes / 2), 1);
  assert.equal(codeOf(await blobs.write('fits', half)), 'ok');
  const free = await blobs.freeBytes();
  assert.equal(codeOf(await blobs.write('too-large', patternBytes(roomBytes, 2))), 'blob.no-space');
  assert.equal(await blobs.size('too-large'), undefined);
  assert.equal(await blobs.freeBytes(), free);
  assert.deepEqual(await blobs.list(''), ['fits']);

  assert.equal(codeOf(await blobs.grow('growing', 0, patternBytes(8192, 3))), 'ok');
  assert.equal(codeOf(await blobs.sync('growing')), 'ok');
  const refused = await blobs.grow('growing', 8192, patternBytes(roomBytes, 4));
  assert.equal(codeOf(refused), 'blob.no-space');
  assert.equal(await blobs.grown('growing'), 8192);
  assert.equal(codeOf(await blobs.finish('growing')), 'ok');
  assert.deepEqual(bytesIn(await blobs.read('growing')), patternBytes(8192, 3));
  assert.deepEqual(bytesIn(await blobs.read('fits')), half);
}
