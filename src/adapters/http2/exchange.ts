/**
 * One outgoing request on an open session, to its one outcome.
 *
 * The reply may come before the request's body is sent: a refusal stops the upload and is delivered. Whatever else happens on the way
 * (reset, session lost, silence, cancellation) ends the request once, and after a reply it ends that reply's body instead.
 */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2';
import type { Fields, PeerReply, PeerRequest, Silence } from '../../ports/transport.ts';
import { announcedLength, travellingFields } from '../../ports/travelling-fields.ts';
import { BodyReceiver } from './body-receiver.ts';
import { BodySender } from './body-sender.ts';
import { IdleWatch } from './idle-watch.ts';
import { breakStream } from './stream-end.ts';

export interface ExchangeOptions {
  readonly idleMs: number;
  readonly signal: AbortSignal | undefined;
  /** The upload is over, one way or another. */
  readonly onUploaded: () => void;
  /** Nothing of this exchange is under way any more. */
  readonly onClosed: () => void;
}

/** `unprocessed`: the peer certainly did nothing with the request; it may be sent again. */
export type ExchangeEnd =
  | { readonly type: 'reply'; readonly reply: PeerReply }
  | { readonly type: 'silence'; readonly silence: Silence }
  | { readonly type: 'unprocessed'; readonly detail: string };

export function exchange(
  session: ClientHttp2Session,
  request: PeerRequest,
  options: ExchangeOptions,
): Promise<ExchangeEnd> {
  const fields = outgoingFields(request);
  const headers = { ':method': request.method, ':path': request.path, ...fields };
  let stream: ClientHttp2Stream;
  try {
    stream = session.request(headers, { endStream: request.body === undefined });
  } catch (problem) {
    options.onUploaded();
    options.onClosed();
    return Promise.resolve({ type: 'unprocessed', detail: String(problem) });
  }
  return new Exchange(stream, request, { ...options, announced: announcedLength(fields) }).end;
}

function outgoingFields(request: PeerRequest): Fields {
  const fields = travellingFields(request.fields);
  if (!(request.body instanceof Uint8Array)) return fields;
  return { ...fields, 'content-length': String(request.body.length) };
}

class Exchange {
  readonly end: Promise<ExchangeEnd>;
  readonly #stream: ClientHttp2Stream;
  readonly #isHead: boolean;
  readonly #watch: IdleWatch;
  readonly #signal: AbortSignal | undefined;
  readonly #sender: BodySender | undefined;
  #receiver: BodyReceiver | undefined;
  readonly #settle: (end: ExchangeEnd) => void;
  #problem = 'the connection closed';

  constructor(
    stream: ClientHttp2Stream,
    request: PeerRequest,
    options: ExchangeOptions & { readonly announced: number | undefined },
  ) {
    const { promise, resolve } = Promise.withResolvers<ExchangeEnd>();
    this.end = promise;
    this.#settle = resolve;
    this.#stream = stream;
    this.#isHead = request.method === 'HEAD';
    this.#signal = options.signal;
    this.#watch = new IdleWatch(
      options.idleMs,
      () => this.#isPeersMove(),
      () => this.#giveUp('peer.silent', `no progress for ${options.idleMs} ms`),
    );
    this.#signal?.addEventListener('abort', this.#onAbort, { once: true });
    stream.on('error', (problem) => {
      this.#problem = problem.message;
    });
    stream.once('response', (headers) => this.#answered(headers));
    stream.once('close', () => this.#closed(options.onClosed));
    this.#sender = this.#upload(request, options);
    if (this.#signal?.aborted === true) this.#onAbort();
  }

  #upload(
    request: PeerRequest,
    options: ExchangeOptions & { readonly announced: number | undefined },
  ): BodySender | undefined {
    if (request.body === undefined) {
      options.onUploaded();
      return undefined;
    }
    const onProgress = (): void => this.#watch.touch();
    const sender = new BodySender(this.#stream, request.body, {
      announced: options.announced,
      onProgress,
    });
    void sender.run().then((end) => {
      options.onUploaded();
      if (end.type === 'source-broken')
        this.#giveUp('peer.broken-off', `the request's body: ${end.detail}`);
    });
    return sender;
  }

  #answered(headers: IncomingHttpHeaders): void {
    const fields = travellingFields(headers);
    const status = Number(headers[':status']);
    this.#watch.touch();
    if (status >= 400) this.#sender?.stop();
    this.#receiver = new BodyReceiver(this.#stream, {
      announced: this.#isHead ? undefined : announcedLength(fields),
      onProgress: () => this.#watch.touch(),
      onSettled: () => this.#received(),
      onLeft: () => breakStream(this.#stream, 'the reader left'),
    });
    this.#settle({ type: 'reply', reply: { status, fields, body: this.#receiver } });
  }

  /** The reply is whole: an upload that goes on would be for nobody. */
  #received(): void {
    this.#release();
    this.#sender?.stop();
    if (!this.#stream.writableEnded) breakStream(this.#stream, 'the reply is complete');
  }

  /** Before a reply: the request's outcome. After it: the end of the reply's body. */
  #giveUp(code: Silence['code'], detail: string): void {
    this.#release();
    this.#receiver?.break(detail);
    this.#settle({ type: 'silence', silence: { code, detail } });
    breakStream(this.#stream, detail);
  }

  #closed(onClosed: () => void): void {
    this.#release();
    const detail = this.#problem;
    if (this.#stream.rstCode === constants.NGHTTP2_REFUSED_STREAM)
      this.#settle({ type: 'unprocessed', detail: 'the peer refused the stream' });
    else this.#settle({ type: 'silence', silence: { code: 'peer.broken-off', detail } });
    onClosed();
  }

  #isPeersMove(): boolean {
    if (this.#receiver !== undefined) return this.#receiver.isWaiting;
    return this.#sender === undefined || !this.#sender.isAtSource;
  }

  #release(): void {
    this.#watch.stop();
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = (): void => {
    this.#giveUp('peer.cancelled', 'the caller cancelled the request');
  };
}
