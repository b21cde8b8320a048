import { randomBytes } from 'node:crypto';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { assert } from '../../base/assert.ts';
import type { EventLog } from '../../ports/event-log.ts';
import { describeTransport, type TransportPair } from '../../ports/transport.conformance.ts';
import type { Listening, Transport } from '../../ports/transport.ts';
import { defaultLimits } from './limits.ts';
import { createPeerTransport } from './transport.ts';

const log: EventLog = { write: () => undefined };

function portOf(address: string): number {
  return Number(address.split('/').at(-1));
}

/** A relay between the two whose connections can be cut, since the transport has no handle for that. */
class Relay {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  targetPort = 0;

  constructor() {
    this.#server = createServer((left) => {
      const right = connect(this.targetPort, '127.0.0.1');
      for (const [from, to] of [
        [left, right],
        [right, left],
      ] as const) {
        this.#sockets.add(from);
        from.on('error', () => to.destroy());
        from.on('close', () => {
          this.#sockets.delete(from);
          to.destroy();
        });
        from.pipe(to);
      }
    });
  }

  listen(): Promise<string> {
    return new Promise((resolve) => {
      this.#server.listen(0, '127.0.0.1', () => {
        const bound = this.#server.address();
        assert(bound !== null && typeof bound !== 'string', 'a TCP server has an address');
        resolve(`/ip4/127.0.0.1/tcp/${bound.port}`);
      });
    });
  }

  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  close(): Promise<void> {
    this.cut();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}

/** The address of a port that was free a moment ago. */
async function desertedAddress(): Promise<string> {
  const relay = new Relay();
  const address = await relay.listen();
  await relay.close();
  return address;
}

function peer(listen: readonly string[]): Transport {
  const limits = { ...defaultLimits, closeGraceMs: 300, livenessMs: 400 };
  return createPeerTransport({ identitySeed: randomBytes(32), listen, log, limits });
}

async function makePair(): Promise<TransportPair> {
  const relay = new Relay();
  const relayed = await relay.listen();
  const asker = peer([]);
  const direct = peer(['/ip4/127.0.0.1/tcp/0']);
  const answerer: Transport = {
    self: direct.self,
    request: (to, request, options) => direct.request(to, request, options),
    identify: (address, signal) => direct.identify(address, signal),
    serve: async (handler, standingOf): Promise<Listening> => {
      const listening = await direct.serve(handler, standingOf);
      relay.targetPort = portOf(listening.addresses[0] ?? '');
      return { addresses: [relayed], close: () => listening.close() };
    },
    route: (other) => direct.route(other),
    close: () => direct.close(),
  };
  return {
    asker,
    answerer,
    deserted: await desertedAddress(),
    breakOff: () => relay.cut(),
    pause: (durationMs) => sleep(durationMs),
    close: async () => {
      await Promise.all([asker.close(), answerer.close()]);
      await relay.close();
    },
  };
}

describeTransport('HTTP/2', makePair);
