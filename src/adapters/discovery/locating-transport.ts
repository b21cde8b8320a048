/**
 * A transport that looks for peers which are no longer where they were: when none of the known addresses leads to one, it is located, and asked there.
 *
 * What is found is only where to try; the carrier proves the identity behind it as behind any other address.
 */
import { secondMs } from '../../base/units.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import type { Discovery, PeerAddress, Transport } from '../../ports/transport.ts';

/** A peer that was not found is not looked for again so soon. */
const lookAgainMs: number = 30 * secondMs;

interface Found {
  readonly addresses: readonly string[];
  readonly atMs: number;
}

export function locatingTransport(
  transport: Transport,
  discovery: Discovery,
  nowMs: () => number,
): Transport {
  const found = new Map<PeerId, Found>();
  const withFound = (to: PeerAddress): PeerAddress => {
    const addresses = inTurn(found.get(to.peer)?.addresses ?? [], to.addresses);
    return { peer: to.peer, addresses: [...new Set(addresses)] };
  };
  const locate = async (to: PeerAddress, signal: AbortSignal | undefined): Promise<boolean> => {
    const last = found.get(to.peer);
    if (last !== undefined && nowMs() - last.atMs < lookAgainMs) return false;
    const addresses = await discovery.locate(to.peer, signal);
    found.set(to.peer, { addresses, atMs: nowMs() });
    return addresses.some((address) => !to.addresses.includes(address));
  };
  return {
    self: transport.self,
    request: async (to, request, options) => {
      const outcome = await transport.request(withFound(to), request, options);
      if (outcome.ok) return outcome;
      const { code } = outcome.error;
      // Nothing of the request was sent in these cases, so a streamed body is still whole.
      if (code !== 'peer.unreachable' && code !== 'peer.wrong-identity') return outcome;
      if (!(await locate(to, options?.signal))) return outcome;
      return await transport.request(withFound(to), request, options);
    },
    identify: (address, signal) => transport.identify(address, signal),
    serve: (handler, standingOf) => transport.serve(handler, standingOf),
    route: (peer) => transport.route(peer),
    close: () => transport.close(),
  };
}

/**
 * One of these, one of those: anybody on the network can answer for a peer, and carriers try a few addresses only, so what was found must not
 * push out what was known.
 */
function inTurn(found: readonly string[], known: readonly string[]): string[] {
  const addresses: string[] = [];
  for (let index = 0; index < Math.max(found.length, known.length); index += 1)
    addresses.push(...found.slice(index, index + 1), ...known.slice(index, index + 1));
  return addresses;
}
