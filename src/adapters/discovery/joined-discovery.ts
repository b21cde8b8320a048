/** Several ways of finding peers as one: everybody is told and asked on all of them at once. */
import type { PeerId } from '../../core/vocabulary/ids.ts';
import type { Discovery, PeerAddress } from '../../ports/transport.ts';

/** `self` is never among those found. */
export function joinedDiscovery(ways: readonly Discovery[], self: PeerId): Discovery {
  const stopAll = (stops: readonly (() => Promise<void>)[]) => async (): Promise<void> => {
    await Promise.all(stops.map((stop) => stop()));
  };
  return {
    advertise: async (address) =>
      stopAll(await Promise.all(ways.map((way) => way.advertise(address)))),

    announce: async (topic, address) =>
      stopAll(await Promise.all(ways.map((way) => way.announce(topic, address)))),

    locate: (peer, signal) => firstFound(ways, (way) => way.locate(peer, signal)),

    lookup: async (topic, options) => {
      const found = await Promise.all(ways.map((way) => way.lookup(topic, options)));
      return merged(found.flat().filter(({ peer }) => peer !== self)).slice(0, options.limit);
    },
  };
}

/** The answer of the first way that has one; empty when none has. */
function firstFound(
  ways: readonly Discovery[],
  ask: (way: Discovery) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  return new Promise((resolve) => {
    const asked = ways.map(async (way) => {
      const addresses = await ask(way);
      if (addresses.length > 0) resolve(addresses);
    });
    void Promise.allSettled(asked).then(() => resolve([]));
  });
}

/** One entry for each peer, with all addresses that were found for it. */
function merged(found: readonly PeerAddress[]): readonly PeerAddress[] {
  const all = new Map<PeerId, Set<string>>();
  for (const { peer, addresses } of found) {
    const known = all.get(peer) ?? new Set();
    for (const address of addresses) known.add(address);
    all.set(peer, known);
  }
  return [...all].map(([peer, addresses]) => ({ peer, addresses: [...addresses] }));
}
