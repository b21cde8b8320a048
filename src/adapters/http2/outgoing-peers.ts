/**
 * Sessions to other peers: one a peer, opened when needed, shared by its requests, opened anew when lost.
 *
 * Requests that want the same session while it is being opened wait for one attempt, which is given up when none of them waits any more.
 */
import { createSecureContext, type SecureContext } from 'node:tls';
import { linkedAbort } from '../../base/linked-abort.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import type {
  PeerAddress,
  PeerReply,
  PeerRequest,
  RequestOptions,
  Route,
  Silence,
} from '../../ports/transport.ts';
import type { Carrier } from './carrier.ts';
import type { PeerIdentity } from './certificate.ts';
import { dialPeer, identifyPeer, type OpenConnection } from './dial.ts';
import { reachPeer } from './dial-choice.ts';
import type { ExchangeEnd } from './exchange.ts';
import type { TransportLimits } from './limits.ts';
import { OutgoingSession } from './outgoing-session.ts';
import { Slots } from './slots.ts';
import { UnreachedPeers } from './unreached-peers.ts';

interface Dial {
  readonly controller: AbortController;
  readonly session: Promise<Outcome<OutgoingSession, Silence>>;
  waiterCount: number;
}

const defaultIdleMs = 30_000;
const attemptMaximum = 3;

export interface OutgoingSettings {
  readonly limits: TransportLimits;
  readonly carrier: Carrier | undefined;
}

export class OutgoingPeers {
  readonly #context: SecureContext;
  readonly #limits: TransportLimits;
  readonly #carrier: Carrier | undefined;
  readonly #sessions = new Map<PeerId, OutgoingSession>();
  readonly #all = new Set<OutgoingSession>();
  readonly #dials = new Map<string, Dial>();
  readonly #uploads = new Map<PeerId, Slots>();
  /** When a peer that no address led to was last tried at its addresses again. */
  readonly #reconsidered = new Map<PeerId, number>();
  readonly #unreached: UnreachedPeers;
  readonly #ended = new AbortController();

