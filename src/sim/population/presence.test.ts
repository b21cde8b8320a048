import assert from 'node:assert/strict';
import test from 'node:test';
import { hoursIn } from '../../core/partners/schedule.ts';
import { bitCount, hashedDraw } from './hashed-chance.ts';
import {
  availabilityOf,
  classMixes,
  habits,
  hoursOn,
  officeHours,
  weekShares,
} from './presence.ts';

const peers = 300;
const days = 364;

/** Share of the hours that peers of a habit are on. */
function measured(habit: number): number {
  let hours = 0;
  for (let peer = 0; peer < peers; peer += 1)
    for (let day = 0; day < days; day += 1)
      hours += bitCount(hoursOn({ seed: 7, peer, habit, shift: peer % 24 }, day));
  return hours / (peers * days * 24);
}

test('computers are on for as much of the time as their habit says', () => {
  for (const habit of habits.keys())
    assert.ok(Math.abs(measured(habit) - availabilityOf(habit)) < 0.01, habits[habit]);
});

test('the mix of a class comes to its availability', () => {
  for (const [name, mix] of Object.entries(classMixes)) {
    const mean = mix.reduce((sum, share, habit) => sum + share * availabilityOf(habit), 0);
    assert.ok(Math.abs(mean - Number(name)) < 0.01, `${name}: ${mean}`);
    assert.ok(Math.abs(mix.reduce((sum, share) => sum + share, 0) - 1) < 1e-9);
  }
});

test('office hours leave the weekend out, and holidays last for a week', () => {
  const at = { seed: 3, peer: 11, habit: officeHours, shift: 0 };
  let longest = 0;
  let run = 0;
  for (let day = 0; day < days; day += 1) {
    const hours = hoursOn(at, day);
    if (day % 7 > 4) assert.equal(hours, 0);
    run = hours === 0 ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  assert.ok(longest >= 7 && longest <= 18, `${longest} days`);
});

test('a day moved around the clock has as many hours', () => {
  for (let shift = 0; shift < 24; shift += 1)
    for (const habit of habits.keys())
      assert.ok(Math.abs(hoursIn(weekShares(habit, shift)) - hoursIn(weekShares(habit, 0))) < 0.2);
});

test('a day is the same whenever it is looked at, and draws spread', () => {
  const at = { seed: 9, peer: 5, habit: 1, shift: 4 };
  assert.equal(hoursOn(at, 100), hoursOn(at, 100));
  const low = Array.from({ length: 4_000 }, (_, peer) => hashedDraw(1, peer, 17)).filter(
    (draw) => draw < 2 ** 31,
  );
  assert.ok(low.length > 1_850 && low.length < 2_150, `${low.length} of 4000`);
});
