import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { dayMs, hourMs, type Instant, instant, minuteMs } from '../../base/units.ts';
import type { LedgerPlace } from '../agreements/acknowledgement.ts';
import { stepLifecycle } from './lifecycle.ts';
import { decodeLifecycle, encodeLifecycle } from './lifecycle-codec.ts';
import { circle, coarse, epoch, open, Partnership, standing } from './lifecycle-course.ts';
import type { LifecycleEvent } from './lifecycle-event.ts';
import { takesShards } from './lifecycle-phase.ts';
import {
  type CommitmentStep,
  cleanMs,
  inCommitment,
  keptUntil,
  lifecycleStart,
  openStepOf,
  owesProofs,
  restoresAllowed,
} from './lifecycle-state.ts';

/** The same place in both ledgers. */
function places(place: LedgerPlace): Omit<CommitmentStep, 'committedMs'> {
  return { theirs: place, ours: place, readableBytes: 7 };
}

test('C30: restores are neither made nor honoured in commitment, and both from then on', () => {
  const stranger = new Partnership(open);
  assert.equal(stranger.state.phase, 'in-commitment');
  assert.equal(stranger.restores(), false);
  stranger.runs(open.commitmentMs - minuteMs);
  assert.equal(stranger.restores(), false);
  stranger.runs(2 * minuteMs);
  assert.equal(stranger.restores(), true);
  assert.equal(stranger.state.phase, 'standing');
  assert.ok(stranger.has('committed'));
});

test('C30: an invited partner without commitment may restore from the first moment', () => {
  const friend = new Partnership(circle);
  assert.equal(friend.state.phase, 'standing');
  assert.equal(friend.restores(), true);
});

test('C30: a partner that falls silent gets a spare after T_r and has reneged after G', () => {
  const partner = standing(open).happens('missed');
  partner.runs(open.spareMs - hourMs);
  assert.equal(partner.state.phase, 'standing');
  partner.runs(2 * hourMs);
  assert.equal(partner.state.phase, 'suspended');
  assert.ok(partner.has('place-spares'));
  assert.equal(takesShards(partner.state.phase), false);
  partner.runs(open.graceMs - open.spareMs - 2 * hourMs);
  assert.equal(partner.state.phase, 'suspended');
  partner.runs(3 * hourMs);
  assert.equal(partner.state.phase, 'reneged');
  assert.deepEqual(
    partner.effects.find(({ type }) => type === 'divorce'),
    { type: 'divorce', cause: 'silence' },
  );
});

test('C30: one that answers but does not prove reneges like one that is away', () => {
  const dodger = standing(open).happens('unproved');
  dodger.runs(open.graceMs + hourMs, () => dodger.happens('answered').happens('unproved'));
  assert.equal(dodger.state.phase, 'reneged');
});

test('C17: who passes every audit and refuses every drill reneges after G', () => {
  const taker = standing(open).happens('drill-refused');
  const { provenDays } = taker.state;
  const lives = (): unknown => taker.happens('answered').happens('proved').happens('drill-refused');
  taker.runs(open.spareMs - hourMs, lives);
  assert.equal(taker.state.phase, 'standing');
  taker.runs(2 * hourMs, lives);
  assert.equal(taker.state.phase, 'suspended');
  assert.ok(taker.has('place-spares'));
  taker.runs(open.graceMs - open.spareMs - 2 * hourMs, lives);
  assert.equal(taker.state.phase, 'suspended');
  taker.runs(2 * hourMs, lives);
  assert.equal(taker.state.phase, 'reneged');
  assert.equal(taker.state.provenDays, provenDays, 'and earned no service by that');
  assert.equal(keptUntil(taker.state, taker.now), 'not-kept');
});

