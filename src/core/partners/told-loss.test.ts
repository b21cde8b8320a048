import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { dayMs, hourMs, instant, minuteMs } from '../../base/units.ts';
import { stepLifecycle } from './lifecycle.ts';
import { circle, coarse, epoch, open, Partnership, standing } from './lifecycle-course.ts';
import { isInForce } from './lifecycle-phase.ts';
import {
  keptUntil,
  type LifecyclePeriods,
  lifecycleStart,
  restoresAllowed,
} from './lifecycle-state.ts';

test('C30: a disaster in commitment that is told of pauses G until C ends and the data can be loaded again', () => {
  const partner = new Partnership(open);
  partner.runs(5 * dayMs, () => partner.happens('proved'));
  partner.step({ type: 'loss-noticed', now: partner.now }).happens('missed');
  assert.ok(partner.has('reload'));
  const { committedMs } = partner.state;
  assert.ok(committedMs > 4 * dayMs);
  partner.runs(open.commitmentMs - 5 * dayMs + open.reloadMs - hourMs);
  assert.notEqual(partner.state.phase, 'reneged');
  // Its silence is mended, and counts for nothing.
  assert.ok(partner.has('place-spares'));
  assert.equal(partner.state.failingMs, open.spareMs);
  assert.equal(partner.state.committedMs, committedMs);
  partner.happens('answered').happens('proved');
  assert.equal(partner.state.phase, 'in-commitment');
  partner.runs(open.commitmentMs - committedMs);
  assert.equal(partner.restores(), true);
});

test('a told loss excuses whoever is there until it has something to prove', () => {
  const partner = standing(open);
  partner
    .step({ type: 'loss-noticed', now: partner.now })
    .happens('unproved')
    .runs(10 * dayMs);
  assert.deepEqual([partner.state.failingMs, partner.has('place-spares')], [0, false]);
  partner
    .happens('proved')
    .happens('unproved')
    .runs(open.spareMs + hourMs);
  assert.ok(partner.has('place-spares'));
});

test('C30: after a told loss restores are honoured until G would have been over, then what was not served is due', () => {
  const partner = standing(open);
  const daily = (): unknown => partner.happens('proved');
  partner
    .happens('missed')
    .runs(4 * dayMs + 10 * minuteMs)
    .happens('answered');
  partner.step({ type: 'loss-noticed', now: partner.now }).runs(dayMs);
  partner.runs(open.graceMs - 5 * dayMs - hourMs, daily);
  assert.equal(partner.restores(), true);
  partner.runs(hourMs, daily);
  assert.equal(partner.state.phase, 'in-commitment');
  assert.equal(partner.restores(), false);
  partner.runs(5 * dayMs - hourMs, daily);
  assert.equal(partner.restores(), false);
  partner.runs(hourMs, daily);
  assert.equal(partner.restores(), true);
});

test('a loss told at once and mended at once costs what it had not proved of that day', () => {
  const partner = standing(open);
  partner.step({ type: 'loss-noticed', now: partner.now }).happens('proved');
  const served = (forMs: number): boolean => {
    partner.runs(forMs, () => partner.happens('proved'));
    return partner.restores();
  };
  assert.ok(served(open.graceMs - dayMs));
  assert.ok(!served(dayMs - hourMs));
  assert.ok(served(2 * hourMs));
});

test('C30: where commitment is waived a told loss costs nothing', () => {
  const partner = new Partnership({ ...circle, commitmentMs: 0 }).runs(dayMs);
  partner
    .happens('missed')
    .runs(2 * dayMs)
    .happens('answered');
  partner.step({ type: 'loss-noticed', now: partner.now }).runs(2 * circle.graceMs);
  assert.equal(partner.restores(), true);
});

test('a silence in commitment that ends with a loss was no service', () => {
  const partner = new Partnership(open)
    .runs(5 * dayMs)
    .happens('missed')
    .runs(2 * dayMs);
  assert.equal(partner.state.committedMs, 7 * dayMs);
  partner.happens('missed').step({ type: 'loss-noticed', now: partner.now });
  assert.ok(partner.state.committedMs <= 5 * dayMs + 10 * minuteMs);
});

test('who forgives forgets what is due after a loss, and so does a commitment that begins anew', () => {
  for (const type of ['forgiven', 'recommitted'] as const) {
    const partner = standing(open);
    partner.step({ type: 'loss-noticed', now: partner.now }).runs(dayMs);
    assert.ok((partner.state.lossDebt?.owedMs ?? 0) > 0);
    assert.equal(partner.step({ type, now: partner.now }).state.lossDebt, undefined);
  }
});

