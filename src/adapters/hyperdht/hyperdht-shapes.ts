/** What is used of hyperdht, which brings no types. Its streams are streamx's, which are not those of Node.js. */
import type { EventEmitter } from 'node:events';

export interface KeyPair {
  readonly publicKey: Buffer;
  readonly secretKey: Buffer;
}

/** An IPv4 address and a UDP port. */
export interface UdpAddress {
  readonly host: string;
  readonly port: number;
}

export interface Stream extends EventEmitter {
  readonly destroyed: boolean;
  write(data: Uint8Array): boolean;
  end(): void;
  pause(): void;
  resume(): void;
  destroy(problem?: Error): void;
}

/** A UDX stream: bytes in order over UDP, not encrypted. */
export interface RawStream extends Stream {
  readonly remoteHost: string | null;
  readonly remotePort: number;
  readonly bytesReceived: number;
  readonly socket: object | null;
  connect(socket: object | null, remoteId: number, port: number, host: string | null): void;
}

/** A Noise-encrypted stream; opened when the other side has proven its key. */
export interface SecretStream extends Stream {
  readonly rawStream: RawStream | null;
  readonly publicKey: Buffer;
  readonly remotePublicKey: Buffer;
  readonly opened: Promise<boolean>;
  unshift(data: Uint8Array): void;
  setKeepAlive(intervalMs: number): void;
}

export interface RelayChoice {
  readonly publicKey: Buffer;
  readonly token: Buffer;
}

export interface ConnectOptions {
  readonly keyPair?: KeyPair;
  readonly relayThrough?: Buffer | null;
}

export interface ServerOptions {
  /** True refuses; the key is proven by then. */
  readonly firewall?: (
    remotePublicKey: Buffer,
    payload: { readonly relayThrough: RelayChoice | null },
  ) => boolean;
}

export interface Server extends EventEmitter {
  /** Nodes through which this server is found; none while it is not announced. */
  readonly relayAddresses: readonly UdpAddress[];
  listen(keyPair: KeyPair): Promise<Server>;
  refresh(): void;
  close(): Promise<void>;
}

export interface Query<T> extends AsyncIterable<T> {
  finished(): Promise<void>;
  destroy(): void;
}

export interface Found {
  readonly peers: readonly { readonly publicKey: Buffer }[];
}

export interface NodeOptions {
  readonly bootstrap: readonly (UdpAddress | string)[] | undefined;
  readonly keyPair: KeyPair;
  /** The local address to bind to. */
  readonly host?: string;
  readonly port?: number;
  readonly anyPort?: boolean;
  readonly ephemeral?: boolean;
  readonly firewalled?: boolean;
  /** Bounds of what is kept for others: entries, ms. */
  readonly maxSize?: number;
  readonly maxAge?: number;
  readonly randomPunchInterval?: number;
}

/** A node of the DHT. */
export interface HyperDht extends EventEmitter {
  readonly firewalled: boolean;
  readonly ephemeral: boolean;
  readonly bootstrapNodes: (UdpAddress | string)[];
  readonly rawStreams: Iterable<RawStream>;
  bind(): Promise<void>;
  fullyBootstrapped(): Promise<void>;
  refresh(): void;
  /** Rejects when there is no answer after a few tries. */
  ping(node: UdpAddress): Promise<unknown>;
  /** The nodes in the routing table. */
  toArray(): UdpAddress[];
  address(): UdpAddress | null;
  connect(publicKey: Uint8Array, options?: ConnectOptions): SecretStream;
  createServer(options: ServerOptions, onConnection: (stream: SecretStream) => void): Server;
  createRawStream(options?: object): RawStream;
  announce(topic: Uint8Array, keyPair: KeyPair): Query<unknown>;
  unannounce(topic: Uint8Array, keyPair: KeyPair): Promise<void>;
  lookup(topic: Uint8Array): Query<Found>;
  mutablePut(
    keyPair: KeyPair,
    value: Uint8Array,
    options: { readonly seq: number },
  ): Promise<unknown>;
  mutableGet(publicKey: Uint8Array): Promise<{ readonly value: Uint8Array } | null>;
  destroy(options?: { readonly force?: boolean }): Promise<void>;
}
