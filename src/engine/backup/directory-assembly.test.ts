import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8Bytes } from '../../base/bytes.ts';
import { instant } from '../../base/units.ts';
import { textOfBytes } from '../../core/scan/stat-columns.ts';
import { decodeTree } from '../../core/scan/tree-codec.ts';
import type { TreeEntry } from '../../core/scan/tree-entry.ts';
import { walkTree } from '../../core/scan/tree-walk.ts';
import { ChunkNamer } from '../../core/sealing/chunk-id.ts';
import type { PackId } from '../../core/vocabulary/ids.ts';
import { type ChunkId, idOf } from '../../core/vocabulary/ids.ts';
import { keysOf } from '../../sim/agreed-pair.ts';
import { SimTree } from '../../sim/sim-tree.ts';
import { type TwinStores, twinStores } from '../../sim/twin-stores.ts';
import { type AssemblyCounts, DirectoryAssembly, type FinishedTree } from './directory-assembly.ts';

const namer = new ChunkNamer(keysOf('owner').chunkIdKey);
const hourMs = 3_600_000;

interface Scanned {
  readonly read: readonly string[];
  readonly counts: AssemblyCounts;
  /** Every entry by its path. */
  readonly entries: ReadonlyMap<string, TreeEntry>;
}

/** A tree and what its scans leave behind. Time stands still unless it is moved. */
class Folder {
  nowMs = 1_700_000_000_000;
  readonly tree: SimTree = new SimTree(() => BigInt(this.nowMs) * 1_000_000n);
  readonly stores: TwinStores = twinStores();
  readonly #bodies = new Map<ChunkId, Uint8Array>();
  #packs = 0;

  constructor() {
    this.tree.makeFolder('/home');
  }

  /** Scans and settles the files, the last ones first; `unreadable` ones with null. */
  scan(unreadable: readonly string[] = []): Scanned {
    const finished: FinishedTree[] = [];
    const assembly = new DirectoryAssembly({
      stores: this.stores,
      namer,
      owners: { users: new Map([[1000, 'ann']]), groups: new Map() },
      startedAt: instant(this.nowMs),
      finished: (tree) => finished.push(tree),
    });
    const wanted = [];
    for (const batch of walkTree(this.tree.source, {
      roots: [utf8Bytes('/home')],
      excludePatterns: [],
      excludeFileNames: [],
      oneFileSystem: false,
      maximumFileBytes: undefined,
      skipCacheFolders: false,
    }))
      for (const directory of batch.directories) wanted.push(...assembly.add(directory));
    for (const file of wanted.toReversed()) {
      const path = textOfBytes(file.path);
      const bytes = this.tree.read(path);
      const lost = unreadable.includes(path) || !bytes.ok;
      assembly.settle(file, lost ? null : [namer.idOf(bytes.value)], lost ? 0 : bytes.value.length);
    }
    this.#keep(finished);
    const read = wanted.map(({ path }) => textOfBytes(path)).sort();
    return { read, counts: assembly.counts, entries: this.#entries(assembly.top(), '', new Map()) };
  }

  /** What a backup does with finished trees at its end. */
  #keep(finished: readonly FinishedTree[]): void {
    const chunks = finished.flatMap((tree) => tree.chunks);
    this.stores.transact(() => {
      this.stores.trees.putAll(finished.flatMap((tree) => tree.bodies));
      this.stores.scanMemory.putAll(finished.flatMap(({ memory }) => memory ?? []));
    });
    for (const { id, bytes } of chunks) {
      this.#bodies.set(idOf<ChunkId>(id), bytes);
      this.#packs += 1;
      const pack = this.#packs.toString(16).padStart(64, '0') as PackId;
      this.stores.packs.add(
        {
          pack,
          kind: 'tree',
          suite: 1,
          salt: new Uint8Array(32),
          lengthBytes: 1,
          storedAt: instant(0),
          code: undefined,
          stripe: undefined,
          indexed: false,
          spooled: true,
        },
        {
          frames: [{ offset: 0, storedBytes: 1, rawBytes: bytes.length }],
          chunkIds: id,
          chunkFrames: new Uint32Array(1),
          chunkOffsets: new Uint32Array(1),
          chunkLengths: new Uint32Array([bytes.length]),
        },
      );
    }
  }

  #entries(
    tree: readonly ChunkId[],
    path: string,
    into: Map<string, TreeEntry>,
  ): Map<string, TreeEntry> {
    const [chunk] = tree;
    const body = chunk && this.#bodies.get(chunk);
    assert.ok(body !== undefined, `the tree of ${path} was handed over to be packed`);
    const entries = decodeTree(body);
    assert.ok(entries.ok);
    for (const entry of entries.value) {
      const at = `${path}/${textOfBytes(entry.name)}`;
      into.set(at, entry);
      if (entry.kind === 'directory') this.#entries(entry.content, at, into);
    }
    return into;
  }
}

function contentOf(bytes: Uint8Array): readonly ChunkId[] {
  return [namer.idOf(bytes)];
}

