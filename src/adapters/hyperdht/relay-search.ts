/** Peers that offer to relay announce themselves under a topic; of those found, partners come first, for strangers relay for their partners only. */
import HyperDHT from 'hyperdht';
import { idOf, type PeerId } from '../../core/vocabulary/ids.ts';
import type { HyperDht } from './hyperdht-shapes.ts';

export const relayTopic: Uint8Array = HyperDHT.hash(Buffer.from('covault relay 1'));

const foundMaximum = 16;
const searchMs = 2_000;

export async function findRelays(
  node: HyperDht,
  options: {
    /** Neither this computer nor the peer that is to be reached. */
    readonly except: readonly PeerId[];
    readonly isPartner: (peer: PeerId) => boolean;
  },
): Promise<readonly PeerId[]> {
  const found = await lookUp(node, relayTopic, {
    limit: foundMaximum,
    signal: AbortSignal.timeout(searchMs),
  });
  const others = found.filter((peer) => !options.except.includes(peer));
  const rank = (peer: PeerId): number => (options.isPartner(peer) ? 0 : 1);
  return others.toSorted((left, right) => rank(left) - rank(right));
}

/** Distinct peers that announce themselves under the topic, as many as are found before there are enough or time is over. */
export async function lookUp(
  node: HyperDht,
  topic: Uint8Array,
  { limit, signal }: { readonly limit: number; readonly signal: AbortSignal },
): Promise<readonly PeerId[]> {
  const found = new Set<PeerId>();
  if (signal.aborted) return [];
  const query = node.lookup(Buffer.from(topic));
  const onAbort = (): void => query.destroy();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    for await (const { peers } of query) {
      for (const { publicKey } of peers) if (found.size < limit) found.add(idOf(publicKey));
      if (found.size >= limit) break;
    }
  } catch {
    // The query was ended, or the network is gone: what was found so far is what there is.
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
  return [...found];
}
