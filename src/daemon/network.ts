/** How this computer meets its peers: the transport and, where the configuration wants it, finding one another on the local network. */

import { locatingTransport } from '../adapters/discovery/locating-transport.ts';
import { createPeerTransport } from '../adapters/http2/transport.ts';
import type { Bytes } from '../base/bytes.ts';
import type { EventLog } from '../ports/event-log.ts';
import type { Transport } from '../ports/transport.ts';

export interface NetworkOptions {
  readonly identitySeed: Bytes;
  /** Where to listen. */
  readonly listen: readonly string[];
  /** Multicast DNS: peers that moved are looked for on the local network, and this one can be found there. */
  readonly multicast: boolean;
  readonly log: EventLog;
}

export interface Network {
  readonly transport: Transport;
  /** Makes this computer findable on the local network, where that is wanted, until it is closed. */
  advertise(addresses: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

export async function openNetwork(options: NetworkOptions): Promise<Network> {
  const { identitySeed, listen, log } = options;
  const direct = createPeerTransport({ identitySeed, listen, log });
  if (!options.multicast)
    return { transport: direct, advertise: async () => undefined, close: () => direct.close() };
  const { createMulticastDiscovery } = await import('../adapters/discovery/multicast.ts');
  const discovery = createMulticastDiscovery({ log });
  let silence: (() => Promise<void>) | undefined;
  return {
    transport: locatingTransport(direct, discovery, () => performance.now()),
    advertise: async (addresses) => {
      silence = await discovery.advertise({ peer: direct.self, addresses });
    },
    close: async () => {
      await silence?.();
      await Promise.all([discovery.close(), direct.close()]);
    },
  };
}
