/** What every pipeline does, whatever its file system and however many threads it has. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../base/assert.ts';
import { type Bytes, concatBytes, equalBytes, hexText, utf8Bytes } from '../base/bytes.ts';
import { Prng } from '../base/prng.ts';
import { kibi, mebi } from '../base/units.ts';
import type { CutFile, FileToCut } from '../core/chunking/file-cutter.ts';
import { frameKeyOf } from '../core/packing/frame.ts';
import { chunkOf, openFrameIn, openPack, verifyPack } from '../core/packing/pack-reader.ts';
import { bytesOfText, kindAt, nameAt, statAt, textOfBytes } from '../core/scan/stat-columns.ts';
import type { ReadProblem, ScannedDirectory, ScanRequest } from '../core/scan/tree-walk.ts';
import { ChunkNamer } from '../core/sealing/chunk-id.ts';
import { type ChunkId, idBytes, idOf } from '../core/vocabulary/ids.ts';
import {
  chunkMaximumBytes,
  chunkMinimumBytes,
  packTargetBytes,
} from '../core/vocabulary/limits.ts';
import type { ChunkPipeline, SealedPack } from './chunk-pipeline.ts';

/** Changes the file system that a pipeline reads. Paths are absolute, one character for every byte. */
export interface GrowingTree {
  makeFolder(path: string): void;
  /** Makes the file, or replaces what is in it. */
  writeFile(path: string, bytes: Bytes): void;
  makeSymlink(path: string, target: Bytes): void;
  /** A further name for a file. */
  link(existing: string, path: string): void;
  remove(path: string): void;
}

export interface PipelineSubject {
  readonly pipeline: ChunkPipeline;
  readonly tree: GrowingTree;
  /** An empty folder, without a slash at its end, that no link leads to. */
  readonly folder: string;
  readonly keys: { readonly chunkIdKey: Bytes; readonly packKey: Bytes };
  readonly close: () => Promise<void>;
}

interface Scan {
  readonly paths: string[];
  readonly directories: Map<string, ScannedDirectory>;
  readonly problems: ReadProblem[];
}

const text = utf8Bytes;

/** Bytes that do not compress, the same for one seed. */
function noise(length: number, seed: number): Bytes {
  const prng = new Prng(seed);
  const bytes = new Uint8Array(Math.ceil(length / 4) * 4);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; at += 4) view.setUint32(at, prng.uint32());
  return bytes.slice(0, length);
}

/** One test's pipeline and tree, with what tests do to them. */
class Trial {
  readonly subject: PipelineSubject;
  readonly packs: SealedPack[] = [];

  constructor(subject: PipelineSubject) {
    this.subject = subject;
  }

  path(name: string): string {
    return `${this.subject.folder}/${name}`;
  }

  folder(name: string): void {
    this.subject.tree.makeFolder(this.path(name));
  }

  file(name: string, bytes: Bytes = text(name)): void {
    this.subject.tree.writeFile(this.path(name), bytes);
  }

  async scan(request: Partial<ScanRequest> = {}): Promise<Scan> {
    const scan: Scan = { paths: [], directories: new Map(), problems: [] };
    const whole = {
      roots: [bytesOfText(this.subject.folder)],
      excludePatterns: [],
      excludeFileNames: [],
      oneFileSystem: false,
      maximumFileBytes: undefined,
      skipCacheFolders: false,
      ...request,
    };
    const batches = this.subject.pipeline.scan(whole, new AbortController().signal);
    for await (const { directories, problems } of batches) {
      scan.problems.push(...problems);
      for (const directory of directories) {
        const path = textOfBytes(directory.path);
        assert.ok(!scan.directories.has(path), 'a directory comes once');
        scan.directories.set(path, directory);
        scan.paths.push(path);
      }
    }
    return scan;
  }

  names(scan: Scan, name = ''): string[] {
    const path = name === '' ? this.subject.folder : this.path(name);
    const { entries } = present(scan.directories.get(path), `a scanned ${path}`);
    return Array.from({ length: entries.count }, (_, row) => textOfBytes(nameAt(entries, row)));
  }

