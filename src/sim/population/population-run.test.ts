import assert from 'node:assert/strict';
import test from 'node:test';
import { repairFindings, restoreFindings, strategyFindings } from './findings.ts';
import { type PopulationChoice, usualPlan } from './plan.ts';
import { type PopulationOutcome, PopulationRun } from './population-run.ts';
import { tablesOf } from './tables.ts';

function lived(choice: Partial<PopulationChoice> = {}): PopulationOutcome {
  const plan = usualPlan({ peers: 4_000, days: 120, seed: 11, preset: 'circle', ...choice });
  return new PopulationRun(plan).run();
}

const circle = lived();
const open = lived({ preset: 'open', peers: 1_000 });
const trusted = lived({ peers: 3_000, changes: { trusted: true } });

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

test('no strategy has backup for nothing, in a circle of people who are not trusted or among strangers', () => {
  for (const outcome of [circle, open])
    for (const each of strategyFindings(outcome)) {
      const free = each.usableDays - each.heldDays;
      assert.ok(free <= 0, `${each.name}: ${free}`);
    }
});

test('who is trusted is served after the end, others only after a new commitment', () => {
  const served = (outcome: PopulationOutcome): number =>
    strategyFindings(outcome).reduce((sum, { servedDays }) => sum + servedDays, 0);
  assert.ok(served(trusted) > 0);
  assert.equal(served(circle), 0);
});

test('restores fail as seldom as owners tell, where they tell of it often', () => {
  for (const outcome of [circle, trusted]) {
    const often = restoreFindings(outcome).filter(({ cheatShare }) => cheatShare > 0);
    const expected = often.reduce((sum, each) => sum + each.expectedHere * each.futures, 0);
    const failed = often.reduce((sum, each) => sum + each.futureFailures, 0);
    assert.ok(failed > expected / 2 && failed < expected * 2, `${failed}, not ${expected}`);
  }
});

test('owners that tell of less than one in a hundred thousand hardly ever fail, those that tell of more as often as they tell', () => {
  for (const each of restoreFindings(open)) {
    assert.equal(each.likely.owners + each.unlikely.owners + each.waiting, each.samples);
    assert.equal(each.likely.futureFailures + each.unlikely.futureFailures, each.futureFailures);
    assert.ok(each.unlikely.futureFailures <= 3 + 3 * each.unlikely.expectedFailures);
  }
});

test('repair sends at most twice what an oracle would, for computers with long outages too', () => {
  for (const outcome of [circle, open, trusted])
    for (const each of repairFindings(outcome)) {
      const sent = each.repairUploads + each.reloads;
      assert.ok(sent < 2 * each.losses, `${each.availability}: ${sent} for ${each.losses}`);
    }
});

test('the tables have a row for each strategy and each cell', () => {
  const lines = tablesOf(circle);
  const rows = lines.filter((line) => line.startsWith('| ') && !line.startsWith('| ---'));
  assert.equal(rows.length, 4 + strategyFindings(circle).length + 2 * 13 + 5);
});