test('one that refused a drill once is cleared by the next that it serves, also when it was suspended', () => {
  const busy = standing(open).happens('drill-refused');
  busy.runs(2 * hourMs, () => busy.happens('answered').happens('proved'));
  assert.ok(busy.state.failingMs > 0);
  busy.happens('drill-served');
  assert.deepEqual([busy.state.phase, busy.state.failingMs], ['standing', 0]);
  busy.runs(2 * open.graceMs, () => busy.happens('answered').happens('proved'));
  assert.equal(busy.has('suspended'), false);
  busy.happens('drill-refused');
  busy.runs(open.spareMs + hourMs, () => busy.happens('drill-refused'));
  assert.equal(busy.state.phase, 'suspended');
  busy.happens('proved').happens('proved');
  assert.equal(busy.state.phase, 'suspended');
  busy.happens('drill-served');
  assert.equal(busy.state.phase, 'standing');
  assert.ok(busy.has('reinstated') && busy.has('release-spares'));
});

test('one that refused a drill and then fell silent for good is served like anybody', () => {
  const gone = standing(open).happens('drill-refused').happens('missed');
  gone.runs(open.graceMs + hourMs);
  assert.equal(gone.state.phase, 'reneged');
  assert.notEqual(keptUntil(gone.state, gone.now), 'not-kept');
});

test('a drill that we do not try again runs out against nobody', () => {
  const partner = standing(open).happens('drill-refused');
  partner.runs(3 * open.graceMs, () => partner.happens('answered').happens('proved'));
  assert.equal(partner.state.phase, 'standing');
  assert.ok(partner.state.failingMs <= 2 * open.auditIntervalMs + partner.periods.tickMostMs);
});

test('when all that a hostage-taker holds was moved elsewhere, what it refused counts on', () => {
  const taker = standing(open).happens('drill-refused');
  taker.runs(open.spareMs + hourMs, () => taker.happens('drill-refused'));
  assert.equal(taker.state.phase, 'suspended');
  const empty = { ...open, proves: false };
  for (let hours = 0; hours < (open.graceMs - 2 * dayMs) / hourMs; hours += 1)
    for (let tick = 0; tick < 6; tick += 1) {
      taker.now = instant(taker.now + 10 * minuteMs);
      const { state } = stepLifecycle(taker.state, { type: 'answered', now: taker.now }, empty);
      const ticked = { type: 'tick', now: taker.now, ranMs: 10 * minuteMs, rate: 1 } as const;
      taker.state = stepLifecycle(state, ticked, empty).state;
    }
  assert.equal(taker.state.phase, 'reneged');
});

test('a served drill clears neither an open challenge nor wrong bytes', () => {
  const dodger = standing(open).happens('unproved').happens('drill-refused');
  dodger.happens('drill-served');
  assert.equal(dodger.state.unproved, true);
  assert.notEqual(dodger.state.cause, undefined);
  const cheat = standing(open).happens('wrong').happens('drill-refused').happens('drill-served');
  assert.equal(cheat.state.phase, 'suspended');
  cheat.happens('drill-served').happens('drill-served').happens('drill-served');
  assert.equal(cheat.state.phase, 'suspended');
});

test('C46: a partner that comes back within G is reinstated by a proof, and its spares are let go', () => {
  const partner = standing(open)
    .happens('missed')
    .runs(10 * dayMs);
  partner.happens('answered');
  assert.equal(partner.state.phase, 'suspended');
  assert.ok(partner.has('ask-proof'));
  // Until it is asked, nothing runs out against it.
  partner.runs(30 * dayMs, () => partner.happens('answered'));
  assert.equal(partner.state.phase, 'suspended');
  partner.happens('proved');
  assert.equal(partner.state.phase, 'standing');
  assert.ok(partner.has('reinstated') && partner.has('release-spares'));
  assert.equal(partner.state.failingMs, 0);
});

test('a desktop that is on line for half the day is never suspended', () => {
  const desktop = standing(open);
  for (let day = 0; day < 60; day += 1) {
    desktop.happens('missed').runs(12 * hourMs);
    desktop
      .happens('answered')
      .happens('proved')
      .runs(12 * hourMs);
  }
  assert.equal(desktop.has('suspended'), false);
  assert.ok(cleanMs(desktop.state, desktop.now) > 60 * dayMs);
});

test('of a partner in good standing a tick leaves nothing to write down', () => {
  const partner = standing(open);
  const before = partner.state;
  partner.runs(dayMs);
  assert.deepEqual(partner.state, before);
});

