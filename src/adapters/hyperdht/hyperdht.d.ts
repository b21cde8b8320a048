/** The two packages without types; what is used of them is described in `hyperdht-shapes.ts`. */

declare module 'hyperdht' {
  type HyperDht = import('./hyperdht-shapes.ts').HyperDht;
  type KeyPair = import('./hyperdht-shapes.ts').KeyPair;
  type NodeOptions = import('./hyperdht-shapes.ts').NodeOptions;

  interface HyperDhtClass {
    new (options: NodeOptions): HyperDht;
    keyPair(seed: Uint8Array): KeyPair;
    hash(data: Uint8Array): Buffer;
    /** A node that knows its own address and needs nobody to join. */
    bootstrapper(port: number, host: string, options: NodeOptions): HyperDht;
  }

  const HyperDHT: HyperDhtClass;
  export = HyperDHT;
}

declare module 'blind-relay' {
  type RawStream = import('./hyperdht-shapes.ts').RawStream;
  type SecretStream = import('./hyperdht-shapes.ts').SecretStream;
  type EventEmitter = import('node:events').EventEmitter;

  export interface Session extends EventEmitter {
    on(
      event: 'pair',
      listener: (isInitiator: boolean, token: Buffer, stream: RawStream, remoteId: number) => void,
    ): this;
    on(event: 'error' | 'close', listener: (problem?: Error) => void): this;
    destroy(): void;
  }

  export class Server {
    constructor(options: { readonly createStream: (options: object) => RawStream });
    accept(stream: SecretStream, options: { readonly id: Uint8Array }): Session;
    close(): Promise<void>;
  }

  export class Client {
    static from(stream: SecretStream, options: { readonly id: Uint8Array }): Client;
    /** Emits the id of the relay's stream as `data`. */
    pair(isInitiator: boolean, token: Uint8Array, stream: RawStream): EventEmitter;
  }
}
