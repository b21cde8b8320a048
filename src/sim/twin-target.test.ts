import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8Bytes } from '../base/bytes.ts';
import { deriveKeys } from '../core/sealing/keys.ts';
import {
  buildBatch,
  type TargetSurroundings,
  testTarget,
} from '../ports/restore-target.conformance.ts';
import { plainKernels } from '../primitives/kernels/plain-kernels.ts';
import { SimTree } from './sim-tree.ts';
import { createTwinTarget } from './twin-target.ts';

const keys = deriveKeys(new Uint8Array(32).fill(2));

function newTree(): SimTree {
  let now = 1_700_000_000_000_000_000n;
  const tree = new SimTree(() => {
    now += 1_000n;
    return now;
  });
  tree.makeFolder('/outside');
  tree.writeFile('/outside/precious', utf8Bytes('precious'));
  return tree;
}

function surroundings(tree: SimTree): TargetSurroundings {
  const list = (folder: string): string[] =>
    [...(tree.find(`/${folder}`)?.children.entries() ?? [])]
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .flatMap(([name, node]) => {
        const path = `${folder}/${name}`;
        return node.kind === 'directory' ? [path, ...list(path)] : [path];
      });
  return {
    see: (path) => {
      const node = tree.find(`/${path}`);
      if (node === undefined) return undefined;
      const { kind, mode, mtimeNs, inode, bytes, target } = node;
      return { kind, mode, mtimeNs, inode, bytes: kind === 'symlink' ? target : bytes };
    },
    makeFolder: (path) => {
      tree.makeFolder(`/${path}`);
    },
    writeFile: (path, bytes) => {
      tree.writeFile(`/${path}`, bytes);
    },
    makeSymlink: (path, target) => {
      tree.makeSymlink(`/${path}`, target);
    },
    list,
  };
}

testTarget('twin', async () => {
  const tree = newTree();
  return {
    target: createTwinTarget({ tree, folder: '/target', keys, kernels: plainKernels() }),
    around: surroundings(tree),
    keys,
    close: async () => undefined,
  };
});

test('a twin without space reports it', async () => {
  const tree = newTree();
  const kernels = plainKernels();
  const target = createTwinTarget({ tree, folder: '/target', keys, kernels, spaceBytes: 0 });
  const batch = buildBatch([{ path: 'file', bytes: utf8Bytes('bytes') }], keys);
  assert.equal((await target.write(batch))[0]?.problem, 'no-space');
  await target.close();
});