test('one total loss after the other is not made good, but what it stored is kept as after silence', () => {
  const partner = standing(open);
  partner.step({ type: 'lost-again', now: partner.now });
  assert.equal(partner.state.phase, 'suspended');
  assert.equal(partner.restores(), true);
  partner.runs(open.graceMs + hourMs, () => partner.happens('answered').happens('unproved'));
  assert.equal(partner.state.phase, 'reneged');
  assert.notEqual(keptUntil(partner.state, partner.now), 'not-kept');
  const liar = standing(open).happens('wrong');
  liar.step({ type: 'lost-again', now: liar.now });
  liar.runs(open.graceMs + hourMs, () => liar.happens('answered').happens('unproved'));
  assert.equal(
    keptUntil(liar.state, liar.now),
    'not-kept',
    'a loss that is told excuses no wrong bytes',
  );
});

test('whoever told of a loss of its own takes the other’s new commitment for an excuse again', () => {
  const partner = standing(open).runs(open.commitmentMs);
  const before = partner.state;
  partner.step({ type: 'own-loss', now: partner.now });
  assert.deepEqual(partner.state, { ...before, committedAt: partner.now });
  const young = new Partnership(open).step({ type: 'own-loss', now: epoch });
  assert.equal(young.state.committedAt, undefined);
});

test('a loss told again and again pauses once', () => {
  const partner = standing(open);
  const tell = (): unknown => partner.step({ type: 'loss-noticed', now: partner.now });
  tell();
  partner.happens('missed');
  partner.runs(open.reloadMs + open.graceMs + dayMs, () => {
    tell();
    partner.happens('missed');
  });
  assert.equal(partner.state.phase, 'reneged');
});

/** A cheat that serves, drops everything and is gone, tells of a loss, and lets itself be sent everything again, in any order. */
class Faker {
  state = lifecycleStart(short, epoch);
  servedMs = 0;
  usableMs = 0;
  #now = epoch;
  #does: 'serves' | 'is-gone' | 'has-nothing' = 'serves';

  turns(command: 'goes' | 'tells' | 'reloads'): void {
    if (command === 'goes') this.#does = 'is-gone';
    if (command === 'tells') {
      const before = this.state.lossNoticedAt;
      this.#step('answered', 'loss-noticed');
      if (before !== undefined && this.#now - before < 3 * short.graceMs) this.#step('lost-again');
      this.#does = 'has-nothing';
    }
    // Whoever lost what it held and does not say so is found out.
    if (command === 'reloads' && this.#does === 'has-nothing') this.#does = 'serves';
  }

  hour(): void {
    this.#now = instant(this.#now + hourMs);
    if (this.#does === 'serves') this.servedMs += hourMs;
    if (isInForce(this.state.phase) && restoresAllowed(this.state, short)) this.usableMs += hourMs;
    const tick = { type: 'tick', now: this.#now, ranMs: hourMs, rate: 1 } as const;
    this.state = stepLifecycle(this.state, tick, short).state;
    if (this.#does === 'is-gone') this.#step('missed');
    else if (this.#does === 'has-nothing') this.#step('answered', 'unproved');
    else this.#step('answered', 'proved');
  }

  #step(
    ...types: ('answered' | 'missed' | 'unproved' | 'proved' | 'lost-again' | 'loss-noticed')[]
  ) {
    for (const type of types)
      this.state = stepLifecycle(this.state, { type, now: this.#now }, short).state;
  }
}

const short: LifecyclePeriods = { ...coarse, tickMostMs: hourMs };

test('C30: however losses are told, nobody can restore for longer than it served', () => {
  let usableMs = 0;
  const command = fc.constantFrom('goes', 'tells', 'reloads');
  const acts = fc.array(fc.record({ command, hours: fc.integer({ min: 0, max: 150 }) }), {
    minLength: 10,
    maxLength: 40,
    size: 'max',
  });
  fc.assert(
    fc.property(acts, (course) => {
      const faker = new Faker();
      for (const { command, hours } of course) {
        for (let hour = 0; hour < hours; hour += 1) faker.hour();
        assert.ok(faker.usableMs <= faker.servedMs);
        faker.turns(command);
      }
      usableMs += faker.usableMs;
    }),
    { numRuns: 1_000 },
  );
  assert.ok(usableMs > 0, 'some are out of commitment');
});
