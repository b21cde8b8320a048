/**
 * Counts what computers of a world ask each other: requests and bytes, by resource, for each computer.
 *
 * Bytes are those of paths, fields and bodies as they travel, without what a carrier adds to them. What one sends another receives, and both are
 * counted for it. Streams are counted in replies only, as they are read.
 */
import { utf8Bytes } from '../base/bytes.ts';
import type { PeerId } from '../core/vocabulary/ids.ts';
import type { Body, Fields, OutgoingReply, PeerRequest } from '../ports/transport.ts';

/** What one computer asked, and what it was asked. */
export interface Count {
  asked: number;
  answered: number;
  /** Sent and received, over both. */
  bytes: number;
}

export type ResourceCounts = ReadonlyMap<string, Readonly<Count>>;

export class Census {
  readonly #peers = new Map<PeerId, Map<string, Count>>();

  /** Counts a request that goes out. */
  asked(from: PeerId, to: PeerId, request: PeerRequest): void {
    const resource = resourceOf(request.path);
    const [ours, theirs] = [this.#count(from, resource), this.#count(to, resource)];
    ours.asked += 1;
    const body = request.body instanceof Uint8Array ? request.body.length : 0;
    const bytes = headBytes(request.path, request.fields) + body;
    ours.bytes += bytes;
    theirs.bytes += bytes;
  }

  /** Counts a request that came in and the reply to it; the reply to be sent is what is given back. */
  answered(
    by: PeerId,
    { from, path }: { readonly from: PeerId; readonly path: string },
    reply: OutgoingReply,
  ): OutgoingReply {
    const resource = resourceOf(path);
    const [ours, theirs] = [this.#count(by, resource), this.#count(from, resource)];
    ours.answered += 1;
    const add = (bytes: number): void => {
      ours.bytes += bytes;
      theirs.bytes += bytes;
    };
    add(headBytes('', reply.fields));
    const { body } = reply;
    if (body === undefined) return reply;
    return { ...reply, body: counted(body, add) };
  }

  /** By peer, then by resource. */
  get peers(): ReadonlyMap<PeerId, ResourceCounts> {
    return this.#peers;
  }

  /** Forgets what was counted so far. */
  clear(): void {
    this.#peers.clear();
  }

  #count(peer: PeerId, resource: string): Count {
    const known = this.#peers.get(peer) ?? new Map<string, Count>();
    this.#peers.set(peer, known);
    const count = known.get(resource) ?? { asked: 0, answered: 0, bytes: 0 };
    known.set(resource, count);
    return count;
  }
}

/** `negotiation` of `/v1/negotiation`, `shards` of `/v1/shards/ab01`. */
function resourceOf(path: string): string {
  return /^\/v1\/(?<kind>[a-z]+)/.exec(path)?.groups?.['kind'] ?? 'other';
}

function headBytes(path: string, fields: Fields = {}): number {
  const texts = [path, ...Object.entries(fields).flat()];
  return texts.reduce((sum, text) => sum + utf8Bytes(text).length, 0);
}

function counted(body: Body, add: (bytes: number) => void): Body {
  if (!(body instanceof Uint8Array)) return countedStream(body, add);
  add(body.length);
  return body;
}

async function* countedStream(
  body: AsyncIterable<Uint8Array>,
  add: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const piece of body) {
    add(piece.length);
    yield piece;
  }
}
