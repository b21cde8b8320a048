import assert from 'node:assert/strict';
import test from 'node:test';
import { repairFindings, restoreFindings, strategyFindings } from './findings.ts';
import { type PopulationChoice, usualPlan } from './plan.ts';
import { type PopulationOutcome, PopulationRun } from './population-run.ts';
import { tablesOf } from './tables.ts';

function lived(choice: Partial<PopulationChoice> = {}): PopulationOutcome {
  const plan = usualPlan({ peers: 2_000, days: 120, seed: 11, preset: 'circle', ...choice });
  return new PopulationRun(plan).run();
}

const circle = lived();
const open = lived({ preset: 'open', peers: 1_500 });

/** Strategies whose fall is found by what they do, not by how long they stay. */
const caught = [
  'freeloader, all',
  'freeloader, 10 %',
  'dodger 10 %',
  'whitewasher',
  'hostage-taker',
];

test('the same seed lives the same life, another one another', () => {
  const short = { peers: 600, days: 40 };
  const first = lived(short);
  assert.ok(first.traceCount > 1_000);
  assert.equal(lived(short).traceHash, first.traceHash);
  assert.notEqual(lived({ ...short, seed: 12 }).traceHash, first.traceHash);
});

test('cheats are found within twice the time that the formula gives, and not before half of it', () => {
  for (const outcome of [circle, open])
    for (const each of strategyFindings(outcome).filter(({ name }) => caught.includes(name))) {
      const ratio = each.foundRanHours / each.expectedHours;
      assert.ok(each.found > each.pairs * 0.7, `${each.name}: ${each.found} of ${each.pairs}`);
      assert.ok(ratio > 0.5 && ratio < 2, `${each.name}: ${ratio}`);
    }
});

test('nobody is reneged on within G, and honest bytes are never called wrong', () => {
  for (const outcome of [circle, open]) {
    for (const counts of outcome.counts) assert.equal(counts.divorcesEarly, 0);
    const honest = strategyFindings(outcome).find(({ name }) => name === 'honest');
    assert.equal(honest?.accused, 0);
  }
  const alive = circle.counts.reduce((sum, { divorcesAlive }) => sum + divorcesAlive, 0);
  assert.ok(alive < 20, `${alive} divorced though alive`);
});

test('who answers audits truthfully or dodges them gains nothing among strangers', () => {
  const losing = ['freeloader, 10 %', 'freeloader, 1 %', 'dodger 10 %'];
  const all = strategyFindings(open);
  const honest = all.find(({ name }) => name === 'honest');
  assert.ok(honest !== undefined && honest.usableDays > 0);
  for (const each of all.filter(({ name }) => losing.includes(name))) {
    const free = each.usableDays - each.heldDays;
    assert.ok(free <= Math.max(0, honest.usableDays - honest.heldDays), `${each.name}: ${free}`);
    assert.ok(each.usableDays < honest.usableDays, each.name);
  }
});

test('restores fail as seldom as the formula says where it says often', () => {
  const often = restoreFindings(circle).filter(({ cheatShare }) => cheatShare > 0);
  const expected = often.reduce((sum, each) => sum + each.expected * each.futures, 0);
  const failed = often.reduce((sum, each) => sum + each.futureFailures, 0);
  assert.ok(failed > expected / 2 && failed < expected * 2, `${failed}, not ${expected}`);
});

test('repair sends at most twice what an oracle would, in a circle', () => {
  const ordinary = repairFindings(circle).filter(({ availability }) => availability !== 0.93);
  const sent = ordinary.reduce((sum, each) => sum + each.repairUploads + each.reloads, 0);
  const lost = ordinary.reduce((sum, each) => sum + each.losses, 0);
  assert.ok(sent < 2 * lost, `${sent} sent for ${lost} lost`);
});

test('spares that stand in for any shard cost less than copies of the one that is missing', () => {
  const choice = { peers: 800, days: 120, preset: 'open' } as const;
  const sent = (outcome: PopulationOutcome): number =>
    repairFindings(outcome).reduce((sum, { repairUploads }) => sum + repairUploads, 0);
  assert.ok(sent(lived({ ...choice, changes: { freshSpares: true } })) < sent(lived(choice)) / 1.3);
});

test('the tables have a row for each strategy and each cell', () => {
  const lines = tablesOf(circle);
  const rows = lines.filter((line) => line.startsWith('| ') && !line.startsWith('| ---'));
  assert.equal(rows.length, 3 + strategyFindings(circle).length + 13 + 5);
});
