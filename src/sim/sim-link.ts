/**
 * The network of a world: the twin of the transport, under the weather of the world's fault plan.
 *
 * A crash breaks a computer's connections, a suspended computer neither answers nor notices answers until it goes on, and some requests arrive twice, as
 * those do that were repeated after a reply got lost. Every delivery stands in the trace.
 */

import type { Outcome } from '../base/outcome.ts';
import type { Prng } from '../base/prng.ts';
import type { PeerId } from '../core/vocabulary/ids.ts';
import type {
  IncomingRequest,
  OutgoingReply,
  PeerAddress,
  PeerReply,
  PeerRequest,
  RequestHandler,
  RequestOptions,
  Silence,
  Transport,
} from '../ports/transport.ts';
import type { Census } from './census.ts';
import { calmNetwork, isCutOff, type NetworkFaults } from './fault-plan.ts';
import { SimNetwork, simAddress } from './network.ts';
import { VirtualClock } from './virtual-clock.ts';
import type { SimComputer, SimWorld } from './world.ts';

export class SimLink {
  readonly network: SimNetwork;
  readonly #world: SimWorld;
  readonly #names = new Map<PeerId, string>();
  readonly #draws: Prng;
  readonly #census: Census | undefined;

  constructor(world: SimWorld, options: { readonly census?: Census } = {}) {
    this.#world = world;
    this.#census = options.census;
    this.#draws = world.prng.fork('duplicates');
    this.network = new SimNetwork({
      clock: new VirtualClock(world.timeline),
      prng: world.prng.fork('network'),
      weather: (sender, receiver) => this.#weather(sender, receiver),
    });
  }

  /** The end of a computer whose life begins. */
  transport(computer: SimComputer, peer: PeerId): Transport {
    this.#names.set(peer, computer.name);
    computer.life.onEnd(() => this.network.crash(peer));
    const raw = this.network.transport(peer);
    const transport: Transport = {
      self: peer,
      request: (to, request, options) => this.#request(computer, raw, { to, request, options }),
      identify: (address, signal) => raw.identify(address, signal),
      serve: (handler, standingOf) => raw.serve(this.#traced(computer, peer, handler), standingOf),
      route: (to) => raw.route(to),
      close: () => raw.close(),
    };
    return computer.life.port(transport, 'silent');
  }

  /** Where the computer of this id is found. */
  address(peer: PeerId): PeerAddress {
    return { peer, addresses: [simAddress(peer)] };
  }

  #weather(sender: PeerId, receiver: PeerId): NetworkFaults | 'cut' {
    const { plan, nowMs, healed } = this.#world;
    if (healed) return calmNetwork;
    const way = { sender: this.#nameOf(sender), receiver: this.#nameOf(receiver) };
    return isCutOff(plan, way, nowMs) ? 'cut' : plan.network;
  }

  #nameOf(peer: PeerId): string {
    return this.#names.get(peer) ?? peer.slice(0, 8);
  }

  async #request(
    computer: SimComputer,
    raw: Transport,
    asked: {
      readonly to: PeerAddress;
      readonly request: PeerRequest;
      readonly options: RequestOptions | undefined;
    },
  ): Promise<Outcome<PeerReply, Silence>> {
    const { to, request, options } = asked;
    const weather = this.#weather(raw.self, to.peer);
    if (weather !== 'cut' && this.#isTwice(request, weather)) {
      const first = await raw.request(to, request, options);
      if (first.ok) await first.value.body[Symbol.asyncIterator]().return?.();
    }
    this.#census?.asked(raw.self, to.peer, request);
    const outcome = await raw.request(to, request, options);
    await computer.clock.sleep(0);
    computer.log.write('debug', 'sim.outcome', {
      to: this.#nameOf(to.peer),
      what: `${request.method} ${request.path}`,
      outcome: outcome.ok ? outcome.value.status : outcome.error.code,
    });
    return outcome;
  }

  /** Only what can be sent again byte for byte; a stream is gone once it was read. */
  #isTwice(request: PeerRequest, weather: NetworkFaults): boolean {
    const canRepeat = request.body === undefined || request.body instanceof Uint8Array;
    return weather.duplicateShare > 0 && canRepeat && this.#draws.chance(weather.duplicateShare);
  }

  #traced(computer: SimComputer, peer: PeerId, handler: RequestHandler): RequestHandler {
    return async (request: IncomingRequest): Promise<OutgoingReply> => {
      await computer.clock.sleep(0);
      computer.log.write('debug', 'sim.delivered', {
        from: this.#nameOf(request.from),
        what: `${request.method} ${request.path}`,
      });
      const reply = await computer.life.guard(handler(request));
      return this.#census?.answered(peer, request, reply) ?? reply;
    };
  }
}
