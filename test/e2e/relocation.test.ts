/** Real processes: a backup that one partner held alone is coded again as others come, and then bears the loss of any two of four. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { Prng } from '../../src/base/prng.ts';
import {
  befriend,
  done,
  endAll,
  eventually,
  type Home,
  makeHome,
  recovering,
  up,
} from './circle.ts';
import { type Daemon, temporaryFolder } from './command-line.ts';
import { assertSameTree } from './tree-comparison.ts';

const folder = temporaryFolder('relocation');
const daemons = new Map<string, Daemon>();
after(async () => {
  await endAll(daemons.values());
  folder.remove();
});

async function started(name: string): Promise<Home> {
  const home = await makeHome(folder.path, name);
  daemons.set(name, await up(home));
  return home;
}

/** Rows in a home's catalogue. */
function count(home: Home, from: string): number {
  const database = new DatabaseSync(join(home.path, 'catalog.db'), { readOnly: true });
  try {
    return Number(database.prepare(`SELECT count(*) AS rows FROM ${from}`).get()?.['rows']);
  } finally {
    database.close();
  }
}

test('C36: one partner becomes four, any two vanish, and the owner comes back from its kit', async () => {
  const files = join(folder.path, 'files');
  mkdirSync(files);
  const draws = new Prng('relocation');
  for (let file = 0; file < 6; file += 1)
    writeFileSync(join(files, `${file}.bin`), draws.bytes(4_000_000));
  const owner = await started('owner');
  const ada = await started('ada');
  await befriend(owner, ada);
  await done(owner, ['backup', files, '--wait', 'complete']);
  assert.equal((await done(owner, ['status']))['bearableLosses'], 0);
  for (const name of ['bea', 'cyd', 'dan']) await befriend(owner, await started(name));
  await eventually('all packs are coded for four', async () => {
    const { bearableLosses, protection } = await done(owner, ['status']);
    const { packs, packsComplete } = protection as Readonly<Record<string, number>>;
    return bearableLosses === 2 && packs === packsComplete ? true : undefined;
  });
  await eventually('what they left behind is deleted', () => {
    const all = count(owner, 'retired_shard');
    return all === 0 && count(ada, 'held WHERE trashed_at IS NOT NULL') > 0 ? true : undefined;
  });
  const kit = join(folder.path, 'kit.json');
  await done(owner, ['kit', 'export', '--json', kit]);
  for (const name of ['owner', 'ada', 'cyd']) await daemons.get(name)?.stop();
  const heir: Home = { ...owner, name: 'heir', path: join(folder.path, 'heir') };
  await done(heir, recovering(heir, kit));
  const target = join(folder.path, 'restored');
  await done(heir, ['restore', 'latest', '--target', target]);
  assertSameTree(join(target, files), files);
});
