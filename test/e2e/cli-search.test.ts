/** Commands about partners that are found: search, agreements, terms, notice, forgiving and forgetting, on processes of their own. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  type Answer,
  assertFailure,
  done,
  endAll,
  eventually,
  type Home,
  lastWords,
  makeHome,
  on,
  up,
} from './circle.ts';
import { covault, type Daemon, type Said, temporaryFolder } from './command-line.ts';

const folder = temporaryFolder('search');
const daemons: Daemon[] = [];
let ada: Home;
let bea: Home;
let cyd: Home;

before(async () => {
  const made = await Promise.all(['ada', 'bea', 'cyd'].map((name) => makeHome(folder.path, name)));
  [ada, bea, cyd] = made as [Home, Home, Home];
});
after(async () => {
  await endAll(daemons);
  folder.remove();
});

/** Periods of a test: C stays longer than G. */
function configure(home: Home, bootstrap: string): void {
  const config = {
    name: home.name,
    network: { listen: [home.address], bootstrap: [bootstrap] },
    lend: { spaceBytes: 20e9 },
    partners: {
      preset: 'circle',
      wantedPartners: 1,
      graceSeconds: 3_600,
      commitmentSeconds: 7_200,
      searchIntervalSeconds: 10,
    },
  };
  writeFileSync(join(home.path, 'config.json'), JSON.stringify(config));
}

/** As a person reads it. */
function read(home: Home, argv: readonly string[]): Promise<Said> {
  return covault(['--home', home.path, ...argv]);
}

async function partnersOf(home: Home): Promise<readonly Answer[]> {
  return (await done(home, ['partners']))['partners'] as readonly Answer[];
}

