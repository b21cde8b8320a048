import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../src/base/prng.ts';
import { minuteMs, secondMs } from '../../src/base/units.ts';
import { idOf, type PeerId } from '../../src/core/vocabulary/ids.ts';
import { PartnerClient } from '../../src/engine/partners/partner-client.ts';
import { SimNetwork, simAddress } from '../../src/sim/network.ts';
import { EventQueue, VirtualClock } from '../../src/sim/virtual-clock.ts';

const asker = idOf<PeerId>(new Uint8Array(32).fill(1));
const answerer = idOf<PeerId>(new Uint8Array(32).fill(2));

test('an answer that comes byte by byte and never ends is given up', async () => {
  const events = new EventQueue();
  const clock = new VirtualClock(events);
  const network = new SimNetwork({ clock, prng: new Prng(1) });
  async function* drops(): AsyncGenerator<Uint8Array> {
    for (;;) {
      yield new Uint8Array(1);
      await clock.sleep(10 * secondMs);
    }
  }
  await network.transport(answerer).serve(
    async () => ({ status: 200, body: drops() }),
    () => 'partner',
  );
  const heard: boolean[] = [];
  const client = new PartnerClient(network.transport(asker), {
    clock,
    addresses: () => [],
    heard: (_, answered) => heard.push(answered),
  });
  const to = { peer: answerer, addresses: [simAddress(answerer)] };
  const began = clock.now();
  const tookMs = (): number => clock.now() - began;
  const asked = client.manifest(to, asker, new AbortController().signal);
  let isDone = false;
  void asked.finally(() => {
    isDone = true;
  });
  while (!isDone && tookMs() < 30 * minuteMs) {
    await new Promise((resolve) => setImmediate(resolve));
    events.step();
  }
  assert.ok(isDone, 'the request ends');
  const answer = await asked;
  assert.ok(!answer.ok);
  assert.ok(tookMs() >= 5 * minuteMs && tookMs() < 6 * minuteMs, `${tookMs()}`);
  assert.deepEqual(heard, [true]);
});
