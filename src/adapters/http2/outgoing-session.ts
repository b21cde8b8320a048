/** An open session to a peer: keeps the process alive only while requests are under way, and closes when unused. */
import { type ClientHttp2Session, constants } from 'node:http2';
import type { PeerRequest } from '../../ports/transport.ts';
import { type ExchangeEnd, type ExchangeOptions, exchange } from './exchange.ts';
import type { StandingLimits } from './limits.ts';
import { TokenBucket } from './token-bucket.ts';

export class OutgoingSession {
  readonly #http2: ClientHttp2Session;
  readonly #idleTimer: NodeJS.Timeout;
  #activeCount = 0;
  #wasUsed = false;

  constructor(session: ClientHttp2Session, limits: StandingLimits) {
    this.#http2 = session;
    this.#idleTimer = setTimeout(() => this.#closeWhenUnused(), limits.sessionIdleMs);
    this.#idleTimer.unref();
    const controls = new TokenBucket(
      limits.controlBurst,
      limits.controlsPerSecond,
      performance.now(),
    );
    const onControl = (): void => {
      if (!controls.take(performance.now())) this.destroy(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    };
    session.on('ping', onControl);
    session.on('remoteSettings', onControl);
    session.once('close', () => clearTimeout(this.#idleTimer));
    session.unref();
  }

  get isOpen(): boolean {
    return !this.#http2.closed && !this.#http2.destroyed;
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

  /** Never with `NO_ERROR`: that would reset streams in a way that looks like their end. */
  destroy(code: number = constants.NGHTTP2_CANCEL): void {
    if (!this.#http2.destroyed) this.#http2.destroy(undefined, code);
  }

  #closeWhenUnused(): void {
    if (this.#activeCount > 0) this.#idleTimer.refresh();
    else this.#http2.close();
  }
}
