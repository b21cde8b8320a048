import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { present } from '../../base/assert.ts';
import { utf8Bytes } from '../../base/bytes.ts';
import { dayMs, gibi } from '../../base/units.ts';
import { sha256 } from '../../primitives/hash.ts';
import { codeText, shardCount } from '../vocabulary/code.ts';
import { idOf, type PeerId } from '../vocabulary/ids.ts';
import { circlePreset, type PlanPreset } from './code-choice.ts';
import { durabilityOf, repairTimeMs } from './durability.ts';
import { codesToTry, holderOf, modelOf, type PlannedPartner, planFor } from './planner.ts';

const open: PlanPreset = { preset: 'open' };

function partner(number: number, known: Partial<PlannedPartner> = {}): PlannedPartner {
  const peer = idOf<PeerId>(sha256(utf8Bytes(`peer ${number}`)));
  return { peer, ageMs: 0, freeBytes: gibi, ...known };
}

function partners(count: number, known: Partial<PlannedPartner> = {}): readonly PlannedPartner[] {
  return Array.from({ length: count }, (_, number) => partner(number, known));
}

function codeFor(count: number, preset: PlanPreset, known: Partial<PlannedPartner> = {}): string {
  const { code } = planFor(partners(count, known), preset);
  return code === undefined ? 'none' : codeText(code);
}

test('the code follows the number of partners, also of those that were never measured', () => {
  const counts = [0, 1, 2, 3, 4, 8, 19, 20];
  assert.deepEqual(
    counts.map((count) => codeFor(count, circlePreset)),
    ['none', '1+0', '1+1', '2+1', '2+2', '4+4', '4+4', '8+12'],
  );
  assert.deepEqual(
    [10, 15, 20, 30].map((count) => codeFor(count, open)),
    ['4+6', '6+9', '8+12', '8+12'],
  );
  assert.equal(codeFor(30, { preset: 'open', hostile: true }), '10+20');
});

test('ordinary desktops and servers get the code of their number', () => {
  for (const availability of [0.3, 0.5, 0.66, 0.95, 1])
    for (const ageMs of [0, 100 * dayMs, 1_000 * dayMs]) {
      assert.equal(codeFor(8, circlePreset, { availability, ageMs }), '4+4');
      assert.equal(codeFor(3, circlePreset, { availability, ageMs }), '2+1');
      assert.equal(codeFor(20, open, { availability, ageMs }), '8+12');
      const inOffice = { ...circlePreset, repairMs: repairTimeMs(3 * dayMs, 0.3) };
      assert.equal(codeFor(8, inOffice, { availability, ageMs }), '4+4');
    }
});

test('partners that are hardly ever there get more redundancy, and that is said', () => {
  const plan = planFor(partners(8, { availability: 0.05 }), circlePreset);
  const code = present(plan.code, 'a code');
  assert.equal(shardCount(code), 8);
  assert.ok(code.dataShards < 4 && code.dataShards >= 2, codeText(code));
  assert.ok(plan.reasons.some((reason) => reason.code === 'plan.seldom-there'));
});

test('a code takes no more partners than there are with room, and data shards among them', () => {
  const known = fc.record({
    availability: fc.double({ min: 0, max: 1, noNaN: true }),
    ageMs: fc.integer({ min: 0, max: 1_000 }).map((days) => days * dayMs),
    freeBytes: fc.constantFrom(0, 1, gibi),
    domains: fc.record({ place: fc.constantFrom('a', 'b', 'c') }),
  });
  const presets = fc.constantFrom<PlanPreset>(circlePreset, open, {
    preset: 'open',
    hostile: true,
  });
  fc.assert(
    fc.property(fc.array(known, { maxLength: 40 }), presets, (facts, preset) => {
      const all = facts.map((each, number) => partner(number, each));
      const roomy = all.filter(({ freeBytes }) => freeBytes === gibi);
      const { code, wantedPartners } = planFor(all, preset);
      assert.equal(code === undefined, roomy.length === 0);
      if (code === undefined) return;
      assert.ok(shardCount(code) <= roomy.length && code.dataShards > 0);
      assert.ok(shardCount(code) <= Math.max(wantedPartners, 20));
      assert.ok(shardCount(code) <= 4 * code.dataShards);
    }),
  );
});

test('too few partners: more are to be found, and it is said how many', () => {
  const plan = planFor(partners(6), circlePreset);
  assert.equal(plan.wantedPartners, 8);
  assert.deepEqual(plan.next, { type: 'find-partners', count: 2 });
  assert.deepEqual(plan.reasons, [{ code: 'plan.few-partners', partners: 6, wanted: 8 }]);
  assert.deepEqual(planFor([], open).next, { type: 'find-partners', count: 20 });
  assert.deepEqual(planFor([], open).reasons, [{ code: 'plan.no-partners' }]);
});

test('enough partners without room: they are to be given room', () => {
  const all = [...partners(7), partner(7, { freeBytes: 100 })];
  const plan = planFor(all, circlePreset);
  assert.equal(codeText(present(plan.code, 'a code')), '4+3');
  assert.deepEqual(plan.next, { type: 'free-space', partners: 1 });
  assert.ok(plan.reasons.some(({ code }) => code === 'plan.partners-full'));
});

test('enough partners of one household: others elsewhere are better than more', () => {
  const plan = planFor(partners(8, { domains: { place: 'home' } }), circlePreset);
  assert.deepEqual(plan.next, { type: 'diversify', domain: 'place home', count: 6 });
  const crowded = { code: 'plan.crowded-domain', domain: 'place home', shards: 8, maximum: 2 };
  assert.deepEqual(plan.reasons.at(-1), crowded);
  assert.deepEqual(planFor(partners(8), circlePreset).next, { type: 'none' });
});

test('when a stripe finds no room, codes for fewer partners follow, down to half the losses or four', () => {
  const texts = (count: number, preset: PlanPreset): readonly string[] =>
    codesToTry(partners(count), preset).map(codeText);
  assert.deepEqual(texts(8, circlePreset), ['4+4', '4+3', '3+3', '3+2', '2+2']);
  assert.deepEqual(texts(20, circlePreset), ['8+12', '4+4']);
  assert.deepEqual(texts(2, circlePreset), ['1+1']);
  assert.deepEqual(texts(21, open), ['8+12', '6+9', '4+6', '4+4']);
  assert.deepEqual(texts(0, open), []);
});

test('strangers are believed to cheat now and then', () => {
  const holders = partners(20, { availability: 0.66, ageMs: 182 * dayMs }).map(holderOf);
  const chances = [circlePreset, open, { preset: 'open', hostile: true } as const].map(
    (preset) => durabilityOf({ holders, dataShards: 8, model: modelOf(preset) }).failsInWindow,
  );
  assert.deepEqual(
    chances,
    chances.toSorted((left, right) => left - right),
  );
  assert.ok((chances[2] ?? 0) > 1e-5);
});