test('our own holiday, sleep or leaping clock eats nothing of the grace of a partner', () => {
  const partner = standing(open).happens('missed');
  for (let leap = 0; leap < 20; leap += 1) {
    partner.jumps(40 * dayMs);
    partner.step({ type: 'tick', now: partner.now, ranMs: 40 * dayMs, rate: 1 });
    partner.jumps(-20 * dayMs);
    partner.step({ type: 'tick', now: partner.now, ranMs: -5, rate: 1 });
  }
  assert.equal(partner.state.phase, 'standing');
  assert.ok(partner.state.failingMs <= 20 * partner.periods.tickMostMs);
});

test('a wrong proof suspends at once, and a longer row of right ones is owed each time', () => {
  const partner = standing(open);
  const needed: number[] = [];
  for (let episode = 0; episode < 3; episode += 1) {
    partner.happens('wrong');
    assert.equal(partner.state.phase, 'suspended');
    let proofs = 0;
    for (; partner.state.phase === 'suspended'; proofs += 1) partner.happens('proved');
    needed.push(proofs);
  }
  assert.deepEqual(needed, [4, 8, 16]);
});

test('a partner that goes on being wrong reneges after G, and is not served', () => {
  const cheat = standing(open).happens('wrong');
  let audits = 0;
  cheat.runs(open.graceMs + dayMs, () => {
    audits += 1;
    if (cheat.state.phase === 'suspended') cheat.happens(audits % 6 === 0 ? 'wrong' : 'answered');
  });
  assert.equal(cheat.state.phase, 'reneged');
  assert.ok(cheat.has('discard'));
  assert.equal(keptUntil(cheat.state, cheat.now), 'not-kept');
  assert.equal(cheat.restores(), false);
});

test('one that keeps nine tenths of the data does not get away with it', () => {
  const cheat = standing(open).happens('wrong');
  let audits = 0;
  cheat.runs(open.graceMs + 5 * dayMs, () => {
    if (cheat.now % open.auditIntervalMs !== 0) return;
    audits += 1;
    cheat.happens(audits % 10 === 0 ? 'wrong' : 'proved');
  });
  // 4 right ones reinstate it once, 8 once more; the 16 after that it never shows.
  cheat.runs(2 * open.graceMs, () => {
    if (cheat.now % open.auditIntervalMs !== 0) return;
    audits += 1;
    cheat.happens(audits % 10 === 0 ? 'wrong' : 'proved');
  });
  assert.equal(cheat.state.phase, 'reneged');
});

test('when it is we who do not ask, a wrong partner does not renege by that', () => {
  const partner = standing(open)
    .happens('wrong')
    .runs(5 * open.graceMs);
  assert.equal(partner.state.phase, 'suspended');
});

test('C30: after silence what it stored is kept a day for each proven day, at most 90, counted while we run', () => {
  const partner = standing(open);
  const { provenDays } = partner.state;
  const days = open.commitmentMs / dayMs;
  assert.ok(provenDays >= days && provenDays <= days + 2);
  partner.happens('missed').runs(open.graceMs + hourMs);
  assert.equal(partner.state.phase, 'reneged');
  const isKept = (): boolean => keptUntil(partner.state, partner.now) !== 'not-kept';
  assert.equal(isKept(), true);
  partner.jumps(200 * dayMs);
  partner.step({ type: 'tick', now: partner.now, ranMs: 0, rate: 1 });
  assert.equal(isKept(), true);
  partner.runs((provenDays - 1) * dayMs);
  assert.equal(isKept(), true);
  partner.runs(2 * dayMs);
  assert.equal(isKept(), false);
  assert.ok(partner.has('discard'));
  assert.equal(partner.state.phase, 'reneged');
});

test('C30: what is kept after the end is given back only after a renewed commitment', () => {
  const late = standing(open)
    .happens('missed')
    .runs(open.graceMs + hourMs);
  assert.equal(late.restores(), false, 'whoever leaves would be kept for nothing');
  late.step({ type: 'renewed', now: late.now });
  assert.equal(late.state.phase, 'in-commitment');
  assert.ok(late.has('reinstated'));
  late.runs(open.commitmentMs - hourMs);
  assert.equal(late.restores(), false);
  late.runs(2 * hourMs);
  assert.equal(late.restores(), true);
});

