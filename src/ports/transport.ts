/**
 * How peers speak: requests and replies with streamed bodies (DESIGN §7).
 *
 * Whatever happens on the way, a request ends in exactly one outcome: a reply, or silence with its reason. The peer at the other end has
 * proven its identity before the first byte of a request is sent, and before a handler sees one.
 */
import type { Bytes } from '../base/bytes.ts';
import type { Outcome } from '../base/outcome.ts';
import type { PeerId } from '../core/vocabulary/ids.ts';

export type Method = 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';

/** A body: bytes at hand, or a stream that is read only as fast as its consumer takes it. */
export type Body = Uint8Array | AsyncIterable<Uint8Array>;

/** Lower-case names; only those that `docs/protocol.md` lists travel. */
export type Fields = Readonly<Record<string, string>>;

export interface PeerAddress {
  readonly peer: PeerId;
  /** Where to find it, most promising first: `/ip4/192.0.2.7/tcp/4747`, `/ip6/…`, `/dns/…`. */
  readonly addresses: readonly string[];
}

export interface PeerRequest {
  readonly method: Method;
  /** Begins with `/v1/`. */
  readonly path: string;
  readonly fields?: Fields;
  readonly body?: Body;
}

export interface PeerReply {
  readonly status: number;
  readonly fields: Fields;
  /** Must be read to its end or cancelled with `return()`. Throws `BodyBroken` when the peer vanishes midway. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** Thrown by a body that will not end properly: the stream broke, or went over its limit. */
export class BodyBroken extends Error {
  override readonly name = 'BodyBroken';
}

/** Why there is no reply. */
export type Silence = {
  readonly code:
    | 'peer.unreachable'
    | 'peer.wrong-identity'
    | 'peer.silent'
    | 'peer.broken-off'
    | 'peer.cancelled';
  readonly detail: string;
};

export interface RequestOptions {
  /** Silence after this long without any progress, in either direction. Default 30 s. */
  readonly idleMs?: number;
  readonly signal?: AbortSignal;
}

export interface IncomingRequest {
  readonly from: PeerId;
  /** The address that the request came from, for logs and the network prefix; undefined where the carrier has none. */
  readonly remoteAddress: string | undefined;
  readonly method: Method;
  readonly path: string;
  readonly fields: Fields;
  readonly body: AsyncIterable<Uint8Array>;
}

export interface OutgoingReply {
  readonly status: number;
  readonly fields?: Fields;
  readonly body?: Body;
}

export type RequestHandler = (request: IncomingRequest) => Promise<OutgoingReply>;

/** How much a peer may use at once; the engine says who is a partner. */
export type PeerStanding = 'partner' | 'stranger';

export interface Listening {
  /** Where peers can reach this computer, without the peer id. */
  readonly addresses: readonly string[];
  close(): Promise<void>;
}

export interface Transport {
  readonly self: PeerId;
  request(
    to: PeerAddress,
    request: PeerRequest,
    options?: RequestOptions,
  ): Promise<Outcome<PeerReply, Silence>>;
  /** Who answers at an address: for the one case in which only the address is known. Nothing but the handshake is sent. */
  identify(address: string, signal?: AbortSignal): Promise<Outcome<PeerId, Silence>>;
  /** Answers requests until closed. A handler that throws answers 500 and is logged. */
  serve(handler: RequestHandler, standingOf: (peer: PeerId) => PeerStanding): Promise<Listening>;
  /** How the peer is connected now; undefined when it is not. */
  route(peer: PeerId): Route | undefined;
  close(): Promise<void>;
}

/** How a peer is reached: on the local network, at a public or mapped address, through its NAT, or with the help of a third peer that relays. */
export type Route = 'lan' | 'direct' | 'punched' | 'relayed';

/** Finding peers: those whose id is known, and those that want to be found. */
export interface Discovery {
  /** Makes this computer findable until the returned function is called. */
  advertise(self: PeerAddress): Promise<() => Promise<void>>;
  /** Addresses at which the peer was seen; empty when nobody answered in time. */
  locate(peer: PeerId, signal?: AbortSignal): Promise<readonly string[]>;
  /** Makes this computer one of those that are found under a topic (32 bytes), until the returned function is called. */
  announce(topic: Bytes, self: PeerAddress): Promise<() => Promise<void>>;
  /** Some of the peers that announce themselves under the topic; none of it is proven. Those without an address are reached by their id. */
  lookup(
    topic: Bytes,
    options: { readonly limit: number; readonly signal: AbortSignal },
  ): Promise<readonly PeerAddress[]>;
}
