/**
 * Another way to a peer than by its addresses: streams of bytes whose other end has proven its identity to the carrier.
 *
 * HTTP/2 on them, limits, accounts and outcomes are the same as over TLS; a carrier only brings the bytes there.
 */
import type { Duplex } from 'node:stream';
import type { Outcome } from '../../base/outcome.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import type { PeerStanding, Route, Silence } from '../../ports/transport.ts';

/** A stream of bytes whose other end has proven to be `peer`; any carrier can make one. */
export interface AuthenticatedConnection {
  readonly peer: PeerId;
  readonly duplex: Duplex;
  readonly remoteAddress: string | undefined;
  /** May change while the connection lives. */
  readonly route: Route;
}

export interface CarrierListening {
  /** Where this computer listens for TLS: what the carrier may take its own place from. */
  readonly addresses: readonly string[];
  readonly standingOf: (peer: PeerId) => PeerStanding;
  /** Takes over a connection that another peer opened. */
  readonly admit: (connection: AuthenticatedConnection) => void;
}

export interface Carrier {
  /** Fails at once where the carrier has no network; the peer may be anywhere. */
  dial(peer: PeerId, signal: AbortSignal): Promise<Outcome<AuthenticatedConnection, Silence>>;
  /** Returns at once, whatever its network is like, and takes connections until the returned function is called. */
  listen(listening: CarrierListening): () => Promise<void>;
  /** An address of a peer was used with success or not: perhaps a way into the carrier's network. */
  hearOf(addresses: readonly string[]): void;
  close(): Promise<void>;
}
