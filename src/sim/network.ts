/**
 * The simulator's network: a twin of `Transport` on virtual time.
 *
 * Messages take time, get lost, break off, meet cut links, all drawn from a seed. It has no timers of its own: the clock that it is given says how time
 * passes, so a run repeats exactly.
 */
import { assert } from '../base/assert.ts';
import { failed, type Outcome, succeeded } from '../base/outcome.ts';
import type { Prng } from '../base/prng.ts';
import { kibi, secondMs } from '../base/units.ts';
import type { PeerId } from '../core/vocabulary/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type {
  Body,
  Fields,
  Listening,
  PeerAddress,
  PeerReply,
  PeerRequest,
  RequestHandler,
  RequestOptions,
  Route,
  Silence,
  Transport,
} from '../ports/transport.ts';
import { isPath } from '../ports/travelling-fields.ts';
import { calmNetwork, type NetworkFaults } from './fault-plan.ts';
import { TwinExchange } from './twin-exchange.ts';

export interface SimNetworkOptions {
  readonly clock: Clock;
  readonly prng: Prng;
  /** How one way of a link is now; calm when left out. Cut: nothing passes. */
  readonly weather?: (sender: PeerId, receiver: PeerId) => NetworkFaults | 'cut';
  /** Bytes under way in one direction of one exchange. */
  readonly windowBytes?: number;
}

const defaultIdleMs = 30 * secondMs;
const dialMs = 10 * secondMs;
const closeGraceMs = 1 * secondMs;
const defaultWindowBytes = 512 * kibi;

interface Underway {
  readonly asker: PeerId;
  readonly answerer: PeerId;
  readonly exchange: TwinExchange;
}

/** Where a peer's twin can be reached. */
export function simAddress(peer: PeerId): string {
  return `/dns/${peer.slice(0, 32)}.sim/tcp/1`;
}

export class SimNetwork {
  readonly #options: SimNetworkOptions;
  readonly #listening = new Map<string, TwinTransport>();
  readonly #cut = new Set<string>();
  readonly #underway = new Set<Underway>();

  constructor(options: SimNetworkOptions) {
    this.#options = options;
  }

