import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8Bytes } from '../base/bytes.ts';
import { kibi } from '../base/units.ts';
import { calmPlan, type PlannedCrash } from './fault-plan.ts';
import { SimHome } from './sim-home.ts';
import { type SimProgram, SimWorld } from './world.ts';

const partCount = 3;
const whole = utf8Bytes('one two three ');

/** Writes blobs part by part and, once one is whole on the disk, a fact about it: the order of writes that the engine keeps to. */
function writer(home: SimHome): SimProgram {
  return async (computer) => {
    const { stores, spool } = home.open(computer);
    for (let part = 0; part < partCount; part += 1) {
      const name = `part-${part}`;
      if (stores.facts.get(name) !== undefined) continue;
      const grown = await spool.grown(name);
      const done = (await spool.size(name)) !== undefined;
      if (!done) {
        for (let at = grown; at < whole.length; at += 4)
          await spool.grow(name, at, whole.slice(at, at + 4));
        await spool.sync(name);
        await spool.finish(name);
      }
      await computer.clock.sleep(10);
      stores.transact(() => {
        stores.facts.put(name, utf8Bytes('whole'));
        stores.facts.put('latest', utf8Bytes(name));
      });
      computer.log.write('info', 'part.written', { part });
    }
  };
}

async function run(crashes: readonly PlannedCrash[]): Promise<{ world: SimWorld; home: SimHome }> {
  const world = new SimWorld('writer', { plan: { ...calmPlan, crashes } });
  const home = new SimHome(world, 'ada');
  world.spawn('ada', writer(home));
  const claimed = (): boolean => {
    for (const name of home.image().facts.keys())
      if (name !== 'latest') assert.deepEqual(home.spool.whole(name), whole);
    return false;
  };
  assert.equal(await world.run({ until: claimed }), 'idle');
  return { world, home };
}

test('whatever durable step a computer crashes at, it never claims what it does not have, and carries on', async () => {
  const calm = await run([]);
  const steps = calm.world.durableSteps('ada');
  assert.ok(steps > 3 * partCount);
  for (let step = 1; step <= steps; step += 1)
    for (const moment of ['before', 'after'] as const) {
      const { world, home } = await run([{ node: 'ada', step, moment, downMs: 1_000 }]);
      const crashed = world.trace.lines().filter((line) => line.includes('sim.crash'));
      assert.equal(crashed.length, 1, `step ${step}`);
      assert.deepEqual(
        [...home.image().facts.keys()].sort(),
        [...calm.home.image().facts.keys()].sort(),
      );
      for (let part = 0; part < partCount; part += 1)
        assert.deepEqual(home.spool.whole(`part-${part}`), whole);
    }
});

test('two crashes in a row, the second while carrying on after the first, are borne too', async () => {
  const steps = (await run([])).world.durableSteps('ada');
  for (let first = 1; first < steps; first += 3)
    for (let second = first + 1; second <= steps; second += 4) {
      const at = (step: number): PlannedCrash => ({
        node: 'ada',
        step,
        moment: step % 2 === 0 ? 'before' : 'after',
        downMs: 10,
      });
      const { home } = await run([at(first), at(second)]);
      assert.equal(home.image().facts.size, partCount + 1);
    }
});

test('the same plan leaves the same trace', async () => {
  const crash: PlannedCrash = { node: 'ada', step: 5, moment: 'before', downMs: 50 };
  const [one, two, other] = [await run([crash]), await run([crash]), await run([])];
  assert.equal(one.world.trace.hash(), two.world.trace.hash());
  assert.notEqual(one.world.trace.hash(), other.world.trace.hash());
});

test('a planned full disk is full until the world heals; planned rot flips one bit', async () => {
  const disks = [
    { node: 'ada', disk: 'held', capacityBytes: kibi, rotsAtMs: [] },
    { node: 'ada', disk: 'spool', capacityBytes: undefined, rotsAtMs: [5_000] },
  ] as const;
  const world = new SimWorld('disk', { plan: { ...calmPlan, disks, healsAtMs: 60_000 } });
  const home = new SimHome(world, 'ada');
  const codes: string[] = [];
  world.spawn('ada', async (computer) => {
    const { spool, held } = home.open(computer);
    await spool.write('kept', whole);
    for (const wait of [0, 100_000]) {
      await computer.clock.sleep(wait);
      const written = await held.write('large', new Uint8Array(2 * kibi));
      codes.push(written.ok ? 'ok' : written.error.code);
    }
  });
  await world.run();
  assert.deepEqual(codes, ['blob.no-space', 'ok']);
  const rotten = home.spool.whole('kept') ?? new Uint8Array();
  const flipped = rotten.reduce(
    (bits, value, index) => bits + ones(value ^ (whole[index] ?? 0)),
    0,
  );
  assert.equal(flipped, 1);
});

function ones(value: number): number {
  return value.toString(2).replaceAll('0', '').length;
}
