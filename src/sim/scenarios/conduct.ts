/**
 * How a computer behaves on the network, as far as that differs from its engine; and what is looked for in everything that it sends.
 *
 * The engine stays as it is: what a cheat does otherwise stands between it and the network, and can begin and end at any time.
 */
import { concatBytes } from '../../base/bytes.ts';
import type { Outcome } from '../../base/outcome.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import { readNotice } from '../../core/wire/notice.ts';
import type {
  Body,
  IncomingRequest,
  OutgoingReply,
  PeerAddress,
  PeerReply,
  PeerRequest,
  RequestHandler,
  RequestOptions,
  Silence,
  Transport,
} from '../../ports/transport.ts';

/** A request that goes out, to be sent as it is by `send`. */
export interface Asking {
  readonly to: PeerAddress;
  readonly request: PeerRequest;
  readonly send: (request: PeerRequest) => Promise<Outcome<PeerReply, Silence>>;
}

/** `transport` is that of the computer's present life, for asking others beside the engine. */
export type Answering = (
  request: IncomingRequest,
  engine: RequestHandler,
  transport: Transport,
) => Promise<OutgoingReply>;

export class Conduct {
  /** Undefined: the engine answers. */
  answers: Answering | undefined;
  /** Undefined: what the engine asks is sent as it is. */
  asks: ((asking: Asking) => Promise<Outcome<PeerReply, Silence>>) | undefined;
  readonly #tap: WireTap;

  constructor(tap: WireTap) {
    this.#tap = tap;
  }

  /** To be put between an engine and its network. */
  over(transport: Transport): Transport {
    const send = (
      to: PeerAddress,
      request: PeerRequest,
      options: RequestOptions | undefined,
    ): Promise<Outcome<PeerReply, Silence>> => {
      const { body } = request;
      const sent = body === undefined ? request : { ...request, body: this.#tap.watched(body) };
      return transport.request(to, sent, options);
    };
    return {
      self: transport.self,
      request: (to, request, options) =>
        this.asks?.({ to, request, send: (changed) => send(to, changed, options) }) ??
        send(to, request, options),
      identify: (address, signal) => transport.identify(address, signal),
      serve: (engine, standingOf) =>
        transport.serve(async (request) => {
          const reply = await (this.answers?.(request, engine, transport) ?? engine(request));
          return reply.body === undefined
            ? reply
            : { ...reply, body: this.#tap.watched(reply.body) };
        }, standingOf),
      route: (peer) => transport.route(peer),
      close: () => transport.close(),
    };
  }
}

/** Looks for a word of the owner's files in everything that is sent. */
export class WireTap {
  readonly #word: Uint8Array;
  /** How often it was seen, and how many bytes were looked at. */
  seen = 0;
  bytes = 0;

  constructor(word: Uint8Array) {
    this.#word = word;
  }

  watched(body: Body): Body {
    if (!(body instanceof Uint8Array)) return this.#stream(body);
    this.#look(body);
    return body;
  }

  async *#stream(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const part of body) {
      this.#look(part);
      yield part;
    }
  }

  #look(part: Uint8Array): void {
    this.bytes += part.length;
    if (holds(part, this.#word)) this.seen += 1;
  }
}

/** Whether `word` occurs in `bytes`. */
export function holds(bytes: Uint8Array, word: Uint8Array): boolean {
  const native = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return native.includes(Buffer.from(word.buffer, word.byteOffset, word.length));
}

/** All bytes of a body. */
export async function bytesOfBody(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return concatBytes(parts);
}

/** A body of which everything has been read already. */
export async function* bodyOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

export const isRestoreRead = ({ method, path }: IncomingRequest): boolean =>
  method === 'GET' && /^\/v1\/shards\/[0-9a-f]+$/.test(path);

export const isAudit = ({ method, path }: IncomingRequest): boolean =>
  method === 'POST' && path === '/v1/audits';

/** It is told that shards were lost: what a cheat keeps to itself. */
export function isLossNotice({ path, body }: PeerRequest, self: PeerId): boolean {
  if (path !== '/v1/notices' || !(body instanceof Uint8Array)) return false;
  const notice = readNotice(body, self);
  return notice.ok && notice.value.subject.type === 'lost-data';
}