  constructor(identity: PeerIdentity, { limits, carrier }: OutgoingSettings) {
    this.#limits = limits;
    this.#carrier = carrier;
    this.#unreached = new UnreachedPeers({ firstMs: limits.hurryMs, mostMs: limits.hurryMs });
    this.#context = createSecureContext({
      key: identity.keyPem,
      cert: identity.certificatePem,
      minVersion: 'TLSv1.3',
    });
  }

  async request(
    to: PeerAddress,
    request: PeerRequest,
    options: RequestOptions,
  ): Promise<Outcome<PeerReply, Silence>> {
    if (this.#ended.signal.aborted) return cancelled('the transport is closed');
    const release = await this.#slot(to.peer, request, options.signal);
    if (release === undefined) return cancelled('the caller cancelled the request');
    const settings = { ...options, idleMs: options.idleMs ?? defaultIdleMs };
    try {
      return await this.#attempt(to, request, { ...settings, release });
    } catch (problem) {
      release();
      throw problem;
    }
  }

  async identify(address: string, signal?: AbortSignal): Promise<Outcome<PeerId, Silence>> {
    if (this.#ended.signal.aborted) return cancelled('the transport is closed');
    const asking = linkedAbort(this.#ended.signal, ...(signal === undefined ? [] : [signal]));
    try {
      return await identifyPeer(address, {
        context: this.#context,
        limits: this.#limits,
        timeoutMs: defaultIdleMs,
        signal: asking.signal,
      });
    } finally {
      asking.release();
    }
  }

  route(peer: PeerId): Route | undefined {
    const session = this.#sessions.get(peer);
    return session?.isOpen === true ? session.route : undefined;
  }

  /** Lets requests under way finish for `graceMs`, then ends them. */
  async close(graceMs: number): Promise<void> {
    this.#ended.abort();
    for (const dial of this.#dials.values()) dial.controller.abort();
    await Promise.all([...this.#dials.values()].map((dial) => dial.session));
    const closed = [...this.#all].map((session) => session.close());
    const grace = setTimeout(() => {
      for (const session of this.#all) session.destroy();
    }, graceMs);
    await Promise.all(closed);
    clearTimeout(grace);
  }

  /** Requests without a body need no slot. */
  async #slot(
    peer: PeerId,
    request: PeerRequest,
    signal: AbortSignal | undefined,
  ): Promise<(() => void) | undefined> {
    if (request.body === undefined) return () => undefined;
    let slots = this.#uploads.get(peer);
    if (slots === undefined) {
      slots = new Slots(this.#limits.outgoingUploads);
      this.#uploads.set(peer, slots);
    }
    const waiting = linkedAbort(this.#ended.signal, ...(signal === undefined ? [] : [signal]));
    try {
      return await slots.take(waiting.signal);
    } finally {
      waiting.release();
    }
  }

  async #attempt(
    to: PeerAddress,
    request: PeerRequest,
    options: RequestOptions & { readonly idleMs: number; readonly release: () => void },
  ): Promise<Outcome<PeerReply, Silence>> {
    const isRepeatable = request.body === undefined || request.body instanceof Uint8Array;
    let detail = '';
    for (let attempt = 0; attempt < attemptMaximum; attempt += 1) {
      const session = await this.#obtain(to, options);
      if (!session.ok) {
        options.release();
        return session;
      }
      const wasUsed = session.value.wasUsed;
      const end = await session.value.exchange(request, {
        idleMs: options.idleMs,
        signal: options.signal,
        onUploaded: options.release,
        onClosed: options.release,
      });
      if (end.type !== 'unprocessed') return this.#conclude(to.peer, session.value, end);
      detail = end.detail;
      if (!isRepeatable || !wasUsed) break;
    }
    return failed({ code: 'peer.broken-off', detail });
  }

  #conclude(
    peer: PeerId,
    session: OutgoingSession,
    end: Exclude<ExchangeEnd, { readonly type: 'unprocessed' }>,
  ): Outcome<PeerReply, Silence> {
    if (end.type === 'reply') return succeeded(end.reply);
    // A silent connection may be dead without anyone having told us: the next request opens another.
    if (end.silence.code === 'peer.silent' && this.#sessions.get(peer) === session) {
      this.#sessions.delete(peer);
      void session.close();
    }
    return failed(end.silence);
  }

  async #obtain(
    to: PeerAddress,
    options: RequestOptions & { readonly idleMs: number },
  ): Promise<Outcome<OutgoingSession, Silence>> {
    const session = this.#sessions.get(to.peer);
    if (session?.isOpen === true) {
      this.#reconsider(to, session);
      return succeeded(session);
    }
    if (options.signal?.aborted === true) return cancelled('the caller cancelled the request');
    const key = [to.peer, ...to.addresses].join(' ');
    const dial = this.#dials.get(key) ?? this.#dial(key, to, options.idleMs);
    dial.waiterCount += 1;
    try {
      return await unlessAborted(dial.session, options.signal);
    } finally {
      dial.waiterCount -= 1;
      if (dial.waiterCount === 0) dial.controller.abort();
    }
  }

  #dial(key: string, to: PeerAddress, idleMs: number): Dial {
    const controller = new AbortController();
    const isHurried = this.#unreached.rests(to.peer, performance.now());
    const { dialMs, hurriedDialMs, carrierMs, hurriedCarrierMs } = this.#limits;
    const dialling = reachPeer(to, {
      context: this.#context,
      limits: { ...this.#limits, carrierMs: isHurried ? hurriedCarrierMs : carrierMs },
      carrier: this.#carrier,
      timeoutMs: Math.min(idleMs, isHurried ? hurriedDialMs : dialMs),
      signal: controller.signal,
    });
    const session = dialling.then((dialled) => {
      this.#dials.delete(key);
      if (!dialled.ok) {
        // Whoever only answers slowly is given all the time again after a while.
        const isMissed = !isHurried && !controller.signal.aborted;
        if (isMissed) this.#unreached.missed(to.peer, performance.now());
        return this.#ended.signal.aborted ? cancelled('closing') : dialled;
      }
      this.#unreached.reached(to.peer);
      return succeeded(this.#keep(to.peer, dialled.value));
    });
    const dial = { controller, session, waiterCount: 0 };
    this.#dials.set(key, dial);
    return dial;
  }

  #keep(peer: PeerId, connection: OpenConnection): OutgoingSession {
    const opened = new OutgoingSession(connection, this.#limits);
    this.#all.add(opened);
    this.#sessions.set(peer, opened);
    connection.session.once('close', () => this.#forget(peer, opened));
    return opened;
  }

  /** A peer that is reached in a roundabout way may be at one of its addresses again; requests under way end where they are. */
  #reconsider(to: PeerAddress, session: OutgoingSession): void {
    if (!session.isCarried || to.addresses.length === 0) return;
    const nowMs = performance.now();
    const lastMs = this.#reconsidered.get(to.peer) ?? session.openedAtMs;
    if (nowMs - lastMs < this.#limits.reconsiderMs) return;
    this.#reconsidered.set(to.peer, nowMs);
    void dialPeer(to, {
      context: this.#context,
      limits: this.#limits,
      timeoutMs: this.#limits.dialMs,
      signal: this.#ended.signal,
    }).then((dialled) => {
      if (!dialled.ok) return;
      const replaced = this.#sessions.get(to.peer);
      this.#keep(to.peer, dialled.value);
      void replaced?.close();
    });
  }

  #forget(peer: PeerId, session: OutgoingSession): void {
    this.#all.delete(session);
    if (this.#sessions.get(peer) === session) this.#sessions.delete(peer);
  }
}

function unlessAborted(
  session: Promise<Outcome<OutgoingSession, Silence>>,
  signal: AbortSignal | undefined,
): Promise<Outcome<OutgoingSession, Silence>> {
  if (signal === undefined) return session;
  return new Promise((resolve) => {
    const onAbort = (): void => resolve(cancelled('the caller cancelled the request'));
    signal.addEventListener('abort', onAbort, { once: true });
    void session.then((outcome) => {
      signal.removeEventListener('abort', onAbort);
      resolve(outcome);
    });
  });
}

function cancelled(detail: string): Outcome<never, Silence> {
  return failed({ code: 'peer.cancelled', detail });
}
