/** What every restore target does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../base/assert.ts';
import { type Bytes, concatBytes, utf8Bytes } from '../base/bytes.ts';
import { Prng } from '../base/prng.ts';
import { mebi } from '../base/units.ts';
import { cutterOf } from '../core/chunking/cutter.ts';
import { gearTable } from '../core/chunking/gear-table.ts';
import { OpenPacks } from '../core/packing/open-packs.ts';
import { bytesOfText, textOfBytes } from '../core/scan/stat-columns.ts';
import type { TreeEntry } from '../core/scan/tree-entry.ts';
import { ChunkNamer } from '../core/sealing/chunk-id.ts';
import { type ChunkId, idBytes, idOf } from '../core/vocabulary/ids.ts';
import { suiteAesGcm } from '../core/vocabulary/suite.ts';
import { plainKernels } from '../primitives/kernels/plain-kernels.ts';
import type {
  ChunkWrite,
  FinishedEntry,
  RestoreTarget,
  TargetProblem,
  WriteBatch,
} from './restore-target.ts';

/** What stands at a path of the target, as an outsider sees it. Paths have one character for every byte. */
export interface SeenEntry {
  readonly kind: string;
  readonly mode: number;
  readonly mtimeNs: bigint;
  /** Equal for names of one file. */
  readonly inode: bigint;
  /** Of a file or link. */
  readonly bytes: Bytes;
}

/** The folder that a target writes into, and one beside it, seen and changed from outside. Paths are relative to the folder that holds both. */
export interface TargetSurroundings {
  see(path: string): SeenEntry | undefined;
  makeFolder(path: string): void;
  writeFile(path: string, bytes: Bytes): void;
  makeSymlink(path: string, target: Bytes): void;
  /** Everything below a folder, sorted. */
  list(folder: string): readonly string[];
}

export interface TargetSubject {
  /** Writes into the folder `target`; `outside` stands beside it with one file, `precious`. */
  readonly target: RestoreTarget;
  readonly around: TargetSurroundings;
  readonly keys: TargetKeys;
  readonly close: () => Promise<void>;
}

export interface TargetKeys {
  readonly chunkIdKey: Bytes;
  readonly gearKey: Bytes;
  readonly packKey: Bytes;
}

const modifiedNs = 981_173_106_123_456_789n;
const text = utf8Bytes;

export interface Content {
  readonly path: string;
  readonly bytes: Bytes;
  readonly sparse?: boolean;
}

class Trial {
  readonly subject: TargetSubject;

  constructor(subject: TargetSubject) {
    this.subject = subject;
  }

  get target(): RestoreTarget {
    return this.subject.target;
  }

  see(path: string): SeenEntry {
    return present(this.subject.around.see(`target/${path}`), `something at ${path}`);
  }

  folders(...paths: string[]): Promise<readonly TargetProblem[]> {
    return this.target.makeFolders(paths.map(bytesOfText));
  }

  /** A batch that fills all these files, out of real packs. */
  batch(contents: readonly Content[]): WriteBatch {
    return buildBatch(contents, this.subject.keys);
  }

  /** The same, and finishes them. */
  finishing(contents: readonly Content[]): WriteBatch {
    const batch = this.batch(contents);
    const files = batch.files.map((file, index) => {
      const { path, bytes } = present(contents[index], 'contents of every file');
      return { ...file, entry: this.entry(path, { sizeBytes: bytes.length }).entry };
    });
    return { ...batch, files };
  }

  entry(path: string, own: Partial<TreeEntry> = {}): FinishedEntry {
    const entry: TreeEntry = {
      name: bytesOfText(path.slice(path.lastIndexOf('/') + 1)),
      kind: 'file',
      mode: 0o640,
      modifiedNs,
      sizeBytes: 0,
      content: [],
      uid: 0,
      gid: 0,
      ...own,
    };
    return { path: bytesOfText(path), entry };
  }

  async restore(...contents: Content[]): Promise<void> {
    assert.deepEqual(await this.target.write(this.batch(contents)), []);
    const entries = contents.map(({ path, bytes }) =>
      this.entry(path, { sizeBytes: bytes.length }),
    );
    const problems = await this.target.finish(entries);
    assert.deepEqual(withoutOwner(problems), []);
  }

