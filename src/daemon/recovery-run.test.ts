import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { homePaths, prepareHome } from '../adapters/disk/home.ts';
import { openCatalogue } from '../adapters/sqlite/catalogue.ts';
import { succeeded } from '../base/outcome.ts';
import { instant } from '../base/units.ts';
import { idOf, type SnapshotId } from '../core/vocabulary/ids.ts';
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