  /** A peer's end of the network. After a crash it is asked for anew. */
  transport(peer: PeerId): Transport {
    return new TwinTransport(peer, this);
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  /** From now on nothing passes from `sender` to `receiver`; the other way stays as it is. */
  cut(sender: PeerId, receiver: PeerId): void {
    this.#cut.add(`${sender} ${receiver}`);
  }

  heal(sender: PeerId, receiver: PeerId): void {
    this.#cut.delete(`${sender} ${receiver}`);
  }

  /** Breaks every exchange under way between the two, as a router that restarts does. */
  breakOff(left: PeerId, right: PeerId): void {
    for (const { asker, answerer, exchange } of [...this.#underway])
      if ((asker === left && answerer === right) || (asker === right && answerer === left))
        exchange.sever('the connection was lost');
  }

  /** The peer's process is gone: its listening ends and its connections break. */
  crash(peer: PeerId): void {
    this.#listening.delete(simAddress(peer));
    for (const { asker, answerer, exchange } of [...this.#underway])
      if (asker === peer || answerer === peer) exchange.sever('the peer is gone');
  }

  listen(peer: TwinTransport): void {
    assert(!this.#listening.has(simAddress(peer.self)), 'one handler at a time');
    this.#listening.set(simAddress(peer.self), peer);
  }

  leave(peer: TwinTransport): void {
    const address = simAddress(peer.self);
    if (this.#listening.get(address) === peer) this.#listening.delete(address);
  }

  /** Exchanges in which the peer takes that part. */
  underway(part: 'asker' | 'answerer', peer: PeerId): readonly TwinExchange[] {
    return [...this.#underway].filter((one) => one[part] === peer).map((one) => one.exchange);
  }

  /** Whether something is under way from one to the other. */
  speak(asker: PeerId, answerer: PeerId): boolean {
    return [...this.#underway].some((one) => one.asker === asker && one.answerer === answerer);
  }

  /** What is there: the right peer, somebody else, or nobody. Takes the time of a connection attempt. */
  async dial(from: PeerId, to: PeerAddress): Promise<TwinTransport | Silence['code']> {
    const found = to.addresses.map((address) => this.#listening.get(address));
    const others = found.filter((one) => one !== undefined);
    const there = others.find((one) => one.self === to.peer) ?? others[0];
    const target = there?.self ?? to.peer;
    const isReached = (await this.carry(from, target)) && (await this.carry(target, from));
    if (!isReached) await this.clock.sleep(dialMs);
    if (there === undefined || !isReached || there.handler === undefined) return 'peer.unreachable';
    return there.self === to.peer ? there : 'peer.wrong-identity';
  }

  /** Who is at an address; takes the time of a connection attempt. */
  async identify(from: PeerId, address: string): Promise<Outcome<PeerId, Silence>> {
    const there = this.#listening.get(address);
    if (there === undefined) {
      await this.clock.sleep(dialMs);
      return failed({ code: 'peer.unreachable', detail: 'nobody is there' });
    }
    const dialled = await this.dial(from, { peer: there.self, addresses: [address] });
    if (typeof dialled === 'string') return failed({ code: dialled, detail: 'no connection' });
    return succeeded(there.self);
  }

  /** Resolves to true when a message sent now arrives, to false when it is lost. */
  async carry(sender: PeerId, receiver: PeerId): Promise<boolean> {
    const weather = this.#weather(sender, receiver);
    if (weather === 'cut') return false;
    const { prng } = this.#options;
    const isLost = prng.chance(weather.lossShare);
    await this.clock.sleep(prng.between(weather.delayMs.least, weather.delayMs.most));
    return !isLost;
  }

  begin(
    ends: { readonly asker: TwinTransport; readonly answerer: TwinTransport },
    request: PeerRequest,
    options: RequestOptions,
  ): Promise<Outcome<PeerReply, Silence>> {
    const [asker, answerer] = [ends.asker.self, ends.answerer.self];
    const handler = ends.answerer.handler;
    assert(handler !== undefined, 'a peer that answers has a handler');
    let endsLeft = 2;
    const onDone = (): void => {
      endsLeft -= 1;
      if (endsLeft === 0) this.#underway.delete(entry);
    };
    const exchange = new TwinExchange(this.#perhapsBreaking(request, asker, answerer), {
      link: {
        clock: this.clock,
        windowBytes: this.#options.windowBytes ?? defaultWindowBytes,
        carryThere: () => this.carry(asker, answerer),
        carryBack: () => this.carry(answerer, asker),
      },
      from: { from: asker, remoteAddress: undefined },
      idleMs: options.idleMs ?? defaultIdleMs,
      answererIdleMs: defaultIdleMs,
      signal: options.signal,
      handler: async (incoming) => {
        const reply = await handler(incoming);
        return this.#perhapsBreaking(reply, answerer, asker);
      },
      onAskerDone: onDone,
      onAnswererDone: onDone,
    });
    const entry = { asker, answerer, exchange };
    this.#underway.add(entry);
    exchange.start();
    return exchange.outcome;
  }

  #weather(sender: PeerId, receiver: PeerId): NetworkFaults | 'cut' {
    if (this.#cut.has(`${sender} ${receiver}`)) return 'cut';
    return this.#options.weather?.(sender, receiver) ?? calmNetwork;
  }

  /** The message, or the same with a body that breaks off somewhere, if chance has it. */
  #perhapsBreaking<Message extends { readonly body?: Body; readonly fields?: Fields }>(
    message: Message,
    sender: PeerId,
    receiver: PeerId,
  ): Message {
    const weather = this.#weather(sender, receiver);
    const { prng } = this.#options;
    if (message.body === undefined || weather === 'cut' || !prng.chance(weather.breakShare))
      return message;
    const whole = message.body instanceof Uint8Array ? message.body.length : undefined;
    const length = whole ?? 1_024 * kibi;
    const announced = whole === undefined ? {} : { 'content-length': String(whole) };
    const fields = { ...message.fields, ...announced };
    return { ...message, fields, body: brokenAfter(message.body, prng.below(length + 1)) };
  }
}

async function* brokenAfter(body: Body, bytes: number): AsyncGenerator<Uint8Array> {
  let leftBytes = bytes;
  for await (const piece of body instanceof Uint8Array ? [body] : body) {
    yield piece.subarray(0, leftBytes);
    leftBytes -= piece.length;
    if (leftBytes <= 0) throw new Error('the connection broke');
  }
}

export class TwinTransport implements Transport {
  readonly self: PeerId;
  handler: RequestHandler | undefined;
  readonly #network: SimNetwork;
  #isClosed = false;

  constructor(self: PeerId, network: SimNetwork) {
    this.self = self;
    this.#network = network;
  }

  async request(
    to: PeerAddress,
    request: PeerRequest,
    options: RequestOptions = {},
  ): Promise<Outcome<PeerReply, Silence>> {
    assert(isPath(request.path), 'a path begins with /v1/ and is short');
    if (this.#isClosed) return cancelled('the transport is closed');
    if (options.signal?.aborted === true) return cancelled('the caller cancelled the request');
    const there = await unlessAborted(this.#network.dial(this.self, to), options.signal);
    if (there === undefined) return cancelled('the caller cancelled the request');
    if (this.#isClosed) return cancelled('the transport is closed');
    if (typeof there === 'string') return failed({ code: there, detail: 'no connection' });
    if (there.handler === undefined) return failed({ code: 'peer.unreachable', detail: 'closed' });
    return this.#network.begin({ asker: this, answerer: there }, request, options);
  }

  async identify(address: string, signal?: AbortSignal): Promise<Outcome<PeerId, Silence>> {
    if (this.#isClosed) return cancelled('the transport is closed');
    const identified = await unlessAborted(this.#network.identify(this.self, address), signal);
    return identified ?? cancelled('the caller cancelled the request');
  }

  async serve(handler: RequestHandler): Promise<Listening> {
    this.#network.listen(this);
    this.handler = handler;
    return { addresses: [simAddress(this.self)], close: () => this.#stop() };
  }

  /** Every link of the twin is a direct one, made for each request. */
  route(peer: PeerId): Route | undefined {
    return this.#network.speak(this.self, peer) ? 'direct' : undefined;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const stopped = this.#stop();
    await this.#finish('asker');
    await stopped;
  }

  async #stop(): Promise<void> {
    this.#network.leave(this);
    this.handler = undefined;
    await this.#finish('answerer');
  }

  /** Lets exchanges under way end by themselves for a while, then ends them. */
  async #finish(part: 'asker' | 'answerer'): Promise<void> {
    if (this.#network.underway(part, this.self).length === 0) return;
    await this.#network.clock.sleep(closeGraceMs);
    for (const exchange of this.#network.underway(part, this.self))
      exchange.leave(part, { code: 'peer.cancelled', detail: 'the transport is closed' });
  }
}

async function unlessAborted<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T | undefined> {
  if (signal === undefined) return work;
  const aborted = Promise.withResolvers<undefined>();
  const onAbort = (): void => aborted.resolve(undefined);
  signal.addEventListener('abort', onAbort, { once: true });
  const first = await Promise.race([work, aborted.promise]);
  signal.removeEventListener('abort', onAbort);
  return signal.aborted ? undefined : first;
}

function cancelled(detail: string): Outcome<never, Silence> {
  return failed({ code: 'peer.cancelled', detail });
}