  idsOf(bytes: Bytes): Bytes {
    return concatBytes(chunksOf(bytes, this.subject.keys).map(({ id }) => id));
  }
}

/** Problems but those of owners, which only the superuser can set. */
function withoutOwner(problems: readonly TargetProblem[]): readonly TargetProblem[] {
  return problems.filter(({ detail }) => !detail.includes('owner'));
}

function kindsOf(problems: readonly TargetProblem[]): string[] {
  return problems.map(({ path, problem }) => `${textOfBytes(path)}: ${problem}`);
}

function chunksOf(bytes: Bytes, keys: TargetKeys): { readonly id: Bytes; readonly bytes: Bytes }[] {
  const cutter = cutterOf(plainKernels(), gearTable(keys.gearKey));
  const namer = new ChunkNamer(keys.chunkIdKey);
  const chunks: { readonly id: Bytes; readonly bytes: Bytes }[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const search = { offset, end: bytes.length, final: true };
    const length = present(cutter.nextCut(bytes, search), 'a cut before the end');
    const chunk = bytes.subarray(offset, offset + length);
    chunks.push({ id: namer.idBytesOf(chunk), bytes: chunk });
    offset += length;
  }
  return chunks;
}

export function buildBatch(contents: readonly Content[], keys: TargetKeys): WriteBatch {
  const salt = new Uint8Array(32).fill(5);
  const options = { packKey: keys.packKey, suite: suiteAesGcm, compressionLevel: 1 };
  const packs = new OpenPacks({ ...options, salt: () => salt });
  const places = new Map<ChunkId, { readonly file: number; readonly position: number }[]>();
  contents.forEach(({ bytes }, file) => {
    let position = 0;
    for (const chunk of chunksOf(bytes, keys)) {
      const id = idOf<ChunkId>(chunk.id);
      const known = places.get(id);
      if (known === undefined) assert.equal(packs.add('data', chunk.id, chunk.bytes), undefined);
      places.set(id, [...(known ?? []), { file, position }]);
      position += chunk.bytes.length;
    }
  });
  const [pack] = packs.flush();
  const frames = (pack?.contents.frames ?? []).map(({ offset, storedBytes, rawBytes }, number) => ({
    suite: suiteAesGcm,
    salt,
    number,
    rawBytes,
    bytes: present(pack, 'the pack').bytes.slice(offset, offset + storedBytes),
  }));
  const chunks: ChunkWrite[] = Array.from(pack?.contents.chunkLengths ?? [], (length, index) => {
    const { contents: packed } = present(pack, 'the pack');
    const id = packed.chunkIds.slice(index * idBytes, (index + 1) * idBytes);
    return {
      id,
      frame: packed.chunkFrames[index] ?? 0,
      offset: packed.chunkOffsets[index] ?? 0,
      length,
      places: places.get(idOf<ChunkId>(id)) ?? [],
    };
  });
  const files = contents.map(({ path, bytes, sparse }) => ({
    path: bytesOfText(path),
    size: bytes.length,
    sparse: sparse === true,
  }));
  return { frames, chunks, files };
}

function noise(length: number): Bytes {
  const prng = new Prng(length);
  return Uint8Array.from({ length }, () => prng.below(256));
}

export function testTarget(name: string, open: () => Promise<TargetSubject>): void {
  const trial: TrialTest = (what, work) => {
    test(`${name}: ${what}`, async () => {
      const subject = await open();
      try {
        await work(new Trial(subject));
        const precious = present(subject.around.see('outside/precious'), 'the file outside');
        assert.deepEqual(precious.bytes, text('precious'), 'nothing outside is touched');
        assert.deepEqual(subject.around.list('outside'), ['outside/precious']);
      } finally {
        await subject.target.close();
        await subject.close();
      }
    });
  };
  testWriting(trial);
  testKinds(trial);
  testReplacing(trial);
  testAttacks(trial);
  testStanding(trial);
}

type TrialTest = (what: string, work: (trial: Trial) => Promise<void>) => void;

