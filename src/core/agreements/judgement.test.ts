import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { present } from '../../base/assert.ts';
import { dayMs } from '../../base/units.ts';
import { commonProtocol } from '../wire/protocol.ts';
import { hoursIn, judgeTerms, withinBounds } from './judgement.ts';
import {
  nothingKnown,
  openingTerms,
  type Policy,
  type PolicyChanges,
  policyOf,
  presets,
  type RangedTerm,
  rangedTerms,
  stretchedTo,
  termsWithLending,
} from './policy.ts';
import { openRamp, rampedBytes } from './ramp.ts';
import { circleTerms, openTerms, scheduleBytes, type Terms, validTerms } from './terms.ts';

const gigabyte = 1e9;

function policyFor(
  preset: 'circle' | 'open',
  changes: PolicyChanges = {},
  trusted = preset === 'circle',
): Policy {
  const space = { freeBytes: 100 * gigabyte, wantedBytes: 10 * gigabyte };
  return policyOf({ preset, trusted, ...space, cleanMs: 365 * dayMs, changes });
}

/** Terms that may or may not suit anybody. */
const anyTerms: fc.Arbitrary<Terms> = fc
  .record({
    firstLendsBytes: fc.integer({ min: 0, max: 200 * gigabyte }),
    secondLendsBytes: fc.integer({ min: 0, max: 200 * gigabyte }),
    bandwidth: fc.integer({ min: 0, max: 1e7 }),
    graceMs: fc.integer({ min: 1_000, max: 100 * dayMs }),
    commitmentMs: fc.integer({ min: 0, max: 200 * dayMs }),
    auditIntervalMs: fc.integer({ min: 1_000, max: 20 * dayMs }),
    deleteLockMs: fc.integer({ min: 0, max: 365 * dayMs }),
    readQuota: fc.integer({ min: 1, max: 100 }),
    noticeMs: fc.integer({ min: 0, max: 365 * dayMs }),
    termMs: fc.constantFrom(0, 1, dayMs, 365 * dayMs),
    trusted: fc.boolean(),
    suite: fc.constantFrom(1 as const, 2 as const),
    schedule: fc.option(fc.uint8Array({ minLength: scheduleBytes, maxLength: scheduleBytes })),
    code: fc.option(fc.constant({ id: 'reed-solomon' as const, dataShards: 4, parityShards: 4 })),
  })
  .map(({ schedule, code, ...rest }) => ({
    ...rest,
    ...(schedule === null ? {} : { schedule: new Uint8Array(schedule) }),
    ...(code === null ? {} : { code }),
  }));

const anyPolicy: fc.Arbitrary<Policy> = fc
  .record({
    preset: fc.constantFrom(...presets),
    trusted: fc.boolean(),
    least: fc.integer({ min: 0, max: 20 * gigabyte }),
    timesReturn: fc.constantFrom(undefined, 0.5, 1, 2),
    hours: fc.option(fc.uint8Array({ minLength: scheduleBytes, maxLength: scheduleBytes })),
    leastPromisedHours: fc.constantFrom(0, 20, 100),
    mostMs: fc.constantFrom(undefined, 90 * dayMs),
    graceMs: fc.integer({ min: dayMs, max: 60 * dayMs }),
  })
  .map(({ preset, trusted, least, timesReturn, hours, leastPromisedHours, mostMs, graceMs }) => {
    const schedule = {
      ...(hours === null ? {} : { own: new Uint8Array(hours) }),
      leastPromisedHours,
      leastOverlapHours: 0,
    };
    const term = { leastMs: dayMs, ...(mostMs === undefined ? {} : { mostMs }) };
    const lending = { leastInReturnBytes: least, timesReturn };
    return policyFor(preset, { schedule, term, lending, preferred: { graceMs } }, trusted);
  });

test('C3: only terms within all of a side’s bounds are acceptable, and what it answers with lies within them', () => {
  const verdicts = new Set<string>();
  fc.assert(
    fc.property(anyPolicy, anyTerms, fc.constantFrom('first', 'second'), (policy, terms, own) => {
      const judged = judgeTerms(policy, nothingKnown, { terms, own });
      verdicts.add(judged.verdict);
      assert.equal(judged.verdict === 'acceptable', withinBounds(policy, terms, own));
      if (judged.verdict !== 'counter') return;
      assert.ok(withinBounds(policy, judged.terms, own));
      assert.equal(
        judgeTerms(policy, nothingKnown, { terms: judged.terms, own }).verdict,
        'acceptable',
      );
    }),
    { numRuns: 500 },
  );
  assert.ok(verdicts.has('counter') && verdicts.has('refused'));
});