  /** Files of the test's folder as the scan sees them now. */
  async files(names: readonly string[]): Promise<FileToCut[]> {
    const scan = await this.scan();
    const { entries } = present(scan.directories.get(this.subject.folder), 'the folder');
    const listed = this.names(scan);
    return names.map((name) => {
      const row = listed.indexOf(name);
      return {
        path: bytesOfText(this.path(name)),
        offset: 0,
        size: Number(statAt(entries, row, 'size')),
        mtimeNs: statAt(entries, row, 'mtimeNs'),
        ctimeNs: statAt(entries, row, 'ctimeNs'),
        inode: statAt(entries, row, 'inode'),
      };
    });
  }

  /** Cuts a file to its end and packs all its chunks. */
  async capture(file: FileToCut): Promise<{ readonly ids: ChunkId[]; readonly last: CutFile }> {
    const ids: ChunkId[] = [];
    let offset = 0;
    for (;;) {
      const cut = await this.subject.pipeline.cut([{ ...file, offset }]);
      ids.push(...idsOf(cut.chunkIds));
      const wanted = new Uint8Array(cut.chunkLengths.length).fill(1);
      this.packs.push(...(await this.subject.pipeline.seal(cut.ticket, wanted)));
      const last = present(cut.files[0], 'the only file');
      if (last.outcome !== 'partial') return { ids, last };
      assert.ok(last.nextOffset > offset, 'every call gets on');
      offset = last.nextOffset;
    }
  }

  async flush(): Promise<readonly SealedPack[]> {
    this.packs.push(...(await this.subject.pipeline.flush()));
    return this.packs;
  }

  /** The bytes of chunks, in order, out of the packs so far. */
  read(ids: readonly ChunkId[]): Bytes {
    const chunks = new Map<ChunkId, Bytes>();
    for (const pack of this.packs)
      for (const [id, bytes] of chunksOf(pack, this.subject.keys.packKey)) chunks.set(id, bytes);
    return concatBytes(ids.map((id) => present(chunks.get(id), 'a packed chunk')));
  }
}

function idsOf(column: Bytes): ChunkId[] {
  return Array.from({ length: column.length / idBytes }, (_, index) =>
    idOf<ChunkId>(column.subarray(index * idBytes, (index + 1) * idBytes)),
  );
}

function chunksOf(pack: SealedPack, packKey: Bytes): Map<ChunkId, Bytes> {
  const opened = openPack(packKey, pack.bytes);
  assert.ok(opened.ok);
  const { contents, header } = opened.value;
  const key = frameKeyOf(packKey, header);
  const chunks = new Map<ChunkId, Bytes>();
  idsOf(contents.chunkIds).forEach((id, chunk) => {
    const number = contents.chunkFrames[chunk] ?? 0;
    const frame = openFrameIn(key, pack.bytes, { contents, number });
    assert.ok(frame.ok);
    const place = {
      offset: contents.chunkOffsets[chunk] ?? 0,
      length: contents.chunkLengths[chunk] ?? 0,
    };
    chunks.set(id, present(chunkOf(frame.value, place), 'a chunk inside its frame').slice());
  });
  return chunks;
}

export function testPipeline(name: string, open: () => Promise<PipelineSubject>): void {
  const trial = (what: string, work: (trial: Trial) => Promise<void>): void => {
    test(`${name}: ${what}`, async () => {
      const subject = await open();
      try {
        await work(new Trial(subject));
      } finally {
        await subject.pipeline.close();
        await subject.close();
      }
    });
  };
  testScans(trial);
  testExclusion(trial);
  testCuts(trial);
  testChanges(trial);
  testPacks(trial);
}

type TrialTest = (what: string, work: (trial: Trial) => Promise<void>) => void;

