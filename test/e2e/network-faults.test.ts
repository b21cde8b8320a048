/** Partners that are full, vanish, hang or hold damaged shards: what the owner says, and what it can still bring back. */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { Prng } from '../../src/base/prng.ts';
import {
  assertFailure,
  befriend,
  done,
  endAll,
  eventually,
  type Home,
  lastWords,
  makeHome,
  on,
  recovering,
  up,
} from './circle.ts';
import { type Daemon, gathered, start, startDaemon, temporaryFolder } from './command-line.ts';
import { catalogueRows } from './held-check.ts';
import { mountSmallDisk, noSmallDisk } from './small-disk.ts';
import { assertSameTree } from './tree-comparison.ts';

const seed = process.env['COVAULT_TEST_SEED'] ?? String(Date.now());
const chance = new Prng(seed);

const folder = temporaryFolder('faults');
const files = join(folder.path, 'files');
const kit = join(folder.path, 'kit.json');
const daemons = new Map<Home, Daemon>();
const partners: Home[] = [];
let owner: Home;
let targets = 0;

before(async () => {
  const names = ['ada', 'bea', 'cyd', 'dan', 'eve'];
  const homes = await Promise.all(names.map((name) => makeHome(folder.path, name)));
  const [first, ...others] = homes;
  assert.ok(first !== undefined);
  owner = first;
  partners.push(...others);
  for (const partner of partners) {
    await run(partner);
    await befriend(owner, partner);
  }
  mkdirSync(join(files, 'small'), { recursive: true });
  for (let number = 0; number < 200; number += 1)
    writeFileSync(join(files, 'small', `${number}`), chance.bytes(chance.below(20_000)));
  writeFileSync(join(files, 'large'), chance.bytes(30_000_000));
  await done(owner, ['backup', files, '--wait', 'complete']);
  await done(owner, ['kit', 'export', '--json', kit]);
});
after(async () => {
  await endAll(daemons.values());
  folder.remove();
});

async function run(home: Home): Promise<void> {
  daemons.set(home, await up(home));
}

async function kill(home: Home): Promise<void> {
  await daemons.get(home)?.stop('SIGKILL');
}

function newTarget(): string {
  targets += 1;
  return join(folder.path, `target-${targets}`);
}

