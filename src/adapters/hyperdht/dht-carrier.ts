/**
 * The carrier for peers behind NATs: hole-punched UDP streams of hyperdht, Noise-encrypted, authenticated by the peers' own Ed25519 keys (DESIGN §7).
 *
 * A peer is reached by its key alone. Where punching does not lead to it soon, a partner that offers to relay is asked for help; hyperdht goes on punching
 * meanwhile, and moves a relayed stream to the direct path when there is one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { firstSuccess } from '../../base/first-success.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { minuteMs, secondMs } from '../../base/units.ts';
import { idOf, type PeerId } from '../../core/vocabulary/ids.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { PeerStanding, Silence } from '../../ports/transport.ts';
import type { AuthenticatedConnection, Carrier, CarrierListening } from '../http2/carrier.ts';
import { UnreachedPeers } from '../http2/unreached-peers.ts';
import type { DhtNetwork } from './dht-network.ts';
import { DhtServer } from './dht-server.ts';
import type { HyperDht } from './hyperdht-shapes.ts';
import { type OpenedStream, openStream } from './open-stream.ts';
import type { RelayBudget } from './relay-budget.ts';
import { findRelays } from './relay-search.ts';
import { StreamDuplex } from './stream-duplex.ts';
import { streamRoute } from './stream-route.ts';

export interface DhtCarrierOptions {
  readonly network: DhtNetwork;
  /** What partners may have passed on by this computer where they cannot reach each other; undefined: nothing. */
  readonly relayBudget: RelayBudget | undefined;
  readonly log: EventLog;
}

export interface DhtCarrier extends Carrier {
  /** Resolves when others find this computer by its key. */
  announced(): Promise<void>;
}

export function createDhtCarrier(options: DhtCarrierOptions): DhtCarrier {
  return new PunchingCarrier(options);
}

type Dialled = Outcome<AuthenticatedConnection, Silence>;
type Opened = Outcome<OpenedStream, Silence>;

/** How long punching is tried alone. */
const relayAfterMs: number = 3 * secondMs;
const relaysTried = 2;
/** A peer that was not found is not looked for again so soon: requests to one that is off-line should fail fast. */
const lookAgainMs = { firstMs: 20 * secondMs, mostMs: 2 * minuteMs } as const;

class PunchingCarrier implements DhtCarrier {
  readonly #options: DhtCarrierOptions;
  readonly #self: PeerId;
  readonly #notFound = new UnreachedPeers(lookAgainMs);
  #announced = Promise.withResolvers<void>();
  #standingOf: ((peer: PeerId) => PeerStanding) | undefined;

  constructor(options: DhtCarrierOptions) {
    this.#options = options;
    this.#self = idOf(options.network.keyPair.publicKey);
  }

  announced(): Promise<void> {
    return this.#announced.promise;
  }

  hearOf(addresses: readonly string[]): void {
    this.#options.network.hearOf(addresses);
  }

  async dial(peer: PeerId, signal: AbortSignal): Promise<Dialled> {
    const node = this.#options.network.node();
    if (node === undefined) return unreachable('no way into the DHT is known');
    if (this.#notFound.rests(peer, performance.now()))
      return unreachable('not found in the DHT a moment ago');
    const opened = await this.#open(node, peer, signal);
    if (!opened.ok) {
      if (!isCancelled(signal)) this.#notFound.missed(peer, performance.now());
      return opened;
    }
    this.#notFound.reached(peer);
    const { stream, relay } = opened.value;
    return succeeded({
      peer,
      duplex: new StreamDuplex(stream),
      remoteAddress: stream.rawStream?.remoteHost ?? undefined,
      get route() {
        return streamRoute(node, stream, relay !== undefined);
      },
    });
  }

  listen(listening: CarrierListening): () => Promise<void> {
    const { network } = this.#options;
    let isStopped = false;
    let server: DhtServer | undefined;
    const announced = Promise.withResolvers<void>();
    this.#announced = announced;
    this.#standingOf = listening.standingOf;
    this.#notFound.clear();
    network.open(listening.addresses);
    network.whenJoined((node) => {
      if (isStopped) return;
      const admit: CarrierListening['admit'] = (connection) => {
        this.#notFound.reached(connection.peer);
        listening.admit(connection);
      };
      server = new DhtServer(node, { ...this.#options, ...listening, admit });
      void server.announced.then(announced.resolve);
    });
    return async () => {
      isStopped = true;
      await server?.close();
    };
  }

  close(): Promise<void> {
    return this.#options.network.close();
  }

  /** Punching with a head start, then beside it the help of relays; the first that opens wins. */
  async #open(node: HyperDht, peer: PeerId, signal: AbortSignal): Promise<Opened> {
    const ways = new AbortController();
    const either = AbortSignal.any([signal, ways.signal]);
    const punched = openStream(node, peer, { relay: undefined, signal: either });
    const headStart = sleep(relayAfterMs, undefined, { ref: false });
    const first = await Promise.race([punched, headStart]);
    if (first?.ok === true || signal.aborted) return await punched;
    const relayed = this.#openThroughRelays(node, peer, either);
    const chosen = await firstSuccess([punched, relayed], ({ stream }) => stream.destroy());
    ways.abort();
    if (chosen.ok) return chosen;
    return unreachable(chosen.error.map((reason) => reason.detail).join('; '));
  }

  async #openThroughRelays(node: HyperDht, peer: PeerId, signal: AbortSignal): Promise<Opened> {
    const isPartner = (one: PeerId): boolean => this.#standingOf?.(one) === 'partner';
    const relays = await findRelays(node, { except: [this.#self, peer], isPartner });
    let last: Opened = unreachable('nobody relays');
    for (const relay of relays.slice(0, relaysTried)) {
      last = await openStream(node, peer, { relay, signal });
      if (last.ok || signal.aborted) break;
    }
    return last;
  }
}

/** Running out of time is no wish of the caller's: nobody was there in it. */
function isCancelled({ aborted, reason }: AbortSignal): boolean {
  return aborted && !(reason instanceof DOMException && reason.name === 'TimeoutError');
}

function unreachable(detail: string): Outcome<never, Silence> {
  return failed({ code: 'peer.unreachable', detail });
}