function testScans(trial: TrialTest): void {
  trial('directories come after those inside them, the top last', async (t) => {
    for (const name of ['b', 'b/c', 'b/c/d', 'a']) t.folder(name);
    t.file('b/c/file');
    const scan = await t.scan();
    const order = [...scan.paths];
    for (const path of order) {
      const parent = path === '/' ? undefined : path.slice(0, path.lastIndexOf('/')) || '/';
      if (parent !== undefined) assert.ok(order.indexOf(parent) > order.indexOf(path), path);
    }
    assert.equal(order.at(-1), '/');
    assert.deepEqual(t.names(scan), ['a', 'b']);
    assert.deepEqual(t.names(scan, 'b/c'), ['d', 'file']);
    assert.deepEqual(scan.problems, []);
  });

  trial('names are bytes and sorted as bytes', async (t) => {
    const names = ['Z', 'a\n', 'b\u00ff\u00fe', '\u00c3\u00bc', 'n'.repeat(255)];
    for (const name of names) t.file(name);
    assert.deepEqual(t.names(await t.scan()), [...names].sort());
  });

  trial('the ways from / to the roots hold nothing else', async (t) => {
    for (const name of ['a', 'a/x', 'b']) t.folder(name);
    t.file('a/x/file');
    t.file('a/other');
    t.file('single');
    const roots = [t.path('a/x'), t.path('single')].map(bytesOfText);
    const scan = await t.scan({ roots });
    assert.deepEqual(t.names(scan), ['a', 'single']);
    assert.deepEqual(t.names(scan, 'a'), ['x']);
    assert.deepEqual(t.names(scan, 'a/x'), ['file']);
    assert.equal(scan.directories.has(t.path('b')), false);
  });

  trial('roots named twice, one in the other or with a slash at the end count once', async (t) => {
    t.folder('a');
    t.folder('a/b');
    t.file('a/b/file');
    const paths = [t.path('a'), t.path('a/b'), t.path('a/'), t.path('a/b/../b'), t.path('a/.')];
    const scan = await t.scan({ roots: paths.map(bytesOfText) });
    assert.deepEqual(t.names(scan, 'a/b'), ['file']);
    assert.deepEqual(scan.problems, []);
  });

  trial('a root is looked for behind links on its way', async (t) => {
    t.folder('real');
    t.file('real/file');
    t.subject.tree.makeSymlink(t.path('link'), text('real'));
    const scan = await t.scan({ roots: [bytesOfText(t.path('link/file'))] });
    assert.deepEqual(t.names(scan, 'real'), ['file']);
    const itself = await t.scan({ roots: [bytesOfText(t.path('link'))] });
    const { entries } = present(itself.directories.get(t.subject.folder), 'the folder');
    assert.equal(kindAt(entries, 0), 'symlink');
    assert.deepEqual(entries.targets.get(0), text('real'));
  });

  trial('a root that is not there is reported', async (t) => {
    const roots = [t.path('gone'), t.path('gone/deeper'), 'relative'].map(bytesOfText);
    const { problems } = await t.scan({ roots });
    const found = problems.map(({ path, problem }) => [textOfBytes(path), problem]);
    assert.deepEqual(found.sort(), [
      [t.path('gone'), 'vanished'],
      [t.path('gone/deeper'), 'vanished'],
      ['relative', 'unreadable'],
    ]);
  });

  trial('a signature changes with the directory itself and with nothing else', async (t) => {
    t.folder('a');
    t.folder('a/b');
    t.file('a/b/file');
    const signature = async (name: string): Promise<string> => {
      const scan = await t.scan();
      return hexText(present(scan.directories.get(t.path(name)), 'the directory').signature);
    };
    const before = [await signature('a'), await signature('a/b')];
    assert.deepEqual([await signature('a'), await signature('a/b')], before);
    t.file('a/b/file', text('other bytes'));
    assert.equal(await signature('a'), before[0]);
    assert.notEqual(await signature('a/b'), before[1]);
  });

  trial('names of one file share its number', async (t) => {
    t.file('one');
    t.subject.tree.link(t.path('one'), t.path('two'));
    const { directories } = await t.scan();
    const { entries } = present(directories.get(t.subject.folder), 'the folder');
    assert.equal(statAt(entries, 0, 'inode'), statAt(entries, 1, 'inode'));
    assert.equal(statAt(entries, 0, 'linkCount'), 2n);
  });

  trial('a scan that is aborted ends with the reason', async (t) => {
    t.file('file');
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    const request = { ...emptyRequest, roots: [bytesOfText(t.subject.folder)] };
    const batches = t.subject.pipeline.scan(request, controller.signal);
    await assert.rejects(async () => {
      for await (const batch of batches) assert.ok(batch);
    }, /enough/);
  });
}

