/**
 * A connection that another peer opened: its identity is known, what it may use follows from its standing.
 *
 * HTTP/2 gives a peer cheap ways to make work (rapid reset, SETTINGS and PING floods, CONTINUATION, empty frames). Node and nghttp2 bound
 * some of them when told to; the rest is counted here. A peer that goes over loses the connection, not just the request.
 */
import {
  constants,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { PeerStanding, RequestHandler, Route } from '../../ports/transport.ts';
import type { AuthenticatedConnection } from './carrier.ts';
import { answer, type IncomingContext, refuse } from './incoming-exchange.ts';
import { offeredSettings, type StandingLimits, type TransportLimits } from './limits.ts';
import { watchLiveness } from './liveness.ts';
import type { PeerAccount, PeerAccounts } from './peer-accounts.ts';
import { breakSession } from './stream-end.ts';
import { TokenBucket } from './token-bucket.ts';

export interface IncomingOptions {
  readonly limits: TransportLimits;
  readonly accounts: PeerAccounts;
  readonly handler: RequestHandler;
  readonly standingOf: (peer: PeerId) => PeerStanding;
  readonly log: EventLog;
}

export class IncomingSession {
  readonly #connection: AuthenticatedConnection;
  readonly #options: IncomingOptions;
  readonly #account: PeerAccount;
  readonly #http2: ServerHttp2Session;
  readonly #controls: TokenBucket;
  readonly #idleTimer: NodeJS.Timeout;
  #activeCount = 0;
  #refusedCount = 0;
  /** The turns of those that were begun are over then; undefined when they are. */
  #begun: Promise<void> | undefined;
  #begunCount = 0;

  /** `account` has been charged with this connection; it is given back when the session ends. */
  constructor(connection: AuthenticatedConnection, account: PeerAccount, options: IncomingOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#account = account;
    const standing = options.accounts.limitsOf(account);
    const nowMs = performance.now();
    this.#controls = new TokenBucket(standing.controlBurst, standing.controlsPerSecond, nowMs);
    this.#http2 = performServerHandshake(connection.duplex, {
      settings: offeredSettings(options.limits, standing),
      maxHeaderListPairs: options.limits.headerPairs,
      maxSessionMemory: standing.sessionMemoryMb,
      maxSessionInvalidFrames: 50,
      maxSessionRejectedStreams: 100,
      streamResetBurst: standing.resetBurst,
      streamResetRate: standing.resetsPerSecond,
    });
    this.#http2.setLocalWindowSize(standing.connectionWindowBytes);
    this.#idleTimer = setTimeout(() => this.#closeWhenUnused(), standing.sessionIdleMs);
    this.#idleTimer.unref();
    this.#listen();
  }

  get peer(): PeerId {
    return this.#connection.peer;
  }

  get route(): Route {
    return this.#connection.route;
  }

  /** Resolves when the connection is closed; requests under way may finish. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#http2.destroyed) return resolve();
      this.#http2.once('close', resolve);
      this.#http2.close();
    });
  }

  destroy(code: number = constants.NGHTTP2_CANCEL): void {
    const { duplex } = this.#connection;
    breakSession({ session: this.#http2, duplex }, 'the session was ended', code);
  }

  onClose(listener: () => void): void {
    this.#http2.once('close', listener);
  }

  #listen(): void {
    const session = this.#http2;
    const { log, accounts } = this.#options;
    const peer = this.#account.peer;
    session.on('error', (problem) =>
      log.write('debug', 'peer.session-failed', { peer, detail: problem.message }),
    );
    session.on('ping', () => this.#control());
    session.on('remoteSettings', () => this.#control());
    session.on('stream', (stream, headers) => this.#serve(stream, headers));
    watchLiveness(
      { session, duplex: this.#connection.duplex },
      {
        intervalMs: this.#options.limits.livenessMs,
        isActive: () => this.#activeCount > 0,
        onDead: () => this.destroy(),
      },
    );
    session.once('close', () => {
      clearTimeout(this.#idleTimer);
      accounts.disconnect(this.#account);
    });
  }

  #serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    this.#activeCount += 1;
    if (!stream.endAfterHeaders) this.#countUpload(stream);
    stream.once('close', () => {
      this.#activeCount -= 1;
      this.#idleTimer.refresh();
    });
    const limits = this.#currentLimits();
    const isWithinRate = this.#account.bucket.take(performance.now());
    if (!isWithinRate || this.#account.uploadCount > limits.concurrentUploads) {
      this.#refuse(stream, limits);
      return;
    }
    if (listBytes(headers) > this.#options.limits.headerListBytes) {
      refuse(stream, 431);
      return;
    }
    void answer(stream, headers, this.#context());
  }

  #context(): IncomingContext {
    const { handler, log, accounts } = this.#options;
    const { peer, remoteAddress } = this.#connection;
    const { bodyIdleMs, strangerRequestMs } = this.#options.limits;
    const totalMs = this.#account.standing === 'stranger' ? strangerRequestMs : undefined;
    return {
      ...{ peer, remoteAddress, handler, log, bodyIdleMs, totalMs },
      turn: this.#turn(),
      roomFor: (need) => accounts.roomFor(this.#account, need),
    };
  }

  /**
   * Requests that arrive together are begun one after the other, each in a turn of the event loop of its own: what one has ready is counted before
   * the next is made, and others have their turns in between.
   */
  #turn(): Promise<void> | undefined {
    const begun = this.#begun;
    this.#begunCount += 1;
    this.#begun = (begun ?? Promise.resolve()).then(nextTurn).then(() => {
      this.#begunCount -= 1;
      if (this.#begunCount === 0) this.#begun = undefined;
    });
    return begun;
  }

  /** Until its body is taken, or broke off: the peer begins its next upload then, and does not wait for the reply. */
  #countUpload(stream: ServerHttp2Stream): void {
    this.#account.uploadCount += 1;
    const over = (): void => {
      stream.off('end', over);
      stream.off('close', over);
      this.#account.uploadCount -= 1;
    };
    stream.prependListener('end', over);
    stream.on('close', over);
  }

  /** The engine may have made the peer a partner, or a stranger, since the last request. */
  #currentLimits(): StandingLimits {
    const { accounts, standingOf, limits } = this.#options;
    const hasChanged = accounts.update(this.#account, standingOf(this.#account.peer));
    const standing = accounts.limitsOf(this.#account);
    if (hasChanged) {
      this.#http2.settings(offeredSettings(limits, standing));
      this.#http2.setLocalWindowSize(standing.connectionWindowBytes);
    }
    return standing;
  }

  /** A peer that goes on after so many refusals as its burst is large is not asking any more. */
  #refuse(stream: ServerHttp2Stream, limits: StandingLimits): void {
    this.#refusedCount += 1;
    if (this.#refusedCount > limits.requestBurst) this.#calm('requests');
    else refuse(stream, 429);
  }

  #control(): void {
    if (!this.#controls.take(performance.now())) this.#calm('control frames');
  }

  #calm(flood: string): void {
    const peer = this.#account.peer;
    this.#options.log.write('warn', 'peer.flood', { peer, flood });
    this.destroy(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  #closeWhenUnused(): void {
    if (this.#activeCount > 0) this.#idleTimer.refresh();
    else this.destroy(constants.NGHTTP2_NO_ERROR);
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** As RFC 9113 §6.5.2 counts. nghttp2 keeps to the limit once the peer has acknowledged it; until then this does. */
function listBytes(headers: IncomingHttpHeaders): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(headers)) {
    const values = Array.isArray(value) ? value : [value ?? ''];
    for (const one of values) bytes += name.length + String(one).length + 32;
  }
  return bytes;
}