test('what a side would offer first is within its own bounds', () => {
  fc.assert(
    fc.property(anyPolicy, fc.constantFrom('first', 'second'), (policy, own) => {
      const terms = openingTerms(policy, own);
      const judged = judgeTerms(policy, nothingKnown, { terms, own });
      const hours = policy.schedule.own;
      const possible = hours === undefined ? 0 : hoursIn(hours);
      if (possible >= policy.schedule.leastPromisedHours && policy.term.mostMs === undefined)
        assert.equal(judged.verdict, 'acceptable');
    }),
    { numRuns: 200 },
  );
});

test('C30: nobody who is not trusted gets terms whose commitment is not longer than the grace period', () => {
  fc.assert(
    fc.property(anyPolicy, anyTerms, (policy, terms) => {
      const judged = judgeTerms(policy, nothingKnown, { terms, own: 'first' });
      if (judged.verdict === 'refused') return;
      const signed = judged.verdict === 'counter' ? judged.terms : terms;
      assert.ok(signed.commitmentMs > signed.graceMs || (signed.trusted && policy.trusted));
    }),
    { numRuns: 300 },
  );
});

test('trust that the other claims is worth nothing: a person on this side gives it', () => {
  const terms = { ...circleTerms({ firstLendsBytes: 1, secondLendsBytes: 1 }) };
  const judged = judgeTerms(policyFor('circle', {}, false), nothingKnown, { terms, own: 'first' });
  assert.ok(judged.verdict === 'counter');
  assert.equal(judged.terms.trusted, false);
  assert.ok(judged.terms.commitmentMs > judged.terms.graceMs);
});

test('C24, C25: too little time on line together is refused; a promise is cut to the hours one can keep', () => {
  const policy = policyFor('open');
  const terms = openingTerms(policy, 'first');
  const rarely = { ...nothingKnown, overlapHours: 3 };
  const judged = judgeTerms(policy, rarely, { terms, own: 'first' });
  assert.equal(judged.verdict === 'refused' && judged.code, 'negotiation.schedule');

  const own = new Uint8Array(scheduleBytes).fill(0xff, 0, 9);
  const promising = policyFor('open', {
    schedule: { own, leastPromisedHours: 24, leastOverlapHours: 0 },
  });
  const schedule = new Uint8Array(scheduleBytes).fill(0xff, 3);
  const cut = judgeTerms(promising, nothingKnown, {
    terms: { ...terms, schedule },
    own: 'first',
  });
  assert.ok(cut.verdict === 'counter' && cut.because === 'negotiation.schedule');
  assert.equal(hoursIn(present(cut.terms.schedule, 'a promise')), 48);
  const nights = judgeTerms(promising, nothingKnown, {
    terms: { ...terms, schedule: new Uint8Array(scheduleBytes).fill(0xff, 8) },
    own: 'first',
  });
  assert.equal(nights.verdict === 'refused' && nights.code, 'negotiation.schedule');
});

test('C26: bandwidth is judged by its average against a threshold', () => {
  const policy = policyFor('open', { leastBandwidth: 100_000 });
  const terms = openingTerms(policy, 'first');
  const judge = (bandwidth: number): string => {
    const judged = judgeTerms(policy, { ...nothingKnown, bandwidth }, { terms, own: 'first' });
    return judged.verdict === 'refused' ? judged.code : judged.verdict;
  };
  assert.equal(judge(99_999), 'negotiation.bandwidth');
  assert.equal(judge(100_000), 'acceptable');
});

test('C27: whoever reneged on more than N others is refused', () => {
  const policy = policyFor('open', { mostReneged: 2 });
  const terms = openingTerms(policy, 'first');
  const judge = (renegedCount: number): string => {
    const judged = judgeTerms(policy, { ...nothingKnown, renegedCount }, { terms, own: 'first' });
    return judged.verdict === 'refused' ? judged.code : judged.verdict;
  };
  assert.deepEqual([0, 2, 3].map(judge), ['acceptable', 'acceptable', 'negotiation.record']);
});

test('C27: whoever reneged on this side and was not forgiven is refused, however many others it may have left', () => {
  const policy = policyFor('circle', { mostReneged: 1_000 });
  const terms = openingTerms(policy, 'first');
  const known = { ...nothingKnown, renegedHere: true };
  const judged = judgeTerms(policy, known, { terms, own: 'first' });
  assert(judged.verdict === 'refused');
  assert.equal(judged.code, 'negotiation.record');
});

