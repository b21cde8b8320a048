/**
 * One request in the simulator's network, seen from both ends.
 *
 * Both ends live in one object, but each learns of what the other did only by what the link carries: a lost message leaves the other end waiting, and
 * its own patience ends the exchange.
 */
import { failed, type Outcome, succeeded } from '../base/outcome.ts';
import type { Clock } from '../ports/clock.ts';
import type {
  Fields,
  IncomingRequest,
  OutgoingReply,
  PeerReply,
  PeerRequest,
  RequestHandler,
  Silence,
} from '../ports/transport.ts';
import { announcedLength, travellingFields } from '../ports/travelling-fields.ts';
import { TwinBody } from './twin-body.ts';
import { TwinPipe } from './twin-pipe.ts';

export interface ExchangeLink {
  readonly clock: Clock;
  readonly windowBytes: number;
  /** Resolves to whether a message sent now arrives, when it does or never will. */
  readonly carryThere: () => Promise<boolean>;
  readonly carryBack: () => Promise<boolean>;
}

export interface TwinExchangeOptions {
  readonly link: ExchangeLink;
  readonly from: Pick<IncomingRequest, 'from' | 'remoteAddress'>;
  readonly idleMs: number;
  /** The patience of the answering side. */
  readonly answererIdleMs: number;
  readonly signal: AbortSignal | undefined;
  readonly handler: RequestHandler;
  /** Nothing of the exchange is under way any more at the asking side, at the answering side. */
  readonly onAskerDone: () => void;
  readonly onAnswererDone: () => void;
}

type End = 'asker' | 'answerer';

/** The platform would make a reason for each abort, with a trace of the stack. */
const done = new Error('done');

export class TwinExchange {
  readonly outcome: Promise<Outcome<PeerReply, Silence>>;
  readonly #settle: (outcome: Outcome<PeerReply, Silence>) => void;
  readonly #request: PeerRequest;
  readonly #options: TwinExchangeOptions;
  readonly #upload: TwinPipe;
  readonly #download: TwinPipe;
  readonly #done: Record<End, AbortController>;
  readonly #touchedMs: Record<End, number>;
  #uploadBody: TwinBody | undefined;
  #downloadBody: TwinBody | undefined;
  #isAnswered = false;
  #isHandled = false;

