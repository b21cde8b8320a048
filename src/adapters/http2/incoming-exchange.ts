/**
 * One request of another peer: checked, given to the handler, answered.
 *
 * Whatever a handler does with the request's body, the stream ends: after the reply, the rest of an unread body is refused with `NO_ERROR`
 * (RFC 9113 §8.1), which does not disturb the reply. A reply whose body breaks is reset instead, so that it never looks whole.
 */
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { mebi } from '../../base/units.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type {
  Fields,
  IncomingRequest,
  Method,
  OutgoingReply,
  RequestHandler,
} from '../../ports/transport.ts';
import { announcedLength, isPath, travellingFields } from '../../ports/travelling-fields.ts';
import { BodyReceiver } from './body-receiver.ts';
import { BodySender } from './body-sender.ts';
import { IdleWatch } from './idle-watch.ts';
import type { ReplyNeed, ReplyRoom } from './peer-accounts.ts';
import type { Release } from './reply-budget.ts';
import { breakStream } from './stream-end.ts';

export interface IncomingContext {
  readonly peer: PeerId;
  readonly remoteAddress: string | undefined;
  readonly handler: RequestHandler;
  readonly log: EventLog;
  readonly bodyIdleMs: number;
  /** What the handler waits for before it begins. */
  readonly turn: Promise<void> | undefined;
  /** Room for the body of the reply, until it is released. */
  readonly roomFor: (need: ReplyNeed) => Promise<ReplyRoom>;
  /** How long the whole may take; undefined: as long as it makes progress. */
  readonly totalMs: number | undefined;
}

const methods: readonly Method[] = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE'];
const retrySeconds = '1';
/** What a reply that is made while it is sent takes at most: what is under way, and the next piece of it behind that. */
const streamedReplyBytes: number = 1 * mebi;

/** Answers without asking the handler. */
export function refuse(stream: ServerHttp2Stream, status: number): void {
  stream.on('error', () => undefined);
  const retry: Fields = status === 429 ? { 'retry-after': retrySeconds } : {};
  if (stream.destroyed || stream.closed) return;
  stream.respond({ ':status': status, ...retry }, { endStream: true });
  stream.close(constants.NGHTTP2_NO_ERROR);
}

/** Resolves when nothing of the request is under way any more. Never rejects. */
export async function answer(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  context: IncomingContext,
): Promise<void> {
  const method = methods.find((known) => known === headers[':method']);
  const path = headers[':path'] ?? '';
  if (method === undefined) return refuse(stream, 405);
  if (!isPath(path)) return refuse(stream, 400);
  await new IncomingExchange(stream, context).answer({
    method,
    path,
    fields: travellingFields(headers),
  });
}

class IncomingExchange {
  readonly #stream: ServerHttp2Stream;
  readonly #context: IncomingContext;
  readonly #watch: IdleWatch;
  #receiver: BodyReceiver | undefined;
  #sender: BodySender | undefined;

  constructor(stream: ServerHttp2Stream, context: IncomingContext) {
    this.#stream = stream;
    this.#context = context;
    this.#watch = new IdleWatch(
      context.bodyIdleMs,
      () => this.#isPeersMove(),
      () => breakStream(stream, 'the peer makes no progress'),
    );
    stream.once('close', () => this.#watch.stop());
    this.#endAfter(context.totalMs);
  }

