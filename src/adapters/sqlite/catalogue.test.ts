import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { testAuditStore } from '../../ports/audit-store.conformance.ts';
import { testLayoutStore } from '../../ports/layout-store.conformance.ts';
import { testPeerStores } from '../../ports/peer-stores.conformance.ts';
import {
  contentsOf,
  packRow,
  type StoresUnderTest,
  testStores,
} from '../../ports/stores.conformance.ts';
import { type Catalogue, openCatalogue } from './catalogue.ts';
import { Connection } from './connection.ts';
import { migrate } from './migration.ts';
import { schemaSteps } from './schema.ts';

function opened(path: string): Catalogue {
  const outcome = openCatalogue(path);
  assert(outcome.ok, 'the catalogue opens');
  return outcome.value;
}

function folderFor(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'covault-catalogue-'));
  context.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

function emptyStores(): StoresUnderTest {
  const folder = mkdtempSync(join(tmpdir(), 'covault-catalogue-'));
  const path = join(folder, 'catalog.db');
  let current = opened(path);
  return {
    stores: current,
    reopen: () => {
      current.close();
      current = opened(path);
      return current;
    },
    close: () => {
      current.close();
      rmSync(folder, { recursive: true });
    },
  };
}

testStores('catalogue', emptyStores);
testPeerStores('catalogue', emptyStores);
testLayoutStore('catalogue', emptyStores);
testAuditStore('catalogue', emptyStores);

test('a catalogue of a newer version is refused and left alone', (context) => {
  const path = join(folderFor(context), 'catalog.db');
  opened(path).close();
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA user_version = ${schemaSteps.length + 1}`);
  database.close();
  const outcome = openCatalogue(path);
  assert(!outcome.ok);
  assert.equal(outcome.error.code, 'catalogue.newer-version');
});

test('files that are no catalogue are refused', (context) => {
  const folder = folderFor(context);
  const garbage = join(folder, 'garbage.db');
  writeFileSync(garbage, new Uint8Array(8192).fill(7));
  const foreign = join(folder, 'foreign.db');
  const database = new DatabaseSync(foreign);
  database.exec('CREATE TABLE recipe (name TEXT); PRAGMA user_version = 1');
  database.close();
  for (const path of [garbage, foreign]) {
    const outcome = openCatalogue(path);
    assert(!outcome.ok);
    assert.equal(outcome.error.code, 'catalogue.damaged');
  }
});

test('a folder that is not there is an input-output failure', (context) => {
  const outcome = openCatalogue(join(folderFor(context), 'nowhere', 'catalog.db'));
  assert(!outcome.ok);
  assert.equal(outcome.error.code, 'catalogue.input-output');
});

test('a migration keeps a copy of the older file and all of its rows', (context) => {
  const path = join(folderFor(context), 'catalog.db');
  const before = opened(path);
  before.packs.add(packRow(1), contentsOf([1]));
  before.close();
  const connection = new Connection(path);
  const steps = [...schemaSteps, 'ALTER TABLE pack ADD COLUMN note TEXT'];
  assert(migrate(connection, path, steps).ok);
  assert.equal(connection.all('SELECT note FROM pack').length, 1);
  connection.close();
  const copy = opened(`${path}.version-${schemaSteps.length}`);
  assert.deepEqual(copy.packs.all(), [packRow(1)]);
  copy.close();
});

test('a migration step that fails leaves the older version', (context) => {
  const path = join(folderFor(context), 'catalog.db');
  opened(path).close();
  const connection = new Connection(path);
  const steps = [...schemaSteps, 'CREATE TABLE half (x INTEGER); CREATE TABLE pack (x INTEGER)'];
  assert.throws(() => migrate(connection, path, steps), { name: 'StorageBroken' });
  connection.close();
  const reopened = opened(path);
  reopened.close();
  assert(existsSync(`${path}.version-${schemaSteps.length}`));
});

test('a full catalogue throws StorageFull, undoes the transaction, and goes on', (context) => {
  const path = join(folderFor(context), 'catalog.db');
  opened(path).close();
  const connection = new Connection(path);
  context.after(() => connection.close());
  const pages = Object.values(connection.get('PRAGMA page_count') ?? {})[0];
  connection.execute(`PRAGMA max_page_count = ${Number(pages) + 4}`);
  const put = (name: string, length: number): void =>
    connection.run('INSERT INTO fact VALUES (?, ?)', name, new Uint8Array(length));
  const work = (): void => {
    put('small', 10);
    assert.throws(() => put('large', 1_000_000), { name: 'StorageFull' });
    put('behind', 10);
  };
  assert.throws(() => connection.transact(work), { name: 'StorageFull' });
  assert.deepEqual(connection.all('SELECT name FROM fact'), []);
  put('small', 10);
  assert.equal(connection.all('SELECT name FROM fact').length, 1);
});