test('C30: a friend whose commitment is waived is served after the end for as long as it is kept', () => {
  const friend = new Partnership(circle);
  friend.runs(20 * dayMs, () => friend.happens('proved'));
  friend.happens('missed').runs(circle.graceMs + hourMs);
  assert.equal(friend.state.phase, 'reneged');
  assert.equal(friend.restores(), true);
  friend.step({ type: 'renewed', now: friend.now });
  assert.equal(friend.state.phase, 'standing');
});

test('C30: nobody renews that was wrong, that was dropped, or whose time is over', () => {
  const wrong = standing(open).happens('wrong');
  wrong.runs(open.graceMs + dayMs, () => wrong.happens('wrong'));
  const gone = standing(open)
    .happens('missed')
    .runs(open.graceMs + 100 * dayMs);
  const left = standing(open);
  left.step({ type: 'notice-received', now: left.now, until: left.now });
  left.step({ type: 'dropped', now: left.now });
  for (const former of [wrong, gone, left]) {
    const { phase } = former.state;
    former.step({ type: 'renewed', now: former.now });
    assert.equal(former.state.phase, phase);
    assert.equal(former.restores(), false);
  }
});

test('C30: only good service counts towards commitment, by the clock of whoever waits for it', () => {
  const freeloader = new Partnership(open).happens('unproved');
  freeloader.runs(open.graceMs - hourMs);
  assert.equal(freeloader.state.committedMs, 0);
  freeloader.jumps(400 * dayMs).runs(hourMs / 2);
  assert.equal(freeloader.restores(), false);
  const seldomOn = new Partnership(open);
  for (let day = 0; day <= open.commitmentMs / dayMs; day += 1) {
    for (let tick = 0; tick < 6 * 6; tick += 1) {
      seldomOn.now = instant(seldomOn.now + 10 * minuteMs);
      seldomOn.step({ type: 'tick', now: seldomOn.now, ranMs: 10 * minuteMs, rate: 4 });
    }
    seldomOn.jumps(18 * hourMs);
  }
  assert.equal(seldomOn.restores(), true);
});

test('C30: no more counts against a partner than has passed by the calendar, even where our hours count fourfold', () => {
  const hours = (partner: Partnership, rate: number): void => {
    for (let tick = 0; tick < 6; tick += 1) {
      partner.now = instant(partner.now + 10 * minuteMs);
      partner.step({ type: 'tick', now: partner.now, ranMs: 10 * minuteMs, rate });
    }
  };
  const partner = standing(open)
    .happens('missed')
    .runs(10 * minuteMs);
  for (let hour = 0; hour < 10; hour += 1) hours(partner, 4);
  assert.equal(partner.state.failingMs, 10 * hourMs);
  // What the hours off would have counted is made up for by those on.
  hours(partner.jumps(29 * hourMs), 4);
  assert.equal(partner.state.failingMs, 14 * hourMs);
  // A clock that is set back takes nothing away, and stops nothing.
  hours(partner.jumps(-100 * dayMs), 1);
  assert.equal(partner.state.failingMs, 15 * hourMs - 10 * minuteMs);
});

test('C30: whoever takes nothing in never comes out of commitment, and is kept for nothing afterwards', () => {
  const refuser = new Partnership({ ...open, proves: false, refusesRoom: true });
  refuser.runs(4 * open.commitmentMs, () => refuser.happens('answered'));
  assert.equal(refuser.restores(), false);
  assert.equal(refuser.state.provenDays, 0);
  assert.equal(refuser.state.phase, 'in-commitment', 'nothing is held against whoever has no room');
});

test('C30: a partner cannot say again and again that its commitment begins anew', () => {
  const taker = standing(open);
  const again = (): number => {
    taker.step({ type: 'recommitted', now: taker.now });
    return taker.state.committedMs;
  };
  assert.equal(again(), 0);
  assert.equal(taker.state.phase, 'in-commitment');
  taker.runs(open.commitmentMs + dayMs);
  assert.equal(again(), open.commitmentMs);
  const away: LifecycleEvent = { type: 'recommitted', now: taker.now, wasAway: true };
  assert.equal(taker.step(away).state.committedMs, 0, 'it is we who gave cause for it');
  taker.runs(open.commitmentMs + dayMs).jumps(3 * (open.graceMs + open.commitmentMs));
  assert.equal(again(), 0);
});

