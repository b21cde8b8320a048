/** Whether a stream goes straight to the peer, over the local network or through NATs, or through the relay that its handshake named; it may move to the straight path at any time. */
import type { Route } from '../../ports/transport.ts';
import { isOwnNetwork } from '../http2/address-scope.ts';
import type { HyperDht, SecretStream } from './hyperdht-shapes.ts';

/** A relay is reachable, so it is a node of the network: packets that come from a node's own address come through it. */
export function streamRoute(node: HyperDht, stream: SecretStream, namedRelay: boolean): Route {
  const raw = stream.rawStream;
  if (raw === null || raw.remoteHost === null) return 'punched';
  const straight = isOwnNetwork(raw.remoteHost) ? 'lan' : 'punched';
  if (!namedRelay) return straight;
  const nodes = node.toArray();
  const isNode = nodes.some((one) => one.host === raw.remoteHost && one.port === raw.remotePort);
  return isNode ? 'relayed' : straight;
}
