/** The small parts that keep work going: pools, lanes, waits, limits, loops. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dayMs } from '../../base/units.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import { StorageFull } from '../../ports/stores.ts';
import { onVirtualTime } from '../../sim/virtual-run.ts';
import { Backoff } from '../work/backoff.ts';
import { Notifier } from '../work/notifier.ts';
import { RateLimit } from '../work/rate-limit.ts';
import { settled } from '../work/settled.ts';
import { TaskPool } from '../work/task-pool.ts';
import { WorkLoop } from '../work/work-loop.ts';
import { Lane } from './lane.ts';

const ann = 'ann' as PeerId;
const log = { write: (): void => undefined };
const never = new AbortController().signal;

test('a pool runs as many tasks at once as it is wide, and drains them all', async () => {
  await onVirtualTime(async (clock) => {
    const pool = new TaskPool(3);
    let running = 0;
    let most = 0;
    let done = 0;
    for (let task = 0; task < 10; task += 1)
      await pool.start(async () => {
        running += 1;
        most = Math.max(most, running);
        await clock.sleep(10 + task);
        running -= 1;
        done += 1;
      });
    await pool.drain();
    assert.deepEqual([most, done, running], [3, 10, 0]);
  });
});

test('a task that fails stops the pool, whoever starts or drains next hears of it', async () => {
  await onVirtualTime(async (clock) => {
    const pool = new TaskPool(2);
    let later = false;
    await pool.start(async () => {
      await clock.sleep(5);
      throw new Error('broken');
    });
    await pool.start(async () => {
      await clock.sleep(50);
      later = true;
    });
    await assert.rejects(
      pool.start(async () => undefined),
      /broken/,
    );
    await assert.rejects(pool.drain(), /broken/);
    assert.ok(later, 'draining waits for the others all the same');
  });
});

test('a lane runs one task at a time in their order, failed ones too', async () => {
  await onVirtualTime(async (clock) => {
    const lane = new Lane();
    const steps: string[] = [];
    const task = async (name: string, ms: number): Promise<string> => {
      steps.push(`${name} begins`);
      await clock.sleep(ms);
      steps.push(`${name} ends`);
      if (name === 'b') throw new Error('b failed');
      return name;
    };
    const results = await Promise.allSettled([
      lane.run(() => task('a', 30)),
      lane.run(() => task('b', 20)),
      lane.run(() => task('c', 10)),
    ]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    const order = ['a', 'b', 'c'].flatMap((name) => [`${name} begins`, `${name} ends`]);
    assert.deepEqual(steps, order);
  });
});

test('settled throws the first failure only once nothing is under way any more', async () => {
  await onVirtualTime(async (clock) => {
    let done = false;
    const slow = clock.sleep(100).then(() => {
      done = true;
      return 1;
    });
    await assert.rejects(settled([Promise.reject(new Error('first')), slow]), /first/);
    assert.ok(done);
    assert.deepEqual(await settled([Promise.resolve(1), slow]), [1, 1]);
  });
});

test('waits double from a second to five minutes, and end when the partner answers', async () => {
  await onVirtualTime(async (clock) => {
    const backoff = new Backoff(clock);
    const waits: (number | undefined)[] = [];
    for (let failure = 0; failure < 11; failure += 1) {
      const lookedAt = clock.now();
      backoff.failed(ann);
      waits.push(backoff.nextMs(lookedAt));
    }
    const seconds = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300];
    assert.deepEqual(
      waits,
      seconds.map((each) => each * 1_000),
    );
    assert.ok(backoff.waits(ann) && backoff.isLasting(ann));
    backoff.cleared(ann);
    assert.ok(!backoff.waits(ann) && !backoff.isLasting(ann));
    assert.equal(backoff.nextMs(clock.now()), undefined);
  });
});

test('a wait that is over is no reason to look again, one that ended since the last look is', async () => {
  await onVirtualTime(async (clock) => {
    const backoff = new Backoff(clock);
    backoff.failed(ann);
    const before = clock.now();
    await clock.sleep(1_500);
    assert.equal(backoff.nextMs(before), 0);
    assert.equal(backoff.nextMs(clock.now()), undefined);
  });
});

test('a clock that is set back does not make a wait last', async () => {
  await onVirtualTime(async (clock) => {
    const backoff = new Backoff(clock);
    backoff.failed(ann);
    clock.jump(-dayMs);
    assert.ok(!backoff.waits(ann));
  });
});

test('a limit is kept over all who send, and a clock that is set back does not stop them', async () => {
  await onVirtualTime(async (clock, events) => {
    const limit = new RateLimit(clock, 1_000);
    const began = events.nowMs;
    const senders = [0, 1, 2].map(async () => {
      for (let part = 0; part < 4; part += 1) await limit.take(500, never);
    });
    await Promise.all(senders);
    assert.equal(events.nowMs - began, 5_500, 'twelve parts of half a second, the last one free');
    clock.jump(-dayMs);
    const jumped = events.nowMs;
    for (let part = 0; part < 3; part += 1) await limit.take(500, never);
    assert.ok(events.nowMs - jumped <= 1_500);
    await new RateLimit(clock, undefined).take(1e12, never);
  });
});

test('those who wait for a change are woken once, and forgotten when they stop waiting', async () => {
  const changes = new Notifier();
  const stop = new AbortController();
  let woken = 0;
  const first = changes.changed(never).then(() => {
    woken += 1;
  });
  const second = changes.changed(stop.signal);
  stop.abort();
  await second;
  changes.notify();
  changes.notify();
  await first;
  assert.equal(woken, 1);
  await changes.changed(stop.signal);
});

test('a loop goes on at once while it gets on, rests while it does not, and wakes at changes', async () => {
  await onVirtualTime(async (clock, events) => {
    const changes = new Notifier();
    const backoff = new Backoff(clock);
    const stop = new AbortController();
    const rounds: number[] = [];
    const loop = new WorkLoop({ clock, log, changes, backoff }, async () => {
      rounds.push(events.nowMs);
      return rounds.length < 3;
    });
    const running = loop.run(stop.signal);
    await clock.sleep(1_000);
    assert.deepEqual(rounds, [0, 0, 0]);
    assert.ok(loop.resting);
    changes.notify();
    await clock.sleep(1_000);
    assert.equal(rounds.length, 4);
    backoff.failed(ann);
    await clock.sleep(180_000);
    assert.ok(rounds.length >= 6 && rounds.length <= 8, `looks again: ${rounds.join()}`);
    stop.abort();
    await running;
  });
});

test('a change during a round is not missed', async () => {
  await onVirtualTime(async (clock) => {
    const changes = new Notifier();
    const stop = new AbortController();
    let rounds = 0;
    const parts = { clock, log, changes, backoff: new Backoff(clock) };
    const running = new WorkLoop(parts, async () => {
      rounds += 1;
      if (rounds === 1) changes.notify();
      return false;
    }).run(stop.signal);
    await clock.sleep(100);
    assert.equal(rounds, 2);
    stop.abort();
    await running;
  });
});

test('a full disk makes a loop wait and say so, whatever nobody foresaw ends it', async () => {
  await onVirtualTime(async (clock) => {
    const told: string[] = [];
    let rounds = 0;
    const parts = {
      clock,
      log: { write: (level: string, event: string) => told.push(`${level} ${event}`) },
      changes: new Notifier(),
      backoff: new Backoff(clock),
    };
    const loop = new WorkLoop(parts, async () => {
      rounds += 1;
      if (rounds === 1) throw new StorageFull('no room');
      throw new Error('broken');
    });
    await assert.rejects(loop.run(never), /broken/);
    assert.deepEqual(told, ['error work.storage-failed']);
    assert.equal(rounds, 2);
  });
});
