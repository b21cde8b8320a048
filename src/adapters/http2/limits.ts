/**
 * Everything that bounds what a peer can make this computer spend, in one place.
 *
 * A stranger has proven that it holds some key, which costs nothing to make; it gets enough to show a profile and negotiate.
 * A partner has an agreement to lose, and gets windows that fill a line of 50 ms round trip time.
 */
import { kibi, mebi, minuteMs, secondMs } from '../../base/units.ts';

export interface StandingLimits {
  readonly connectionsPerPeer: number;
  /** Requests under way at once on one connection; more are refused by HTTP/2 itself. */
  readonly concurrentStreams: number;
  /**
   * Requests with a body under way at once over all connections of one peer; more are answered 429. Times `streamWindowBytes` it
   * bounds the bytes that a peer can make us hold.
   */
  readonly concurrentUploads: number;
  readonly streamWindowBytes: number;
  readonly connectionWindowBytes: number;
  /**
   * Bytes of replies that one peer may leave untaken, over all its connections. Beyond it a reply that is streamed waits for its turn, and one that is
   * there as a whole is answered 429. A streamed one takes 1 MiB, so a partner can read 64 shards at once; a restore reads a handful.
   */
  readonly replyBytes: number;
  /** Requests answered at once after a quiet time, then so many a second; more are answered 429. */
  readonly requestBurst: number;
  readonly requestsPerSecond: number;
  /** Streams that the peer may reset, likewise; more end the session (the rapid reset flood). */
  readonly resetBurst: number;
  readonly resetsPerSecond: number;
  /** PING and SETTINGS frames, likewise. */
  readonly controlBurst: number;
  readonly controlsPerSecond: number;
  /** What Node lets one session hold, in MB, before it refuses further streams. */
  readonly sessionMemoryMb: number;
  /** A session without requests is closed after this long. */
  readonly sessionIdleMs: number;
}

export interface TransportLimits {
  readonly partner: StandingLimits;
  readonly stranger: StandingLimits;
  /** Connections of all strangers together. */
  readonly strangerConnections: number;
  /** The same of all strangers together; beyond it they are answered 503. Replies of at most `freeReplyBytes` always have room. */
  readonly strangerReplyBytes: number;
  readonly freeReplyBytes: number;
  /** How long a request of a stranger may take from its headers to the last byte of its reply. */
  readonly strangerRequestMs: number;
  /** Connections whose TLS handshake is not over: all, and from one address. */
  readonly handshakes: number;
  readonly handshakesPerAddress: number;
  readonly handshakeMs: number;
  /** A connection attempt, to the first SETTINGS frame of the other side. */
  readonly dialMs: number;
  /** How long one address is tried before the next one is tried beside it. */
  readonly dialStaggerMs: number;
  /** At most so many addresses of a peer are tried. */
  readonly dialAddresses: number;
  /** How long a peer's addresses are tried before another carrier is tried beside them, and how long that may take. */
  readonly carrierStaggerMs: number;
  readonly carrierMs: number;
  /** For so long after a peer was not reached, attempts to reach it take less time: to its addresses, and by another carrier. */
  readonly hurryMs: number;
  readonly hurriedDialMs: number;
  readonly hurriedCarrierMs: number;
  /** A peer that is not reached at one of its addresses, although it has some, is tried there again so often. */
  readonly reconsiderMs: number;
  /** Outgoing requests with a body at once to one peer; the others wait. Below every partner's `concurrentUploads`. */
  readonly outgoingUploads: number;
  readonly headerListBytes: number;
  readonly headerPairs: number;
  /** A request whose body makes no progress for so long while we wait for it is ended. */
  readonly bodyIdleMs: number;
  /** A connection with requests under way on which nothing comes in for so long is asked for a sign of life, and has as long to give it. */
  readonly livenessMs: number;
  /** How long `close()` lets requests under way finish. */
  readonly closeGraceMs: number;
}

export const defaultLimits: TransportLimits = {
  partner: {
    connectionsPerPeer: 16,
    concurrentStreams: 128,
    concurrentUploads: 32,
    streamWindowBytes: 8 * mebi,
    connectionWindowBytes: 16 * mebi,
    replyBytes: 64 * mebi,
    requestBurst: 10_000,
    requestsPerSecond: 1_000,
    resetBurst: 500,
    resetsPerSecond: 50,
    controlBurst: 1_000,
    controlsPerSecond: 100,
    sessionMemoryMb: 256,
    sessionIdleMs: 5 * minuteMs,
  },
  stranger: {
    connectionsPerPeer: 4,
    concurrentStreams: 8,
    concurrentUploads: 8,
    streamWindowBytes: 64 * kibi,
    connectionWindowBytes: 256 * kibi,
    replyBytes: 8 * mebi,
    requestBurst: 60,
    requestsPerSecond: 1,
    resetBurst: 20,
    resetsPerSecond: 1,
    controlBurst: 40,
    controlsPerSecond: 2,
    sessionMemoryMb: 2,
    sessionIdleMs: 15 * secondMs,
  },
  strangerConnections: 64,
  strangerReplyBytes: 32 * mebi,
  freeReplyBytes: 16 * kibi,
  strangerRequestMs: 2 * minuteMs,
  handshakes: 128,
  handshakesPerAddress: 32,
  handshakeMs: 5 * secondMs,
  dialMs: 10 * secondMs,
  dialStaggerMs: 250,
  dialAddresses: 8,
  carrierStaggerMs: 2 * secondMs,
  carrierMs: 25 * secondMs,
  hurryMs: 1 * minuteMs,
  hurriedDialMs: 3 * secondMs,
  hurriedCarrierMs: 8 * secondMs,
  reconsiderMs: 1 * minuteMs,
  outgoingUploads: 24,
  headerListBytes: 8 * kibi,
  headerPairs: 32,
  bodyIdleMs: 30 * secondMs,
  livenessMs: 5 * secondMs,
  closeGraceMs: 1 * secondMs,
};

/** HTTP/2 settings that tell a peer what it may do. */
export interface OfferedSettings {
  readonly enablePush: false;
  readonly initialWindowSize: number;
  readonly maxConcurrentStreams: number;
  readonly maxHeaderListSize: number;
}

export function offeredSettings(
  limits: TransportLimits,
  standing: StandingLimits,
): OfferedSettings {
  return {
    enablePush: false,
    initialWindowSize: standing.streamWindowBytes,
    maxConcurrentStreams: standing.concurrentStreams,
    maxHeaderListSize: limits.headerListBytes,
  };
}
