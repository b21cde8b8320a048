/** Whether a stream goes straight to the peer or through the relay that its handshake named; it may move to the straight path at any time. */

import type { Route } from '../../ports/transport.ts';
import type { HyperDht, SecretStream } from './hyperdht-shapes.ts';

/** A relay is reachable, so it is a node of the network: packets that come from a node's own address come through it. */
export function streamRoute(node: HyperDht, stream: SecretStream, namedRelay: boolean): Route {
  const raw = stream.rawStream;
  if (!namedRelay || raw === null) return 'punched';
  const nodes = node.toArray();
  const isNode = nodes.some((one) => one.host === raw.remoteHost && one.port === raw.remotePort);
  return isNode ? 'relayed' : 'punched';
}
