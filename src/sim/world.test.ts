import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Prng } from '../base/prng.ts';
import { dayMs, hourMs } from '../base/units.ts';
import { calmPlan, drawFaultPlan, type FaultPlan, isCutOff } from './fault-plan.ts';
import { Crashed, Life } from './life.ts';
import { ProgramFailed, type SimProgram, SimWorld } from './world.ts';

const never = (): Promise<void> => new Promise(() => {});

/** A number that a computer counts up, one durable step for each; kept over crashes. */
class DurableCounter {
  #value = 0;

  get value(): number {
    return this.#value;
  }

  /** The program: counts to `last`, a minute between two steps. */
  countTo(last: number): SimProgram {
    return async (node) => {
      while (this.#value < last) {
        await node.clock.sleep(60_000);
        node.onDurable('count', 'before');
        this.#value += 1;
        node.onDurable('count', 'after');
        node.log.write('info', 'counted', { value: this.#value });
      }
    };
  }
}

/** Several computers that sleep and draw at random: everything that a seed should decide. */
async function ramble(seed: number, plan: FaultPlan = calmPlan): Promise<SimWorld> {
  const world = new SimWorld(seed, { plan });
  const program: SimProgram = async (node) => {
    for (let turn = 0; turn < 20; turn += 1) {
      const [draw = 0] = node.random.bytes(1);
      await node.clock.sleep(draw * 1_000);
      node.onDurable('turn', 'before');
      node.onDurable('turn', 'after');
      node.log.write('info', 'turn', { draw, now: node.clock.now() });
    }
  };
  for (const name of ['ada', 'bo', 'cy']) world.spawn(name, program);
  assert.equal(await world.run(), 'idle');
  return world;
}

test('the same seed gives the same trace, another seed another', async () => {
  const [first, again, other] = [await ramble(1), await ramble(1), await ramble(2)];
  assert.ok(first.trace.count > 60);
  assert.equal(first.trace.hash(), again.trace.hash());
  assert.deepEqual(first.trace.lines(), again.trace.lines());
  assert.notEqual(first.trace.hash(), other.trace.hash());
});

test('the same seed gives the same trace under any plan of faults', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), async (seed) => {
      const range = { nodes: ['ada', 'bo', 'cy'], durationMs: hourMs, steps: 20 };
      const plan = drawFaultPlan(new Prng(seed), range);
      assert.deepEqual(plan, drawFaultPlan(new Prng(seed), range));
      const [one, two] = [await ramble(seed, plan), await ramble(seed, plan)];
      assert.equal(one.trace.hash(), two.trace.hash());
    }),
    { numRuns: 20 },
  );
});

test('a year of virtual time takes no real time', async () => {
  const world = new SimWorld('year');
  let days = 0;
  world.spawn('sleeper', async (node) => {
    for (; days < 365; days += 1) await node.clock.sleep(dayMs);
  });
  assert.equal(await world.run(), 'idle');
  assert.equal(days, 365);
  assert.equal(world.nowMs, 365 * dayMs);
});

test('sleepers wake in the order of their times, and in that of their calls at one time', async () => {
  const world = new SimWorld('order');
  const woken: string[] = [];
  world.spawn('sleeper', async ({ clock }) => {
    const sleep = async (name: string, durationMs: number): Promise<void> => {
      await clock.sleep(durationMs);
      woken.push(name);
    };
    await Promise.all([
      sleep('late', 30),
      sleep('first', 10),
      sleep('second', 10),
      sleep('now', 0),
    ]);
  });
  await world.run();
  assert.deepEqual(woken, ['now', 'first', 'second', 'late']);
});

test('a sleep ends early when its signal aborts, and leaves nothing behind', async () => {
  const world = new SimWorld('abort');
  const stop = new AbortController();
  let wokenAtMs = -1;
  world.spawn('sleeper', async ({ clock }) => {
    await clock.sleep(dayMs, stop.signal);
    wokenAtMs = world.nowMs;
    await clock.sleep(dayMs, stop.signal);
  });
  world.at(5_000, () => stop.abort());
  assert.equal(await world.run(), 'idle');
  assert.equal(wokenAtMs, 5_000);
  assert.equal(world.nowMs, 5_000);
});

test('a run stops at its time, at its condition, or when it takes too many steps', async () => {
  const world = new SimWorld('limits');
  let ticks = 0;
  world.spawn('ticker', async ({ clock }) => {
    for (;;) {
      await clock.sleep(1_000);
      ticks += 1;
    }
  });
  assert.equal(await world.run({ untilMs: 4_500 }), 'time');
  assert.equal(world.nowMs, 4_500);
  assert.equal(ticks, 4);
  assert.equal(await world.run({ until: () => ticks === 10 }), 'reached');
  assert.equal(await world.run({ maxSteps: 100 }), 'too-long');
});

