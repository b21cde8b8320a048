import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { dayMs } from '../../base/units.ts';
import {
  type DurabilityRequest,
  durabilityOf,
  expectedLifeMs,
  failureChance,
  groupedBinomial,
  type Holder,
  holdingChance,
  leastChance,
  ordinaryModel,
  poissonBinomial,
  reachingChance,
  returningChance,
  shortfall,
  type TryGroup,
} from './durability.ts';

/** P[Bin(n, p) < k]. */
function short(needed: number, tries: number, chance: number): number {
  return shortfall(poissonBinomial(new Array<number>(tries).fill(chance)), needed);
}

/** Equal to the two digits that RESEARCH §3 gives. */
function assertNear(actual: number, published: number): void {
  assert.ok(Math.abs(actual / published - 1) < 0.05, `${actual} is not ${published}`);
}

const yearMs = 365 * dayMs;
const desktop: Holder = { availability: 0.66, lifeMs: yearMs };

test('fewer than k of n partners are there as seldom as the tables say', () => {
  const table = [
    [6, 8, 0.8, 0.2],
    [4, 10, 0.8, 8.6e-4],
    [8, 20, 0.8, 1.5e-5],
    [10, 30, 0.8, 4.5e-9],
    [4, 8, 0.8, 1.04e-2],
    [4, 8, 0.95, 1.54e-5],
    [6, 8, 0.95, 5.8e-3],
  ] as const;
  for (const [needed, tries, chance, expected] of table)
    assertNear(short(needed, tries, chance), expected);
});

test('desktops with an ordinary life bring data back within seven days as often as the tables say', () => {
  const { absenceMs, windowMs } = ordinaryModel;
  const table = [
    [0, 1.3e-5, 4.4e-13],
    [0.1, 2.3e-3, 3.1e-7],
    [0.2, 2.2e-2, 1.1e-4],
  ] as const;
  for (const [cheatShare, circle, open] of table) {
    const model = { ...ordinaryModel, cheatShare };
    const chance =
      holdingChance(desktop.lifeMs, absenceMs + windowMs, model) *
      reachingChance(desktop.availability, windowMs);
    assertNear(short(4, 8, chance), circle);
    assertNear(short(8, 20, chance), open);
  }
});

test('domains that are lost as a whole matter more than redundancy', () => {
  const spread = (domains: number): number => {
    const groups = Array.from({ length: domains }, () => ({
      chances: new Array<number>(20 / domains).fill(0.95),
      lostTogether: 0.02,
    }));
    return shortfall(groupedBinomial(groups), 8);
  };
  assertNear(spread(20), 3.9e-11);
  assertNear(spread(5), 2.7e-5);
  assertNear(spread(1), 2e-2);
});

test('a missed partner is worth less the longer it is silent, and most where absences are usual', () => {
  const back = (availability: number, days: number): number =>
    returningChance({ availability, lifeMs: yearMs }, days * dayMs);
  assertNear(back(0.95, 3), 0.48);
  assertNear(back(0.5, 3), 0.9);
  assert.ok(back(0.5, 7) < 0.2);
  assert.equal(back(0.5, Number.POSITIVE_INFINITY), 0);
  assert.equal(back(0, 1), 0);
  const odds = (missedMs?: number): ReturnType<typeof durabilityOf> =>
    durabilityOf({
      holders: [...Array<Holder>(7).fill(desktop), { ...desktop, ...(missedMs && { missedMs }) }],
      dataShards: 4,
    });
  const seven = durabilityOf({ holders: Array<Holder>(7).fill(desktop), dataShards: 4 });
  assert.deepEqual(odds(Number.POSITIVE_INFINITY), seven);
  assert.equal(odds(3 * dayMs).failsNow, seven.failsNow);
  assert.ok(odds(3 * dayMs).failsInWindow < seven.failsInWindow);
  assert.ok(odds(3 * dayMs).failsInWindow > odds().failsInWindow);
  assert.ok(odds(5 * dayMs).lostInYear >= odds(3 * dayMs).lostInYear);
});

