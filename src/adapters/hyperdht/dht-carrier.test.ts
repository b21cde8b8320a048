/** The transport's conformance suite with the carrier between two peers that know no address of each other, on loopback with a private DHT. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { present } from '../../base/assert.ts';
import type { EventLog } from '../../ports/event-log.ts';
import { describeTransport, type TransportPair } from '../../ports/transport.conformance.ts';
import type { Transport } from '../../ports/transport.ts';
import { defaultLimits } from '../http2/limits.ts';
import { createPeerTransport } from '../http2/transport.ts';
import { createDhtCarrier, type DhtCarrier } from './dht-carrier.ts';
import { createDhtDiscovery } from './dht-discovery.ts';
import { DhtNetwork } from './dht-network.ts';

const log: EventLog = { write: () => undefined };

interface TestPeer {
  readonly network: DhtNetwork;
  readonly carrier: DhtCarrier;
  readonly transport: Transport;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const bound = server.address();
      assert.ok(bound !== null && typeof bound !== 'string');
      server.close(() => resolve(bound.port));
    });
  });
}

async function freeAddress(): Promise<string> {
  return `/ip4/127.0.0.1/tcp/${await freePort()}`;
}

function openPeer(
  bootstrap: readonly string[],
  listen: readonly string[],
  { staying, reconsiderMs } = { staying: false, reconsiderMs: defaultLimits.reconsiderMs },
): TestPeer {
  const identitySeed = randomBytes(32);
  const quick = { closeGraceMs: 300, livenessMs: 400, carrierStaggerMs: 100, reconsiderMs };
  const limits = { ...defaultLimits, ...quick };
  const dht = { identitySeed, mode: 'private', bootstrap, announced: [], staying, log } as const;
  const network = new DhtNetwork(dht);
  const carrier = createDhtCarrier({ network, relayBudget: undefined, log });
  const transport = createPeerTransport({ identitySeed, listen, log, limits, carrier });
  return { network, carrier, transport };
}

const anywhere = ['/ip4/127.0.0.1/tcp/0'];
const nothing = async (): Promise<{ status: number }> => ({ status: 204 });
const profile = { method: 'GET', path: '/v1/profile' } as const;

let meetingPoint: TestPeer;
let bootstrap: readonly string[] = [];

before(async () => {
  bootstrap = [await freeAddress()];
  meetingPoint = openPeer(bootstrap, bootstrap, { staying: true, reconsiderMs: 0 });
  await meetingPoint.transport.serve(nothing, () => 'partner');
  await meetingPoint.carrier.announced();
});

after(() => meetingPoint.transport.close());

/** The asker never uses an address of the answerer: it knows its key alone. */
async function makePair(): Promise<TransportPair> {
  const asking = openPeer(bootstrap, []);
  const answering = openPeer(bootstrap, anywhere);
  const { self } = answering.transport;
  const asker: Transport = {
    ...delegated(asking.transport),
    request: (to, request, options) => {
      const addresses = to.peer === self ? [] : to.addresses;
      return asking.transport.request({ peer: to.peer, addresses }, request, options);
    },
  };
  const answerer: Transport = {
    ...delegated(answering.transport),
    serve: async (handler, standingOf) => {
      const listening = await answering.transport.serve(handler, standingOf);
      await answering.carrier.announced();
      return listening;
    },
  };
  return {
    asker,
    answerer,
    deserted: await freeAddress(),
    breakOff: () => {
      for (const stream of present(answering.network.node(), 'a node').rawStreams) stream.destroy();
    },
    pause: (durationMs) => sleep(durationMs),
    close: async () => {
      await Promise.all([asker.close(), answerer.close()]);
    },
  };
}

function delegated(transport: Transport): Transport {
  return {
    self: transport.self,
    request: (to, request, options) => transport.request(to, request, options),
    identify: (address, signal) => transport.identify(address, signal),
    serve: (handler, standingOf) => transport.serve(handler, standingOf),
    route: (peer) => transport.route(peer),
    close: () => transport.close(),
  };
}

describeTransport('hyperdht', makePair);

test('a peer is found under its topic and by the addresses it advertises', async () => {
  const here = openPeer(bootstrap, anywhere);
  const there = openPeer(bootstrap, anywhere);
  try {
    await here.transport.serve(nothing, () => 'partner');
    await here.carrier.announced();
    const topic = randomBytes(32);
    const self = { peer: here.transport.self, addresses: ['/ip4/192.0.2.7/tcp/4747'] };
    const announcing = createDhtDiscovery(here.network);
    const seeking = createDhtDiscovery(there.network);
    const options = { limit: 4, signal: AbortSignal.timeout(5_000) };
    assert.deepEqual(await seeking.lookup(topic, options), []);
    const stop = [await announcing.announce(topic, self), await announcing.advertise(self)];
    const found = async (): Promise<boolean> => (await seeking.lookup(topic, options)).length > 0;
    while (!(await found())) assert.ok(!options.signal.aborted, 'found in time');
    assert.deepEqual(await seeking.lookup(topic, options), [{ peer: self.peer, addresses: [] }]);
    assert.deepEqual(await seeking.locate(self.peer), self.addresses);
    await Promise.all(stop.map((end) => end()));
    assert.deepEqual(await seeking.lookup(topic, options), []);
  } finally {
    await Promise.all([here.transport.close(), there.transport.close()]);
  }
});

test('a peer reached through the DHT is reached at its address when that works', async () => {
  const here = openPeer(bootstrap, anywhere);
  const { transport: asker } = openPeer(bootstrap, [], { staying: false, reconsiderMs: 0 });
  try {
    const { addresses } = await here.transport.serve(nothing, () => 'partner');
    await here.carrier.announced();
    const { self: peer } = here.transport;
    assert.ok((await asker.request({ peer, addresses: [] }, profile)).ok);
    assert.equal(asker.route(peer), 'punched');
    const until = AbortSignal.timeout(5_000);
    while (asker.route(peer) !== 'lan') {
      assert.ok((await asker.request({ peer, addresses }, profile)).ok);
      assert.ok(!until.aborted, 'moved in time');
      await sleep(10);
    }
  } finally {
    await Promise.all([asker.close(), here.transport.close()]);
  }
});

test('without a way into the DHT nothing is joined, and nothing waits for it', async () => {
  const { network, transport } = openPeer([], anywhere);
  try {
    await transport.serve(nothing, () => 'partner');
    const peer = meetingPoint.transport.self;
    const startedAtMs = performance.now();
    const outcome = await transport.request({ peer, addresses: bootstrap }, profile);
    assert.ok(outcome.ok);
    assert.ok(performance.now() - startedAtMs < 1_000);
    assert.deepEqual(network.state, { phase: 'inert', nodeCount: 0 });
  } finally {
    await transport.close();
  }
});

test('a DHT that does not answer delays neither serving nor an address that works', async () => {
  const silent = openPeer([await freeAddress()], anywhere);
  try {
    const startedAtMs = performance.now();
    await silent.transport.serve(nothing, () => 'partner');
    const peer = meetingPoint.transport.self;
    assert.ok((await silent.transport.request({ peer, addresses: bootstrap }, profile)).ok);
    assert.ok(performance.now() - startedAtMs < 1_000);
  } finally {
    await silent.transport.close();
  }
});