test('a crash at any durable step, before or after it, loses and repeats none that was finished', async () => {
  const last = 6;
  const calm = new SimWorld('count');
  calm.spawn('counter', new DurableCounter().countTo(last));
  await calm.run();
  assert.equal(calm.durableSteps('counter'), last);

  for (const moment of ['before', 'after'] as const)
    for (let step = 1; step <= last; step += 1) {
      const crash = { node: 'counter', step, moment, downMs: 5_000 };
      const world = new SimWorld('count', { plan: { ...calmPlan, crashes: [crash] } });
      const counter = new DurableCounter();
      world.spawn('counter', counter.countTo(last));
      let valueWhileDown: number | undefined;
      const ended = await world.run({
        until: () => {
          if (!world.isRunning('counter')) valueWhileDown = counter.value;
          return false;
        },
      });
      assert.equal(ended, 'idle');
      assert.equal(valueWhileDown, moment === 'before' ? step - 1 : step);
      assert.equal(counter.value, last);
      assert.equal(world.trace.lines().filter((line) => line.includes('sim.crash')).length, 1);
    }
});

test('after a crash the old life does nothing more, and its promises never settle', async () => {
  const world = new SimWorld('dead');
  const reached: string[] = [];
  world.spawn('node', async (node) => {
    const start = reached.length;
    reached.push(`start ${start}`);
    await node.clock.sleep(10_000);
    reached.push(`woke ${start}`);
    await never();
  });
  await world.run({ untilMs: 5_000 });
  world.crash('node');
  await world.run({ untilMs: 60_000 });
  assert.deepEqual(reached, ['start 0']);
  world.restart('node');
  await world.run({ untilMs: 120_000 });
  assert.deepEqual(reached, ['start 0', 'start 1', 'woke 1']);
});

test('a suspended computer does nothing, and catches up in order when it goes on', async () => {
  const world = new SimWorld('lid');
  const woken: [string, number][] = [];
  world.spawn('laptop', async ({ clock }) => {
    const sleep = async (name: string, durationMs: number): Promise<void> => {
      await clock.sleep(durationMs);
      woken.push([name, world.nowMs]);
    };
    await Promise.all([sleep('second', 2_000), sleep('first', 1_500), sleep('after', 9 * hourMs)]);
  });
  world.at(1_000, () => world.suspend('laptop', 8 * hourMs));
  await world.run();
  const resumedMs = 1_000 + 8 * hourMs;
  assert.deepEqual(woken, [
    ['first', resumedMs],
    ['second', resumedMs],
    ['after', 9 * hourMs],
  ]);
});

test('a clock that was set wrong stays wrong over a restart, and does not disturb sleeps', async () => {
  const jump = { node: 'node', atMs: 500, byMs: -2 * dayMs };
  const world = new SimWorld('clock', { plan: { ...calmPlan, clockJumps: [jump] } });
  const seen: number[] = [];
  world.spawn('node', async ({ clock }) => {
    seen.push(clock.now());
    await clock.sleep(1_000);
    seen.push(clock.now());
    await never();
  });
  await world.run({ untilMs: 2_000 });
  world.restart('node');
  await world.run({ untilMs: 2_500 });
  const [begin = 0, later, restarted] = seen;
  assert.equal(later, begin + 1_000 - 2 * dayMs);
  assert.equal(restarted, begin + 2_000 - 2 * dayMs);
});

test('a program that fails for another reason than a crash fails the run, with the seed', async () => {
  const world = new SimWorld(77);
  world.spawn('node', async ({ clock }) => {
    await clock.sleep(10);
    throw new Error('broken');
  });
  await assert.rejects(world.run(), (problem) => {
    assert.ok(problem instanceof ProgramFailed);
    assert.match(problem.message, /seed 77/);
    return true;
  });
});

test('a dead port throws or stays silent, as its kind is, in all its roles', async () => {
  const life = new Life();
  const stores = life.port({ facts: { get: () => 1 }, count: 3 }, 'throwing');
  const disk = life.port({ read: async () => 2, items: () => items() }, 'silent');
  const kept = stores.facts;
  assert.equal(kept.get(), 1);
  assert.equal(await disk.read(), 2);
  const iterator = disk.items()[Symbol.asyncIterator]();
  assert.equal((await iterator.next()).value, 'one');
  const reading = disk.read();
  life.end();
  assert.throws(() => kept.get(), Crashed);
  const settled: unknown[] = [];
  for (const promise of [reading, disk.read(), iterator.next()])
    void promise.then((value) => settled.push(value));
  await new Promise(setImmediate);
  assert.deepEqual(settled, []);
});

async function* items(): AsyncGenerator<string> {
  yield 'one';
  yield 'two';
}

test('a partition closes one way, for its time', () => {
  const partition = { fromMs: 10, untilMs: 20, senders: ['ada'], receivers: ['bo'] };
  const plan = { ...calmPlan, partitions: [partition] };
  assert.equal(isCutOff(plan, { sender: 'ada', receiver: 'bo' }, 10), true);
  assert.equal(isCutOff(plan, { sender: 'ada', receiver: 'bo' }, 20), false);
  assert.equal(isCutOff(plan, { sender: 'bo', receiver: 'ada' }, 15), false);
  assert.equal(isCutOff(plan, { sender: 'ada', receiver: 'cy' }, 15), false);
});
