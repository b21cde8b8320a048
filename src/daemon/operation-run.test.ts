import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { homePaths } from '../adapters/disk/home.ts';
import { openCatalogue } from '../adapters/sqlite/catalogue.ts';
import { succeeded } from '../base/outcome.ts';
import { facts } from '../engine/facts.ts';
import { openComputer } from './composition.ts';
import { createHome } from './home-creation.ts';
import { runOperation } from './operation-run.ts';
import { type OperationName, operations } from './operations/registry.ts';

const folder = mkdtempSync(join(tmpdir(), 'covault-operations-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const partner = 'bea';
/** Something valid for every operation that acts in the name of the identity, and for some that read. */
const inputs: Readonly<Partial<Record<OperationName, unknown>>> = {
  search: { dryRun: true },
  join: { code: 'code' },
  invite: { lendBytes: 1_000, validMs: 1_000, wait: false },
  'partners-terms': { partner, lendBytes: 1_000 },
  'partners-decide': { partner, decision: 'leave' },
  audit: {},
  drill: {},
  repair: {},
  undelete: {},
};
const reading: Readonly<Partial<Record<OperationName, unknown>>> = {
  ...{ agreements: {}, snapshots: {}, doctor: {}, kit: {} },
  status: { probe: false },
  partners: { probe: false },
};

/** Codes by operation; `ok` for what was done. */
async function codesOn(home: string, asked: typeof inputs): Promise<Record<string, string>> {
  const opened = await openComputer({
    ...{ home, daemon: false, listen: [], uploadLimit: undefined },
    passphrase: async () => succeeded(undefined),
  });
  assert(opened.ok);
  const codes: Record<string, string> = {};
  const { signal } = new AbortController();
  const listener = { signal, progress: () => undefined, send: async () => undefined };
  for (const [name, input] of Object.entries(asked)) {
    const outcome = await runOperation(opened.value, { name, input }, listener);
    codes[name] = outcome.ok ? 'ok' : outcome.error.code;
  }
  await opened.value.close();
  return codes;
}

async function made(name: string): Promise<string> {
  const home = join(folder, name);
  const created = await createHome({
    ...{ home, name, passphrase: undefined, lendBytes: 1_000_000, rootSeed: undefined },
  });
  assert(created.ok);
  return home;
}

test('a home whose identity lives on elsewhere refuses what would be done in that name, and reads on', async () => {
  const home = await made('superseded');
  const catalogue = openCatalogue(homePaths(home).catalogue);
  assert(catalogue.ok);
  facts.setSuccessor(catalogue.value, 1);
  catalogue.value.close();
  const refused = await codesOn(home, inputs);
  assert.deepEqual([...new Set(Object.values(refused))], ['identity.superseded']);
  const read = await codesOn(home, reading);
  assert.deepEqual([...new Set(Object.values(read))], ['ok'], JSON.stringify(read));
});

test('a home whose recovery has not ended begins nothing in that name, and reads on', async () => {
  const home = await made('recovering');
  const catalogue = openCatalogue(homePaths(home).catalogue);
  assert(catalogue.ok);
  facts.setRecovering(catalogue.value, true);
  catalogue.value.close();
  const captured = { roots: [folder], tags: [], excludePatterns: [], wait: 'captured' };
  const refused = await codesOn(home, { ...inputs, backup: { ...captured, dryRun: false } });
  assert.deepEqual([...new Set(Object.values(refused))], ['recovery.unfinished']);
  const read = await codesOn(home, { ...reading, backup: { ...captured, dryRun: true } });
  assert.deepEqual([...new Set(Object.values(read))], ['ok'], JSON.stringify(read));
});

test('nothing is refused for that reason in a home that lives', async () => {
  const home = await made('living');
  const codes = await codesOn(home, inputs);
  assert.ok(!Object.values(codes).includes('identity.superseded'), JSON.stringify(codes));
  assert.equal(codes['invite'], 'ok');
});

test('every operation that reaches partners acts in the name of the identity, but for those that read', () => {
  const unmarked = Object.entries(operations)
    .filter(([, { reach, inItsName }]) => reach === 'network' && inItsName !== true)
    .map(([name]) => name);
  // `backup` says it in a code of its own.
  assert.deepEqual(unmarked, ['backup', 'restore', 'doctor']);
});
