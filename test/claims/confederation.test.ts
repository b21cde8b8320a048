/** Claims about the running system, with real processes: each computer runs the program on a home of its own, and no process serves them all. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { Prng } from '../../src/base/prng.ts';
import { befriend, done, endAll, type Home, makeHome, recovering, up } from '../e2e/circle.ts';
import { type Daemon, temporaryFolder } from '../e2e/command-line.ts';
import { assertSameTree } from '../e2e/tree-comparison.ts';

const folder = temporaryFolder('confederation');
const daemons: Daemon[] = [];
after(async () => {
  await endAll(daemons);
  folder.remove();
});

const draws = new Prng('confederation');

/** Files of one computer. */
function filesOf({ name }: Home): string {
  const path = join(folder.path, `${name}-files`);
  mkdirSync(path);
  for (const file of [1, 2, 3]) writeFileSync(join(path, `${file}.bin`), draws.bytes(200_000));
  return path;
}

test('C45, C48: three computers that each run the program back each other up, and two go on when one is destroyed', async () => {
  const homes = await Promise.all(['ann', 'bob', 'cas'].map((name) => makeHome(folder.path, name)));
  for (const home of homes) daemons.push(await up(home));
  const [ann, bob, cas] = homes.map((home) => present(home, 'three'));
  const all = [ann, bob, cas].map((home) => present(home, 'three'));
  const pairs = all.map(
    (home, index) => [home, present(all[(index + 1) % 3], 'the next')] as const,
  );
  await Promise.all(pairs.map(([owner, partner]) => befriend(owner, partner, '100MB')));
  const files = all.map(filesOf);
  await Promise.all(
    all.map((home, index) =>
      done(home, ['backup', present(files[index], 'files'), '--wait', 'complete']),
    ),
  );
  const lost = present(all[2], 'the third');
  const kit = join(folder.path, 'kit.json');
  await done(lost, ['kit', 'export', '--json', kit]);
  await present(daemons[2], 'it is up').stop('SIGKILL');
  rmSync(lost.path, { recursive: true });
  // Nothing is needed of the lost one: neither for what the others hold, nor for what they have.
  const heir = { ...lost, path: join(folder.path, 'heir') };
  await done(heir, recovering(heir, kit));
  await Promise.all(
    [heir, present(all[0], 'the first')].map(async (home, index) => {
      const target = join(folder.path, `restored-${index}`);
      await done(home, ['restore', 'latest', '--target', target]);
      const original = present(files[index === 0 ? 2 : 0], 'files');
      assertSameTree(join(target, original), original);
    }),
  );
  const status = await done(present(all[1], 'the second'), ['status']);
  assert.equal((status['partners'] as readonly unknown[]).length, 2);
});