const chance = fc.double({ min: 0, max: 1, noNaN: true });
const holders: fc.Arbitrary<readonly Holder[]> = fc.array(
  fc.record({
    availability: chance,
    lifeMs: fc.integer({ min: 10, max: 1_000 }).map((days) => days * dayMs),
    domains: fc.record({
      place: fc.constantFrom('home', 'office', 'cabin'),
      system: fc.constantFrom('one', 'two', 'three'),
    }),
  }),
  { minLength: 1, maxLength: 12 },
);
const requests: fc.Arbitrary<DurabilityRequest> = fc.record({
  holders,
  dataShards: fc.integer({ min: 1, max: 8 }),
  own: fc.constantFrom({}, { place: 'home' }, { system: 'two' }, { place: 'cabin', system: 'one' }),
});
const slack = 1e-9;

function fieldsOf(request: DurabilityRequest): readonly number[] {
  const { failsNow, failsInWindow, lostInYear } = durabilityOf(request);
  return [failsNow, failsInWindow, lostInYear];
}

/** Each chance of the first at most that of the second. */
function assertNoWorse(better: DurabilityRequest, worse: DurabilityRequest): void {
  const worseFields = fieldsOf(worse);
  for (const [at, value] of fieldsOf(better).entries())
    assert.ok(value <= (worseFields[at] ?? 0) + slack, `${value} > ${worseFields[at]}`);
}

test('whoever withholds what it has is no help to a restore, and keeps the data from being lost', () => {
  fc.assert(
    fc.property(requests, fc.array(fc.boolean(), { maxLength: 12 }), (request, pattern) => {
      const holders = request.holders.map((holder, at) => ({
        ...holder,
        withholds: pattern[at] ?? false,
      }));
      const [now, inWindow, lost] = fieldsOf({ ...request, holders });
      const giving = holders.filter(({ withholds }) => !withholds);
      const [nowOfThese, inWindowOfThese] = fieldsOf({ ...request, holders: giving });
      assert.ok(Math.abs((now ?? 0) - (nowOfThese ?? 1)) < slack);
      assert.ok(Math.abs((inWindow ?? 0) - (inWindowOfThese ?? 1)) < slack);
      assert.equal(lost, fieldsOf(request)[2]);
    }),
  );
});

test('the chances of all counts are those of one thing that happens', () => {
  const groups: fc.Arbitrary<readonly TryGroup[]> = fc.array(
    fc.record({ chances: fc.array(chance, { maxLength: 6 }), lostTogether: chance }),
    { maxLength: 6 },
  );
  fc.assert(
    fc.property(groups, (tried) => {
      const counts = groupedBinomial(tried);
      assert.ok(counts.every((mass) => mass >= 0));
      assert.ok(Math.abs(counts.reduce((sum, mass) => sum + mass, 0) - 1) < slack);
    }),
  );
});

test('partners that are there more, or live longer, never make it worse', () => {
  fc.assert(
    fc.property(requests, fc.nat(), chance, (request, pick, gain) => {
      const at = pick % request.holders.length;
      const raised = request.holders.map((holder, number) =>
        number === at
          ? {
              ...holder,
              availability: holder.availability + (1 - holder.availability) * gain,
              lifeMs: holder.lifeMs * (1 + gain),
            }
          : holder,
      );
      assertNoWorse({ ...request, holders: raised }, request);
    }),
  );
});

test('one more partner never makes it worse, one data shard more never better', () => {
  fc.assert(
    fc.property(requests, (request) => {
      assertNoWorse({ ...request, holders: [...request.holders, desktop] }, request);
      assertNoWorse(request, { ...request, dataShards: request.dataShards + 1 });
    }),
  );
});

test('no answer is below one in a million, nor above certainty', () => {
  const many = new Array<Holder>(30).fill({ availability: 1, lifeMs: 100 * yearMs });
  assert.deepEqual(fieldsOf({ holders: many, dataShards: 1 }), [1e-6, 1e-6, 1e-6]);
  assert.deepEqual(fieldsOf({ holders: [], dataShards: 1 }), [
    1,
    1,
    ordinaryModel.ownerLossesPerYear,
  ]);
  fc.assert(
    fc.property(requests, (request) => {
      for (const value of fieldsOf(request)) assert.ok(value >= leastChance && value <= 1);
    }),
  );
});