test('C30: what is added to the terms has a commitment of its own, and what was there before keeps its', () => {
  const partner = standing(open);
  partner.step({ type: 'grown', now: partner.now, ...places({ epoch: 1, sequence: 40 }) });
  const reads = (sequence: number, epoch = 1): boolean =>
    partner.restores() && openStepOf(partner.state, { epoch, sequence }) === undefined;
  assert.deepEqual([reads(40), reads(41), reads(1, 2)], [true, false, false]);
  partner.runs(open.commitmentMs - hourMs);
  assert.equal(reads(41), false);
  partner.runs(2 * hourMs);
  assert.deepEqual([reads(41), reads(1, 2)], [true, true]);
  assert.deepEqual(partner.state.steps, []);
});

test('C30: however often the terms grow, nothing is given back before it was C here', () => {
  const partner = standing(open);
  for (let step = 0; step < 30; step += 1) {
    partner.step({ type: 'grown', now: partner.now, ...places({ epoch: 1, sequence: step * 10 }) });
    partner.runs(hourMs);
  }
  assert.ok(partner.state.steps.length <= 8);
  assert.equal(openStepOf(partner.state, { epoch: 1, sequence: 0 }) === undefined, true);
  for (let sequence = 1; sequence < 300; sequence += 1)
    assert.equal(openStepOf(partner.state, { epoch: 1, sequence }) === undefined, false);
  partner.runs(open.commitmentMs);
  assert.equal(openStepOf(partner.state, { epoch: 1, sequence: 299 }) === undefined, true);
});

test('C30: a growth is remembered until our count is three times C, for the partner may count less', () => {
  const partner = standing(open);
  partner.step({ type: 'grown', now: partner.now, ...places({ epoch: 1, sequence: 40 }) });
  partner.runs(open.commitmentMs + hourMs);
  assert.deepEqual([partner.state.steps.length, partner.state.settled.length], [0, 1]);
  partner.runs(2 * open.commitmentMs - 2 * hourMs);
  assert.equal(partner.state.settled.length, 1);
  partner.runs(2 * hourMs);
  assert.deepEqual(partner.state.settled, []);
});

test('C17: a drill that was under way while commitment began anew refuses nothing', () => {
  const partner = standing(open);
  partner.step({ type: 'recommitted', now: partner.now }).happens('drill-refused');
  partner.runs(open.commitmentMs + hourMs, () => partner.happens('proved'));
  assert.equal(
    partner.state.phase,
    'standing',
    'nobody is asked in commitment, so nothing would clear it',
  );
  assert.equal(partner.restores(), true);
});

test('days of service cannot be earned by the minute', () => {
  const partner = new Partnership(open);
  for (let proof = 0; proof < 1_000; proof += 1) partner.happens('proved');
  assert.equal(partner.state.provenDays, 1);
});

test('C46: leaving by notice moves shards first, and ends when the notice does', () => {
  const partner = standing(circle);
  const until = instant(partner.now + dayMs);
  partner.step({ type: 'notice-received', now: partner.now, until });
  assert.equal(partner.state.phase, 'leaving');
  assert.ok(partner.has('move-shards'));
  // A notice shorter than agreed is kept on our side all the same.
  partner.runs(2 * dayMs);
  assert.equal(partner.state.phase, 'leaving');
  assert.equal(partner.restores(), true);
  partner.runs(circle.noticeMs);
  assert.equal(partner.state.phase, 'ended');
  assert.equal(partner.restores(), true);
  partner.runs(circle.deleteLockMs + dayMs);
  assert.ok(partner.has('discard'));
  assert.equal(partner.restores(), false);
});

test('a clock that leaps beyond the end of an agreement and back does not end it', () => {
  const endsAt = instant(epoch + 400 * dayMs);
  const partner = new Partnership({ ...circle, endsAt }).runs(dayMs);
  partner
    .jumps(1_000 * dayMs)
    .runs(minuteMs)
    .jumps(-1_000 * dayMs)
    .runs(dayMs);
  assert.equal(partner.state.phase, 'standing');
});

