import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../base/prng.ts';
import { idOf, type PeerId } from '../../core/vocabulary/ids.ts';
import type { Discovery } from '../../ports/transport.ts';
import { SimNetwork, simAddress } from '../../sim/network.ts';
import { EventQueue, VirtualClock } from '../../sim/virtual-clock.ts';
import { locatingTransport } from './locating-transport.ts';

const asker = idOf<PeerId>(new Uint8Array(32).fill(1));
const answerer = idOf<PeerId>(new Uint8Array(32).fill(2));
const profile = { method: 'GET', path: '/v1/profile' } as const;

/** Runs `work` on virtual time until it is done. */
async function onVirtualTime<T>(
  work: (network: SimNetwork, clock: VirtualClock) => Promise<T>,
): Promise<T> {
  const events = new EventQueue();
  const clock = new VirtualClock(events);
  let isDone = false;
  const result = work(new SimNetwork({ clock, prng: new Prng(1) }), clock).finally(() => {
    isDone = true;
  });
  for (let step = 0; step < 10_000 && !isDone; step += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    events.step();
  }
  return await result;
}

function discoveryOf(addresses: readonly string[], looks: PeerId[]): Discovery {
  return {
    advertise: async () => async () => undefined,
    locate: async (peer) => {
      looks.push(peer);
      return addresses;
    },
    announce: async () => async () => undefined,
    lookup: async () => [],
  };
}

test('a peer that moved is located, and remembered where it was found', async () => {
  await onVirtualTime(async (network, clock) => {
    await network.transport(answerer).serve(
      async () => ({ status: 200 }),
      () => 'partner',
    );
    const looks: PeerId[] = [];
    const discovery = discoveryOf([simAddress(answerer)], looks);
    const transport = locatingTransport(network.transport(asker), discovery, () => clock.now());
    const old = { peer: answerer, addresses: ['/dns/old.sim/tcp/1'] };
    for (let request = 0; request < 2; request += 1) {
      const outcome = await transport.request(old, profile);
      assert.ok(outcome.ok);
    }
    assert.deepEqual(looks, [answerer]);
  });
});

test('a peer that nobody finds stays unreachable, and is not looked for all the time', async () => {
  await onVirtualTime(async (network, clock) => {
    const looks: PeerId[] = [];
    const discovery = discoveryOf([], looks);
    const transport = locatingTransport(network.transport(asker), discovery, () => clock.now());
    for (let request = 0; request < 2; request += 1) {
      const outcome = await transport.request({ peer: answerer, addresses: [] }, profile);
      assert.equal(outcome.ok ? '' : outcome.error.code, 'peer.unreachable');
    }
    assert.equal(looks.length, 1);
  });
});

test('addresses that somebody made up do not push out those that were known', async () => {
  await onVirtualTime(async (network, clock) => {
    const looks: PeerId[] = [];
    const madeUp = Array.from({ length: 8 }, (_, number) => `/dns/made-up-${number}.sim/tcp/1`);
    const tried: (readonly string[])[] = [];
    const carrier = network.transport(asker);
    const transport = locatingTransport(
      {
        self: carrier.self,
        request: (to, request, options) => {
          tried.push(to.addresses);
          return carrier.request(to, request, options);
        },
        identify: (address, signal) => carrier.identify(address, signal),
        serve: (handler, standingOf) => carrier.serve(handler, standingOf),
        route: (peer) => carrier.route(peer),
        close: () => carrier.close(),
      },
      discoveryOf(madeUp, looks),
      () => clock.now(),
    );
    const known = ['/dns/one.sim/tcp/1', '/dns/two.sim/tcp/1'];
    await transport.request({ peer: answerer, addresses: known }, profile);
    const last = tried.at(-1) ?? [];
    assert.equal(tried.length, 2);
    for (const address of known) assert.ok(last.slice(0, 4).includes(address));
  });
});