const emptyRequest: ScanRequest = {
  roots: [],
  excludePatterns: [],
  excludeFileNames: [],
  oneFileSystem: false,
  maximumFileBytes: undefined,
  skipCacheFolders: false,
};

function testExclusion(trial: TrialTest): void {
  trial('patterns leave out files and whole folders', async (t) => {
    for (const name of ['build', 'src', 'src/build']) t.folder(name);
    for (const name of ['build/x', 'src/a.o', 'src/a.c', 'src/build/y']) t.file(name);
    const scan = await t.scan({ excludePatterns: ['/build', '*.o'] });
    assert.deepEqual(t.names(scan), ['src']);
    assert.deepEqual(t.names(scan, 'src'), ['a.c', 'build']);
    assert.equal(scan.directories.has(t.path('build')), false);
  });

  trial('pattern files count where they stand and below', async (t) => {
    for (const name of ['a', 'a/b', 'c']) t.folder(name);
    for (const name of ['a/x.log', 'a/b/x.log', 'a/b/keep.log', 'c/x.log']) t.file(name);
    t.file('a/.gitignore', text('*.log\n# a comment\n'));
    t.file('a/b/.gitignore', text('!keep.log\n'));
    const scan = await t.scan({ excludeFileNames: ['.gitignore'] });
    assert.deepEqual(t.names(scan, 'a'), ['.gitignore', 'b']);
    assert.deepEqual(t.names(scan, 'a/b'), ['.gitignore', 'keep.log']);
    assert.deepEqual(t.names(scan, 'c'), ['x.log']);
    const without = await t.scan();
    assert.deepEqual(t.names(without, 'a'), ['.gitignore', 'b', 'x.log']);
  });

  trial('a root inside a folder that is left out is scanned all the same', async (t) => {
    for (const name of ['out', 'out/in']) t.folder(name);
    for (const name of ['out/file', 'out/in/file']) t.file(name);
    const roots = [t.subject.folder, t.path('out/in')].map(bytesOfText);
    const scan = await t.scan({ roots, excludePatterns: ['/out'] });
    assert.deepEqual(t.names(scan, 'out'), ['in']);
    assert.deepEqual(t.names(scan, 'out/in'), ['file']);
  });

  trial('homes of covault are left out; one that was asked for is reported', async (t) => {
    for (const name of ['home', 'home/spool', 'near']) t.folder(name);
    for (const name of ['home/covault-home', 'home/spool/pack', 'near/file']) t.file(name);
    const scan = await t.scan();
    assert.deepEqual(t.names(scan), ['near']);
    assert.deepEqual(scan.problems, []);
    const asked = await t.scan({ roots: [bytesOfText(t.path('home'))] });
    assert.deepEqual(t.names(asked), []);
    assert.equal(asked.problems.length, 1);
  });

  trial('a folder with a true cache tag keeps the tag only', async (t) => {
    for (const name of ['cache', 'cache/deep', 'false']) t.folder(name);
    t.file('cache/CACHEDIR.TAG', text('Signature: 8a477f597d28d172789f06886806bc55\n'));
    t.file('cache/big');
    t.file('false/CACHEDIR.TAG', text('Signature: something else'));
    t.file('false/file');
    const scan = await t.scan({ skipCacheFolders: true });
    assert.deepEqual(t.names(scan, 'cache'), ['CACHEDIR.TAG']);
    assert.deepEqual(t.names(scan, 'false'), ['CACHEDIR.TAG', 'file']);
    assert.deepEqual(t.names(await t.scan(), 'cache'), ['CACHEDIR.TAG', 'big', 'deep']);
  });

  trial('files above the maximum are left out', async (t) => {
    t.file('small', new Uint8Array(100));
    t.file('large', new Uint8Array(101));
    assert.deepEqual(t.names(await t.scan({ maximumFileBytes: 100 })), ['small']);
  });
}

