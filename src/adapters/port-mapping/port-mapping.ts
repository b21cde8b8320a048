/**
 * Ports of this computer that the router sends on to it: asked for, renewed, and given back (UPnP IGD, NAT-PMP; RFC 6886).
 *
 * A router that has no such service, or says no, changes nothing: this computer is reached in other ways, or reaches others.
 */
import { minuteMs } from '../../base/units.ts';
import type { EventLog } from '../../ports/event-log.ts';
import { formatMultiaddr } from '../http2/multiaddr.ts';

export interface MappedPort {
  /** Where the router takes connections for us. */
  readonly externalHost: string;
  readonly externalPort: number;
}

/** One router, however it is spoken to. */
export interface PortMapper {
  /** Rejects when the router does not want to. The mapping stands until it is unmapped, or for as long as the router keeps it. */
  map(port: number, protocol: 'tcp' | 'udp'): Promise<MappedPort>;
  close(): Promise<void>;
}

export interface PortMapping {
  /** As multiaddrs. They come and go with the router. */
  readonly addresses: readonly string[];
  /** The first attempt is over, whatever came of it. */
  readonly tried: Promise<void>;
  close(): Promise<void>;
}

export interface PortMappingOptions {
  readonly mapper: PortMapper;
  readonly log: EventLog;
  /** Default 10 minutes: a router that was restarted has forgotten us. */
  readonly renewEveryMs?: number;
}

const defaultRenewMs: number = 10 * minuteMs;

/** Returns at once; TCP for HTTP/2, and UDP of the same number for the DHT. */
export function mapPorts(ports: readonly number[], options: PortMappingOptions): PortMapping {
  return new Mapping(ports, options);
}

class Mapping implements PortMapping {
  readonly tried: Promise<void>;
  readonly #ports: readonly number[];
  readonly #options: PortMappingOptions;
  readonly #timer: NodeJS.Timeout;
  #addresses: readonly string[] = [];
  #isClosed = false;
  #renewing: Promise<void>;

  constructor(ports: readonly number[], options: PortMappingOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#renewing = this.#renew();
    this.tried = this.#renewing;
    this.#timer = setInterval(() => {
      this.#renewing = this.#renewing.then(() => this.#renew());
    }, options.renewEveryMs ?? defaultRenewMs);
    this.#timer.unref();
  }

  get addresses(): readonly string[] {
    return this.#addresses;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#addresses = [];
    await this.#options.mapper.close();
  }

  async #renew(): Promise<void> {
    const { mapper, log } = this.#options;
    const addresses: string[] = [];
    for (const port of this.#ports) {
      if (this.#isClosed) return;
      try {
        const { externalHost: host, externalPort } = await mapper.map(port, 'tcp');
        const kind = host.includes(':') ? 'ip6' : 'ip4';
        addresses.push(formatMultiaddr({ kind, host, port: externalPort }));
        await mapper.map(port, 'udp');
      } catch (problem) {
        log.write('info', 'port-mapping.refused', { port, detail: String(problem) });
      }
    }
    if (!this.#isClosed) this.#addresses = addresses;
  }
}
