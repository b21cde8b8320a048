import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../base/prng.ts';
import { hourMs, minuteMs } from '../base/units.ts';
import { idOf, type PeerId } from '../core/vocabulary/ids.ts';
import { BodyBroken, type PeerReply } from '../ports/transport.ts';
import { calmNetwork, calmPlan, drawFaultPlan, type FaultPlan } from './fault-plan.ts';
import { SimLink } from './sim-link.ts';
import { SimWorld } from './world.ts';

const ada = idOf<PeerId>(new Prng('ada').bytes(32));
const bo = idOf<PeerId>(new Prng('bo').bytes(32));

interface Exchanges {
  readonly world: SimWorld;
  /** What bo was asked, over all its lives. */
  readonly asked: string[];
  /** What ada learned, in order: a status or the code of a silence. */
  readonly learned: (number | string)[];
  /** When it learned it. */
  readonly learnedAtMs: number[];
}

/** Ada asks bo `count` times, a minute apart; bo answers after a second. */
function exchanges(plan: FaultPlan, count: number, seed: string | number = 'link'): Exchanges {
  const world = new SimWorld(seed, { plan });
  const link = new SimLink(world);
  const [asked, learned, learnedAtMs]: [string[], (number | string)[], number[]] = [[], [], []];
  world.spawn('bo', async (computer) => {
    await link.transport(computer, bo).serve(
      async (request) => {
        asked.push(request.path);
        computer.onDurable('answer', 'before');
        computer.onDurable('answer', 'after');
        await computer.clock.sleep(1_000);
        return { status: 200 };
      },
      () => 'partner',
    );
  });
  world.spawn('ada', async (computer) => {
    const transport = link.transport(computer, ada);
    for (let turn = 0; turn < count; turn += 1) {
      await computer.clock.sleep(minuteMs);
      const request = { method: 'GET', path: `/v1/turn/${turn}` } as const;
      const outcome = await transport.request(link.address(bo), request);
      learned.push(outcome.ok ? await statusOf(outcome.value) : outcome.error.code);
      learnedAtMs.push(world.nowMs);
    }
  });
  return { world, asked, learned, learnedAtMs };
}

/** The status, unless the body breaks off. */
async function statusOf(reply: PeerReply): Promise<number | string> {
  try {
    for await (const _ of reply.body) assert.fail('the body is empty');
    return reply.status;
  } catch (problem) {
    if (!(problem instanceof BodyBroken)) throw problem;
    return 'body broken';
  }
}

test('in calm weather every request has its reply, and no time passes but that of the link', async () => {
  const { world, asked, learned } = exchanges(calmPlan, 5);
  assert.equal(await world.run(), 'idle');
  assert.deepEqual(learned, [200, 200, 200, 200, 200]);
  assert.equal(asked.length, 5);
  assert.ok(world.nowMs < 6 * minuteMs);
});

test('a request that arrives twice has one outcome', async () => {
  const network = { ...calmNetwork, duplicateShare: 1 };
  const { world, asked, learned } = exchanges({ ...calmPlan, network }, 2);
  await world.run();
  assert.deepEqual(learned, [200, 200]);
  assert.deepEqual(asked, ['/v1/turn/0', '/v1/turn/0', '/v1/turn/1', '/v1/turn/1']);
});

test('a partition ends in silence, whichever way it closes', async () => {
  for (const [sender, receiver] of [
    ['ada', 'bo'],
    ['bo', 'ada'],
  ] as const) {
    const partition = {
      fromMs: 0,
      untilMs: 90_000,
      senders: [sender],
      receivers: [receiver],
    };
    const { world, learned } = exchanges({ ...calmPlan, partitions: [partition] }, 2);
    await world.run();
    assert.deepEqual(learned, ['peer.unreachable', 200]);
  }
});

test('the crash of the one who answers is silence to the one who asks, and the next life answers', async () => {
  const crash = { node: 'bo', step: 1, moment: 'after', downMs: 10_000 } as const;
  const { world, asked, learned } = exchanges({ ...calmPlan, crashes: [crash] }, 2);
  await world.run();
  assert.match(String(learned[0]), /^peer\./);
  assert.equal(learned[1], 200);
  assert.deepEqual(asked, ['/v1/turn/0', '/v1/turn/1']);
});

test('who asked and was suspended learns of the outcome when it goes on', async () => {
  const suspension = { node: 'ada', atMs: minuteMs + 500, forMs: hourMs };
  const { world, learnedAtMs } = exchanges({ ...calmPlan, suspensions: [suspension] }, 1);
  await world.run();
  assert.ok((learnedAtMs[0] ?? 0) >= hourMs + minuteMs);
});

test('who is suspended does not answer', async () => {
  const suspension = { node: 'bo', atMs: 30_000, forMs: hourMs };
  const { world, asked, learned } = exchanges({ ...calmPlan, suspensions: [suspension] }, 1);
  await world.run({ untilMs: 30 * minuteMs });
  assert.deepEqual(asked, []);
  assert.deepEqual(learned, ['peer.silent']);
});

test('the same seed and plan give the same trace in any weather, and every request has its outcome', async () => {
  const range = { nodes: ['ada', 'bo'], durationMs: hourMs, steps: 20 };
  const hashes = new Set<string>();
  for (let seed = 0; seed < 25; seed += 1) {
    const drawn = drawFaultPlan(new Prng(seed), range);
    const plan = { ...drawn, crashes: drawn.crashes.filter((crash) => crash.node === 'bo') };
    const [one, two] = [exchanges(plan, 20, seed), exchanges(plan, 20, seed)];
    assert.equal(await one.world.run(), 'idle');
    assert.equal(await two.world.run(), 'idle');
    assert.equal(one.learned.length, 20);
    assert.equal(one.world.trace.hash(), two.world.trace.hash());
    hashes.add(one.world.trace.hash());
  }
  assert.equal(hashes.size, 25);
});