function testWriting(trial: TrialTest): void {
  trial('files come out as they were, whatever their names', async (t) => {
    await t.folders('a', 'a/\u00ff\n');
    const contents = [
      { path: 'plain', bytes: text('some bytes') },
      { path: 'a/same', bytes: text('some bytes') },
      { path: 'a/\u00ff\n/\u00fe', bytes: noise(3 * mebi) },
      { path: 'n'.repeat(255), bytes: text('long') },
    ];
    await t.restore(...contents);
    for (const { path, bytes } of contents) assert.deepEqual(t.see(path).bytes, bytes);
    assert.equal(t.see('plain').mode, 0o640);
    assert.equal(t.see('plain').mtimeNs, modifiedNs);
  });

  trial('a file may come in many batches', async (t) => {
    const bytes = noise(6 * mebi);
    const { frames, chunks, files } = t.batch([{ path: 'file', bytes }]);
    for (const chunk of chunks.toReversed())
      assert.deepEqual(await t.target.write({ frames, chunks: [chunk], files }), []);
    const problems = await t.target.finish([t.entry('file', { sizeBytes: bytes.length })]);
    assert.deepEqual(withoutOwner(problems), []);
    assert.deepEqual(t.see('file').bytes, bytes);
  });

  trial('a file that is whole in a batch may be finished with it', async (t) => {
    t.subject.around.writeFile('target/replaced', text('old'));
    const contents = [
      { path: 'small', bytes: text('some bytes') },
      { path: 'large', bytes: noise(3 * mebi) },
      { path: 'hole', bytes: new Uint8Array(100_000), sparse: true },
      { path: 'replaced', bytes: text('new') },
    ];
    const later = { path: 'later', bytes: text('some bytes') };
    const batch = t.finishing([...contents, later]);
    const files = batch.files.map((file, index) => {
      const { path, size, sparse } = file;
      return index < contents.length ? file : { path, size, sparse };
    });
    const problems = await t.target.write({ ...batch, files, handedOver: true });
    assert.deepEqual(withoutOwner(problems), []);
    for (const { path, bytes } of contents) {
      const { mode, mtimeNs, ...seen } = t.see(path);
      assert.deepEqual(seen.bytes, bytes, path);
      assert.deepEqual([mode, mtimeNs], [0o640, modifiedNs], path);
    }
    assert.equal(t.subject.around.see('target/later'), undefined);
    const finished = await t.target.finish([t.entry('later', { sizeBytes: 10 })]);
    assert.deepEqual(withoutOwner(finished), []);
    const names = [...contents, later].map(({ path }) => `target/${path}`);
    assert.deepEqual(t.subject.around.list('target'), names.sort());
  });

  trial('a file that is not what its batch claims is not finished with it', async (t) => {
    t.subject.around.makeFolder('target/full');
    t.subject.around.writeFile('target/full/inside', text('kept'));
    t.subject.around.writeFile('target/file', text('old'));
    const contents = [
      { path: 'file', bytes: noise(3 * mebi) },
      { path: 'full', bytes: text('bytes') },
    ];
    const batch = t.finishing(contents);
    const chunks = batch.chunks.map((chunk, index) =>
      index === 1 ? { ...chunk, id: new Uint8Array(32) } : chunk,
    );
    const problems = await t.target.write({ ...batch, chunks });
    const told = kindsOf(withoutOwner(problems));
    assert.deepEqual(told, ['file: integrity', 'full: not-written']);
    await t.target.close();
    assert.deepEqual(t.see('file').bytes, text('old'));
    const left = ['target/file', 'target/full', 'target/full/inside'];
    assert.deepEqual(t.subject.around.list('target'), left);
  });

  trial('sparse files come out as they were', async (t) => {
    const bytes = new Uint8Array(3 * mebi + 5_000);
    bytes.set(text('here'), 10_000);
    bytes.set(text('and there'), 2 * mebi - 3);
    await t.restore({ path: 'sparse', bytes, sparse: true });
    await t.restore({ path: 'hole', bytes: new Uint8Array(100_000), sparse: true });
    assert.deepEqual(t.see('sparse').bytes, bytes);
    assert.deepEqual(t.see('hole').bytes, new Uint8Array(100_000));
  });

  trial('a file of which a part is missing does not come out', async (t) => {
    const { frames, chunks, files } = t.batch([{ path: 'file', bytes: noise(6 * mebi) }]);
    await t.target.write({ frames, chunks: chunks.slice(1), files });
    const problems = await t.target.finish([t.entry('file', { sizeBytes: 6 * mebi })]);
    assert.deepEqual(kindsOf(problems), ['file: not-written']);
    assert.deepEqual(t.subject.around.list('target'), []);
  });

  trial('a frame or chunk that is not what it claims is refused', async (t) => {
    const { frames, chunks, files } = t.batch([{ path: 'file', bytes: text('bytes') }]);
    const [frame] = frames;
    const [chunk] = chunks;
    assert.ok(frame && chunk);
    const wrongBytes = frame.bytes.slice();
    wrongBytes[5] = (wrongBytes[5] ?? 0) ^ 1;
    const forged = { ...frame, bytes: wrongBytes };
    const wrong: WriteBatch[] = [
      { frames: [forged], chunks, files },
      { frames: [{ ...frame, number: 1 }], chunks, files },
      { frames: [{ ...frame, suite: 99 }], chunks, files },
      { frames: [{ ...frame, rawBytes: 4 }], chunks, files },
      { frames, chunks: [{ ...chunk, id: new Uint8Array(32) }], files },
      { frames, chunks: [{ ...chunk, offset: 1 }], files },
      { frames, chunks: [{ ...chunk, places: [{ file: 0, position: 1 }] }], files },
    ];
    for (const batch of wrong)
      assert.deepEqual(kindsOf(await t.target.write(batch)), ['file: integrity']);
    await t.target.close();
    assert.deepEqual(t.subject.around.list('target'), []);
  });
}