test('C25: strangers lend each other the same; who only lends must want to', () => {
  const terms = openTerms({ firstLendsBytes: 50 * gigabyte, secondLendsBytes: 20 * gigabyte });
  const judged = judgeTerms(policyFor('open'), nothingKnown, { terms, own: 'first' });
  assert.ok(judged.verdict === 'counter' && judged.because === 'negotiation.space');
  assert.equal(judged.terms.firstLendsBytes, 20 * gigabyte);
  const gift = termsWithLending(terms, 'first', { ours: gigabyte, theirs: 0 });
  const stingy = judgeTerms(policyFor('open'), nothingKnown, { terms: gift, own: 'first' });
  assert.equal(stingy.verdict === 'refused' && stingy.code, 'negotiation.space');
  const generous = policyFor('open', { lending: { timesReturn: undefined } });
  assert.equal(
    judgeTerms(generous, nothingKnown, { terms: gift, own: 'first' }).verdict,
    'acceptable',
  );
});

test('a stranger is lent 1 GB at first, and twice as much after each clean fortnight', () => {
  assert.deepEqual(
    [0, 13.9, 14, 28, 70].map((days) => rampedBytes(openRamp, days * dayMs) / gigabyte),
    [1, 1, 2, 4, 32],
  );
  assert.equal(rampedBytes(openRamp, 1e15), Number.MAX_SAFE_INTEGER);
  assert.equal(rampedBytes(undefined, 0), Number.MAX_SAFE_INTEGER);
  const newcomer = policyOf({
    preset: 'open',
    trusted: false,
    freeBytes: 50 * gigabyte,
    wantedBytes: 50 * gigabyte,
    cleanMs: 0,
  });
  const terms = openTerms({ firstLendsBytes: 50 * gigabyte, secondLendsBytes: 50 * gigabyte });
  const judged = judgeTerms(newcomer, nothingKnown, { terms, own: 'first' });
  assert.ok(judged.verdict === 'counter');
  assert.equal(judged.terms.firstLendsBytes, gigabyte);
});

test('the presets overlap in every period, so that circles and strangers come to terms', () => {
  const [circle, open] = [policyFor('circle', {}, false), policyFor('open')];
  for (const term of Object.keys(circle.ranges) as RangedTerm[]) {
    const [one, other] = [circle.ranges[term], open.ranges[term]];
    assert.ok(Math.max(one.least, other.least) <= Math.min(one.most, other.most), term);
  }
});

test('a computer speaks with those one version behind and one ahead, in the lower of the two', () => {
  assert.equal(commonProtocol([1, 2], [1]), 1);
  assert.equal(commonProtocol([1, 2], [2, 3]), 2);
  assert.equal(commonProtocol([2, 3], [1]), undefined);
  assert.equal(commonProtocol([1, 2], []), undefined);
});

test('terms in force are always good, whatever a side would sign today', () => {
  fc.assert(
    fc.property(anyPolicy, anyTerms, (policy, terms) => {
      fc.pre(validTerms(terms).ok);
      const { schedule: _, ...unscheduled } = terms;
      const lending = {
        ...policy.lending,
        ...{ mostBytes: terms.firstLendsBytes, leastInReturnBytes: 0, timesReturn: undefined },
      };
      const open = { leastPromisedHours: 0, leastOverlapHours: 0 };
      const own = { ...policy, trusted: terms.trusted, lending, schedule: open };
      const judged = judgeTerms(stretchedTo(own, unscheduled), nothingKnown, {
        terms: unscheduled,
        own: 'first',
      });
      assert.equal(judged.verdict, 'acceptable');
    }),
  );
});

test('no chain of changes, each within the bounds of its day, brings a term beyond a side’s own', () => {
  const policy = policyFor('open');
  for (const term of rangedTerms)
    for (const factor of [0.5, 2]) {
      let terms = { ...openTerms({ firstLendsBytes: 1, secondLendsBytes: 1 }) };
      for (let change = 0; change < 40; change += 1) {
        const wish = { ...terms, [term]: Math.round(terms[term] * factor) };
        const judged = judgeTerms(stretchedTo(policy, terms), nothingKnown, {
          terms: wish,
          own: 'first',
        });
        if (judged.verdict === 'refused') break;
        terms = judged.verdict === 'counter' ? judged.terms : wish;
      }
      const { least, most } = policy.ranges[term];
      assert(terms[term] >= least && terms[term] <= most, `${term} came to ${terms[term]}`);
    }
  const soon = { ...openTerms({ firstLendsBytes: 1, secondLendsBytes: 1 }), termMs: dayMs };
  const inForce = openTerms({ firstLendsBytes: 1, secondLendsBytes: 1 });
  const judged = judgeTerms(stretchedTo(policy, inForce), nothingKnown, {
    terms: soon,
    own: 'first',
  });
  assert(judged.verdict === 'counter' && judged.terms.termMs === inForce.noticeMs);
});