function testCuts(trial: TrialTest): void {
  trial('small files are one chunk each, equal ones under one id, empty ones none', async (t) => {
    t.file('a', text('the same'));
    t.file('b', text('the same'));
    t.file('c', text('another'));
    t.file('d', new Uint8Array(0));
    const files = await t.files(['a', 'b', 'c', 'd']);
    const cut = await t.subject.pipeline.cut(files);
    assert.deepEqual(
      cut.files.map(({ outcome, chunkCount, nextOffset }) => [outcome, chunkCount, nextOffset]),
      [
        ['whole', 1, 8],
        ['whole', 1, 8],
        ['whole', 1, 7],
        ['whole', 0, 0],
      ],
    );
    const [a, b, c] = idsOf(cut.chunkIds);
    assert.equal(a, b);
    assert.notEqual(a, c);
    assert.equal(a, new ChunkNamer(t.subject.keys.chunkIdKey).idOf(text('the same')));
    assert.deepEqual([...cut.chunkLengths], [8, 8, 7]);
    await t.subject.pipeline.seal(cut.ticket, new Uint8Array(3));
  });

  trial('a large file comes in parts, whose chunks are the file', async (t) => {
    const bytes = noise(40 * mebi + 12_345, 1);
    t.file('large', bytes);
    t.file('shifted', concatBytes([noise(1_000, 2), bytes]));
    const [large, shifted] = await t.files(['large', 'shifted']);
    const captured = await t.capture(present(large, 'the file'));
    assert.deepEqual([captured.last.outcome, captured.last.nextOffset], ['whole', bytes.length]);
    const again = await t.capture(present(shifted, 'the file'));
    const fresh = again.ids.filter((id) => !captured.ids.includes(id));
    assert.ok(fresh.length <= 3, 'bytes before a file change the chunks near them only');
    await t.flush();
    assert.ok(equalBytes(t.read(captured.ids), bytes));
  });

  trial('chunks keep to their sizes', async (t) => {
    t.file('noise', noise(9 * mebi, 3));
    t.file('zeros', new Uint8Array(9 * mebi));
    for (const file of await t.files(['noise', 'zeros'])) {
      const cut = await t.subject.pipeline.cut([file]);
      const lengths = [...cut.chunkLengths];
      for (const length of lengths.slice(0, -1)) assert.ok(length >= chunkMinimumBytes);
      for (const length of lengths) assert.ok(length <= chunkMaximumBytes);
      await t.subject.pipeline.seal(cut.ticket, new Uint8Array(lengths.length));
    }
  });

  trial('many batches at once do not get into each other', async (t) => {
    const names = Array.from({ length: 40 }, (_, number) => `file${number}`);
    names.forEach((name, number) => {
      t.file(name, noise(300 * kibi * (number % 3) + number, number));
    });
    const files = await t.files(names);
    const captured = await Promise.all(files.map((file) => t.capture(file)));
    await t.flush();
    captured.forEach(({ ids }, number) => {
      const expected = noise(300 * kibi * (number % 3) + number, number);
      assert.ok(equalBytes(t.read(ids), expected), `file ${number}`);
    });
  });
}

