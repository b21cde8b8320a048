/** A recovery for which too few partners are up leads nowhere but to its end: nothing else begins in that home meanwhile, and the same command carries on. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  assertFailure,
  befriend,
  done,
  endAll,
  type Home,
  lastWords,
  makeHome,
  on,
  recovering,
  up,
} from './circle.ts';
import { covault, type Daemon, temporaryFolder } from './command-line.ts';

const folder = temporaryFolder('cut-off-recovery');
const daemons = new Map<string, Daemon>();
after(async () => {
  await endAll(daemons.values());
  folder.remove();
});

const files = join(folder.path, 'files');
const kit = join(folder.path, 'kit.json');
const names = ['ann', 'ben', 'cleo', 'dan'];
let partners: readonly Home[] = [];

async function start(...homes: readonly Home[]): Promise<void> {
  for (const home of homes) daemons.set(home.name, await up(home));
}

async function stop(...homes: readonly Home[]): Promise<void> {
  for (const home of homes) await daemons.get(home.name)?.stop();
}

async function lose(): Promise<void> {
  partners = await Promise.all(names.map((name) => makeHome(folder.path, name)));
  const owner = await makeHome(folder.path, 'owner');
  await start(...partners);
  for (const partner of partners) await befriend(owner, partner);
  mkdirSync(files);
  writeFileSync(join(files, 'letter.txt'), 'kept\n'.repeat(20_000));
  await done(owner, ['backup', files, '--wait', 'complete']);
  await done(owner, ['kit', 'export', '--json', kit]);
}

/** Nothing begins; the person is told what leads on. */
async function assertBarred(home: Home): Promise<void> {
  const invite = ['invite', '--lend', '1GB'];
  for (const argv of [['backup', files], invite, ['join', 'covault-abc']])
    assertFailure(await on(home, argv), 1, 'recovery.unfinished');
  const { out } = await covault(['--home', home.path, 'status']);
  assert.match(out, /^Not recovered yet: /m);
  assert.match(out, /^! {2}The recovery into this home has not ended/m);
  assert.match(out, /^Next: run `covault recover` again, with the same kit or words/m);
}

test('a recovery that nobody answers, or too few, is carried on by the same command, and by nothing else', async () => {
  await lose();
  await stop(...partners);
  const [first, ...others] = partners;
  assert(first !== undefined);
  const path = join(folder.path, 'heir');
  const heir = { name: 'heir', path, address: '/ip4/127.0.0.1/tcp/0' };
  assertFailure(await on(heir, recovering(heir, kit)), 13, 'recover.no-partner');
  await assertBarred(heir);
  await start(first);
  assertFailure(await on(heir, recovering(heir, kit)), 13, 'recover.too-few-partners');
  await assertBarred(heir);

  await done(heir, ['config', 'set', 'network.listen', JSON.stringify([heir.address])]);
  const daemon = await up(heir);
  daemons.set('heir', daemon);
  assert.equal(daemon.started['bar'], 'recovery.unfinished');
  assertFailure(await on(heir, ['backup', files]), 1, 'recovery.unfinished');
  await daemon.stop();

  await start(...others);
  const said = await on(heir, recovering(heir, kit));
  assert.equal(said.exit, 0, lastWords(said));
  const target = join(folder.path, 'restored');
  await done(heir, ['restore', 'latest', '--target', target]);
  const back = join(target, files, 'letter.txt');
  assert.equal(readFileSync(back, 'utf8'), 'kept\n'.repeat(20_000));
  await done(heir, ['backup', files, '--wait', 'protected']);
});