test('C46: a notice is taken back by the one that gave it, and by nobody else', () => {
  const partner = standing(circle);
  const until = instant(partner.now + 20 * dayMs);
  partner.step({ type: 'notice-given', now: partner.now, until });
  partner.step({ type: 'notice-withdrawn', now: partner.now, by: 'partner' });
  assert.equal(partner.state.phase, 'leaving');
  partner.step({ type: 'notice-withdrawn', now: partner.now, by: 'us' });
  assert.equal(partner.state.phase, 'standing');
});

test('an agreement with a term ends with it', () => {
  const endsAt = instant(epoch + 10 * dayMs);
  const partner = new Partnership({ ...circle, endsAt }).runs(11 * dayMs);
  assert.equal(partner.state.phase, 'ended');
});

test('C46: a person can forgive what the machine concluded, at any later time', () => {
  const partner = standing(open).happens('wrong');
  partner.happens('missed').runs(open.graceMs + dayMs);
  assert.equal(partner.state.phase, 'reneged');
  partner.runs(100 * dayMs).step({ type: 'forgiven', now: partner.now });
  assert.equal(partner.state.phase, 'standing');
  assert.equal(partner.restores(), true);
  assert.deepEqual([partner.state.relapses, partner.state.failingMs], [0, 0]);
});

test('a partner that lends nothing has nothing to prove, and is reinstated by an answer', () => {
  const lender = new Partnership({ ...circle, proves: false }).happens('missed').runs(10 * dayMs);
  assert.equal(lender.state.phase, 'suspended');
  assert.equal(lender.happens('answered').state.phase, 'standing');
});

test('C16: whoever answers audits with nothing that can be judged serves no commitment, and fails after T_r of it', () => {
  const evader = new Partnership(open);
  const daily = (): unknown => evader.happens('answered').happens('unjudged');
  evader.runs(open.spareMs, daily);
  assert.deepEqual([evader.state.phase, evader.state.unproved], ['in-commitment', false]);
  assert.ok(evader.state.committedMs <= 10 * minuteMs);
  evader.runs(open.spareMs + dayMs, daily);
  assert.equal(evader.state.phase, 'suspended');
  evader.runs(open.graceMs, daily);
  assert.equal(evader.state.phase, 'reneged');
  assert.equal(evader.restores(), false);
});

test('an audit now and then that could not be judged costs an honest partner nothing', () => {
  const partner = new Partnership(open);
  let turns = 0;
  partner.runs(open.commitmentMs + 4 * dayMs, () => {
    turns += 1;
    if (turns % 72 === 0) partner.happens(turns % 360 === 0 ? 'unjudged' : 'proved');
  });
  assert.equal(partner.has('suspended'), false);
  assert.equal(partner.state.phase, 'in-commitment');
  partner.happens('proved').runs(open.commitmentMs / 4, () => partner.happens('proved'));
  assert.equal(partner.state.phase, 'standing');
});

test('C30: whoever only says that it is back is as silent as before', () => {
  const silent = standing(open).happens('missed');
  for (let day = 0; day < 40; day += 1) silent.happens('returned').runs(dayMs);
  assert.equal(silent.state.phase, 'reneged');
  assert.ok(silent.has('ask-proof'));
  const back = standing(open).happens('missed').runs(dayMs).happens('returned');
  assert.equal(back.happens('answered').state.unanswered, false);
});

const moment = fc.constantFrom(
  'answered',
  'missed',
  'unproved',
  'unjudged',
  'proved',
  'wrong',
  'drill-refused',
  'drill-served',
  'loss-noticed',
  'own-loss',
  'lost-again',
  'returned',
  'notice-given',
  'notice-received',
  'notice-withdrawn',
  'recommitted',
  'renewed',
  'grown',
  ...Array<'missed'>(4).fill('missed'),
  ...Array<'wrong'>(2).fill('wrong'),
  ...Array<'tick'>(16).fill('tick'),
);
const course = fc.array(
  fc.record({
    type: moment,
    forMs: fc.integer({ min: -3, max: 3 }).map((days) => days * dayMs),
    ranMs: fc.integer({ min: 0, max: 2 * dayMs }),
  }),
  { minLength: 40, maxLength: 200, size: 'max' },
);

