/**
 * Finding peers on the local network by multicast DNS (RFC 6762, RFC 6763).
 *
 * It says to everyone on that network that a covault peer of that id is here, so it runs only where the configuration says so. Answers prove nothing: they
 * are addresses to try, and the carrier's handshake decides who is there.
 */
import makeMulticast, { type FullPacket, type MulticastDNS } from 'multicast-dns';
import type { Bytes } from '../../base/bytes.ts';
import { secondMs } from '../../base/units.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { Discovery, PeerAddress } from '../../ports/transport.ts';
import {
  type Answer,
  addressesOf,
  asksFor,
  asksForTopic,
  instanceName,
  peersUnder,
  type Question,
  records,
  topicName,
  topicRecords,
} from './multicast-records.ts';

const lifetimeSeconds = 120;
const askAgainMs = 1 * secondMs;

export interface MulticastOptions {
  readonly log: EventLog;
  /** The IPv4 address of the one network interface to use; all of them when left out. */
  readonly interface?: string;
  /** How long `locate` waits for an answer. Default 3 s. */
  readonly timeoutMs?: number;
}

export interface MulticastDiscovery extends Discovery {
  close(): Promise<void>;
}

/** Opens the socket at once, on UDP port 5353. */
export function createMulticastDiscovery(options: MulticastOptions): MulticastDiscovery {
  return new Multicast(options);
}

/** Something to say whenever the question comes up. */
interface Saying {
  readonly asked: (question: Question) => boolean;
  readonly records: (ttl: number) => Answer[];
}

class Multicast implements MulticastDiscovery {
  readonly #socket: MulticastDNS;
  readonly #timeoutMs: number;

  constructor(options: MulticastOptions) {
    const { log } = options;
    const only = options.interface === undefined ? {} : { interface: options.interface };
    this.#socket = makeMulticast({ ...only, bind: '0.0.0.0' });
    this.#timeoutMs = options.timeoutMs ?? 3 * secondMs;
    // Many searches may be under way, each with a listener of its own.
    this.#socket.setMaxListeners(0);
    const onTrouble = (problem: Error): void =>
      log.write('warn', 'discovery.multicast-failed', { detail: problem.message });
    this.#socket.on('error', onTrouble);
    this.#socket.on('warning', onTrouble);
  }

  advertise(self: PeerAddress): Promise<() => Promise<void>> {
    return this.#say({
      asked: (question) => asksFor(question, self.peer),
      records: (ttl) => records(self, ttl),
    });
  }

  announce(topic: Bytes, self: PeerAddress): Promise<() => Promise<void>> {
    return this.#say({
      asked: (question) => asksForTopic(question, topic),
      records: (ttl) => topicRecords(topic, self, ttl),
    });
  }

  async locate(peer: PeerId, signal?: AbortSignal): Promise<readonly string[]> {
    let found: readonly string[] = [];
    await this.#ask({ name: instanceName(peer), type: 'TXT' }, signal, (response) => {
      found = addressesOf(response, peer);
      return found.length > 0;
    });
    return found;
  }

  /** Whoever answers before the time is over, or until there are enough. */
  async lookup(
    topic: Bytes,
    { limit, signal }: { readonly limit: number; readonly signal: AbortSignal },
  ): Promise<readonly PeerAddress[]> {
    const found = new Map<PeerId, PeerAddress>();
    await this.#ask({ name: topicName(topic), type: 'PTR' }, signal, (response) => {
      for (const one of peersUnder(response, topic))
        if (found.size < limit) found.set(one.peer, one);
      return found.size >= limit;
    });
    return [...found.values()];
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.destroy(() => resolve()));
  }

  async #say(saying: Saying): Promise<() => Promise<void>> {
    const onQuery = (query: FullPacket): void => {
      if ((query.questions ?? []).some(saying.asked))
        this.#socket.respond(saying.records(lifetimeSeconds));
    };
    this.#socket.on('query', onQuery);
    this.#socket.respond(saying.records(lifetimeSeconds));
    return async () => {
      this.#socket.off('query', onQuery);
      // A lifetime of zero takes the records back (RFC 6762 §10.1).
      await new Promise<void>((resolve) => {
        this.#socket.respond(saying.records(0), () => resolve());
      });
    };
  }

  /** Asks until `take` says of a response that it is enough, or the time is over. */
  #ask(
    question: { readonly name: string; readonly type: 'PTR' | 'TXT' },
    signal: AbortSignal | undefined,
    take: (response: FullPacket) => boolean,
  ): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const ask = (): void => this.#socket.query(question.name, question.type);
      const finish = (): void => {
        clearInterval(asking);
        clearTimeout(giveUp);
        this.#socket.off('response', onResponse);
        signal?.removeEventListener('abort', finish);
        resolve();
      };
      const onResponse = (response: FullPacket): void => {
        if (take(response)) finish();
      };
      const asking = setInterval(ask, askAgainMs);
      const giveUp = setTimeout(finish, this.#timeoutMs);
      signal?.addEventListener('abort', finish, { once: true });
      this.#socket.on('response', onResponse);
      ask();
    });
  }
}
