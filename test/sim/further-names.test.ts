import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8Bytes } from '../../src/base/bytes.ts';
import type { TreeEntry } from '../../src/core/scan/tree-entry.ts';
import { deriveKeys } from '../../src/core/sealing/keys.ts';
import { type ChunkId, idOf } from '../../src/core/vocabulary/ids.ts';
import type { WalkedEntry } from '../../src/engine/backup/tree-walk.ts';
import { FurtherNames } from '../../src/engine/restore/further-names.ts';
import { SimTree } from '../../src/sim/sim-tree.ts';
import { createTwinTarget } from '../../src/sim/twin-target.ts';
import { kernels } from '../claims/sim-circle.ts';

/** A name of inode 7 with contents that `chunk` stands for. */
function nameOf(path: string, chunk: number): WalkedEntry {
  const entry: TreeEntry = {
    ...{ name: utf8Bytes(path), kind: 'file', mode: 0o644, uid: 0, gid: 0, modifiedNs: 0n },
    sizeBytes: 1,
    content: [idOf<ChunkId>(new Uint8Array(32).fill(chunk))],
    hardLink: { device: 1n, inode: 7n },
  };
  return { path: utf8Bytes(path), entry };
}

test('a name joins another of its inode only when both have the same contents', () => {
  const keys = deriveKeys(new Uint8Array(32));
  const tree = new SimTree(() => 0n);
  const names = new FurtherNames(createTwinTarget({ tree, folder: '/', keys, kernels }));
  const [first, second, reused] = [nameOf('a', 1), nameOf('b', 1), nameOf('c', 2)];
  assert.deepEqual(
    [first, second, reused].map((each) => names.isFirst(each)),
    [true, false, true],
  );
  assert.deepEqual(names.joined(second), first.path);
  assert.equal(names.joined(reused), undefined);
});