test('a restore that may wait fails less often than one that may not, for partners that live', () => {
  const years = { availability: 0.66, lifeMs: 2 * yearMs };
  const { failsNow, failsInWindow } = durabilityOf({
    holders: new Array<Holder>(8).fill(years),
    dataShards: 4,
  });
  assert.ok(failsInWindow < failsNow / 100);
});

/** Eight good partners, so many in each household. */
function inPlaces(perPlace: number, system?: string): readonly Holder[] {
  return Array.from({ length: 8 }, (_, number) => ({
    availability: 0.95,
    lifeMs: yearMs,
    domains: {
      place: `${Math.floor(number / perPlace)}`,
      ...(system === undefined ? {} : { system }),
    },
  }));
}

test('partners that fail together are never better than partners that do not', () => {
  const failing = (perPlace: number, system?: string): number =>
    failureChance({ holders: inPlaces(perPlace, system), dataShards: 4 }, () => 0.95);
  const chances = [1, 2, 4, 8].map((perPlace) => failing(perPlace));
  assert.deepEqual(
    chances,
    chances.toSorted((left, right) => left - right),
  );
  for (const perPlace of [1, 2, 4, 8]) assert.ok(failing(perPlace, 'all') >= failing(perPlace));
});

test('a group is no better than its members would be if nothing took them all', () => {
  fc.assert(
    fc.property(
      fc.array(chance, { minLength: 1, maxLength: 10 }),
      chance,
      fc.integer({ min: 1, max: 10 }),
      (chances, lostTogether, needed) => {
        const alone = shortfall(groupedBinomial([{ chances, lostTogether: 0 }]), needed);
        const together = shortfall(groupedBinomial([{ chances, lostTogether }]), needed);
        assert.ok(together >= alone - slack);
      },
    ),
  );
});

test('with half redundancy and good members, a group is no better than as many that fail alone as often', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.95, max: 0.999, noNaN: true }), { minLength: 4, maxLength: 12 }),
      fc.double({ min: 0, max: 0.05, noNaN: true }),
      (chances, lostTogether) => {
        const needed = Math.floor(chances.length / 2);
        const together = shortfall(groupedBinomial([{ chances, lostTogether }]), needed);
        const alone = chances.map((each) => each * (1 - lostTogether));
        assert.ok(together >= shortfall(poissonBinomial(alone), needed) - slack);
      },
    ),
  );
});

test('partners in the household of the owner are lost with it', () => {
  const request = { holders: inPlaces(8), dataShards: 4 };
  const elsewhere = durabilityOf({ ...request, own: { place: 'other' } });
  const athome = durabilityOf({ ...request, own: { place: '0' } });
  assert.ok(athome.failsInWindow >= 0.2 && elsewhere.failsInWindow < 0.001);
});

test('systems and places may cross: both losses count', () => {
  const crossed: readonly Holder[] = ['a', 'b'].flatMap((place) =>
    ['x', 'y'].map((system) => ({ availability: 1, lifeMs: yearMs, domains: { place, system } })),
  );
  const model = {
    ...ordinaryModel,
    ownerLossesPerYear: 1,
    placeLossesPerYear: 0.1,
    systemLossesPerYear: 0.2,
  };
  const own = { place: 'a', system: 'x' };
  // One of the four is enough: both places must be lost, or both systems; a place and a system leave one.
  const exposed = (model.repairMs + model.absenceMs + model.windowMs) / yearMs;
  const [placeA, placeB, systemX, systemY] = [0.1, 0.1 * exposed, 0.2, 0.2 * exposed];
  const allPlaces = placeA * placeB;
  const allSystems = systemX * systemY;
  const expected = allPlaces + allSystems - allPlaces * allSystems;
  const actual = failureChance({ holders: crossed, dataShards: 1, own, model }, () => 1);
  assert.ok(Math.abs(actual - expected) < 1e-12, `${actual} ${expected}`);
});

test('a partner is expected to stay as long again as it has, within bounds', () => {
  assert.equal(expectedLifeMs(0), yearMs / 2);
  assert.equal(expectedLifeMs(yearMs / 2), yearMs);
  assert.equal(expectedLifeMs(10 * yearMs), 2 * yearMs);
});
