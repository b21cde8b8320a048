/** What a restore may take away: with `--delete` leftovers, and with `--overwrite never` nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8Bytes } from '../../src/base/bytes.ts';
import type { RestoreReport } from '../../src/engine/computer.ts';
import { SimTree } from '../../src/sim/sim-tree.ts';
import { createTwinTarget } from '../../src/sim/twin-target.ts';
import { good, kernels, running, SimCircle } from '../claims/sim-circle.ts';

test('a restore in place with --delete leaves alone what was never backed up', async () => {
  const circle = await SimCircle.made('delete in place', 1);
  const { owner } = circle;
  owner.files.writeFile('/home/kept', utf8Bytes('kept'));
  owner.files.makeFolder('/home/folder');
  owner.files.writeFile('/home/folder/kept', utf8Bytes('kept too'));
  const { snapshot } = await circle.backedUp();
  const tree = new SimTree(() => 0n);
  for (const folder of ['/home', '/home/folder', '/usr']) tree.makeFolder(folder);
  for (const file of ['/usr/program', '/home/old', '/home/folder/old', '/file'])
    tree.writeFile(file, utf8Bytes('standing'));
  const target = createTwinTarget({ tree, folder: '/', keys: owner.keys, kernels });
  const report = good(
    await circle.during(() =>
      running(owner).restore(
        {
          snapshot,
          path: undefined,
          include: [],
          exclude: [],
          overwrite: 'always',
          deleteExtra: true,
          dryRun: false,
          verify: true,
        },
        target,
        { signal: new AbortController().signal, progress: () => undefined },
      ),
    ),
  );
  assert.deepEqual([report.removed, report.problems], [2, []]);
  const stands = ['/usr/program', '/file', '/home/kept', '/home/folder/kept'];
  for (const path of stands) assert.ok(tree.find(path), path);
  for (const path of ['/home/old', '/home/folder/old']) assert.equal(tree.find(path), undefined);
});

test('with --overwrite never a file does not make way for a folder', async () => {
  const circle = await SimCircle.made('never', 1);
  const { owner } = circle;
  owner.files.makeFolder('/home/name');
  owner.files.writeFile('/home/name/inside', utf8Bytes('inside'));
  owner.files.writeFile('/home/other', utf8Bytes('other'));
  const { snapshot } = await circle.backedUp();
  const tree = new SimTree(() => 0n);
  for (const folder of ['/restore', '/restore/home']) tree.makeFolder(folder);
  tree.writeFile('/restore/home/name', utf8Bytes('precious'));
  const target = createTwinTarget({ tree, folder: '/restore', keys: owner.keys, kernels });
  const request = {
    snapshot,
    path: undefined,
    include: [],
    exclude: [],
    overwrite: 'never' as const,
    deleteExtra: false,
    dryRun: false,
    verify: false,
  };
  const options = { signal: new AbortController().signal, progress: () => undefined };
  const report = good(await circle.during(() => running(owner).restore(request, target, options)));
  assert.equal(tree.find('/restore/home/name')?.kind, 'file');
  assert.ok(tree.find('/restore/home/other'));
  assert.ok(report.problems.some(({ problem }) => problem === 'not-written'));
});

test('a dry run counts what a real one writes, leaves and removes, and changes nothing', async () => {
  const circle = await SimCircle.made('dry run', 1);
  const { owner } = circle;
  for (const name of ['stands', 'changed', 'missing'])
    owner.files.writeFile(`/home/${name}`, utf8Bytes(name));
  owner.files.makeSymlink('/home/link', utf8Bytes('stands'));
  const { snapshot } = await circle.backedUp();
  const tree = new SimTree(() => 0n);
  const target = createTwinTarget({ tree, folder: '/back', keys: owner.keys, kernels });
  const options = { signal: new AbortController().signal, progress: () => undefined };
  const restored = (dryRun: boolean): Promise<RestoreReport> => {
    const request = {
      ...{ snapshot, path: undefined, include: [], exclude: [], overwrite: 'if-changed' as const },
      ...{ deleteExtra: true, dryRun, verify: false },
    };
    return circle.during(async () => good(await running(owner).restore(request, target, options)));
  };
  await restored(false);
  tree.remove('/back/home/missing');
  tree.writeFile('/back/home/changed', utf8Bytes('otherwise'));
  tree.writeFile('/back/home/extra', utf8Bytes('extra'));
  const counted = ({ files, links, bytes, filesSkipped, removed }: RestoreReport): unknown => {
    return { files, links, bytes, filesSkipped, removed };
  };
  const expected = { files: 2, links: 0, bytes: 14, filesSkipped: 2, removed: 1 };
  assert.deepEqual(counted(await restored(true)), expected);
  assert.equal(tree.find('/back/home/missing'), undefined);
  assert.ok(tree.find('/back/home/extra'));
  assert.deepEqual(counted(await restored(false)), expected);
  assert.equal(tree.find('/back/home/extra'), undefined);
});