  #endAfter(totalMs: number | undefined): void {
    if (totalMs === undefined) return;
    const stream = this.#stream;
    const timer = setTimeout(() => breakStream(stream, 'it took too long'), totalMs);
    timer.unref();
    stream.once('close', () => clearTimeout(timer));
  }

  async answer(asked: Pick<IncomingRequest, 'method' | 'path' | 'fields'>): Promise<void> {
    const receiver = new BodyReceiver(this.#stream, {
      announced: announcedLength(asked.fields),
      onProgress: () => this.#watch.touch(),
      onSettled: () => undefined,
      // The rest waits in the window until the reply is on its way; then the stream is closed.
      onLeft: () => this.#stream.pause(),
    });
    this.#receiver = receiver;
    const { peer: from, remoteAddress, turn } = this.#context;
    if (turn !== undefined) await turn;
    if (!this.#isWritable()) return;
    const reply = await this.#handled({ ...asked, from, remoteAddress, body: receiver });
    if (!this.#isWritable()) return dropBody(reply.body);
    const room = await this.#roomFor(reply, asked.method);
    const isGiven = room.type === 'given';
    if (isGiven) this.#holdWhileOpen(room.release);
    if (!isGiven || !this.#isWritable()) dropBody(reply.body);
    if (!this.#isWritable()) return;
    await this.#send(isGiven ? reply : busy(room), asked.method);
    this.#watch.stop();
  }

  #roomFor({ body }: OutgoingReply, method: Method): Promise<ReplyRoom> {
    return this.#context.roomFor({
      bytes: method === 'HEAD' ? 0 : heldBytes(body),
      isStreamed: !(body instanceof Uint8Array),
      onLeave: (leave) => this.#stream.once('close', leave),
    });
  }

  /** A stream that is being closed may have said so already. */
  #holdWhileOpen(release: Release): void {
    if (this.#isWritable()) this.#stream.once('close', release);
    else release();
  }

  async #handled(request: IncomingRequest): Promise<OutgoingReply> {
    try {
      const reply = await this.#context.handler(request);
      if (Number.isInteger(reply.status) && reply.status >= 200 && reply.status <= 599)
        return reply;
      this.#logFailure(request, `status ${reply.status}`);
      dropBody(reply.body);
    } catch (problem) {
      // A body that broke off under the handler is the peer's doing and has nobody left to answer.
      if (this.#isWritable()) this.#logFailure(request, String(problem));
    }
    return { status: 500 };
  }

  async #send(reply: OutgoingReply, method: Method): Promise<void> {
    const fields = replyFields(reply);
    const hasBody = reply.body !== undefined && method !== 'HEAD';
    this.#stream.respond({ ':status': reply.status, ...fields }, { endStream: !hasBody });
    if (!hasBody || reply.body === undefined) {
      dropBody(reply.body);
    } else {
      this.#sender = new BodySender(this.#stream, reply.body, {
        announced: announcedLength(fields),
        onProgress: () => this.#watch.touch(),
      });
      const end = await this.#sender.run();
      if (end.type === 'source-broken')
        this.#context.log.write('warn', 'peer.reply-broken', { detail: end.detail });
      if (end.type !== 'sent') return;
    }
    this.#receiver?.leave();
    this.#stream.resume();
    if (!this.#stream.readableEnded) this.#stream.close(constants.NGHTTP2_NO_ERROR);
  }

  #isPeersMove(): boolean {
    if (this.#sender !== undefined) return !this.#sender.isAtSource;
    return this.#receiver?.isWaiting === true;
  }

  #isWritable(): boolean {
    return !this.#stream.destroyed && !this.#stream.closed;
  }

  #logFailure(request: IncomingRequest, detail: string): void {
    const { method, path } = request;
    this.#context.log.write('error', 'peer.handler-failed', { method, path, detail });
  }
}

function replyFields(reply: OutgoingReply): Fields {
  const fields = travellingFields(reply.fields);
  if (!(reply.body instanceof Uint8Array)) return fields;
  return { ...fields, 'content-length': String(reply.body.length) };
}

function heldBytes(body: OutgoingReply['body']): number {
  if (body === undefined) return 0;
  return body instanceof Uint8Array ? body.length : streamedReplyBytes;
}

function busy({ usedBy }: Extract<ReplyRoom, { type: 'none' }>): OutgoingReply {
  const status = usedBy === 'peer' ? 429 : 503;
  return { status, fields: { 'retry-after': retrySeconds } };
}

/** Lets a body that will not be sent release what it holds. */
function dropBody(body: OutgoingReply['body']): void {
  if (body === undefined || body instanceof Uint8Array) return;
  body[Symbol.asyncIterator]()
    .return?.()
    .catch(() => undefined);
}
