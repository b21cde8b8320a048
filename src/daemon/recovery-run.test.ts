import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { homePaths, prepareHome } from '../adapters/disk/home.ts';
import { openCatalogue } from '../adapters/sqlite/catalogue.ts';
import { succeeded } from '../base/outcome.ts';
import { instant } from '../base/units.ts';
import { idOf, type SnapshotId } from '../core/vocabulary/ids.ts';
import { openComputer } from './composition.ts';
import { createHome, homeStands } from './home-creation.ts';
import { runRecovery } from './recovery-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'covault-recovery-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const rootSeed = new Uint8Array(32).fill(7);

/** With an address that cannot be listened on (RFC 5737), so that whatever begins with the network shows. */
async function recovered(home: string, seed = rootSeed): Promise<string> {
  const { signal } = new AbortController();
  const done = await runRecovery({
    ...{ home, name: 'ada', lendBytes: 0, newPassphrase: undefined, signal },
    key: { rootSeed: seed, kit: undefined },
    peers: ['/ip4/127.0.0.1/tcp/9'],
    listen: ['/ip4/192.0.2.1/tcp/0'],
    passphrase: async () => succeeded(undefined),
    progress: () => assert.fail('nobody is asked'),
  });
  return done.ok ? 'ok' : done.error.code;
}

async function made(name: string): Promise<string> {
  const home = join(folder, name);
  const created = await createHome({ home, name, passphrase: undefined, lendBytes: 0, rootSeed });
  assert(created.ok);
  return home;
}

/** What the computer in a home says when it is opened. */
async function standing(
  home: string,
): Promise<{ readonly isRecovering: boolean; readonly isRecoverable: boolean }> {
  const opened = await openComputer({
    ...{ home, daemon: false, listen: [], uploadLimit: undefined },
    passphrase: async () => succeeded(undefined),
  });
  assert(opened.ok);
  const { computer } = opened.value;
  const said = { isRecovering: computer.isRecovering(), isRecoverable: computer.isRecoverable() };
  await opened.value.close();
  return said;
}

/** A home with a snapshot of its own. */
async function used(name: string): Promise<string> {
  const home = await made(name);
  const catalogue = openCatalogue(homePaths(home).catalogue);
  assert(catalogue.ok);
  const snapshot = idOf<SnapshotId>(new Uint8Array(32));
  const row = { snapshot, body: new Uint8Array(1), takenAt: instant(0) };
  catalogue.value.snapshots.put({ ...row, phase: 'protected' });
  catalogue.value.close();
  return home;
}

test('a home in use is refused before the network is touched', async () => {
  assert.equal(await recovered(await made('empty')), 'network.cannot-listen');
  const home = await used('used');
  assert.equal(await recovered(home), 'recover.home-not-empty');
  const other = await recovered(await made('other'), new Uint8Array(32).fill(8));
  assert.equal(other, 'recover.home-not-empty');
});

test('a recovery goes on wherever the one before it was killed', async () => {
  const home = join(folder, 'killed');
  assert(prepareHome(home).ok);
  assert.equal(homeStands(home), false, 'killed before it had a key');
  assert.equal(await recovered(home), 'network.cannot-listen');
  assert.equal(homeStands(home), true);
  assert.equal(await recovered(home), 'network.cannot-listen');
});

test('a home that is made for a recovery is for that alone, from the moment that it stands', async () => {
  // As when it is killed once the key is written: nothing has opened the home yet.
  const killed = await made('key-only');
  const { recoveryMark, catalogue } = homePaths(killed);
  assert.deepEqual([existsSync(recoveryMark), existsSync(catalogue)], [true, false]);
  const begun = { isRecovering: true, isRecoverable: true };
  assert.deepEqual(await standing(killed), begun);
  assert.equal(existsSync(recoveryMark), false);
  assert.deepEqual(await standing(killed), begun);
  assert.equal(await recovered(killed), 'network.cannot-listen', 'it can be tried again');
  const tried = join(folder, 'tried');
  assert.equal(await recovered(tried), 'network.cannot-listen');
  assert.deepEqual(await standing(tried), begun);
});

test('a home of a new identity is for no recovery, and takes no mark over from one', async () => {
  const home = join(folder, 'new');
  assert(prepareHome(home).ok);
  writeFileSync(homePaths(home).recoveryMark, '');
  const created = await createHome({
    ...{ home, name: 'new', passphrase: undefined, lendBytes: 0, rootSeed: undefined },
  });
  assert(created.ok);
  assert.deepEqual(await standing(home), { isRecovering: false, isRecoverable: true });
});