function testChanges(trial: TrialTest): void {
  trial(
    'a file that grew, shrank or was written again is read as it is, and reported',
    async (t) => {
      const cases: readonly [string, Bytes, Bytes][] = [
        ['grown', text('short'), noise(100_000, 4)],
        ['shrunk', noise(100_000, 5), text('short')],
        ['emptied', text('something'), new Uint8Array(0)],
        ['filled', new Uint8Array(0), text('something')],
        ['much', text('short'), noise(20 * mebi, 6)],
        ['little', noise(20 * mebi, 7), noise(17 * mebi, 8)],
      ];
      for (const [name, before] of cases) t.file(name, before);
      const files = await t.files(cases.map(([name]) => name));
      for (const [name, , after] of cases) t.file(name, after);
      for (const [index, [name, , after]] of cases.entries()) {
        const { ids, last } = await t.capture(present(files[index], 'the file'));
        assert.equal(last.outcome, 'changed-while-read', name);
        assert.match(last.detail, /size/);
        assert.equal(last.nextOffset, after.length, name);
        await t.flush();
        assert.ok(equalBytes(t.read(ids), after), name);
      }
    },
  );

  trial('a file that another took the place of is reported, though it has the size', async (t) => {
    t.file('file', text('before'));
    const files = await t.files(['file']);
    t.subject.tree.remove(t.path('file'));
    t.file('file', text('after!'));
    const { last } = await t.capture(present(files[0], 'the file'));
    assert.equal(last.outcome, 'changed-while-read');
  });

  trial('what vanished or is no file any more has no chunks', async (t) => {
    for (const name of ['gone', 'folder', 'link', 'stays']) t.file(name);
    const files = await t.files(['gone', 'folder', 'link', 'stays']);
    for (const name of ['gone', 'folder', 'link']) t.subject.tree.remove(t.path(name));
    t.folder('folder');
    t.subject.tree.makeSymlink(t.path('link'), text('stays'));
    const cut = await t.subject.pipeline.cut(files);
    assert.deepEqual(
      cut.files.map(({ outcome, chunkCount }) => [outcome, chunkCount]),
      [
        ['vanished', 0],
        ['vanished', 0],
        ['vanished', 0],
        ['whole', 1],
      ],
    );
    await t.subject.pipeline.seal(cut.ticket, new Uint8Array(1));
  });
}

function testPacks(trial: TrialTest): void {
  trial('only wanted chunks are packed', async (t) => {
    for (const name of ['a', 'b', 'c']) t.file(name);
    const { pipeline, keys } = t.subject;
    const none = await pipeline.cut(await t.files(['a', 'b']));
    assert.deepEqual(await pipeline.seal(none.ticket, new Uint8Array(2)), []);
    assert.deepEqual(await pipeline.flush(), []);
    const some = await pipeline.cut(await t.files(['a', 'b', 'c']));
    assert.deepEqual(await pipeline.seal(some.ticket, Uint8Array.of(0, 1, 0)), []);
    const packs = await pipeline.flush();
    assert.equal(packs.length, 1);
    const chunks = chunksOf(present(packs[0], 'the pack'), keys.packKey);
    assert.deepEqual([...chunks.values()], [text('b')]);
  });

  trial('full packs are given at once, verify, and say what is in them', async (t) => {
    t.file('large', noise(40 * mebi, 9));
    const [file] = await t.files(['large']);
    const { ids } = await t.capture(present(file, 'the file'));
    assert.ok(t.packs.length >= 1, 'a full pack does not wait for the flush');
    for (const pack of t.packs) assert.ok(pack.bytes.length >= packTargetBytes);
    const packs = await t.flush();
    const { chunkIdKey, packKey } = t.subject.keys;
    const namer = new ChunkNamer(chunkIdKey);
    const packed = new Set<ChunkId>();
    for (const pack of packs) {
      const verified = verifyPack(packKey, namer, pack.bytes);
      assert.ok(verified.ok);
      assert.deepEqual(pack.contents, verified.value.contents);
      assert.deepEqual([pack.kind, pack.salt.length], ['data', 32]);
      for (const id of idsOf(pack.contents.chunkIds)) packed.add(id);
    }
    assert.deepEqual(packed, new Set(ids));
    assert.equal(new Set(packs.map(({ salt }) => hexText(salt))).size, packs.length);
    assert.equal(new Set(packs.map(({ pack }) => pack)).size, packs.length);
  });

  trial('chunks of the engine go into packs of their kind', async (t) => {
    const { pipeline, keys } = t.subject;
    const namer = new ChunkNamer(keys.chunkIdKey);
    const chunk = (what: string) => ({ id: namer.idBytesOf(text(what)), bytes: text(what) });
    await pipeline.sealChunks('tree', [chunk('one tree'), chunk('another tree')]);
    await pipeline.sealChunks('index', [chunk('an index')]);
    const packs = await pipeline.flush();
    const kinds = packs.map(({ kind, contents }) => [kind, contents.chunkLengths.length]);
    assert.deepEqual(kinds.sort(), [
      ['index', 1],
      ['tree', 2],
    ]);
    assert.deepEqual(await pipeline.flush(), []);
  });
}
