/** An open session to a peer: keeps the process alive only while requests are under way, and closes when unused. */
import { type ClientHttp2Session, constants } from 'node:http2';
import type { PeerRequest, Route } from '../../ports/transport.ts';
import type { OpenConnection } from './dial.ts';
import { type ExchangeEnd, type ExchangeOptions, exchange } from './exchange.ts';
import type { TransportLimits } from './limits.ts';
import { watchLiveness } from './liveness.ts';
import { breakSession } from './stream-end.ts';
import { TokenBucket } from './token-bucket.ts';

export class OutgoingSession {
  readonly openedAtMs: number = performance.now();
  readonly #http2: ClientHttp2Session;
  readonly #connection: OpenConnection;
  readonly #idleTimer: NodeJS.Timeout;
  #activeCount = 0;
  #wasUsed = false;

  constructor(connection: OpenConnection, limits: TransportLimits) {
    const { session } = connection;
    this.#connection = connection;
    this.#http2 = session;
    this.#idleTimer = setTimeout(() => this.#closeWhenUnused(), limits.partner.sessionIdleMs);
    this.#idleTimer.unref();
    const controls = new TokenBucket(
      limits.partner.controlBurst,
      limits.partner.controlsPerSecond,
      performance.now(),
    );
    const onControl = (): void => {
      if (!controls.take(performance.now())) this.destroy(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    };
    session.on('ping', onControl);
    session.on('remoteSettings', onControl);
    watchLiveness(connection, {
      intervalMs: limits.livenessMs,
      isActive: () => this.#activeCount > 0,
      onDead: () => this.destroy(),
    });
    session.once('close', () => clearTimeout(this.#idleTimer));
    session.unref();
  }

  get isOpen(): boolean {
    return !this.#http2.closed && !this.#http2.destroyed;
  }

  get route(): Route {
    return this.#connection.route;
  }

  /** See `OpenConnection`. */
  get isCarried(): boolean {
    return this.#connection.isCarried;
  }

  /** A request went over it before: it may have been closed by the other side without our knowing yet. */
  get wasUsed(): boolean {
    return this.#wasUsed;
  }

  exchange(request: PeerRequest, options: ExchangeOptions): Promise<ExchangeEnd> {
    this.#activeCount += 1;
    this.#wasUsed = true;
    if (this.#activeCount === 1 && this.isOpen) this.#http2.ref();
    const onClosed = (): void => {
      this.#activeCount -= 1;
      if (this.#activeCount === 0 && this.isOpen) this.#http2.unref();
      this.#idleTimer.refresh();
      options.onClosed();
    };
    return exchange(this.#http2, request, { ...options, onClosed });
  }

  /** No further requests; those under way may finish. Resolves when the connection is closed. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#http2.destroyed) return resolve();
      this.#http2.once('close', resolve);
      this.#http2.close();
    });
  }

  destroy(code: number = constants.NGHTTP2_CANCEL): void {
    breakSession(this.#connection, 'the session was ended', code);
  }

  #closeWhenUnused(): void {
    if (this.#activeCount > 0) this.#idleTimer.refresh();
    else this.#http2.close();
  }
}
