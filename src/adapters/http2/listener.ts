/** Takes connections over TLS: bounded before the handshake, authenticated by it. */
import { constants } from 'node:crypto';
import type { AddressInfo, Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { assert } from '../../base/assert.ts';
import { secondMs } from '../../base/units.ts';
import type { EventLog } from '../../ports/event-log.ts';
import { routeByAddress } from './address-scope.ts';
import type { AuthenticatedConnection } from './carrier.ts';
import { certifiedPeer, type PeerIdentity } from './certificate.ts';
import type { TransportLimits } from './limits.ts';
import { type Multiaddr, reachableAddresses } from './multiaddr.ts';

const keepAliveMs = 15 * secondMs;

export interface ListenerOptions {
  readonly limits: TransportLimits;
  readonly log: EventLog;
  readonly admit: (connection: AuthenticatedConnection) => void;
}

export class Listener {
  readonly #server: Server;
  readonly #options: ListenerOptions;
  /** Connections whose handshake is not over, by the remote end's address and port. */
  readonly #handshakes = new Map<string, Socket>();
  #isClosing = false;

  constructor(identity: PeerIdentity, options: ListenerOptions) {
    this.#options = options;
    this.#server = createServer({
      key: identity.keyPem,
      cert: identity.certificatePem,
      minVersion: 'TLSv1.3',
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: ['h2'],
      handshakeTimeout: options.limits.handshakeMs,
      // A resumed session would skip the proof of identity.
      secureOptions: constants.SSL_OP_NO_TICKET,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveMs,
    });
    this.#server.prependListener('connection', (socket) => this.#arrive(socket));
    this.#server.on('secureConnection', (socket) => this.#admit(socket));
    this.#server.on('tlsClientError', (problem, socket) => {
      options.log.write('debug', 'peer.handshake-failed', { detail: problem.message });
      socket.destroy();
    });
  }

  /** Where it can be reached. Rejects when the address is not free or not ours. */
  async listen(at: Multiaddr): Promise<readonly string[]> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      const ipv6Only = at.kind === 'ip6';
      this.#server.listen({ host: at.host, port: at.port, ipv6Only }, () => {
        this.#server.removeListener('error', reject);
        resolve();
      });
    });
    const bound = this.#server.address();
    assert(bound !== null && typeof bound !== 'string', 'a TCP server has an address');
    return reachable(at, bound);
  }

  /** Takes no more connections. Resolves when those that it took are over too. */
  close(): Promise<void> {
    this.#isClosing = true;
    for (const socket of this.#handshakes.values()) socket.destroy();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #arrive(socket: Socket): void {
    const { limits } = this.#options;
    const address = socket.remoteAddress ?? '';
    const fromThere = [...this.#handshakes.values()].filter(
      (other) => other.remoteAddress === address,
    );
    if (
      this.#handshakes.size >= limits.handshakes ||
      fromThere.length >= limits.handshakesPerAddress
    ) {
      socket.destroy();
      return;
    }
    const key = endOf(socket);
    this.#handshakes.set(key, socket);
    socket.once('close', () => this.#handshakes.delete(key));
  }

  #admit(socket: TLSSocket): void {
    this.#handshakes.delete(endOf(socket));
    socket.on('error', () => undefined);
    const { log, admit } = this.#options;
    const remoteAddress = socket.remoteAddress;
    const certificate = socket.getPeerX509Certificate();
    const peer = certificate === undefined ? undefined : certifiedPeer(certificate.raw);
    if (this.#isClosing || peer === undefined || socket.alpnProtocol !== 'h2') {
      log.write('debug', 'peer.refused', { reason: 'no identity' });
      socket.destroy();
      return;
    }
    admit({ peer, duplex: socket, remoteAddress, route: routeByAddress(remoteAddress) });
  }
}

function endOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}

function reachable(at: Multiaddr, bound: AddressInfo): readonly string[] {
  const interfaces = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return reachableAddresses({ ...at, port: bound.port }, interfaces);
}
