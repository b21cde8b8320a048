/**
 * Real processes: of eight partners one loses what it held, bits flip on a second, a third stops for good. All of it is noticed, said by `status`, and made up for
 * without anybody's help; then any four of those that hold everything may vanish (C20, C22, C30).
 */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { present } from '../../src/base/assert.ts';
import { Prng } from '../../src/base/prng.ts';
import { blockBytes } from '../../src/core/vocabulary/limits.ts';
import type { StatusAnswer } from '../../src/daemon/answers.ts';
import { done, endAll, eventually, freePort, type Home, up } from './circle.ts';
import { type Daemon, temporaryFolder } from './command-line.ts';
import { catalogueRows } from './held-check.ts';
import { assertSameTree } from './tree-comparison.ts';

const folder = temporaryFolder('repair');
const daemons = new Map<string, Daemon>();
after(async () => {
  await endAll(daemons.values());
  folder.remove();
});

/** Months become seconds. */
const periods = {
  searchIntervalSeconds: 2,
  probeIntervalSeconds: 2,
  receiptPeriodSeconds: 3_600,
  auditIntervalSeconds: 1,
  spareAfterSeconds: 5,
  graceSeconds: 12,
  commitmentSeconds: 14,
};

const lenders = 11;
const wanted = 8;

interface Member extends Home {
  readonly peer: string;
}

/** A home whose partners are set before it is first started. */
async function member(
  name: string,
  address: string,
  settings: Readonly<Record<string, unknown>>,
): Promise<Member> {
  const home: Home = { name, path: join(folder.path, name), address };
  await done(home, ['init', '--no-passphrase', '--name', name]);
  writeFileSync(join(home.path, 'config.json'), JSON.stringify({ name, ...settings }));
  const daemon = await up(home);
  daemons.set(name, daemon);
  return { ...home, peer: String(daemon.started['peer']) };
}

async function freeAddress(): Promise<string> {
  return `/ip4/127.0.0.1/tcp/${await freePort()}`;
}

/** One that wants eight partners and knows where eleven live that lend and want nothing. */
async function circle(): Promise<{ readonly owner: Member; readonly others: readonly Member[] }> {
  const addresses: string[] = [];
  for (let number = 0; number <= lenders; number += 1) addresses.push(await freeAddress());
  const [own = '', ...known] = addresses;
  const others = await Promise.all(
    known.map((address, number) =>
      member(`lender-${number}`, address, {
        network: { listen: [address], bootstrap: [own], dht: 'off' },
        lend: { spaceBytes: 2e9 },
        partners: { ...periods, preset: 'circle', wantedBytes: 0 },
      }),
    ),
  );
  const owner = await member('owner', own, {
    network: { listen: [own], bootstrap: known, dht: 'off' },
    lend: { spaceBytes: 2e9 },
    cache: { capBytes: 0 },
    partners: { ...periods, preset: 'circle', wantedPartners: wanted },
  });
  return { owner, others };
}

/** Asked for again and again, and each time by a process of its own: not more often than a person would. */
async function statusOf(owner: Home): Promise<StatusAnswer> {
  await sleep(500);
  return (await done(owner, ['status'])) as unknown as StatusAnswer;
}

function isWhole({ health, repair }: StatusAnswer): boolean {
  return health.stripes > 0 && health.whole === health.stripes && repair.stripes === 0;
}

/** Everything is held by partners that serve it to whoever restores. */
async function settled(owner: Home, what: string): Promise<StatusAnswer> {
  return await eventually(
    what,
    async () => {
      const status = await statusOf(owner);
      const good = status.partners.filter(({ phase }) => phase === 'standing').length;
      return isWhole(status) && good >= wanted ? status : undefined;
    },
    60_000,
  );
}

/** Shards that it holds for others, as files. */
function heldFiles({ path }: Home): readonly string[] {
  const held = join(path, 'held');
  return readdirSync(held, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** One bit in every block. */
function flipBits(file: string): void {
  const bytes = readFileSync(file);
  for (let at = 100; at < bytes.length; at += blockBytes) bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(file, bytes);
}

function chosen(status: StatusAnswer, others: readonly Member[]): readonly Member[] {
  return status.partners
    .filter(({ holdsBytes }) => holdsBytes > 0)
    .map(({ id }) =>
      present(
        others.find(({ peer }) => peer === id),
        'a lender',
      ),
    );
}

/** Those that `status` has named by now, each with every code it was named under. */
async function namedIn(owner: Home, named: Map<string, Set<string>>): Promise<void> {
  const { hindrances } = await statusOf(owner);
  for (const hindrance of hindrances) {
    if (hindrance.code !== 'partner.failing' && hindrance.code !== 'partner.lacks') continue;
    const words = named.get(hindrance.partner) ?? new Set();
    named.set(hindrance.partner, words);
    words.add(hindrance.code === 'partner.failing' ? hindrance.cause : hindrance.code);
  }
}

/** Partners that hold a shard of everything now. */
function holders(owner: Home): ReadonlySet<string> {
  const rows = catalogueRows(owner, "SELECT DISTINCT partner FROM shard WHERE phase = 'held'");
  return new Set(rows.map(({ partner }) => Buffer.from(partner as Uint8Array).toString('hex')));
}

test('C20, C22: what partners lose, spoil, or take along for good is noticed, named and made up for', async () => {
  const files = join(folder.path, 'files');
  mkdirSync(files);
  const draws = new Prng('repair');
  for (let file = 0; file < 6; file += 1)
    writeFileSync(join(files, `${file}.bin`), draws.bytes(1_500_000));
  const { owner, others } = await circle();
  await eventually(
    'eight partners',
    async () => ((await statusOf(owner)).partners.length >= wanted ? true : undefined),
    60_000,
  );
  await done(owner, ['backup', files, '--wait', 'complete']);
  const [robbed, rotten, gone] = chosen(await settled(owner, 'all is out'), others);
  assert.ok(robbed !== undefined && rotten !== undefined && gone !== undefined);

  for (const file of heldFiles(robbed)) rmSync(file);
  for (const file of heldFiles(rotten)) flipBits(file);
  await daemons.get(gone.name)?.stop('SIGKILL');
  const named = new Map<string, Set<string>>();
  await eventually(
    'all three are named',
    async () => {
      await namedIn(owner, named);
      return [robbed, rotten, gone].every(({ peer }) => named.has(peer)) ? true : undefined;
    },
    30_000,
  );
  assert.ok(named.get(gone.peer)?.has('silence'));
  assert.ok(!named.get(robbed.peer)?.has('silence') && !named.get(rotten.peer)?.has('silence'));

  await settled(owner, 'full redundancy');
  const left = others.filter(({ peer }) => holders(owner).has(peer));
  assert.equal(left.length, wanted);
  assert.ok(!left.some(({ peer }) => [rotten.peer, gone.peer].includes(peer)));
  for (const { name } of left.slice(0, 4)) await daemons.get(name)?.stop('SIGKILL');
  const target = join(folder.path, 'restored');
  await done(owner, ['restore', 'latest', '--target', target]);
  assertSameTree(join(target, files), files);
});