function heldFiles(home: Home): readonly string[] {
  return readdirSync(join(home.path, 'held'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** A new home that recovered from the kit, and has nothing but partners to read from. */
async function recovered(name: string): Promise<Home> {
  const home = { ...owner, path: join(folder.path, name) };
  await done(home, recovering(home, kit));
  return home;
}

function flip(path: string, count: number): void {
  const bytes = readFileSync(path);
  for (let round = 0; round < count; round += 1) {
    const at = chance.below(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 + chance.below(255));
  }
  writeFileSync(path, bytes);
}

test('a partner that vanishes in the middle of a shard gets the rest when it is back', async () => {
  const [bea] = partners;
  assert.ok(bea !== undefined);
  writeFileSync(join(files, 'more'), chance.bytes(50_000_000));
  const argv = ['backup', files, '--wait', 'complete', '--limit-upload', '20MB/s'];
  const child = start(['--home', owner.path, '--json', ...argv]);
  const ended = gathered(child);
  const before = heldFiles(bea).length;
  await eventually('a shard that grows', () => (heldFiles(bea).length > before ? true : undefined));
  await kill(bea);
  const said = await ended;
  assert.equal(said.exit, 4, lastWords(said));
  assert.notEqual(said.json()['phase'], 'complete');
  await run(bea);
  await done(owner, ['backup', files, '--wait', 'complete']);
});

test('a partner that hangs does not hang the owner', async (t) => {
  const [bea] = partners;
  assert.ok(bea !== undefined);
  const { child } = daemons.get(bea) ?? {};
  assert.ok(child !== undefined);
  writeFileSync(join(files, 'yet-more'), chance.bytes(20_000_000));
  child.kill('SIGSTOP');
  const startedAtMs = performance.now();
  try {
    const said = await on(owner, ['backup', files, '--wait', 'complete']);
    const tookMs = performance.now() - startedAtMs;
    t.diagnostic(`${said.exit} after ${Math.round(tookMs)} ms`);
    assert.ok(tookMs < 150_000, 'it gives a silent partner up in the end');
    assert.equal(said.exit, 4, lastWords(said));
  } finally {
    child.kill('SIGCONT');
  }
  await done(owner, ['backup', files, '--wait', 'complete']);
});

test('a damaged cache of this computer is made up for by partners', async () => {
  const spool = join(owner.path, 'spool');
  for (const name of readdirSync(spool)) flip(join(spool, name), 50);
  const target = newTarget();
  await done(owner, ['restore', `latest:${files}`, '--target', target, '--verify']);
  assertSameTree(target, files);
});

test('a partner whose catalogue is damaged or newer says so, and the others do', async () => {
  const [bea] = partners;
  assert.ok(bea !== undefined);
  await kill(bea);
  const path = join(bea.path, 'catalog.db');
  const [version] = catalogueRows(bea, 'PRAGMA user_version');
  const database = new DatabaseSync(path);
  database.exec('PRAGMA wal_checkpoint(TRUNCATE); PRAGMA user_version = 99');
  database.close();
  const refused = await startDaemon(bea.path, []);
  assert.match(JSON.stringify(refused.started), /catalogue\.newer-version/);
  const back = new DatabaseSync(path);
  back.exec(`PRAGMA user_version = ${String(version?.['user_version'])}`);
  back.close();
  const whole = readFileSync(path);
  writeFileSync(path, Buffer.concat([Buffer.alloc(100, 0x5a), whole.subarray(100)]));
  const damaged = await startDaemon(bea.path, []);
  assert.match(JSON.stringify(damaged.started), /catalogue\.damaged/);
  writeFileSync(path, whole);
  await run(bea);
});

test('a partner refuses what goes over its quota, before it writes; the owner says 4', async () => {
  const [lender, own] = await Promise.all([
    makeHome(folder.path, 'small-lender'),
    makeHome(folder.path, 'large-owner'),
  ]);
  assert.ok(lender !== undefined && own !== undefined);
  await run(lender);
  await befriend(own, lender, '20MB');
  const said = await on(own, ['backup', files, '--wait', 'complete']);
  assert.equal(said.exit, 4, lastWords(said));
  const [sum] = catalogueRows(lender, 'SELECT coalesce(sum(block_count), 0) AS blocks FROM held');
  assert.ok(Number(sum?.['blocks']) * 65_536 <= 20_000_000);
  assert.equal(heldFiles(lender).filter((path) => path.includes('+')).length, 0);
  const target = newTarget();
  await done(own, ['restore', `latest:${files}`, '--target', target]);
  assertSameTree(target, files);
});

test('a partner whose disk is full refuses before it writes, and takes more once there is room', async (t) => {
  const disk = mountSmallDisk(join(folder.path, 'small-disk'), 24_000_000);
  if (disk === undefined) {
    t.skip(noSmallDisk);
    return;
  }
  const lender = await makeHome(disk.path, 'home');
  const own = await makeHome(folder.path, 'owner-of-full');
  try {
    await run(lender);
    await befriend(own, lender);
    const said = await on(own, ['backup', files, '--wait', 'complete']);
    assert.equal(said.exit, 4, lastWords(said));
    const { bavail, bsize } = statfsSync(disk.path);
    assert.ok(bavail * bsize > 0, 'what did not fit was not begun');
    assert.equal((await done(lender, ['status']))['name'], 'home');
    disk.resize(300_000_000);
    await done(own, ['backup', files, '--wait', 'complete']);
  } finally {
    await kill(lender);
    disk.remove();
  }
});

test('held shards that are flipped, cut or gone are noticed, named and worked around', async (t) => {
  t.diagnostic(`COVAULT_TEST_SEED=${seed}`);
  const home = await recovered('after-damage');
  const [bea, cyd] = partners;
  assert.ok(bea !== undefined && cyd !== undefined);
  const saved = new Map(
    [...heldFiles(bea), ...heldFiles(cyd)].map((path) => [path, readFileSync(path)]),
  );
  for (const path of heldFiles(bea)) flip(path, 60);
  heldFiles(cyd).forEach((path, index) => {
    if (index % 2 === 0) rmSync(path);
    else truncateSync(path, 100_000);
  });
  const target = newTarget();
  const report = await done(home, ['restore', `latest:${files}`, '--target', target, '--verify']);
  assertSameTree(target, files);
  assert.deepEqual(report['problems'], []);
  assert.ok(Number(report['decodedCodewords']) > 0, 'parity made up for it');
  const { id } = await done(home, ['partners', 'show', 'bea']);
  const blamed = (report['wrongBlocks'] as readonly { readonly partner: string }[]).map(
    ({ partner }) => partner,
  );
  assert.ok(blamed.includes(String(id)), 'whoever sent wrong blocks is named');
  for (const [path, bytes] of saved) writeFileSync(path, bytes);
});

test('any two of four may be down; with three down nothing is made up', async () => {
  const [bea, cyd, dan] = partners;
  assert.ok(bea !== undefined && cyd !== undefined && dan !== undefined);
  const home = await recovered('after-deaths');
  await kill(bea);
  await kill(cyd);
  const target = newTarget();
  await done(home, ['restore', `latest:${files}`, '--target', target]);
  assertSameTree(target, files);
  await kill(dan);
  const empty = newTarget();
  const few = await on(home, ['restore', `latest:${files}`, '--target', empty]);
  assertFailure(few, 13, 'restore.too-few-partners');
  const lost = { ...owner, path: join(folder.path, 'too-few') };
  const recover = recovering(lost, kit);
  assertFailure(await on(lost, recover), 13, 'recover.too-few-partners');
  for (const partner of [bea, cyd, dan]) await run(partner);
  await done(lost, recover);
});

test('when all that partners hold is wrong, a restore ends with 14 and writes nothing wrong', async () => {
  const home = await recovered('after-rot');
  const saved = new Map(
    partners.flatMap((partner) => heldFiles(partner).map((path) => [path, readFileSync(path)])),
  );
  for (const path of saved.keys()) {
    const bytes = readFileSync(path);
    for (let at = 7; at < bytes.length; at += 65_536) bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(path, bytes);
  }
  const target = newTarget();
  const said = await on(home, ['restore', `latest:${files}`, '--target', target]);
  assert.equal(said.exit, 14, lastWords(said));
  const written = existsSync(target)
    ? readdirSync(target, { recursive: true, withFileTypes: true }).filter((each) => each.isFile())
    : [];
  assert.deepEqual(written, []);
  const lost = { ...owner, path: join(folder.path, 'rotten') };
  const recover = await on(lost, recovering(lost, kit));
  assertFailure(recover, 14, 'recover.integrity');
  for (const [path, bytes] of saved) writeFileSync(path, bytes);
});