test('every entry of a scanned tree is in the trees, with contents and owners', () => {
  const folder = new Folder();
  folder.tree.makeFolder('/home/a');
  folder.tree.writeFile('/home/a/one', utf8Bytes('one'));
  folder.tree.writeFile('/home/a/empty', new Uint8Array(0));
  folder.tree.makeSymlink('/home/link', utf8Bytes('a/one'));
  folder.tree.makeFolder('/home/b');
  const { entries, read, counts } = folder.scan();
  assert.deepEqual([...entries.keys()].sort(), [
    '/home',
    '/home/a',
    '/home/a/empty',
    '/home/a/one',
    '/home/b',
    '/home/link',
  ]);
  assert.deepEqual(read, ['/home/a/one']);
  assert.deepEqual(entries.get('/home/a/one')?.content, contentOf(utf8Bytes('one')));
  assert.equal(entries.get('/home/a/one')?.userName, 'ann');
  assert.deepEqual(entries.get('/home/a/empty')?.content, []);
  assert.deepEqual(entries.get('/home/link')?.target, utf8Bytes('a/one'));
  assert.deepEqual([counts.files, counts.symlinks, counts.bytes], [2, 1, 3]);
});

test('C15: what did not change is not read again, and its trees stay the same', () => {
  const folder = new Folder();
  folder.tree.makeFolder('/home/a');
  folder.tree.writeFile('/home/a/one', utf8Bytes('one'));
  folder.tree.writeFile('/home/two', utf8Bytes('two'));
  folder.nowMs += hourMs;
  const first = folder.scan();
  folder.nowMs += hourMs;
  folder.tree.writeFile('/home/two', utf8Bytes('new'));
  folder.nowMs += hourMs;
  const second = folder.scan();
  assert.deepEqual(second.read, ['/home/two']);
  assert.equal(second.counts.filesUnchanged, 1);
  assert.deepEqual(second.entries.get('/home/a'), first.entries.get('/home/a'));
  assert.deepEqual(second.entries.get('/home/two')?.content, contentOf(utf8Bytes('new')));
  folder.nowMs += hourMs;
  const third = folder.scan();
  assert.deepEqual(third.read, []);
  assert.deepEqual(third.entries, second.entries);
});

test('a new mode, a renamed file and a removed one are seen, and only what must be is read', () => {
  const folder = new Folder();
  for (const name of ['a', 'b', 'c']) folder.tree.writeFile(`/home/${name}`, utf8Bytes(name));
  folder.nowMs += hourMs;
  folder.scan();
  folder.nowMs += hourMs;
  folder.tree.change('/home/a', { mode: 0o600 });
  folder.tree.rename('/home/b', '/home/d');
  folder.tree.remove('/home/c');
  folder.nowMs += hourMs;
  const { entries } = folder.scan();
  assert.deepEqual([...entries.keys()].sort(), ['/home', '/home/a', '/home/d']);
  assert.equal(entries.get('/home/a')?.mode, 0o600);
  assert.deepEqual(entries.get('/home/d')?.content, contentOf(utf8Bytes('b')));
});

test('a file that changed just before the scan is read again by the next one', () => {
  const folder = new Folder();
  const node = folder.tree.writeFile('/home/racy', utf8Bytes('one'));
  folder.tree.writeFile('/home/other', utf8Bytes('other'));
  assert.equal(folder.scan().read.length, 2);
  node.bytes = utf8Bytes('two');
  folder.nowMs += hourMs;
  const { read, entries } = folder.scan();
  assert.deepEqual(read, ['/home/other', '/home/racy']);
  assert.deepEqual(entries.get('/home/racy')?.content, contentOf(utf8Bytes('two')));
  folder.nowMs += hourMs;
  assert.deepEqual(folder.scan().read, []);
});

test('of a file with several names one is read, and all have its contents', () => {
  const folder = new Folder();
  folder.tree.makeFolder('/home/a');
  folder.tree.makeFolder('/home/b');
  folder.tree.writeFile('/home/a/first', utf8Bytes('shared'));
  folder.tree.link('/home/a/first', '/home/a/second');
  folder.tree.link('/home/a/first', '/home/b/third');
  const { read, entries } = folder.scan();
  assert.equal(read.length, 1);
  const names = ['/home/a/first', '/home/a/second', '/home/b/third'].map((path) =>
    entries.get(path),
  );
  for (const entry of names) {
    assert.deepEqual(entry?.content, contentOf(utf8Bytes('shared')));
    assert.deepEqual(entry?.hardLink, names[0]?.hardLink);
  }
});

test('a file that cannot be read is left out with all its names, and tried again next time', () => {
  const folder = new Folder();
  folder.tree.writeFile('/home/good', utf8Bytes('good'));
  folder.tree.writeFile('/home/bad', utf8Bytes('bad'));
  folder.tree.link('/home/bad', '/home/worse');
  folder.nowMs += hourMs;
  const { read } = folder.scan();
  const [first = ''] = read.filter((path) => path !== '/home/good');
  folder.nowMs += hourMs;
  folder.tree.writeFile('/home/bad', utf8Bytes('changed'));
  folder.nowMs += hourMs;
  const second = folder.scan([first, '/home/bad', '/home/worse']);
  assert.deepEqual([...second.entries.keys()].sort(), ['/home', '/home/good']);
  folder.nowMs += hourMs;
  const third = folder.scan();
  assert.equal(third.read.length, 1, 'one of its names');
  assert.deepEqual(third.entries.get('/home/worse')?.content, contentOf(utf8Bytes('changed')));
});

test('a directory that cannot be listed is there, empty, and its tree is packed', () => {
  const folder = new Folder();
  folder.tree.makeFolder('/home/closed');
  folder.tree.writeFile('/home/closed/inside', utf8Bytes('inside'));
  folder.tree.change('/home/closed', { isDenied: true });
  const { entries } = folder.scan();
  assert.deepEqual([...entries.keys()].sort(), ['/home', '/home/closed']);
});
