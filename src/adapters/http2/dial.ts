/**
 * Opens an HTTP/2 session to a peer: TCP, TLS 1.3 with both certificates, the identity checked, HTTP/2 settings exchanged.
 *
 * Addresses are tried in order, each with a head start over the next, and the first that leads to the right peer wins. A session
 * counts as open with the other side's first SETTINGS frame: only then has it accepted our certificate.
 */
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import type { Duplex } from 'node:stream';
import { connect as connectTls, type SecureContext, type TLSSocket } from 'node:tls';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { secondMs } from '../../base/units.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import type { PeerAddress, Route, Silence } from '../../ports/transport.ts';
import { routeByAddress } from './address-scope.ts';
import { certifiedPeer } from './certificate.ts';
import { offeredSettings, type TransportLimits } from './limits.ts';
import { type Multiaddr, parseMultiaddr } from './multiaddr.ts';
import { breakSession } from './stream-end.ts';

export interface DialOptions {
  readonly context: SecureContext;
  readonly limits: TransportLimits;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface OpenConnection {
  readonly session: ClientHttp2Session;
  /** The stream of bytes under the session. */
  readonly duplex: Duplex;
  readonly route: Route;
  /** A carrier made it, and no address of the peer. */
  readonly isCarried: boolean;
}

type Dialled = Outcome<OpenConnection, Silence>;

const keepAliveMs = 15 * secondMs;
/** How long the other side may take to say good-bye. */
const farewellMs = 1 * secondMs;

/** Exactly one session, or the reason that tells most: somebody else answering tells more than nobody answering. */
export async function dialPeer(to: PeerAddress, options: DialOptions): Promise<Dialled> {
  const known = to.addresses.slice(0, options.limits.dialAddresses).map(parseMultiaddr);
  const targets = known.flatMap((one) => (one.ok && one.value.port > 0 ? [one.value] : []));
  if (targets.length === 0) return unreachable('no address of the peer is known');
  const others = new AbortController();
  const race = new DialRace(targets.length, () => others.abort());
  const signal = AbortSignal.any([
    options.signal,
    others.signal,
    AbortSignal.timeout(options.timeoutMs),
  ]);
  for (const target of targets) {
    if (signal.aborted) race.lose(unreachable('no connection in time'));
    else race.enter(dialAddress(to.peer, target, { ...options, signal }));
    await race.stirred(options.limits.dialStaggerMs);
  }
  return race.outcome;
}

class DialRace {
  readonly outcome: Promise<Dialled>;
  readonly #decide: (dialled: Dialled) => void;
  readonly #onWon: () => void;
  #left: number;
  #isWon = false;
  #telling: Dialled | undefined;
  #stir: (() => void) | undefined;

  constructor(entrants: number, onWon: () => void) {
    const { promise, resolve } = Promise.withResolvers<Dialled>();
    this.outcome = promise;
    this.#decide = resolve;
    this.#onWon = onWon;
    this.#left = entrants;
  }