function testKinds(trial: TrialTest): void {
  trial('empty files, empty folders and links come out with their metadata', async (t) => {
    await t.folders('empty');
    const problems = await t.target.finish([
      t.entry('nothing', { mode: 0o4755 }),
      t.entry('link', { kind: 'symlink', mode: 0o777, target: bytesOfText('\u00ff/nowhere') }),
      t.entry('empty', { kind: 'directory', mode: 0o1777 }),
    ]);
    assert.deepEqual(withoutOwner(problems), []);
    assert.deepEqual(t.see('nothing').bytes.length, 0);
    assert.deepEqual(t.see('link').bytes, bytesOfText('\u00ff/nowhere'));
    assert.equal(t.see('empty').mode, 0o1777);
    for (const path of ['nothing', 'link', 'empty'])
      assert.equal(t.see(path).mtimeNs, modifiedNs, path);
  });

  trial('times before 1970 come out', async (t) => {
    await t.target.finish([t.entry('old', { modifiedNs: -1_500_000_001n })]);
    assert.equal(t.see('old').mtimeNs, -1_500_000_001n);
  });

  trial('further names of a file are names of that file', async (t) => {
    await t.restore({ path: 'first', bytes: text('bytes') });
    const further = { ...t.entry('second', { sizeBytes: 5 }), linkTo: bytesOfText('first') };
    assert.deepEqual(await t.target.finish([further]), []);
    assert.deepEqual(await t.target.finish([further]), [], 'once more changes nothing');
    assert.equal(t.see('second').inode, t.see('first').inode);
    assert.deepEqual(t.subject.around.list('target'), ['target/first', 'target/second']);
    const lost = { ...t.entry('third', { sizeBytes: 5 }), linkTo: bytesOfText('gone') };
    assert.equal((await t.target.finish([lost]))[0]?.problem, 'not-written');
  });

  trial('special files are reported', async (t) => {
    for (const kind of ['fifo', 'socket', 'block-device', 'character-device'] as const) {
      const problems = await t.target.finish([t.entry('special', { kind })]);
      assert.deepEqual(kindsOf(problems), ['special: not-written']);
      assert.match(problems[0]?.detail ?? '', /special files/);
    }
  });

  trial('many files at once', async (t) => {
    const contents = Array.from({ length: 300 }, (_, number) => ({
      path: `file${number}`,
      bytes: text(`contents of ${number}`),
    }));
    await t.restore(...contents);
    for (const { path, bytes } of contents) assert.deepEqual(t.see(path).bytes, bytes);
    assert.equal(t.subject.around.list('target').length, 300);
  });
}

