import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { dayMs, hourMs } from '../../base/units.ts';
import {
  hourOfWeek,
  hoursIn,
  keptShare,
  type LearnedWeek,
  learnStretch,
  maskHas,
  maskOf,
  overlapHours,
  type Stretch,
  sharesOf,
  slotMemoryMs,
  unlearnedWeek,
  weekHours,
} from './schedule.ts';
import { addToTally, averageOf, emptyTally } from './tally.ts';

const monday = Date.UTC(2026, 0, 5);
const weekMs = 7 * dayMs;

const stretch: fc.Arbitrary<Stretch> = fc
  .record({ from: fc.nat(200 * dayMs), length: fc.nat(30 * dayMs), online: fc.boolean() })
  .map(({ from, length, online }) => ({
    from: monday + from,
    until: monday + from + length,
    online,
  }));
const week = fc.oneof(
  fc.uint8Array({ minLength: 21, maxLength: 21 }),
  fc.uint8Array({ minLength: weekHours, maxLength: weekHours }),
);

function learned(stretches: readonly Stretch[]): LearnedWeek {
  return stretches.reduce(learnStretch, unlearnedWeek);
}

/** There every day of so many weeks, from one hour of the day to another. */
function officeHours(weeks: number): readonly Stretch[] {
  return Array.from({ length: weeks * 7 }, (_, day) => {
    const start = monday + day * dayMs;
    return [
      { from: start, until: start + 9 * hourMs, online: false },
      { from: start + 9 * hourMs, until: start + 17 * hourMs, online: day % 7 < 5 },
      { from: start + 17 * hourMs, until: start + dayMs, online: false },
    ];
  }).flat();
}

test('C24: the week begins on Monday at 00:00 UTC', () => {
  assert.equal(hourOfWeek(monday), 0);
  assert.equal(hourOfWeek(monday - 1), 167);
  assert.equal(hourOfWeek(monday + 3 * weekMs + 25 * hourMs + 1), 25);
  assert.equal(hourOfWeek(0), 72);
});

test('C24: a predictable schedule is learned from when a computer was there', () => {
  const shares = sharesOf(learned(officeHours(4)));
  assert.ok(shares !== undefined);
  const mask = maskOf(shares, 0.75);
  for (let hour = 0; hour < weekHours; hour += 1) {
    const works = hour < 120 && hour % 24 >= 9 && hour % 24 < 17;
    assert.equal(maskHas(mask, hour), works, `hour ${hour}`);
  }
  assert.equal(hoursIn(mask), 40);
  assert.ok(keptShare(mask, shares) > 0.8);
});

test('one that is always there has every hour in full, one that never is has none', () => {
  const always = { from: monday, until: monday + 20 * weekMs, online: true };
  assert.deepEqual(sharesOf(learned([always])), new Uint8Array(weekHours).fill(255));
  const never = { ...always, online: false };
  assert.deepEqual(sharesOf(learned([never])), new Uint8Array(weekHours));
  assert.equal(sharesOf(unlearnedWeek), undefined);
});

test('habits that changed outweigh the old ones after eight weeks, and are all that counts after a year', () => {
  const old = { from: monday, until: monday + 40 * weekMs, online: true };
  const since = (weeks: number) => ({
    from: old.until,
    until: old.until + weeks * weekMs,
    online: false,
  });
  assert.ok(sharesOf(learned([old, since(8)]))?.every((share) => share < 100));
  assert.ok(sharesOf(learned([old, since(52)]))?.every((share) => share < 3));
});

test('what an hour remembers is bounded, and its part is never more than the whole', () => {
  fc.assert(
    fc.property(fc.array(stretch, { maxLength: 12 }), (stretches) => {
      for (const { part, whole } of learned(stretches)) {
        assert.ok(Number.isInteger(part) && part >= 0 && part <= whole);
        assert.ok(whole <= slotMemoryMs);
      }
    }),
    { numRuns: 60 },
  );
});

test('a stretch teaches the same in one piece as hour by hour', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3 * 24 * 60 }), fc.boolean(), (minutes, online) => {
      const until = monday + minutes * 60_000;
      const pieces: Stretch[] = [];
      for (let from = monday; from < until; from += hourMs)
        pieces.push({ from, until: Math.min(from + hourMs, until), online });
      assert.deepEqual(learned([{ from: monday, until, online }]), learned(pieces));
    }),
    { numRuns: 40 },
  );
});

test('a clock that was set back teaches nothing', () => {
  const stretch = { from: monday, until: monday - hourMs, online: true };
  assert.deepEqual(learned([stretch]), unlearnedWeek);
});

test('overlap is the same from both sides, and no more than either has', () => {
  fc.assert(
    fc.property(week, week, (left, right) => {
      const overlap = overlapHours(left, right);
      assert.equal(overlap, overlapHours(right, left));
      assert.ok(overlap >= 0);
      assert.ok(overlap <= Math.min(hoursIn(left), hoursIn(right)) + 1e-9);
    }),
  );
});

test('masks overlap in the hours that both promise', () => {
  const mask = (from: number, until: number) => {
    const shares = new Uint8Array(weekHours).fill(255, from, until);
    return maskOf(shares, 0.5);
  };
  assert.equal(overlapHours(mask(0, 20), mask(12, 40)), 8);
  assert.equal(overlapHours(mask(0, 20), mask(20, 40)), 0);
  assert.equal(keptShare(mask(0, 0), new Uint8Array(weekHours)), 1);
});

test('a moving average stays between the least and the most that went into it', () => {
  const share = fc.record({ part: fc.nat(1_000), rest: fc.nat(1_000) });
  fc.assert(
    fc.property(fc.array(share, { minLength: 1, maxLength: 50 }), (parts) => {
      let tally = emptyTally;
      for (const { part, rest } of parts) {
        tally = addToTally(tally, { part, whole: part + rest }, 5_000);
        assert.ok(tally.part <= tally.whole && tally.whole <= 5_000);
      }
      const average = averageOf(tally);
      assert.ok(average === undefined || (average >= 0 && average <= 1));
    }),
  );
});
