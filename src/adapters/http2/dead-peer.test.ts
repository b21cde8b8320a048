import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { failed } from '../../base/outcome.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import type { Carrier } from './carrier.ts';
import { defaultLimits } from './limits.ts';
import { createPeerTransport } from './transport.ts';

const peer = 'ab'.repeat(32) as PeerId;
const profile = { method: 'GET', path: '/v1/profile' } as const;

/** Takes connections and says nothing, as an address from which everything is dropped. */
async function silentAddress(): Promise<{ readonly address: string; close(): void }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { address: `/ip4/127.0.0.1/tcp/${port}`, close };
}

/** A network in which nobody is found, however long one looks. */
const endless: Carrier = {
  dial: async (_peer, signal) => {
    if (!signal.aborted) await once(signal, 'abort');
    return failed({ code: 'peer.unreachable', detail: 'nobody' });
  },
  listen: () => async () => undefined,
  hearOf: () => undefined,
  close: async () => undefined,
};

test('a peer that was not reached just now is called for a short while only, and after a minute as long as ever', async () => {
  const silent = await silentAddress();
  const limits = {
    ...defaultLimits,
    ...{ dialMs: 400, carrierMs: 800, carrierStaggerMs: 50 },
    ...{ hurryMs: 1_000, hurriedDialMs: 40, hurriedCarrierMs: 80 },
  };
  const log = { write: (): void => undefined };
  const transport = createPeerTransport({
    ...{ identitySeed: randomBytes(32), listen: [], log, limits, carrier: endless },
  });
  const call = async (): Promise<number> => {
    const startMs = performance.now();
    const reply = await transport.request({ peer, addresses: [silent.address] }, profile);
    assert.equal(reply.ok ? 'reached' : reply.error.code, 'peer.unreachable');
    return performance.now() - startMs;
  };
  try {
    const first = await call();
    assert.ok(first >= 790, `${first}`);
    const firstEndedMs = performance.now();
    let hurried = 0;
    // Calls in a hurry do not put off the next one that is in none.
    for (let tookMs = await call(); tookMs < 700; tookMs = await call()) {
      hurried += 1;
      assert.ok(performance.now() - firstEndedMs < 5_000, 'it was never called for long again');
    }
    assert.ok(hurried >= 2, `${hurried}`);
  } finally {
    await transport.close();
    silent.close();
  }
});