test('a computer that knows nobody is told how to meet others', async () => {
  const said = await read(ada, ['search']);
  assert.equal(said.exit, 4, lastWords(said));
  assert.match(said.out, /Not enough partners: no good partner yet, 8 wanted/);
  assert.match(said.out, /no way to meet others yet\. Add one with `covault config set network\.b/);
  const status = await done(ada, ['status']);
  assert.deepEqual(status['search'], { seeks: false, missing: 8, candidates: 0, refused: 0 });
});

test('a commitment period that is no longer than grace cannot be configured (C30)', async () => {
  const said = await on(ada, ['config', 'set', 'partners.commitmentSeconds', '1d']);
  assertFailure(said, 2, 'config.bad-value');
  assert.match(said.out, /must be longer than the grace period/);
  assert.deepEqual(await done(ada, ['config', 'get', 'partners.commitmentSeconds']), null);
  assertFailure(await on(ada, ['config', 'set', 'partners.seek', 'maybe']), 2, 'config.bad-value');
});

test('an address of one that lends is a way to meet others: a dry run ranks, and signs nothing', async () => {
  configure(ada, bea.address);
  configure(bea, cyd.address);
  configure(cyd, ada.address);
  await done(bea, ['config', 'set', 'network.bootstrap', ada.address]);
  await done(bea, ['config', 'set', 'partners.searchIntervalSeconds', '20s']);
  const daemon = await up(ada);
  daemons.push(daemon);
  const search = { seeks: true, missing: 1, partners: 0, ways: ['network.bootstrap'] };
  assert.deepEqual(daemon.started['search'], search);
  const answer = await done(bea, ['search', '--dry-run']);
  const [found] = answer['candidates'] as readonly Answer[];
  assert.deepEqual([found?.['name'], found?.['source'], found?.['rank']], ['ada', 'configured', 1]);
  const reasons = (found?.['reasons'] ?? []) as readonly unknown[];
  assert.ok(reasons.length > 0);
  assert.deepEqual([answer['enough'], answer['signed']], [false, []]);
  const said = await read(bea, ['search', '--dry-run']);
  assert.match(said.out, /Candidates, best first:\n {2}1\. [0-9a-f]{12} {2}ada {2}\(at a config/);
  assert.deepEqual(await partnersOf(bea), []);
});

test('a search signs with the best; daemons find each other unaided', async () => {
  const answer = await done(bea, ['search']);
  const [signed] = answer['signed'] as readonly Answer[];
  assert.deepEqual([answer['enough'], signed?.['name']], [true, 'ada']);
  assert.equal(signed?.['weLendBytes'], signed?.['lendsUsBytes']);
  daemons.push(await up(bea), await up(cyd));
  await eventually('cyd has a partner', async () => (await partnersOf(cyd))[0]);
});

test('both sides keep the same agreement, show its terms in words, and its signatures are valid', async () => {
  const [ours] = (await done(bea, ['agreements']))['agreements'] as readonly Answer[];
  const shown = await Promise.all(
    [ada, bea].map((home) => done(home, ['agreements', 'show', String(ours?.['id'])])),
  );
  const [first, second] = shown;
  assert.deepEqual(first?.['document'], second?.['document']);
  for (const each of shown)
    for (const party of ['first', 'second'])
      assert.equal((each[party] as Answer)['signature'], 'valid');
  const said = await read(bea, ['agreements', 'show', 'ada']);
  assert.match(said.out, /^Stands {7}in commitment until .* \(no restores before\)/m);
  assert.match(said.out, /no restores are made or honoured in the first 2 hours/);
  assert.match(said.out, /has reneged\.$/m);
  assert.match((await read(bea, ['agreements'])).out, /ada \([0-9a-f]{12}\) {2}in-commitment/);
});

test('partners, status and doctor tell how a partner is reached and what runs out when', async () => {
  const shown = await read(bea, ['partners', 'show', 'ada']);
  assert.match(shown.out, /^State {9}reachable, (lan|direct)$/m, lastWords(shown));
  assert.match(shown.out, /^Stands {8}in commitment until /m);
  const status = await read(bea, ['status']);
  assert.match(status.out, /^ada is in commitment until .* \(no restores before\)\.$/m);
  const doctor = await read(bea, ['doctor']);
  for (const line of [/ok {4}router: no port/, /DHT: private/, /search: there are enough/])
    assert.match(doctor.out, line);
  assert.match(doctor.out, /ok {4}partner ada: reachable (over the local network|directly)/);
});

test('terms are changed when both sign again', async () => {
  const [before] = await partnersOf(bea);
  const less = ['partners', 'terms', 'ada', '--lend', '1GB', '--want', '1GB'];
  const changed = await done(bea, less);
  assert.deepEqual([changed['weLendBytes'], changed['lendsUsBytes']], [1e9, 1e9]);
  assert.equal(changed['number'], 1);
  assert.equal(changed['id'], before?.['agreement']);
  const theirs = await done(ada, ['agreements', 'show', 'bea']);
  assert.deepEqual([theirs['number'], theirs['weLendBytes']], [1, 1e9]);
  assert.equal((await on(bea, ['partners', 'terms', 'ada'])).exit, 2);
});

test('notice is given and taken back; what makes no sense is refused', async () => {
  assertFailure(await on(bea, ['partners', 'stay', 'ada']), 1, 'partner.wrong-phase');
  const leaving = await done(bea, ['partners', 'leave', 'ada']);
  assert.equal(leaving['phase'], 'leaving');
  assert.ok(Date.parse(String(leaving['leavesAt'])) > Date.now());
  assert.match((await read(bea, ['status'])).out, /^ada is leaving, until /m);
  await eventually('ada knows', async () =>
    (await partnersOf(ada)).find(({ name, phase }) => name === 'bea' && phase === 'leaving'),
  );
  assert.equal((await done(bea, ['partners', 'stay', 'ada']))['phase'], 'in-commitment');
  assert.equal((await done(bea, ['partners', 'forgive', 'ada']))['phase'], 'in-commitment');
});

test('a forgotten partner is over at once, and stays in the list of agreements', async () => {
  const ended = await done(bea, ['partners', 'forget', 'ada']);
  assert.equal(ended['phase'], 'ended');
  const all = (await done(bea, ['agreements']))['agreements'] as readonly Answer[];
  assert.ok(all.some(({ id, phase }) => id === ended['id'] && phase === 'ended'));
  const byAgreement = await on(bea, ['partners', 'forget', String(ended['id']).slice(0, 16)]);
  assertFailure(byAgreement, 1, 'partner.unknown');
  assertFailure(await on(bea, ['partners', 'leave', 'zoe']), 1, 'partner.unknown');
});