function eventOf(
  { type, ranMs }: { readonly type: string; readonly ranMs: number },
  now: Instant,
): LifecycleEvent {
  switch (type) {
    case 'tick':
      return { type, now, ranMs, rate: 1 };
    case 'notice-given':
    case 'notice-received':
      return { type, now, until: instant(now + ranMs) };
    case 'notice-withdrawn':
      return { type, now, by: 'us' };
    case 'grown':
      return { type, now, ...places({ epoch: 1, sequence: Math.floor(ranMs / hourMs) }) };
    default:
      return { type, now } as LifecycleEvent;
  }
}

test('C30: whatever happens in whatever order, nobody reneges before G of silence that we observed', () => {
  let reneged = 0;
  fc.assert(
    fc.property(course, (events) => {
      let state = lifecycleStart(coarse, epoch);
      let now = epoch;
      // An account of its own: the time that we ran since the partner was last clean.
      let observedMs = 0;
      for (const step of events) {
        now = instant(Math.max(0, now + step.forMs));
        if (step.type === 'tick') observedMs += Math.min(step.ranMs, coarse.tickMostMs);
        const before = state;
        const after = stepLifecycle(state, eventOf(step, now), coarse);
        state = after.state;
        if (after.effects.some(({ type }) => type === 'divorce')) {
          reneged += 1;
          assert.ok(observedMs >= coarse.graceMs);
          const refuses = before.refusedMs !== undefined;
          assert.ok(before.unanswered || before.unproved || refuses || owesProofs(before.cause));
        }
        const fails = state.unanswered || state.unproved || state.refusedMs !== undefined;
        if (!fails && state.proofsOwed === 0) observedMs = 0;
        if (inCommitment(state, coarse)) assert.ok(!restoresAllowed(state, coarse));
        assert.deepEqual(decodeLifecycle(encodeLifecycle(state)), { ok: true, value: state });
      }
    }),
    { numRuns: 300 },
  );
  assert.ok(reneged > 0, 'some courses lead to reneging');
});

test('C17: whatever happens, only a served drill or a person makes a refused one forgotten', () => {
  fc.assert(
    fc.property(course, (events) => {
      let state = lifecycleStart(coarse, epoch);
      let now = epoch;
      for (const step of events) {
        now = instant(Math.max(0, now + step.forMs));
        const before = state;
        ({ state } = stepLifecycle(state, eventOf(step, now), coarse));
        const isAnew = step.type === 'recommitted' || step.type === 'renewed';
        if (before.refusedMs === undefined || step.type === 'drill-served' || isAnew) continue;
        assert.notEqual(state.refusedMs, undefined);
        assert.ok(state.failingMs >= before.failingMs);
        assert.notDeepEqual([before.phase, state.phase], ['suspended', 'standing']);
      }
    }),
    { numRuns: 200 },
  );
});

test('a partner that always answers and always proves is never suspended, whatever our clock does', () => {
  fc.assert(
    fc.property(course, (events) => {
      let state = lifecycleStart(open, epoch);
      for (const { forMs, ranMs } of events) {
        const now = instant(Math.max(0, state.since + forMs));
        for (const event of [
          { type: 'proved', now } as const,
          eventOf({ type: 'tick', ranMs }, now),
        ])
          state = stepLifecycle(state, event, open).state;
        assert.ok(takesShards(state.phase));
      }
    }),
    { numRuns: 100 },
  );
});

test('a stored lifecycle with any byte changed is refused or means something else', () => {
  const partner = standing(open)
    .happens('missed')
    .runs(3 * dayMs);
  partner.step({ type: 'notice-given', now: partner.now, until: partner.now });
  const encoded = encodeLifecycle(partner.state);
  for (let at = 0; at < encoded.length; at += 1) {
    const changed = new Uint8Array(encoded);
    changed[at] = (changed[at] ?? 0) ^ (1 + (at % 255));
    const decoded = decodeLifecycle(changed);
    if (decoded.ok) assert.notDeepEqual(decoded.value, partner.state);
    assert.equal(decodeLifecycle(encoded.subarray(0, at)).ok, false);
  }
});