function testReplacing(trial: TrialTest): void {
  trial(
    'what stands in the place of a file is replaced, a folder with something in it is not',
    async (t) => {
      const { around } = t.subject;
      around.writeFile('target/file', text('old'));
      around.makeSymlink('target/link', text('../outside/precious'));
      around.makeFolder('target/folder');
      around.makeFolder('target/full');
      around.writeFile('target/full/inside', text('kept'));
      const names = ['file', 'link', 'folder', 'full'];
      const contents = names.map((path) => ({ path, bytes: text(`new ${path}`) }));
      await t.target.write(t.batch(contents));
      const problems = await t.target.finish(
        contents.map(({ path, bytes }) => t.entry(path, { sizeBytes: bytes.length })),
      );
      assert.deepEqual(kindsOf(withoutOwner(problems)), ['full: not-written']);
      for (const { path, bytes } of contents.slice(0, 3)) {
        assert.equal(t.see(path).kind, 'file');
        assert.deepEqual(t.see(path).bytes, bytes);
      }
      assert.deepEqual(t.see('full/inside').bytes, text('kept'));
      assert.equal(around.list('target').length, 5, 'no unfinished file is left');
    },
  );

  trial('a file in the place of a folder makes way', async (t) => {
    t.subject.around.writeFile('target/a', text('old'));
    assert.deepEqual(await t.folders('a', 'a/b'), []);
    assert.equal(t.see('a/b').kind, 'directory');
    assert.deepEqual(await t.folders('a', 'a/b'), [], 'folders that are there stay');
  });

  trial('what was not finished is gone after closing, what stood stays', async (t) => {
    t.subject.around.writeFile('target/file', text('old'));
    await t.target.write(t.batch([{ path: 'file', bytes: text('new') }]));
    assert.deepEqual(t.see('file').bytes, text('old'));
    await t.target.close();
    assert.deepEqual(t.subject.around.list('target'), ['target/file']);
  });
}

const hostilePaths = [
  '..',
  '../outside/precious',
  'a/../../outside/precious',
  '/etc/covault-must-not-appear',
  'a//b',
  'a/./b',
  './a',
  'a\0b',
  'a/',
  '',
];

function testAttacks(trial: TrialTest): void {
  trial('paths that lead out are refused by every call', async (t) => {
    await t.folders('a');
    for (const path of hostilePaths) {
      const said = JSON.stringify(path);
      assert.equal((await t.folders(path))[0]?.problem, 'not-written', said);
      const batch = t.batch([{ path, bytes: text('evil') }]);
      assert.equal((await t.target.write(batch))[0]?.problem, 'not-written', said);
      const finished = await t.target.finish([
        t.entry(path, { kind: 'symlink', target: text('x') }),
      ]);
      assert.equal(finished[0]?.problem, 'not-written', said);
      assert.equal((await t.target.remove(bytesOfText(path)))[0]?.problem, 'not-written', said);
      assert.deepEqual(await t.target.inspect([bytesOfText(path)]), [undefined], said);
    }
    assert.deepEqual(t.subject.around.list('target'), ['target/a']);
  });

  trial('no link in the target is followed', async (t) => {
    t.subject.around.makeSymlink('target/way', text('../outside'));
    const inside = bytesOfText('way/precious');
    assert.equal((await t.folders('way/new'))[0]?.problem, 'not-written');
    assert.equal((await t.folders('way'))[0]?.problem, 'not-written');
    const batch = t.batch([{ path: 'way/precious', bytes: text('evil') }]);
    assert.equal((await t.target.write(batch))[0]?.problem, 'not-written');
    const finished = await t.target.finish([t.entry('way/precious')]);
    assert.equal(finished[0]?.problem, 'not-written');
    assert.equal((await t.target.remove(inside))[0]?.problem, 'not-written');
    assert.deepEqual(await t.target.inspect([inside]), [undefined]);
    assert.deepEqual(await t.target.names(bytesOfText('way')), []);
    const further = { ...t.entry('second'), linkTo: inside };
    assert.equal((await t.target.finish([further]))[0]?.problem, 'not-written');
    const held = { path: inside, chunkIds: t.idsOf(text('precious')), size: 8 };
    assert.deepEqual(await t.target.holds([held]), [false]);
  });

  trial('a restored link is not followed either', async (t) => {
    const link = t.entry('way', { kind: 'symlink', target: text('../outside') });
    assert.deepEqual(withoutOwner(await t.target.finish([link])), []);
    const batch = t.batch([{ path: 'way/precious', bytes: text('evil') }]);
    assert.equal((await t.target.write(batch))[0]?.problem, 'not-written');
  });
}