  constructor(request: PeerRequest, options: TwinExchangeOptions) {
    const { promise, resolve } = Promise.withResolvers<Outcome<PeerReply, Silence>>();
    this.outcome = promise;
    this.#settle = resolve;
    this.#request = request;
    this.#options = options;
    const nowMs = options.link.clock.now();
    this.#touchedMs = { asker: nowMs, answerer: nowMs };
    this.#done = { asker: new AbortController(), answerer: new AbortController() };
    this.#done.asker.signal.addEventListener('abort', options.onAskerDone);
    this.#done.answerer.signal.addEventListener('abort', options.onAnswererDone);
    this.#upload = this.#pipe(options.link.carryThere, {
      // An unread rest waits in the window until the reply is on its way.
      onLeft: () => undefined,
      onSettled: () => undefined,
    });
    this.#download = this.#pipe(options.link.carryBack, {
      onLeft: () => this.#reset('asker', 'the reader left'),
      onSettled: () => this.#conclude(),
    });
  }

  start(): void {
    const { signal, idleMs, answererIdleMs } = this.#options;
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    void this.#watch('asker', idleMs, () => this.#awaitsAnswerer());
    void this.#watch('answerer', answererIdleMs, () => this.#awaitsAsker());
    void this.#send();
    void this.#answer();
  }

  /** Both ends lose the connection at this instant. */
  sever(detail: string): void {
    this.#endAsker({ code: 'peer.broken-off', detail });
    this.#endAnswerer(detail);
  }

  /** One end gives up; the other learns of it when the link carries the news. */
  leave(end: End, silence: Silence): void {
    if (end === 'asker') this.#endAsker(silence);
    else this.#endAnswerer(silence.detail);
    this.#reset(end, silence.detail);
  }

  readonly #onAbort = (): void => {
    this.leave('asker', { code: 'peer.cancelled', detail: 'the caller cancelled the request' });
  };

  #pipe(
    carry: () => Promise<boolean>,
    events: { readonly onLeft: () => void; readonly onSettled: () => void },
  ): TwinPipe {
    const { windowBytes } = this.#options.link;
    const onProgress = (): void => {
      this.#touch('asker');
      this.#touch('answerer');
    };
    return new TwinPipe({ windowBytes, carry, onProgress, ...events });
  }

  async #send(): Promise<void> {
    const { body } = this.#request;
    if (body === undefined) {
      this.#upload.finish();
      return;
    }
    const announced = announcedLength(requestFields(this.#request));
    this.#uploadBody = new TwinBody(this.#upload, body, announced);
    const end = await this.#uploadBody.run();
    this.#touch('asker');
    if (end.type === 'source-broken')
      this.leave('asker', { code: 'peer.broken-off', detail: `the request's body: ${end.detail}` });
  }

  async #answer(): Promise<void> {
    if (!(await this.#options.link.carryThere()) || this.#isOver('answerer')) return;
    this.#isHandled = true;
    const { method, path } = this.#request;
    const fields = requestFields(this.#request);
    const { from, handler } = this.#options;
    const reply = await handled(handler, { ...from, method, path, fields, body: this.#upload });
    if (this.#isOver('answerer')) return drop(reply);
    await this.#reply(reply);
  }

  async #reply(reply: OutgoingReply): Promise<void> {
    const fields = replyFields(reply);
    const isHead = this.#request.method === 'HEAD';
    const body = isHead || reply.body === undefined ? new Uint8Array(0) : reply.body;
    if (isHead) drop(reply);
    const announced = isHead ? undefined : announcedLength(fields);
    this.#download.post(() => this.#arrive(reply.status, fields));
    this.#downloadBody = new TwinBody(this.#download, body, announced);
    const end = await this.#downloadBody.run();
    if (end.type === 'source-broken')
      return this.leave('answerer', { code: 'peer.broken-off', detail: end.detail });
    this.#upload.leave();
    this.#done.answerer.abort(done);
    if (await this.#options.link.carryBack()) this.#upload.stop();
  }

  #arrive(status: number, fields: Fields): void {
    if (this.#isOver('asker')) return;
    this.#touch('asker');
    this.#isAnswered = true;
    if (status >= 400) this.#upload.stop();
    this.#settle(succeeded({ status, fields, body: this.#download }));
  }

  /** The reply's body is complete or broken. */
  #conclude(): void {
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#upload.stop();
    this.#done.asker.abort(done);
  }

  #endAsker(silence: Silence): void {
    this.#settle(failed(silence));
    this.#download.break(silence.detail);
  }

  #endAnswerer(detail: string): void {
    this.#upload.break(detail);
    this.#download.stop();
    this.#done.answerer.abort(done);
  }

  #reset(by: End, detail: string): void {
    const { carryThere, carryBack } = this.#options.link;
    const carried = by === 'asker' ? carryThere() : carryBack();
    void carried.then((arrives) => {
      if (!arrives) return;
      if (by === 'asker') this.#endAnswerer(detail);
      else this.#endAsker({ code: 'peer.broken-off', detail });
    });
  }

  async #watch(end: End, idleMs: number, isWaiting: () => boolean): Promise<void> {
    const { clock } = this.#options.link;
    while (!this.#isOver(end)) {
      const leftMs = this.#touchedMs[end] + idleMs - clock.now();
      if (leftMs > 0) await clock.sleep(leftMs, this.#done[end].signal);
      else if (!isWaiting()) this.#touch(end);
      else this.leave(end, { code: 'peer.silent', detail: `no progress for ${idleMs} ms` });
    }
  }

  #awaitsAnswerer(): boolean {
    if (this.#isAnswered) return this.#download.isRead;
    return this.#uploadBody?.isAtSource !== true;
  }

  #awaitsAsker(): boolean {
    if (!this.#isHandled) return true;
    if (this.#downloadBody !== undefined) return !this.#downloadBody.isAtSource;
    return this.#upload.isRead;
  }

  #touch(end: End): void {
    this.#touchedMs[end] = this.#options.link.clock.now();
  }

  #isOver(end: End): boolean {
    return this.#done[end].signal.aborted;
  }
}

async function handled(handler: RequestHandler, request: IncomingRequest): Promise<OutgoingReply> {
  try {
    const reply = await handler(request);
    if (Number.isInteger(reply.status) && reply.status >= 200 && reply.status <= 599) return reply;
    drop(reply);
  } catch {
    // Answered like every failure of a handler: the asking side learns nothing of it but its status.
  }
  return { status: 500 };
}

function requestFields(request: PeerRequest): Fields {
  return withLength(travellingFields(request.fields), request.body);
}

function replyFields(reply: OutgoingReply): Fields {
  return withLength(travellingFields(reply.fields), reply.body);
}

function withLength(fields: Fields, body: PeerRequest['body']): Fields {
  if (!(body instanceof Uint8Array)) return fields;
  return { ...fields, 'content-length': String(body.length) };
}

/** Lets a body that will not be sent release what it holds. */
function drop(reply: OutgoingReply): void {
  if (reply.body === undefined || reply.body instanceof Uint8Array) return;
  reply.body[Symbol.asyncIterator]()
    .return?.()
    .catch(() => undefined);
}