  enter(attempt: Promise<Dialled>): void {
    void attempt.then((dialled) => (dialled.ok ? this.#win(dialled.value) : this.lose(dialled)));
  }

  lose(dialled: Dialled): void {
    const tellsMore = !dialled.ok && dialled.error.code === 'peer.wrong-identity';
    if (this.#telling === undefined || tellsMore) this.#telling = dialled;
    this.#left -= 1;
    if (this.#left === 0) this.#decide(this.#telling);
    this.#stir?.();
  }

  /** Resolves when an attempt ends, or after `waitMs`. */
  stirred(waitMs: number): Promise<void> {
    if (this.#isWon || this.#left === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.#stir = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #win(connection: OpenConnection): void {
    if (this.#isWon) breakSession(connection, 'not needed');
    this.#isWon = true;
    this.#decide(succeeded(connection));
    this.#onWon();
    this.#stir?.();
  }
}

async function dialAddress(
  peer: PeerId,
  target: Multiaddr,
  options: DialOptions,
): Promise<Dialled> {
  return await handshake(target, options, async (socket) => {
    if (peerBehind(socket) === peer) return await openTlsSession(socket, options.limits);
    await farewell(socket);
    return failed({ code: 'peer.wrong-identity', detail: 'somebody else answers there' });
  });
}

/** Who answers at an address: the handshake, and nothing after it. */
export async function identifyPeer(
  address: string,
  options: Omit<DialOptions, 'signal'> & { readonly signal: AbortSignal | undefined },
): Promise<Outcome<PeerId, Silence>> {
  const target = parseMultiaddr(address);
  if (!target.ok) return failed({ code: 'peer.unreachable', detail: 'not an address' });
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const signal =
    options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]);
  return await handshake(target.value, { ...options, signal }, async (socket) => {
    const peer = peerBehind(socket);
    await farewell(socket);
    return peer === undefined
      ? failed({ code: 'peer.wrong-identity', detail: 'no peer answers there' })
      : succeeded(peer);
  });
}

/** Connects, and lets `use` have the socket once TLS is up. */
async function handshake<T>(
  target: Multiaddr,
  options: DialOptions,
  use: (socket: TLSSocket) => Promise<Outcome<T, Silence>>,
): Promise<Outcome<T, Silence>> {
  const socket = connectTls({
    host: target.host,
    port: target.port,
    secureContext: options.context,
    servername: '',
    ALPNProtocols: ['h2'],
    rejectUnauthorized: false,
  });
  const onAbort = (): void => {
    socket.destroy(new Error('no connection in time'));
  };
  options.signal.addEventListener('abort', onAbort, { once: true });
  try {
    const problem = await happened(socket, 'secureConnect');
    return problem === undefined ? await use(socket) : unreachable(problem);
  } finally {
    options.signal.removeEventListener('abort', onAbort);
  }
}

/**
 * Ends a connection that nothing was asked over. Its last flight must be out before it is destroyed: Node waits for ever at its exit for a TLS socket that was
 * destroyed while that was under way.
 */
async function farewell(socket: TLSSocket): Promise<void> {
  const gone = happened(socket, 'close');
  socket.end();
  const patience = setTimeout(() => socket.destroy(), farewellMs);
  await gone;
  clearTimeout(patience);
}

/** The peer whose key the other side has proven to hold. */
function peerBehind(socket: TLSSocket): PeerId | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined || socket.getProtocol() !== 'TLSv1.3') return undefined;
  return certifiedPeer(certificate.raw);
}

async function openTlsSession(socket: TLSSocket, limits: TransportLimits): Promise<Dialled> {
  socket.setNoDelay(true);
  socket.setKeepAlive(true, keepAliveMs);
  const route = routeByAddress(socket.remoteAddress);
  return await openSession(socket, { url: 'https://peer', limits, route: () => route });
}

export interface SessionOptions {
  /** Only its scheme matters: whether TLS is under the session. */
  readonly url: 'https://peer' | 'http://peer';
  readonly limits: TransportLimits;
  /** Asked whenever somebody wants to know. */
  readonly route: () => Route;
  readonly signal?: AbortSignal;
}

/** HTTP/2 on a stream whose other end is known; open with the other side's first SETTINGS frame. */
export async function openSession(duplex: Duplex, options: SessionOptions): Promise<Dialled> {
  const { limits, route, signal } = options;
  const session = connectHttp2(options.url, {
    createConnection: () => duplex,
    settings: offeredSettings(limits, limits.partner),
    maxHeaderListPairs: limits.headerPairs,
    maxSessionMemory: limits.partner.sessionMemoryMb,
    maxReservedRemoteStreams: 0,
  });
  session.once('connect', () => session.setLocalWindowSize(limits.partner.connectionWindowBytes));
  const connection: OpenConnection = {
    session,
    duplex,
    isCarried: options.url === 'http://peer',
    get route() {
      return route();
    },
  };
  const onAbort = (): void => breakSession(connection, 'no connection in time');
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  const problem = await happened(session, 'remoteSettings');
  signal?.removeEventListener('abort', onAbort);
  if (problem === undefined) return succeeded(connection);
  breakSession(connection, 'not needed');
  return unreachable(problem);
}

/** Resolves to undefined with `event`, to what went wrong with `error` or `close`. Later errors are nobody's business. */
function happened(
  source: ClientHttp2Session | TLSSocket,
  event: 'secureConnect' | 'remoteSettings' | 'close',
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const emitter: NodeJS.EventEmitter = source;
    emitter.once(event, () => resolve(undefined));
    emitter.on('error', (problem: Error) => resolve(problem.message));
    emitter.once('close', () => resolve('the connection was closed'));
  });
}

function unreachable(detail: string): Outcome<never, Silence> {
  return failed({ code: 'peer.unreachable', detail });
}
