/** Audits and drills as a person asks for them, on processes of their own: who passed, who did not and why, and what the one that failed is told. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Prng } from '../../src/base/prng.ts';
import type { StatusAnswer } from '../../src/daemon/answers.ts';
import type {
  AuditAnswer,
  DrillAnswer,
  PartnerAuditsAnswer,
} from '../../src/daemon/audit-answers.ts';
import type { AuditResult } from '../../src/daemon/operations/audits.ts';
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
  up,
} from './circle.ts';
import { covault, type Daemon, type Said, temporaryFolder } from './command-line.ts';

const folder = temporaryFolder('audits');
const daemons = new Map<string, Daemon>();
let ada: Home;
let bea: Home;
let cyd: Home;

before(async () => {
  const made = await Promise.all(['ada', 'bea', 'cyd'].map((name) => makeHome(folder.path, name)));
  [ada, bea, cyd] = made as [Home, Home, Home];
  for (const home of made) {
    // Only what a person asks for happens, and within what may be asked in a day.
    await done(home, ['config', 'set', 'partners.auditIntervalSeconds', '1h']);
    await done(home, ['config', 'set', 'partners.drillIntervalSeconds', '0']);
  }
  for (const home of made) daemons.set(home.name, await up(home));
});
after(async () => {
  await endAll(daemons.values());
  folder.remove();
});

function read(home: Home, argv: readonly string[]): Promise<Said> {
  return covault(['--home', home.path, ...argv]);
}

async function auditsOf(home: Home, partner: string): Promise<PartnerAuditsAnswer> {
  const shown = await done(home, ['partners', 'show', partner]);
  return shown['audits'] as PartnerAuditsAnswer;
}

test('while partners hold nothing there is nothing to audit or to drill', async () => {
  const alone = await read(ada, ['audit']);
  assert.equal(alone.exit, 0, lastWords(alone));
  assert.match(alone.out, /No partners yet/);
  assertFailure(await on(ada, ['drill']), 1, 'drill.nothing');
  assertFailure(await on(ada, ['audit', 'zoe']), 1, 'partner.unknown');
  assert.equal((await on(ada, ['audit', '--blocks', '65'])).exit, 2);
  await befriend(ada, bea);
  await befriend(ada, cyd);
  assert.match((await read(ada, ['audit', 'bea'])).out, /bea: holds nothing of yours yet/);
});

test('partners that hold what they took pass, and both sides keep that', async () => {
  const source = join(folder.path, 'source');
  mkdirSync(source);
  for (let file = 0; file < 6; file += 1)
    writeFileSync(join(source, `file-${file}`), new Prng(file).bytes(300_000));
  await done(ada, ['backup', source, '--wait', 'complete']);
  const answer = (await done(ada, ['audit', '--blocks', '6'])) as unknown as AuditResult;
  assert.deepEqual(
    answer.audits.map(({ name, outcome }) => [name, outcome]),
    [
      ['bea', 'passed'],
      ['cyd', 'passed'],
    ],
  );
  assert.ok(answer.audits.every(({ provenBlocks }) => provenBlocks >= 1));
  const ours = (await auditsOf(ada, 'bea')).ofPartner;
  assert.ok(ours.passed >= 1 && ours.lastPassedAt !== null && ours.shards > 0);
  const theirs = (await auditsOf(bea, 'ada')).ofUs;
  assert.deepEqual([theirs.wrong, theirs.failures], [0, []]);
  assert.ok(theirs.passed >= 1);
});

test('nothing was deleted at partners, and so nothing is taken back', async () => {
  const answer = await done(ada, ['recover', '--undelete']);
  assert.deepEqual([answer['partnersAsked'], answer['deleted'], answer['silent']], [2, 0, []]);
  assert.match((await read(ada, ['recover', '--undelete'])).out, /at the 2 partners that answered/);
  assert.equal((await on(ada, ['recover', '--undelete', '--kit', 'kit.json'])).exit, 2);
});

test('a drill restores files to nowhere, and status says when that was last proven', async () => {
  const before = (await done(ada, ['status'])) as unknown as StatusAnswer;
  assert.equal(before.lastProven, null);
  const drilled = (await done(ada, ['drill', '--files', '3'])) as unknown as DrillAnswer;
  assert.ok(drilled.proven && drilled.files >= 1 && drilled.partners.length > 0);
  const status = (await done(ada, ['status'])) as unknown as StatusAnswer;
  assert.equal(status.lastProven, drilled.at);
  const said = await read(ada, ['status']);
  assert.match(said.out, /^Last proven {6}restorable .*: a drill brought \d+ files? back from p/m);
});

test('shards that are gone from a partner’s disk are found out, named, and told', async () => {
  const held = join(bea.path, 'held');
  for (const owner of readdirSync(held)) rmSync(join(held, owner), { recursive: true });
  const said = await eventually('an audit draws what is gone', async () => {
    const answer = await on(ada, ['audit', 'bea', '--blocks', '8']);
    return answer.exit === 14 ? answer : undefined;
  });
  const { audits } = said.json() as unknown as AuditResult;
  assert.deepEqual([audits[0]?.name, audits[0]?.outcome], ['bea', 'wrong']);
  assert.ok(audits[0]?.findings.every(({ fault }) => fault === 'missing'));
  const { ofUs } = await auditsOf(bea, 'ada');
  assert.ok(ofUs.wrong >= 1 && ofUs.failures[0]?.told === true);
  const told = await read(bea, ['partners', 'show', 'ada']);
  assert.match(told.out, /^It audits us {2}\d+ passed, [1-9]\d* failed$/m);
  assert.match(
    told.out,
    /failed, it told us:\n {3}block \d+ of shard [0-9a-f]{12}: it has been lost/,
  );
  const shown = await read(ada, ['partners', 'show', 'bea']);
  assert.match(shown.out, / {2}wrong, \d+ blocks?$/m);
  assert.match(
    (await read(ada, ['status'])).out,
    /bea is suspended: found with wrong or missing shards/,
  );
});

test('a partner whose disk fails is silent, and both sides see what waits and why', async () => {
  const held = join(cyd.path, 'held');
  const files = readdirSync(held).flatMap((owner) =>
    readdirSync(join(held, owner)).map((name) => join(held, owner, name)),
  );
  for (const file of files) {
    renameSync(file, `${file}.away`);
    mkdirSync(file);
  }
  const said = await on(ada, ['audit', 'cyd']);
  const { audits } = said.json() as unknown as AuditResult;
  assert.deepEqual([audits[0]?.outcome, audits[0]?.reason], ['silent', 'peer.fault']);
  assert.notEqual(audits[0]?.pendingSince, null);
  assert.match((await read(ada, ['partners', 'show', 'cyd'])).out, /, 1 not answered yet$/m);
  const { ofUs } = await auditsOf(cyd, 'ada');
  assert.deepEqual([ofUs.waiting.length, ofUs.refusal?.code], [1, 'peer.fault']);
  const told = (await read(cyd, ['partners', 'show', 'ada'])).out;
  assert.match(told, /asked for \d+ blocks?, and has no answer yet; it asks for the same again$/m);
  assert.match(told, /got no blocks: this computer could not read what was asked for/);
  for (const file of files) {
    rmdirSync(file);
    renameSync(`${file}.away`, file);
  }
  assert.equal((await on(ada, ['audit', 'cyd'])).exit, 0, 'the same is asked again, and answered');
  const after = (await auditsOf(cyd, 'ada')).ofUs;
  assert.deepEqual([after.waiting, after.refusal, after.wrong], [[], null, 0]);
});

test('what is asked beyond what was agreed is unclear, in words, and held against nobody', async () => {
  const passed: AuditAnswer[] = [];
  const said = await eventually('the blocks of a day are used up', async () => {
    const answer = await on(ada, ['audit', 'cyd', '--blocks', '64']);
    if (answer.exit !== 0) return answer;
    passed.push(...(answer.json() as unknown as AuditResult).audits);
    return undefined;
  });
  const last = passed.at(-1);
  assert.ok((last?.provenBlocks ?? 64) < 64, 'it was asked for what was left');
  assert.equal(last?.blocksLeft, 0);
  const { audits } = said.json() as unknown as AuditResult;
  assert.deepEqual([audits[0]?.outcome, audits[0]?.reason], ['unclear', 'request.quota']);
  const words = (await read(ada, ['audit', 'cyd', '--blocks', '64'])).out;
  assert.match(
    words,
    /cyd: unclear: as much was asked .* ask again tomorrow \(0 blocks left for today\)/,
  );
  const { ofUs } = await auditsOf(cyd, 'ada');
  assert.deepEqual([ofUs.wrong, ofUs.failures, ofUs.waiting], [0, [], []]);
});

test('when nobody answers the exit code says so, and nobody is blamed', async () => {
  await endAll([bea, cyd].flatMap(({ name }) => daemons.get(name) ?? []));
  const said = await read(ada, ['audit', 'bea']);
  assert.equal(said.exit, 13, lastWords(said));
  assert.match(said.out, /bea: offline: it cannot be reached/);
});
