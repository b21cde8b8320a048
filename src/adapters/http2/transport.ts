/**
 * Peers over HTTP/2 on mutual TLS 1.3: the direct carrier of `Transport` (DESIGN §7).
 *
 * Plain HTTP/2 so that the protocol reads as every engineer expects; certificates are self-signed and pinned, because a peer's key is its
 * name and nobody else's word is needed. A carrier may bring further streams to peers that no address leads to.
 */
import { assert } from '../../base/assert.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type {
  Listening,
  PeerStanding,
  RequestHandler,
  Route,
  Transport,
} from '../../ports/transport.ts';
import { isPath } from '../../ports/travelling-fields.ts';
import { Admission } from './admission.ts';
import type { AuthenticatedConnection, Carrier } from './carrier.ts';
import { createPeerIdentity, type PeerIdentity } from './certificate.ts';
import { defaultLimits, type TransportLimits } from './limits.ts';
import { Listener } from './listener.ts';
import { type Multiaddr, parseMultiaddr } from './multiaddr.ts';
import { OutgoingPeers } from './outgoing-peers.ts';
import { PeerAccounts } from './peer-accounts.ts';

export interface PeerTransportOptions {
  /** 32 bytes; the Ed25519 private key. */
  readonly identitySeed: Uint8Array;
  /** `/ip4/127.0.0.1/tcp/0` and the like; port 0 takes any free one. Empty: takes no connections. */
  readonly listen: readonly string[];
  readonly log: EventLog;
  readonly limits?: Partial<TransportLimits>;
  /** The way to peers that none of their addresses leads to. */
  readonly carrier?: Carrier;
}

/** Asserts that the addresses to listen at are well formed; a configuration reader checks them with `parseMultiaddr`. */
export function createPeerTransport(options: PeerTransportOptions): Transport {
  const identity = createPeerIdentity(options.identitySeed);
  const listenAt = options.listen.map((text) => {
    const address = parseMultiaddr(text);
    assert(address.ok, `an address to listen at: ${text}`);
    return address.value;
  });
  const limits = { ...defaultLimits, ...options.limits };
  return new Http2Transport(identity, listenAt, {
    log: options.log,
    limits,
    carrier: options.carrier,
  });
}

interface Settings {
  readonly log: EventLog;
  readonly limits: TransportLimits;
  readonly carrier: Carrier | undefined;
}

class Http2Transport implements Transport {
  readonly self: PeerId;
  readonly #identity: PeerIdentity;
  readonly #listenAt: readonly Multiaddr[];
  readonly #settings: Settings;
  readonly #outgoing: OutgoingPeers;
  #listening: Listening | undefined;
  #admission: Admission | undefined;

  constructor(identity: PeerIdentity, listenAt: readonly Multiaddr[], settings: Settings) {
    this.self = identity.peer;
    this.#identity = identity;
    this.#listenAt = listenAt;
    this.#settings = settings;
    this.#outgoing = new OutgoingPeers(identity, settings);
  }

  request: Transport['request'] = (to, request, options = {}) => {
    assert(isPath(request.path), 'a path begins with /v1/ and is short');
    return this.#outgoing.request(to, request, options);
  };

  identify: Transport['identify'] = (address, signal) => this.#outgoing.identify(address, signal);

  async serve(
    handler: RequestHandler,
    standingOf: (peer: PeerId) => PeerStanding,
  ): Promise<Listening> {
    assert(this.#listening === undefined, 'one handler at a time');
    const { limits, log, carrier } = this.#settings;
    const accounts = new PeerAccounts(limits);
    const admission = new Admission({ limits, log, accounts, handler, standingOf });
    const admit = (connection: AuthenticatedConnection): void => admission.admit(connection);
    const listeners = this.#listenAt.map(
      () => new Listener(this.#identity, { limits, log, admit }),
    );
    let stopCarrier: (() => Promise<void>) | undefined;
    const close = async (): Promise<void> => {
      this.#listening = undefined;
      this.#admission = undefined;
      const stopped = listeners.map((listener) => listener.close());
      await Promise.all([...stopped, admission.close(limits.closeGraceMs), stopCarrier?.()]);
    };
    this.#admission = admission;
    this.#listening = { addresses: [], close };
    try {
      const bound = await Promise.all(
        listeners.map((listener, index) => this.#listen(listener, index)),
      );
      const addresses = bound.flat();
      stopCarrier = carrier?.listen({ addresses, standingOf, admit });
      this.#listening = { addresses, close };
      return this.#listening;
    } catch (problem) {
      await close();
      throw problem;
    }
  }

  route(peer: PeerId): Route | undefined {
    return this.#outgoing.route(peer) ?? this.#admission?.route(peer);
  }

  async close(): Promise<void> {
    const { limits, carrier } = this.#settings;
    await Promise.all([this.#listening?.close(), this.#outgoing.close(limits.closeGraceMs)]);
    await carrier?.close();
  }

  #listen(listener: Listener, index: number): Promise<readonly string[]> {
    const at = this.#listenAt[index];
    assert(at !== undefined, 'a listener for each address');
    return listener.listen(at);
  }
}
