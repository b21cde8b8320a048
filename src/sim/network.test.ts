import { setImmediate } from 'node:timers/promises';
import { Prng } from '../base/prng.ts';
import type { PeerId } from '../core/vocabulary/ids.ts';
import { describeTransport, type TransportPair } from '../ports/transport.conformance.ts';
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
