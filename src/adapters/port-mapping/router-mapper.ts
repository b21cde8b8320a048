/**
 * The router of this network, found by UPnP discovery and asked by NAT-PMP at the default gateway; whichever answers first is used from then on.
 */
import { createSocket } from 'node:dgram';
import { EventEmitter } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type Gateway, pmpNat, upnpNat } from '@achingbrain/nat-port-mapper';
import { hourMs, secondMs } from '../../base/units.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { PortMapper } from './port-mapping.ts';

const searchMs: number = 5 * secondMs;
const askMs: number = 5 * secondMs;
const description = 'covault';

/** How long a router keeps a mapping that is not renewed. */
const leaseMs: number = 1 * hourMs;

export function routerMapper(log: EventLog): PortMapper {
  let router: Promise<Gateway> | undefined;
  const mapped = new Set<number>();
  const forget = async (): Promise<void> => {
    const found = await router?.catch(() => undefined);
    router = undefined;
    await found?.stop({ signal: AbortSignal.timeout(askMs) }).catch(() => undefined);
  };
  return {
    map: async (port, protocol) => {
      router ??= findRouter();
      try {
        const found = await router;
        const own = await addressTowards(found.host);
        const terms = { protocol, externalPort: port, ttl: leaseMs, autoRefresh: false };
        const signal = AbortSignal.timeout(askMs);
        const mapping = await found.map(port, own, { ...terms, signal });
        mapped.add(port);
        const { externalHost, externalPort } = mapping;
        log.write('info', 'port-mapping.mapped', { port, protocol, externalPort });
        return { externalHost, externalPort };
      } catch (problem) {
        // It may have been another router's network that we were in.
        await forget();
        throw problem;
      }
    },
    close: async () => {
      const found = await router?.catch(() => undefined);
      for (const port of mapped)
        await found?.unmap(port, { signal: AbortSignal.timeout(askMs) }).catch(() => undefined);
      await forget();
    },
  };
}

/** The address of this computer from which packets go to the router; nothing is sent. */
function addressTowards(host: string): Promise<string> {
  const socket = createSocket('udp4');
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.connect(9, host, () => {
      const { address } = socket.address();
      socket.close();
      resolve(address);
    });
  });
}

function findRouter(): Promise<Gateway> {
  return Promise.any([byNatPmp(), byUpnp()]);
}

async function byNatPmp(): Promise<Gateway> {
  const address = defaultGateway(await readFile('/proc/net/route', 'utf8'));
  if (address === undefined) throw new Error('no default gateway');
  const gateway = pmpNat(address, { description });
  // Its troubles are those of the requests that fail.
  if (gateway instanceof EventEmitter) gateway.on('error', () => undefined);
  try {
    await gateway.externalIp({ signal: AbortSignal.timeout(askMs) });
    return gateway;
  } catch (problem) {
    await gateway.stop().catch(() => undefined);
    throw problem;
  }
}

async function byUpnp(): Promise<Gateway> {
  const signal = AbortSignal.timeout(searchMs);
  for await (const gateway of upnpNat({ description }).findGateways({ signal }))
    if (gateway.family === 'IPv4') return gateway;
  throw new Error('no router answers');
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
