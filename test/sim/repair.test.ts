/** What partners lose, or may have lost, is made up for (C20, C22): spares after T_r, another partner after G, and no byte sent twice for one that came back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { minuteMs, secondMs } from '../../src/base/units.ts';
import { Circle, spared } from './repair-circle.ts';
import { quiet } from './scene.ts';

test('C20: a partner that is silent for T_r gets spares; what it still has is kept, and counts again without being sent', async () => {
  const circle = new Circle('reintegration', { count: 6, wanted: 4, keepTrace: true });
  await circle.settle(4);
  const packs = circle.packs();
  const before = circle.sent(packs);
  const first = new Set(circle.partners());
  const silent = await spared(circle);
  assert.equal(circle.sent(packs) - before, packs.length, 'one shard of each pack was sent again');
  assert.equal(circle.held(silent, packs), 0);
  circle.world.restart(silent.name);
  await circle.until('it is back', () => circle.phaseOf(silent) === 'standing');
  assert.ok(circle.reserves(silent) >= packs.length);
  await circle.wait(5 * minuteMs);
  assert.ok(circle.reserves(silent) >= packs.length, 'it is let go of lazily');
  const spare = present(
    circle.partners().find((peer) => !first.has(peer)),
    'another partner',
  );
  const after = circle.sent(packs);
  circle.world.crash(spare.name);
  await circle.until('the spare is suspended', () => circle.phaseOf(spare) === 'suspended');
  await circle.untilWhole('the first one took its shards back');
  assert.equal(circle.sent(packs), after, 'nothing was sent again');
  assert.equal(circle.held(silent, packs), packs.length);
  await circle.mustRestore();
});

test('a partner that is back before its spares are placed has none of its shards sent again', async () => {
  const circle = new Circle('short', { count: 5, wanted: 4, keepTrace: true });
  await circle.settle(4);
  const packs = circle.packs();
  const before = circle.sent(packs);
  const [silent] = circle.partners();
  assert.ok(silent !== undefined);
  circle.world.crash(silent.name);
  await circle.wait(40 * secondMs);
  circle.world.restart(silent.name);
  await circle.wait(3 * minuteMs);
  assert.equal(circle.phaseOf(silent), 'standing');
  await circle.untilWhole('a short silence');
  assert.equal(circle.sent(packs), before);
  assert.equal(circle.held(silent, packs), packs.length);
});

test('C20, C22: a partner that stays away is divorced and replaced; then any m others may vanish', async () => {
  const circle = new Circle('divorce', { count: 7, wanted: 4 });
  await circle.settle(4);
  const silent = await spared(circle);
  await circle.until('it reneged', () => circle.phaseOf(silent) === 'reneged');
  await circle.until('there are enough partners', (owner) => owner.partners().length >= 4);
  await circle.untilWhole('the divorce');
  await circle.until(
    'commitment is over',
    (owner) => owner.partners().filter(({ phase }) => phase === 'standing').length >= 4,
  );
  const holders = circle.partners().filter((peer) => circle.held(peer, circle.packs()) > 0);
  assert.equal(holders.length, 4);
  for (const peer of holders.slice(0, 2)) circle.world.crash(peer.name);
  await circle.mustRestore();
});

test('C20: shards that an audit finds wrong are made anew elsewhere at once, and status names whose they were', async () => {
  const circle = new Circle('wrong', { count: 6, wanted: 4 });
  await circle.settle(4);
  const cheat = present(circle.partners()[1], 'a partner');
  for (const name of cheat.home.held.wholeNames()) cheat.home.held.rot(name);
  await circle.until('it is caught', () => circle.phaseOf(cheat) === 'suspended');
  const named = present(circle.owner, 'it runs')
    .status()
    .hindrances.filter((hindrance) => 'partner' in hindrance)
    .map(({ code, partner }) => `${code} ${partner}`);
  assert.ok(named.includes(`partner.failing ${cheat.keys.peerId}`), named.join());
  await circle.untilWhole('wrong shards were found');
  await circle.mustRestore();
  circle.world.crash(cheat.name);
  await circle.mustRestore();
});

test('covault repair looks at once, and ends when all is whole or nothing more can be done', async () => {
  const circle = new Circle('by hand', { count: 3, wanted: 2 });
  await circle.settle(2);
  const whole = await circle.play((owner) => owner.repair(quiet));
  assert.equal(whole.health.whole, whole.health.stripes);
  const [lost] = circle.partners();
  assert.ok(lost !== undefined);
  circle.world.crash(lost.name);
  await circle.until('it is short', (owner) => {
    const { health } = owner.status();
    return health.whole < health.stripes;
  });
  const stuck = await circle.play((owner) => owner.repair(quiet));
  assert.ok(stuck.health.whole < stuck.health.stripes);
  assert.equal(stuck.mended, 0);
  circle.world.restart(lost.name);
  await circle.untilWhole('it came back');
});

/** At most so many of the crash points are tried, spread evenly; COVAULT_CRASH_POINTS=10000 tries all. */
const pointsMaximum = Number(process.env['COVAULT_CRASH_POINTS'] ?? 4);

test('C44: the owner crashes at any durable step of repairing, and everything is whole in the end', async () => {
  const calm = new Circle('crashing', { count: 6, wanted: 4 });
  await calm.settle(4);
  const from = calm.world.durableSteps(calm.self.name);
  const silent = await spared(calm);
  calm.world.restart(silent.name);
  await calm.until('it is back', () => calm.phaseOf(silent) === 'standing');
  const steps = calm.world.durableSteps(calm.self.name) - from;
  assert.ok(steps > 10, `${steps} steps`);
  const every = Math.max(1, steps / pointsMaximum);
  for (let at = 1; at <= steps; at += every) {
    const [step, node] = [from + Math.floor(at), calm.self.name];
    for (const moment of ['before', 'after'] as const) {
      const crash = { node, step, moment, downMs: 3_000 };
      const circle = new Circle('crashing', { count: 6, wanted: 4, crashes: [crash] });
      try {
        await circle.settle(4);
        const away = await spared(circle);
        circle.world.restart(away.name);
        await circle.until('it is back', () => circle.phaseOf(away) === 'standing');
        await circle.untilWhole('a crash');
        await circle.mustRestore();
      } catch (reason) {
        throw new Error(`replay: ${JSON.stringify(crash)}`, { cause: reason });
      }
    }
  }
});
