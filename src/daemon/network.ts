/**
 * How this computer meets its peers: one transport over every carrier there is, and every way of finding them that the configuration wants.
 *
 * What is slow or uncertain (the DHT, the router's port) begins beside everything else and is waited for by nobody.
 */

import { joinedDiscovery } from '../adapters/discovery/joined-discovery.ts';
import { locatingTransport } from '../adapters/discovery/locating-transport.ts';
import { parseMultiaddr } from '../adapters/http2/multiaddr.ts';
import { createPeerTransport } from '../adapters/http2/transport.ts';
import type { DhtCarrier } from '../adapters/hyperdht/dht-carrier.ts';
import type { DhtNetwork, DhtState } from '../adapters/hyperdht/dht-network.ts';
import type { RelayBudget, SpentMemory } from '../adapters/hyperdht/relay-budget.ts';
import type { PortMapping } from '../adapters/port-mapping/port-mapping.ts';
import type { Bytes } from '../base/bytes.ts';
import type { EventLog } from '../ports/event-log.ts';
import type { Discovery, Transport } from '../ports/transport.ts';

export interface NetworkOptions {
  readonly identitySeed: Bytes;
  /** Where to listen. */
  readonly listen: readonly string[];
  /** Where a person says this computer is reached. */
  readonly announce: readonly string[];
  /** Multicast DNS: peers that moved are looked for on the local network, and this one can be found there. */
  readonly multicast: boolean;
  readonly dht: 'off' | 'private' | 'public';
  readonly bootstrap: readonly string[];
  readonly portMapping: boolean;
  readonly relay: { readonly offer: boolean; readonly budgetBytesPerDay: number };
  /** What was passed on today. */
  readonly relayMemory: SpentMemory;
  /** A daemon stays, so others may join the DHT through it; a command is soon gone. */
  readonly daemon: boolean;
  readonly log: EventLog;
}

export interface NetworkState {
  readonly dht: DhtState | undefined;
  /** Addresses at which the router sends to this computer. */
  readonly mapped: readonly string[];
}

export interface Network {
  readonly transport: Transport;
  /** Every way of finding peers at once. */
  readonly discovery: Discovery;
  readonly state: NetworkState;
  /** Addresses of peers that are known from earlier: ways into the DHT. */
  hearOf(addresses: readonly string[]): void;
  /** Makes this computer findable, where that is wanted, until it is closed. */
  advertise(addresses: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

interface Dht {
  readonly network: DhtNetwork;
  readonly carrier: DhtCarrier;
  readonly discovery: Discovery;
  readonly budget: RelayBudget;
}

export async function openNetwork(options: NetworkOptions): Promise<Network> {
  const { identitySeed, listen, log } = options;
  const dht = await openDht(options);
  const carrier = dht === undefined ? {} : { carrier: dht.carrier };
  const carried = createPeerTransport({ identitySeed, listen, log, ...carrier });
  const multicast = await openMulticast(options);
  const ways = [multicast, dht?.discovery].filter((way) => way !== undefined);
  const discovery = joinedDiscovery(ways, carried.self);
  const transport =
    ways.length === 0 ? carried : locatingTransport(carried, discovery, () => performance.now());
  let mapping: PortMapping | undefined;
  let silence: (() => Promise<void>) | undefined;
  return {
    transport,
    discovery,
    get state() {
      return { dht: dht?.network.state, mapped: mapping?.addresses ?? [] };
    },
    hearOf: (addresses) => dht?.network.hearOf(addresses),
    advertise: async (addresses) => {
      silence = await discovery.advertise({ peer: carried.self, addresses });
      if (!options.portMapping) return;
      const opened = await openMapping(addresses, log);
      mapping = opened;
      void opened.tried.then(async () => {
        if (opened.addresses.length === 0) return;
        await silence?.();
        const all = [...opened.addresses, ...addresses];
        silence = await discovery.advertise({ peer: carried.self, addresses: all });
      });
    },
    close: async () => {
      await silence?.();
      await Promise.all([multicast?.close(), mapping?.close(), carried.close()]);
      dht?.budget.save();
    },
  };
}

/** hyperdht is loaded only where it may be used: it opens nothing until there is somebody to join. */
async function openDht(options: NetworkOptions): Promise<Dht | undefined> {
  const { identitySeed, bootstrap, announce, relay, daemon, log } = options;
  if (options.dht === 'off') return undefined;
  const { DhtNetwork } = await import('../adapters/hyperdht/dht-network.ts');
  const { createDhtCarrier } = await import('../adapters/hyperdht/dht-carrier.ts');
  const { createDhtDiscovery } = await import('../adapters/hyperdht/dht-discovery.ts');
  const { RelayBudget } = await import('../adapters/hyperdht/relay-budget.ts');
  const mode = options.dht;
  const own = { identitySeed, mode, bootstrap, announced: announce, staying: daemon, log };
  const network = new DhtNetwork(own);
  const budget = new RelayBudget(relay.budgetBytesPerDay, Date.now, options.relayMemory);
  const relayBudget = relay.offer && daemon ? budget : undefined;
  const carrier = createDhtCarrier({ network, relayBudget, log });
  return { network, carrier, discovery: createDhtDiscovery(network), budget };
}

async function openMulticast({
  multicast,
  log,
}: NetworkOptions): Promise<(Discovery & { close(): Promise<void> }) | undefined> {
  if (!multicast) return undefined;
  const { createMulticastDiscovery } = await import('../adapters/discovery/multicast.ts');
  return createMulticastDiscovery({ log });
}

async function openMapping(addresses: readonly string[], log: EventLog): Promise<PortMapping> {
  const { mapPorts } = await import('../adapters/port-mapping/port-mapping.ts');
  const { routerMapper } = await import('../adapters/port-mapping/router-mapper.ts');
  const ports = addresses.flatMap((text) => {
    const address = parseMultiaddr(text);
    return address.ok && address.value.kind === 'ip4' ? [address.value.port] : [];
  });
  return mapPorts([...new Set(ports)], { mapper: routerMapper({ log }), log });
}
