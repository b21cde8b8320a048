/** Claims about how partners are found and agreed with, on whole computers of a simulated world that nobody invited. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { dayMs, hourMs, mebi, minuteMs } from '../../src/base/units.ts';
import { checkAgreements, settled } from '../sim/crowd.ts';
import { periods, Strangers } from './sim-strangers.ts';

/** They lend, and look for nobody. */
const lender = { wantedBytes: 0 };

test('C2, C21, C23: whether partners are missing comes first; then candidates are refused by criteria, and ranked by separation and diversity', async () => {
  const home = { country: 'FR', latitude: 48, longitude: 2 };
  const places = [
    { ...home, household: 'ours' },
    { ...home, household: 'ours' },
    { ...home, household: 'circle' },
    { ...home, household: 'neighbour' },
    { country: 'CL', latitude: -33, longitude: -71, household: 'far' },
    { ...home, household: 'seeker' },
  ];
  const looking = [{ seek: false, wantedPartners: 2 }, lender, lender, lender, lender];
  const they = new Strangers('criteria', places.length, {
    meets: true,
    partnership: (number) => ({
      preset: number === 2 ? 'circle' : 'open',
      place: present(places[number], 'a place'),
      systemVersion: number === 4 ? 'another' : 'one',
      ...(looking[number] ?? { wantedPartners: 1 }),
    }),
  });
  await they.wait(minuteMs);
  const first = await they.search(0, true);
  assert.deepEqual([first.enough, first.wantedPartners, first.presentPartners], [false, 2, 0]);
  assert.deepEqual(they.partners(0), [], 'a dry run signs nothing');
  assert.deepEqual(they.result(first, 1), ['candidate.same-household']);
  assert.deepEqual(they.result(first, 2), ['candidate.preset']);
  assert.equal(they.result(first, 4), 1, 'far away, with another system');
  assert(Number(they.result(first, 3)) > 1);
  assert.deepEqual(they.partners(5), [4], 'the best one, and no more than are wanted');
  const second = await they.search(5, false);
  assert.equal(second.enough, true);
  assert.deepEqual(they.partners(5), [4]);
});

test('C3, C4: two computers that know nothing but an address settle what each lends, from what both want and have', async () => {
  const wants = [
    { ...periods, wantedBytes: 300 * mebi },
    { ...periods, graceMs: 5 * minuteMs },
  ];
  const they = new Strangers('wants', 2, {
    meets: false,
    partnership: (number, address) => ({
      ...present(wants[number], 'wants'),
      wantedPartners: 1,
      bootstrap: number === 0 ? [] : [address],
    }),
    settings: (number) => (number === 1 ? { offeredBytes: 50 * mebi } : {}),
  });
  await settled(they.them, 1, 5 * minuteMs);
  checkAgreements(they.them.peers);
  const [ours, theirs] = [0, 1].map((number) =>
    present(they.computer(number).agreements()[0], 'an agreement'),
  );
  assert.deepEqual(ours?.row.document, theirs?.row.document, 'both signed the same');
  const { weLendBytes, lendsUsBytes, agreement } = present(ours, 'it');
  assert.equal(weLendBytes, lendsUsBytes);
  assert(lendsUsBytes > 0 && lendsUsBytes <= 50 * mebi, 'no more than the other has');
  const { commitmentMs, graceMs } = agreement.terms;
  assert(commitmentMs > graceMs);
});

test('C4, C20: the computer that brought all others together is lost, and they go on without it', async () => {
  const they = new Strangers('first', 5, {
    meets: false,
    partnership: (number, address) => ({
      ...periods,
      wantedPartners: 2,
      bootstrap: number === 0 ? [] : [address],
    }),
  });
  await settled(they.them, 2, 5 * minuteMs);
  they.world.crash(they.peer(0).name);
  const others = [1, 2, 3, 4];
  await they.until('everybody has two partners among the others', () =>
    others.every((number) => they.partners(number).filter((other) => other > 0).length >= 2),
  );
  await they.until('nobody counts on the lost one', () =>
    others.every((number) => ['ended', 'reneged', undefined].includes(they.phase(number, 0))),
  );
});

test('C24, C25: hours on line are learned, and who is seldom there with us is refused', async () => {
  const they = new Strangers('hours', 3, {
    meets: true,
    partnership: (number) => ({
      preset: 'open',
      searchIntervalMs: hourMs,
      probeIntervalMs: hourMs,
      wantedPartners: 1,
      overlapHours: 56,
      ...(number === 0 ? { seek: false } : lender),
    }),
  });
  const seldom = they.peer(2).name;
  for (let day = 0; day < 2; day += 1) {
    await they.wait(4 * hourMs);
    they.world.crash(seldom);
    await they.world.run({ untilMs: (day + 1) * dayMs });
    they.world.restart(seldom);
  }
  await they.wait(minuteMs);
  const found = await they.search(0, true);
  assert.equal(they.result(found, 1), 1);
  assert.deepEqual(they.result(found, 2), ['candidate.schedule']);
});

test('C26: average bandwidth is measured, and compared with a threshold', async () => {
  const demands = [1_000, 1e15];
  const they = new Strangers('bandwidth', 4, {
    meets: true,
    partnership: (number) => ({
      ...periods,
      wantedPartners: 1,
      seek: number > 1,
      bandwidth: demands[number] ?? 0,
      ...(number === 3 ? lender : {}),
    }),
  });
  await they.until('a partner', () => they.partners(2).length === 1);
  await they.backedUp(2);
  const [modest, demanding] = [await they.search(0, true), await they.search(1, true)];
  assert.equal(typeof they.result(modest, 2), 'number');
  assert.deepEqual(they.result(demanding, 2), ['candidate.bandwidth']);
});
