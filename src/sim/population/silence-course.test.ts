import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { hourMs, minuteMs } from '../../base/units.ts';
import { stepLifecycle } from '../../core/partners/lifecycle.ts';
import { lifecyclePeriods, lifecycleStart } from '../../core/partners/lifecycle-state.ts';
import { atHour, rulesOf } from './plan.ts';
import { isQuiet, quietState, silentFor, stepAll } from './silence-course.ts';

const { terms, periods } = rulesOf('open');
const joinedAt = atHour(0);

/** What the engine's keeper does: a step every ten minutes. Gives when spares were asked for and when it was over, in hours of the silence. */
function stepByStep(
  silentHours: number,
  rate: number,
): { readonly spare?: number; readonly divorce?: number } {
  const fine = lifecyclePeriods(terms, { spareMs: periods.spareMs, proves: true });
  const seen: { spare?: number; divorce?: number } = {};
  let state = lifecycleStart(fine, joinedAt);
  for (let minutes = 0; minutes <= silentHours * 60; minutes += 10) {
    const now = atHour(1_000 + minutes / 60);
    const missed = stepLifecycle(state, { type: 'missed', now }, fine);
    const ticked = stepLifecycle(
      missed.state,
      { type: 'tick', now, ranMs: 10 * minuteMs, rate },
      fine,
    );
    state = ticked.state;
    for (const { type } of ticked.effects) {
      if (type === 'place-spares') seen.spare = minutes / 60;
      if (type === 'divorce') seen.divorce = minutes / 60;
    }
  }
  return seen;
}

test('a silence told at once comes to what it comes to in steps of ten minutes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 400 }), fc.constantFrom(1, 1.5, 4), (hours, rate) => {
      const fine = stepByStep(hours, rate);
      const quiet = quietState(periods, { joinedAt, committedMs: 0, provenDays: 3 });
      const { effects } = silentFor(
        quiet,
        { since: atHour(1_000), moreHours: hours, now: atHour(1_000 + hours), rate },
        periods,
      );
      const types = effects.map(({ type }) => type);
      assert.equal(types.includes('place-spares'), fine.spare !== undefined);
      assert.equal(types.includes('divorce'), fine.divorce !== undefined);
    }),
    { numRuns: 40 },
  );
});

test('a silence shorter than T_r leaves nothing behind, so that its hours alone need be counted', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: periods.spareMs / hourMs - 1 }), (hours) => {
      const now = atHour(2_000);
      const before = quietState(periods, { joinedAt, committedMs: 0, provenDays: 9 });
      const silent = silentFor(before, { since: now, moreHours: hours, now, rate: 1 }, periods);
      const back = stepAll(silent.state, [{ type: 'answered', now }], periods);
      assert.equal(isQuiet(back.state), true);
      assert.deepEqual(
        silent.effects.filter(({ type }) => type !== 'committed'),
        [],
      );
      assert.equal(back.state.cleanSince, before.cleanSince);
    }),
  );
});

test('a longer one is cleared by a proof, and the spare is let go of', () => {
  const moreHours = periods.spareMs / hourMs + 12;
  const [since, now] = [atHour(2_000), atHour(2_000 + moreHours)];
  const before = quietState(periods, { joinedAt, committedMs: 0, provenDays: 9 });
  const silent = silentFor(before, { since, moreHours, now, rate: 1 }, periods);
  assert.equal(isQuiet(silent.state), false);
  const back = stepAll(
    silent.state,
    [
      { type: 'answered', now },
      { type: 'proved', now },
    ],
    periods,
  );
  assert.deepEqual(
    back.effects.map(({ type }) => type),
    ['ask-proof', 'reinstated', 'release-spares'],
  );
  assert.equal(isQuiet(back.state), true);
});
