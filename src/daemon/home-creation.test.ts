import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readConfig } from '../adapters/disk/config-file.ts';
import { homePaths, prepareHome } from '../adapters/disk/home.ts';
import { openCatalogue } from '../adapters/sqlite/catalogue.ts';
import { createHome, homeStands } from './home-creation.ts';

const folder = mkdtempSync(join(tmpdir(), 'covault-creation-'));
after(() => rmSync(folder, { recursive: true, force: true }));

async function created(home: string, name: string): Promise<string> {
  const made = await createHome({
    ...{ home, name, passphrase: undefined, lendBytes: 7, rootSeed: undefined },
  });
  return made.ok ? 'ok' : made.error.code;
}

test('a home whose making was cut off before it had a key is made anew', async () => {
  const home = join(folder, 'cut-off');
  assert(prepareHome(home).ok);
  assert.equal(homeStands(home), false);
  assert.equal(await created(home, 'first'), 'ok');
  assert.equal(homeStands(home), true);
  rmSync(homePaths(home).keyFile);
  assert.equal(homeStands(home), false, 'the configuration alone is no home');
  assert.equal(await created(home, 'second'), 'ok');
  const config = readConfig(homePaths(home).configFile);
  assert(config.ok);
  assert.deepEqual([config.value.name, config.value.lend.spaceBytes], ['second', 7]);
});

test('a home that stands is not made again, not even when its key was lost', async () => {
  const home = join(folder, 'in-use');
  assert.equal(await created(home, 'first'), 'ok');
  assert.equal(await created(home, 'second'), 'home.exists');
  const paths = homePaths(home);
  const catalogue = openCatalogue(paths.catalogue);
  assert(catalogue.ok);
  catalogue.value.close();
  rmSync(paths.keyFile);
  assert.equal(homeStands(home), true);
  assert.equal(await created(home, 'third'), 'home.exists');
});