function testStanding(trial: TrialTest): void {
  trial('inspecting tells what stands', async (t) => {
    t.subject.around.makeFolder('target/folder');
    t.subject.around.writeFile('target/file', text('twelve bytes'));
    t.subject.around.makeSymlink('target/link', text('file'));
    const paths = ['folder', 'file', 'link', 'nothing', 'nothing/below'].map(bytesOfText);
    const standing = await t.target.inspect(paths);
    const kinds = standing.map((stands) => stands?.kind);
    assert.deepEqual(kinds, ['directory', 'file', 'symlink', undefined, undefined]);
    assert.equal(standing[1]?.size, 12);
    assert.equal(standing[1]?.mtimeNs, t.see('file').mtimeNs);
  });

  trial('inspecting many paths tells what stands at each', async (t) => {
    const inside = ['a', 'b', 'c', 'd', 'e'];
    const folders = ['empty', 'some', 'gone', 'file'];
    await t.folders('empty', 'some');
    t.subject.around.writeFile('target/some/c', text('bytes'));
    t.subject.around.writeFile('target/file', text('bytes'));
    const paths = folders.flatMap((folder) => inside.map((name) => `${folder}/${name}`));
    const standing = await t.target.inspect(paths.map(bytesOfText));
    const found = paths.filter((_, index) => standing[index] !== undefined);
    assert.deepEqual(found, ['some/c']);
  });

  trial('a file is held when its chunks are those asked for, however large', async (t) => {
    const large = noise(20 * mebi);
    t.subject.around.writeFile('target/large', large);
    t.subject.around.writeFile('target/small', text('bytes'));
    t.subject.around.makeSymlink('target/link', text('small'));
    const cases: readonly [string, Bytes, boolean][] = [
      ['large', large, true],
      ['small', text('bytes'), true],
      ['small', text('other'), false],
      ['small', text('byte'), false],
      ['link', text('bytes'), false],
      ['gone', text('bytes'), false],
    ];
    const held = await t.target.holds(
      cases.map(([path, bytes]) => ({
        path: bytesOfText(path),
        chunkIds: t.idsOf(bytes),
        size: bytes.length,
      })),
    );
    assert.deepEqual(
      held,
      cases.map(([, , expected]) => expected),
    );
  });

  trial('a file that is held is finished where it stands', async (t) => {
    t.subject.around.writeFile('target/file', text('bytes'));
    const before = t.see('file').inode;
    const problems = await t.target.finish([t.entry('file', { sizeBytes: 5, mode: 0o600 })]);
    assert.deepEqual(withoutOwner(problems), []);
    assert.equal(t.see('file').inode, before);
    assert.deepEqual([t.see('file').mode, t.see('file').mtimeNs], [0o600, modifiedNs]);
  });

  trial(
    'names are listed, and files, links and folders removed with what is in them',
    async (t) => {
      await t.folders('a', 'a/b');
      await t.restore({ path: 'a/b/\u00ff', bytes: text('x') }, { path: 'file', bytes: text('y') });
      t.subject.around.makeSymlink('target/a/out', text('../../outside'));
      assert.deepEqual((await t.target.names(bytesOfText(''))).map(textOfBytes), ['a', 'file']);
      assert.deepEqual((await t.target.names(bytesOfText('a'))).map(textOfBytes), ['b', 'out']);
      assert.deepEqual(await t.target.remove(bytesOfText('a')), []);
      assert.deepEqual(await t.target.remove(bytesOfText('gone')), []);
      assert.deepEqual(t.subject.around.list('target'), ['target/file']);
      const batch = t.batch([{ path: 'a/b/new', bytes: text('x') }]);
      assert.equal((await t.target.write(batch))[0]?.problem, 'not-written');
    },
  );
}
