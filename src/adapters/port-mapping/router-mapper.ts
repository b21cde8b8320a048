/**
 * The router of this network, found by UPnP discovery and asked by NAT-PMP at the default gateway; whichever answers first is used from then on.
 *
 * What it says is believed as far as it makes sense: an address outside that is none, or a port that is none, is a refusal.
 */
import { readFile } from 'node:fs/promises';
import { secondMs } from '../../base/units.ts';
import type { EventLog } from '../../ports/event-log.ts';
import { igdRouter } from './igd-router.ts';
import { firstIgd } from './igd-search.ts';
import { natPmpRouter } from './nat-pmp-router.ts';
import type { MappedPort, PortMapper } from './port-mapping.ts';
import {
  isOutside,
  isPort,
  PortTaken,
  type PortWish,
  type Protocol,
  type Router,
} from './router.ts';

const defaultAnswerMs: number = 5 * secondMs;
/** Ports outside that are tried, when others on this network have the first ones. */
const portsTried = 4;

export interface RouterMapperOptions {
  readonly log: EventLog;
  /** How long a router may take to be found, and for each mapping; default 5 seconds. */
  readonly answerMs?: number;
}

export function routerMapper(options: RouterMapperOptions): PortMapper {
  return new RouterMapper(options);
}

class RouterMapper implements PortMapper {
  readonly #log: EventLog;
  readonly #answerMs: number;
  /** What is to be given back, by protocol and port, and to which router. */
  readonly #mapped = new Map<string, PortWish & { readonly router: Router }>();
  readonly #closing = new AbortController();
  #router: Promise<Router> | undefined;
  /** Mappings that are being asked for. */
  readonly #asked = new Set<Promise<MappedPort>>();

  constructor({ log, answerMs = defaultAnswerMs }: RouterMapperOptions) {
    this.#log = log;
    this.#answerMs = answerMs;
  }

  async map(port: number, protocol: Protocol): Promise<MappedPort> {
    this.#closing.signal.throwIfAborted();
    const asked = this.#map(port, protocol);
    this.#asked.add(asked);
    return asked.finally(() => this.#asked.delete(asked));
  }

  async #map(port: number, protocol: Protocol): Promise<MappedPort> {
    this.#router ??= findRouter(AbortSignal.any([this.#patience(), this.#closing.signal]));
    try {
      const router = await this.#router;
      const signal = this.#patience();
      const externalHost = await router.externalHost(signal);
      if (!isOutside(externalHost)) throw new Error('the router has no address outside');
      const externalPort = await this.#mapFree(router, { port, protocol, signal });
      if (!isPort(externalPort)) throw new Error('the router gave a port that is none');
      this.#mapped.set(`${protocol} ${port}`, { port, externalPort, protocol, router });
      this.#log.write('info', 'port-mapping.mapped', { port, protocol, externalPort });
      return { externalHost, externalPort };
    } catch (problem) {
      // It may have been another network's router.
      this.#router = undefined;
      throw problem;
    }
  }

  #patience(): AbortSignal {
    return AbortSignal.timeout(this.#answerMs);
  }

  /** With the port that it had before, or that the other protocol has; where that is taken with one of the next. */
  async #mapFree(
    router: Router,
    wanted: { readonly port: number; readonly protocol: Protocol; readonly signal: AbortSignal },
  ): Promise<number> {
    const { port, protocol, signal } = wanted;
    const other = this.#mapped.get(`tcp ${port}`);
    const first = this.#mapped.get(`${protocol} ${port}`) ?? other;
    // UDP is of use with the number of TCP only.
    const tried = protocol === 'udp' && other !== undefined ? 1 : portsTried;
    let taken: unknown;
    for (let step = 0; step < tried; step += 1) {
      const externalPort = (first?.externalPort ?? port) + step;
      if (!isPort(externalPort)) break;
      try {
        return await router.map({ port, externalPort, protocol }, signal);
      } catch (problem) {
        if (!(problem instanceof PortTaken)) throw problem;
        taken = problem;
      }
    }
    throw taken;
  }

  /** A router that was asked already may map yet: it is heard first, or the port would stay open. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#asked);
    const signal = this.#patience();
    for (const { router, ...mapped } of this.#mapped.values())
      await router.unmap(mapped, signal).catch(() => undefined);
    this.#mapped.clear();
  }
}

async function findRouter(signal: AbortSignal): Promise<Router> {
  const ways = [byNatPmp(signal), firstIgd(igdRouter, signal)];
  try {
    return await Promise.any(ways);
  } catch (problem) {
    if (!(problem instanceof AggregateError)) throw problem;
    throw new Error(problem.errors.map(String).join('; '));
  }
}

async function byNatPmp(signal: AbortSignal): Promise<Router> {
  const address = defaultGateway(await readFile('/proc/net/route', 'utf8'));
  if (address === undefined) throw new Error('no default gateway');
  const router = natPmpRouter(address);
  const outside = await router.externalHost(signal);
  if (!isOutside(outside)) throw new Error('no address outside');
  return router;
}

/** The gateway of the default route in the text of Linux's `/proc/net/route`, whose numbers are in the machine's (little-endian) order. */
export function defaultGateway(table: string): string | undefined {
  for (const line of table.split('\n').slice(1)) {
    const [, destination, gateway = ''] = line.split('\t');
    if (destination !== '00000000' || !/^[0-9A-F]{8}$/i.test(gateway)) continue;
    const bytes = [6, 4, 2, 0].map((at) => Number.parseInt(gateway.slice(at, at + 2), 16));
    return bytes.join('.');
  }
  return undefined;
}
