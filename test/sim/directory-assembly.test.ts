import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import type { Bytes } from '../../src/base/bytes.ts';
import type { Instant } from '../../src/base/units.ts';
import {
  bytesOfText,
  ColumnsBuilder,
  signatureOf,
  statAt,
  statOffset,
} from '../../src/core/scan/stat-columns.ts';
import type { ScannedDirectory } from '../../src/core/scan/tree-walk.ts';
import { ChunkNamer } from '../../src/core/sealing/chunk-id.ts';
import { bytesOf, type ChunkId, idOf, type PackId } from '../../src/core/vocabulary/ids.ts';
import { suiteAesGcm } from '../../src/core/vocabulary/suite.ts';
import {
  DirectoryAssembly,
  type FinishedTree,
} from '../../src/engine/backup/directory-assembly.ts';
import { type TwinStores, twinStores } from '../../src/sim/twin-stores.ts';

const namer = new ChunkNamer(new Uint8Array(32).fill(3));
const startedAt = 1_000_000_000 as Instant;
const folder = 0o040755n;
const file = 0o100644n;

interface Seen {
  readonly size?: bigint;
  readonly mode?: bigint;
  readonly links?: bigint;
  readonly changed?: bigint;
}

/** A scanned directory whose entries changed long ago. */
function directory(path: string, entries: Readonly<Record<string, Seen>>): ScannedDirectory {
  const rows = new ColumnsBuilder(4);
  for (const [name, seen] of Object.entries(entries)) {
    const { size = 5n, mode = file, links = 1n, changed = 0n } = seen;
    const at = rows.nextOffset;
    rows.numbers[at + statOffset.mode] = mode;
    rows.numbers[at + statOffset.size] = size;
    rows.numbers[at + statOffset.linkCount] = links;
    rows.numbers[at + statOffset.ctimeNs] = changed;
    rows.add(name);
  }
  const columns = rows.finish();
  return { path: bytesOfText(path), entries: columns, signature: signatureOf(columns) };
}

function contentOf(text: string): ChunkId {
  return namer.idOf(bytesOfText(text));
}

interface Scanned {
  readonly read: readonly string[];
  readonly built: number;
  readonly top: readonly ChunkId[];
  readonly filesUnchanged: number;
}

/** One scan; files whose names stand in `lost` cannot be read. What it leaves is kept in the stores. */
function scan(stores: TwinStores, seen: readonly ScannedDirectory[], lost: string[] = []): Scanned {
  const finished: FinishedTree[] = [];
  const assembly = new DirectoryAssembly({
    stores,
    namer,
    owners: { users: new Map(), groups: new Map() },
    startedAt,
    finished: (tree) => finished.push(tree),
  });
  const read: string[] = [];
  for (const each of seen)
    for (const wanted of assembly.add(each)) {
      const path = Buffer.from(wanted.path).toString('latin1');
      read.push(path);
      const size = statAt(wanted.directory.columns, wanted.row, 'size');
      const content = lost.includes(path) ? null : [contentOf(`${path} of ${size}`)];
      assembly.settle(wanted, content, Number(size));
    }
  for (const { chunks, memory, bodies } of finished) {
    if (memory !== undefined) stores.scanMemory.putAll([memory]);
    stores.trees.putAll(bodies);
    chunks.forEach(({ id }) => {
      hold(stores, id);
    });
  }
  const { filesUnchanged } = assembly.counts;
  return { read, built: finished.length, top: assembly.top(), filesUnchanged };
}

/** A pack of one chunk. */
function hold(stores: TwinStores, chunk: Bytes): void {
  const pack = idOf<PackId>(chunk);
  if (stores.packs.get(pack) !== undefined) return;
  stores.packs.add(
    {
      ...{ pack, kind: 'tree', suite: suiteAesGcm, salt: new Uint8Array(32), lengthBytes: 1 },
      ...{ storedAt: startedAt, code: undefined, stripe: undefined, indexed: false, spooled: true },
    },
    {
      frames: [{ offset: 0, storedBytes: 1, rawBytes: 1 }],
      chunkIds: chunk,
      chunkFrames: Uint32Array.of(0),
      chunkOffsets: Uint32Array.of(0),
      chunkLengths: Uint32Array.of(1),
    },
  );
}

function tree(inner: Readonly<Record<string, Seen>>): readonly ScannedDirectory[] {
  return [directory('/a', inner), directory('/', { a: { mode: folder, size: 0n }, b: {} })];
}

test('what did not change is neither read nor built again', () => {
  const stores = twinStores();
  const first = scan(stores, tree({ x: {}, y: {} }));
  assert.deepEqual(first.read, ['/a/x', '/a/y', '/b']);
  const second = scan(stores, tree({ x: {}, y: {} }));
  assert.deepEqual(second, { read: [], built: 0, top: first.top, filesUnchanged: 3 });
});

test('a change below reads what changed and builds the way up to the top', () => {
  const stores = twinStores();
  const first = scan(stores, tree({ x: {}, y: {} }));
  const second = scan(stores, tree({ x: {}, y: { size: 6n } }));
  assert.deepEqual(second.read, ['/a/y']);
  assert.equal(second.built, 2);
  assert.notDeepEqual(second.top, first.top);
});

test('a file that could not be read is tried again, though nothing else changed', () => {
  const stores = twinStores();
  const whole = scan(twinStores(), tree({ x: {}, y: {} }));
  scan(stores, tree({ x: {}, y: {} }), ['/a/y']);
  const second = scan(stores, tree({ x: {}, y: {} }));
  assert.deepEqual(second.read, ['/a/y']);
  assert.deepEqual(second.top, whole.top);
});

test('a directory whose tree is not held any more is read again', () => {
  const stores = twinStores();
  scan(stores, tree({ x: {} }));
  const row = present(stores.scanMemory.get(bytesOfText('/a')), 'remembered');
  for (const chunk of row.tree) stores.packs.remove(idOf<PackId>(bytesOf(chunk)));
  assert.deepEqual(scan(stores, tree({ x: {} })).read, ['/a/x']);
});

test('names of one file are read once, and a file that got its inode meanwhile is read too', () => {
  const linked = { links: 2n, changed: 7n };
  const same = scan(twinStores(), tree({ x: linked, y: linked }));
  assert.deepEqual(same.read, ['/a/x', '/b']);
  const reused = scan(twinStores(), tree({ x: linked, y: { ...linked, changed: 8n } }));
  assert.deepEqual(reused.read, ['/a/x', '/a/y', '/b']);
  const other = scan(twinStores(), tree({ x: linked, y: { ...linked, size: 6n } }));
  assert.deepEqual(other.read, ['/a/x', '/a/y', '/b']);
});
