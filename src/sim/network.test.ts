import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Prng } from '../base/prng.ts';
import type { PeerId } from '../core/vocabulary/ids.ts';
import { describeTransport, type TransportPair } from '../ports/transport.conformance.ts';
import { BodyBroken } from '../ports/transport.ts';
import { calmNetwork, type NetworkFaults } from './fault-plan.ts';
import { SimNetwork, simAddress } from './network.ts';
import { EventQueue, VirtualClock } from './virtual-clock.ts';

const [left, right, absent] = ['11', '22', '33'].map((byte) => byte.repeat(32) as PeerId) as [
  PeerId,
  PeerId,
  PeerId,
];

/** Lets virtual time run as long as anything is to happen. */
function runTime(queue: EventQueue): () => void {
  let isRunning = true;
  void (async () => {
    while (isRunning) {
      await setImmediate();
      queue.step();
    }
  })();
  return () => {
    isRunning = false;
  };
}

async function makePair(): Promise<TransportPair> {
  const queue = new EventQueue();
  const clock = new VirtualClock(queue);
  const stop = runTime(queue);
  const network = new SimNetwork({ clock, prng: new Prng('conformance') });
  const [asker, answerer] = [network.transport(left), network.transport(right)];
  return {
    asker,
    answerer,
    deserted: simAddress(absent),
    breakOff: () => network.breakOff(left, right),
    pause: (durationMs) => clock.sleep(durationMs),
    close: async () => {
      await Promise.all([asker.close(), answerer.close()]);
      stop();
    },
  };
}

describeTransport('the simulated network', makePair);

interface Weather {
  readonly seed: string;
  readonly faults?: Partial<NetworkFaults>;
}

/** What becomes of forty uploads, one after the other, and when the last of them ends. */
async function fates({ seed, faults }: Weather): Promise<readonly string[]> {
  const queue = new EventQueue();
  const stop = runTime(queue);
  const weather = (): NetworkFaults => ({ ...calmNetwork, ...faults });
  const clock = new VirtualClock(queue);
  const network = new SimNetwork({ clock, prng: new Prng(seed), weather });
  const [asker, answerer] = [network.transport(left), network.transport(right)];
  const { addresses } = await answerer.serve(
    async ({ body }) => {
      for await (const _ of body);
      return { status: 200, body: new Uint8Array(100_000) };
    },
    () => 'partner',
  );
  const met: string[] = [];
  for (let count = 0; count < 40; count += 1) {
    const request = { method: 'PUT', path: '/v1/x', body: new Uint8Array(200_000) } as const;
    const outcome = await asker.request({ peer: right, addresses }, request);
    met.push(outcome.ok ? await ending(outcome.value.body) : outcome.error.code);
  }
  stop();
  return [...met, String(queue.nowMs)];
}

async function ending(body: AsyncIterable<Uint8Array>): Promise<string> {
  try {
    for await (const _ of body);
    return 'whole';
  } catch (problem) {
    return problem instanceof BodyBroken ? 'broken' : String(problem);
  }
}

test('the same seed gives the same fates at the same times, another seed others', async () => {
  const faults = { lossShare: 0.02, breakShare: 0.2 };
  const first = await fates({ seed: 'one', faults });
  assert.deepEqual(await fates({ seed: 'one', faults }), first);
  assert.notDeepEqual(await fates({ seed: 'two', faults }), first);
});

test('loss ends in silence and breaks end in broken bodies, never in less than everything', async () => {
  const lossy = await fates({ seed: 'lossy', faults: { lossShare: 0.1 } });
  assert.ok(lossy.includes('peer.silent') && lossy.includes('whole'));
  const breaking = await fates({ seed: 'breaking', faults: { breakShare: 0.4 } });
  assert.ok(breaking.includes('peer.broken-off') && breaking.includes('broken'));
});

test('a link cut one way leaves the asker in silence, and works again when healed', async () => {
  const queue = new EventQueue();
  const stop = runTime(queue);
  const clock = new VirtualClock(queue);
  const network = new SimNetwork({ clock, prng: new Prng('cut') });
  const [asker, answerer] = [network.transport(left), network.transport(right)];
  let handledCount = 0;
  const { addresses } = await answerer.serve(
    async () => {
      handledCount += 1;
      if (handledCount === 1) network.cut(right, left);
      return { status: 204 };
    },
    () => 'partner',
  );
  const ask = async (): Promise<string> => {
    const request = { method: 'GET', path: '/v1/profile' } as const;
    const outcome = await asker.request({ peer: right, addresses }, request);
    return outcome.ok ? String(outcome.value.status) : outcome.error.code;
  };
  assert.equal(await ask(), 'peer.silent');
  assert.equal(await ask(), 'peer.unreachable');
  network.heal(right, left);
  assert.equal(await ask(), '204');
  stop();
});
