/**
 * Passing packets on between two peers that cannot reach each other, without being able to read them: their stream is encrypted end to end, and this computer
 * sees only that there is one (hyperdht's blind relay).
 *
 * At least one of the two must be a partner, and what is passed on is charged to the partners among them. The count is taken a few times a second; a
 * relayed stream may run over its budget by what passes in that time.
 */
import { Server, type Session } from 'blind-relay';
import { secondMs } from '../../base/units.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { RawStream, SecretStream } from './hyperdht-shapes.ts';
import type { RelayBudget } from './relay-budget.ts';

export interface BlindRelayOptions {
  readonly createStream: (options: object) => RawStream;
  readonly isPartner: (peer: PeerId) => boolean;
  readonly budget: RelayBudget;
  readonly log: EventLog;
}

interface End {
  readonly peer: PeerId;
  /** What is passed on. */
  readonly stream: RawStream;
  /** The connection over which that was asked for. */
  readonly connection: SecretStream;
}

interface Link {
  readonly ends: readonly End[];
  readonly payers: readonly PeerId[];
  countedBytes: number;
}

const countEveryMs = 250;
const sessionMaximum = 64;
const strangerSessionMaximum = 16;
/** A stranger that is not paired by then has no business here. */
const unpairedMs: number = 20 * secondMs;

export class BlindRelay {
  readonly #options: BlindRelayOptions;
  readonly #server: Server;
  readonly #sessions = new Map<Session, PeerId>();
  readonly #halves = new Map<string, End>();
  readonly #links = new Set<Link>();
  readonly #counting: NodeJS.Timeout;

  constructor(options: BlindRelayOptions) {
    this.#options = options;
    this.#server = new Server({ createStream: options.createStream });
    this.#counting = setInterval(() => this.#count(), countEveryMs);
    this.#counting.unref();
  }

  /** Takes over a connection that asks to be passed on. */
  accept(peer: PeerId, stream: SecretStream): void {
    const isPartner = this.#options.isPartner(peer);
    const strangers = [...this.#sessions.values()].filter((one) => !this.#options.isPartner(one));
    const isFull =
      this.#sessions.size >= sessionMaximum ||
      (!isPartner && strangers.length >= strangerSessionMaximum);
    if (isFull || (isPartner && this.#options.budget.left(peer) === 0)) {
      stream.destroy();
      return;
    }
    const session = this.#server.accept(stream, { id: stream.remotePublicKey });
    this.#sessions.set(session, peer);
    const impatience = setTimeout(() => stream.destroy(), unpairedMs);
    session.on('pair', (_isInitiator, token, raw) => {
      clearTimeout(impatience);
      this.#pair(token.toString('hex'), { peer, stream: raw, connection: stream });
    });
    session.on('error', () => undefined);
    session.on('close', () => {
      clearTimeout(impatience);
      this.#sessions.delete(session);
    });
  }

  async close(): Promise<void> {
    clearInterval(this.#counting);
    for (const link of this.#links) this.#cut(link);
    for (const session of this.#sessions.keys()) session.destroy();
  }

  /** Both ends of a link come one after the other, in one turn. */
  #pair(token: string, end: End): void {
    const half = this.#halves.get(token);
    if (half === undefined) {
      this.#halves.set(token, end);
      queueMicrotask(() => this.#halves.delete(token));
      return;
    }
    const ends = [half, end];
    const payers = ends.map(({ peer }) => peer).filter((peer) => this.#options.isPartner(peer));
    const link = { ends, payers, countedBytes: 0 };
    const { log, budget } = this.#options;
    if (payers.length === 0 || payers.some((peer) => budget.left(peer) === 0)) {
      log.write('debug', 'relay.refused', { one: half.peer, other: end.peer });
      this.#cut(link);
      return;
    }
    log.write('debug', 'relay.started', { one: half.peer, other: end.peer });
    this.#links.add(link);
    for (const { stream } of ends)
      stream.on('close', () => {
        this.#charge(link);
        this.#links.delete(link);
      });
  }

  #count(): void {
    for (const link of this.#links) {
      if (this.#charge(link)) continue;
      this.#options.log.write('info', 'relay.budget-spent', { peer: link.payers[0] ?? '' });
      this.#cut(link);
    }
  }

  /** Whether all who pay are within their budgets. */
  #charge(link: Link): boolean {
    const total = link.ends.reduce((sum, { stream }) => sum + stream.bytesReceived, 0);
    const fresh = Math.max(0, total - link.countedBytes);
    link.countedBytes = Math.max(total, link.countedBytes);
    const isWithin = link.payers.map((peer) => this.#options.budget.spend(peer, fresh));
    return isWithin.every(Boolean);
  }

  #cut(link: Link): void {
    this.#links.delete(link);
    for (const { stream, connection } of link.ends) {
      stream.destroy();
      connection.destroy();
    }
  }
}
