/**
 * Finding peers through the DHT: under a topic, and where a peer says it is.
 *
 * An announcement holds a key and nothing else: whoever is found there is reached by that key. The addresses that a peer advertises are signed
 * by it (a mutable record under its key), so that a peer that moved can be found by those who know its id.
 */

import { type Bytes, utf8Bytes, utf8Text } from '../../base/bytes.ts';
import { minuteMs, secondMs } from '../../base/units.ts';
import { bytesOf } from '../../core/vocabulary/ids.ts';
import type { Discovery, PeerAddress } from '../../ports/transport.ts';
import { parseMultiaddr } from '../http2/multiaddr.ts';
import type { DhtNetwork } from './dht-network.ts';
import type { HyperDht } from './hyperdht-shapes.ts';
import { lookUp } from './relay-search.ts';
import { type Repetition, repeat } from './repetition.ts';

/** Records are forgotten after 20 minutes. */
const repeatEveryMs: number = 5 * minuteMs;
const locateMs: number = 5 * secondMs;
const addressMaximum = 8;
const recordBytes = 900;

export function createDhtDiscovery(network: DhtNetwork): Discovery {
  const { keyPair } = network;
  return {
    advertise: async (self) =>
      repeated(network, async (node) => {
        await node.mutablePut(keyPair, addressRecord(self.addresses), { seq: Date.now() });
      }),

    announce: async (topic) => {
      const stop = repeated(network, async (node) => {
        await node.announce(Buffer.from(topic), keyPair).finished();
      });
      return async () => {
        await stop();
        await network
          .node()
          ?.unannounce(Buffer.from(topic), keyPair)
          .catch(() => undefined);
      };
    },

    locate: async (peer, signal) => {
      const node = network.node();
      if (node === undefined) return [];
      const giveUp = AbortSignal.timeout(locateMs);
      const either = signal === undefined ? giveUp : AbortSignal.any([giveUp, signal]);
      const record = node.mutableGet(Buffer.from(bytesOf(peer))).catch(() => null);
      const found = await Promise.race([record, aborted(either)]);
      return found === null ? [] : recordedAddresses(found.value);
    },

    lookup: async (topic, options) => {
      const node = network.node();
      if (node === undefined) return [];
      const found = await lookUp(node, topic, options);
      return found.map((peer): PeerAddress => ({ peer, addresses: [] }));
    },
  };
}

/** Does the work as soon as there is a network, and again now and then, until the returned function is called. */
function repeated(
  network: DhtNetwork,
  work: (node: HyperDht) => Promise<void>,
): () => Promise<void> {
  let isStopped = false;
  let repetition: Repetition | undefined;
  network.whenJoined((node) => {
    if (!isStopped) repetition = repeat(() => work(node), repeatEveryMs);
  });
  return async () => {
    isStopped = true;
    await repetition?.stop();
  };
}

/** Lines, as many as fit: a record has to travel in one packet. */
export function addressRecord(addresses: readonly string[]): Bytes {
  let text = '';
  for (const address of addresses.slice(0, addressMaximum))
    if (text.length + address.length < recordBytes) text += `${address}\n`;
  return utf8Bytes(text);
}

/** The well-formed addresses in a record that anybody may have written. */
export function recordedAddresses(record: Uint8Array): readonly string[] {
  if (record.length > recordBytes) return [];
  const lines = utf8Text(new Uint8Array(record))?.split('\n') ?? [];
  return lines.filter((line) => parseMultiaddr(line).ok).slice(0, addressMaximum);
}

function aborted(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    else signal.addEventListener('abort', () => resolve(null), { once: true });
  });
}
