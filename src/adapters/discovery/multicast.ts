/**
 * Finding peers on the local network by multicast DNS (RFC 6762, RFC 6763).
 *
 * It says to everyone on that network that a covault peer of that id is here, so it runs only where the configuration says so. Answers prove nothing: they
 * are addresses to try, and the carrier's handshake decides who is there.
 */
import makeMulticast, {
  type FullPacket,
  type MulticastDNS,
  type ResponseOutgoingPacket,
} from 'multicast-dns';
import { secondMs } from '../../base/units.ts';
import { type PeerId, parsePeerId } from '../../core/vocabulary/ids.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { Discovery, PeerAddress } from '../../ports/transport.ts';
import { parseMultiaddr } from '../http2/multiaddr.ts';

type Answer = ResponseOutgoingPacket['answers'][number];
type TextAnswer = Extract<Answer, { readonly type: 'TXT' }>;

interface Question {
  readonly name: string;
  readonly type?: string | undefined;
}

const service = '_covault._tcp.local';
const instanceDigits = 32;
const lifetimeSeconds = 120;
const askAgainMs = 1 * secondMs;
const addressMaximum = 8;

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

function instanceName(peer: PeerId): string {
  return `${peer.slice(0, instanceDigits)}.${service}`;
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

  async advertise(self: PeerAddress): Promise<() => Promise<void>> {
    const onQuery = (query: FullPacket): void => {
      if ((query.questions ?? []).some((question) => asksFor(question, self.peer)))
        this.#socket.respond(records(self, lifetimeSeconds));
    };
    this.#socket.on('query', onQuery);
    this.#socket.respond(records(self, lifetimeSeconds));
    return async () => {
      this.#socket.off('query', onQuery);
      // A lifetime of zero takes the records back (RFC 6762 §10.1).
      await new Promise<void>((resolve) => {
        this.#socket.respond(records(self, 0), () => resolve());
      });
    };
  }

  locate(peer: PeerId, signal?: AbortSignal): Promise<readonly string[]> {
    if (signal?.aborted === true) return Promise.resolve([]);
    return new Promise((resolve) => {
      const ask = (): void => this.#socket.query(instanceName(peer), 'TXT');
      const finish = (addresses: readonly string[]): void => {
        clearInterval(asking);
        clearTimeout(giveUp);
        this.#socket.off('response', onResponse);
        signal?.removeEventListener('abort', onAbort);
        resolve(addresses);
      };
      const onAbort = (): void => finish([]);
      const onResponse = (response: FullPacket): void => {
        const addresses = addressesOf(response, peer);
        if (addresses.length > 0) finish(addresses);
      };
      const asking = setInterval(ask, askAgainMs);
      const giveUp = setTimeout(onAbort, this.#timeoutMs);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#socket.on('response', onResponse);
      ask();
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.destroy(() => resolve()));
  }
}

function asksFor(question: Question, peer: PeerId): boolean {
  const name = question.name.toLowerCase();
  if (name === service) return question.type === 'PTR' || question.type === 'ANY';
  return name === instanceName(peer);
}

/** The service's pointer to this peer, where it listens, and its text: the full id, and every address as it is written elsewhere. */
function records(self: PeerAddress, ttl: number): Answer[] {
  const name = instanceName(self.peer);
  const known = self.addresses.slice(0, addressMaximum).map(parseMultiaddr);
  const targets = known.flatMap((one) => (one.ok ? [one.value] : []));
  const target = `${self.peer.slice(0, instanceDigits)}.local`;
  const pointer: Answer = { name: service, type: 'PTR', ttl, data: name };
  const text: TextAnswer = {
    name,
    type: 'TXT',
    ttl,
    data: [`id=${self.peer}`, ...self.addresses.slice(0, addressMaximum).map((one) => `at=${one}`)],
  };
  const hosts = targets.flatMap(({ kind, host }): Answer[] => {
    if (kind === 'ip4') return [{ name: target, type: 'A', ttl, data: host }];
    if (kind === 'ip6') return [{ name: target, type: 'AAAA', ttl, data: host }];
    return [];
  });
  const port = targets[0]?.port;
  const place: Answer[] =
    port === undefined ? [] : [{ name, type: 'SRV', ttl, data: { port, target } }];
  return [pointer, text, ...place, ...hosts];
}

/** The well-formed addresses that the response gives for exactly this peer. */
export function addressesOf(
  response: { readonly answers?: readonly Answer[] | undefined },
  peer: PeerId,
): readonly string[] {
  for (const answer of response.answers ?? []) {
    if (answer.type !== 'TXT' || answer.ttl === 0) continue;
    if (answer.name.toLowerCase() !== instanceName(peer)) continue;
    const lines = [answer.data].flat().map((line) => String(line));
    const id = lines.find((line) => line.startsWith('id='))?.slice(3) ?? '';
    if (parsePeerId(id) !== peer) continue;
    const given = lines.filter((line) => line.startsWith('at=')).map((line) => line.slice(3));
    return given.filter((address) => parseMultiaddr(address).ok).slice(0, addressMaximum);
  }
  return [];
}
