/** How long the trees of 51,000 files in 5,100 directories, and of one directory of that many, take. */

import { utf8Bytes } from '../../base/bytes.ts';
import type { ChunkId } from '../vocabulary/ids.ts';
import { decodeTree, encodeTree } from './tree-codec.ts';
import type { TreeEntry } from './tree-entry.ts';

function entriesOf(count: number, salt: number): TreeEntry[] {
  return Array.from({ length: count }, (_, index) => ({
    name: utf8Bytes(`file-${String(index).padStart(6, '0')}.txt`),
    kind: 'file' as const,
    mode: 0o644,
    uid: 1_000,
    gid: 1_000,
    userName: 'anna',
    groupName: 'staff',
    modifiedNs: 1_700_000_000_123_456_789n + BigInt(index),
    sizeBytes: index * 37,
    content: [((salt * 1_000_003 + index) >>> 0).toString(16).padStart(64, '0') as ChunkId],
  }));
}

function measure(label: string, trees: readonly TreeEntry[][]): void {
  for (let round = 0; round < 4; round += 1) {
    const start = performance.now();
    const encoded = trees.map(encodeTree);
    const middle = performance.now();
    const decoded = encoded.map(decodeTree);
    const end = performance.now();
    const bytes = encoded.reduce((total, tree) => total + tree.length, 0);
    if (!decoded.every((outcome) => outcome.ok)) throw new Error('a tree was refused');
    console.log(
      `${label}: encode ${(middle - start).toFixed(0)} ms, decode ${(end - middle).toFixed(0)} ms, ${bytes} bytes`,
    );
  }
}

measure(
  '5,100 directories of 10',
  Array.from({ length: 5_100 }, (_, index) => entriesOf(10, index)),
);
measure('1 directory of 51,000', [entriesOf(51_000, 0)]);
