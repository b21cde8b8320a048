/**
 * Sends a body into an HTTP/2 stream as fast as the peer takes it, and no faster.
 *
 * A bounded number of bytes is under way: while one batch is being encrypted and written, the next gathers behind it and goes out in one
 * write. Waiting for every `drain` instead would leave the line idle between batches.
 */
import type { Http2Stream } from 'node:http2';
import { kibi } from '../../base/units.ts';
import type { Body } from '../../ports/transport.ts';
import { breakStream } from './stream-end.ts';

const inFlightMaximumBytes = 512 * kibi;
const sliceBytes = 128 * kibi;

/** `stopped`: the stream closed or `stop()` was called. `source-broken`: the body threw, or was not as long as announced. */
export type SendEnd =
  | { readonly type: 'sent' | 'stopped' }
  | { readonly type: 'source-broken'; readonly detail: string };

export interface SendOptions {
  /** The length that was announced; undefined when none was. */
  readonly announced: number | undefined;
  /** Bytes left for the peer, or a wait for it began. */
  readonly onProgress: () => void;
}

export class BodySender {
  readonly #stream: Http2Stream;
  readonly #source: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  readonly #options: SendOptions;
  #inFlightBytes = 0;
  #sentBytes = 0;
  #isAtSource = false;
  #isStopped = false;
  #wake: (() => void) | undefined;

  constructor(stream: Http2Stream, body: Body, options: SendOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#source =
      body instanceof Uint8Array ? slices(body)[Symbol.iterator]() : body[Symbol.asyncIterator]();
    stream.once('close', () => this.stop());
  }

  /** Nothing is under way: the body has yet to produce its next bytes. */
  get isAtSource(): boolean {
    return this.#isAtSource && this.#inFlightBytes === 0;
  }

  /** Takes no more from the body and writes no more; the stream is left as it is. */
  stop(): void {
    this.#isStopped = true;
    this.#wake?.();
  }

  /** Ends the stream after the last byte; resets it when the body is broken. Never rejects. */
  async run(): Promise<SendEnd> {
    try {
      const end = await this.#pump();
      if (end.type === 'source-broken') breakStream(this.#stream, end.detail);
      return end;
    } catch (problem) {
      if (this.#isStopped) return { type: 'stopped' };
      breakStream(this.#stream, 'the body could not be made');
      return { type: 'source-broken', detail: String(problem) };
    }
  }

  async #pump(): Promise<SendEnd> {
    const { announced } = this.#options;
    while (true) {
      while (this.#inFlightBytes >= inFlightMaximumBytes && !this.#isStopped) await this.#moved();
      if (this.#isStopped) return this.#abandon({ type: 'stopped' });
      const next = await this.#take();
      if (this.#isStopped) return this.#abandon({ type: 'stopped' });
      if (next.done === true) break;
      this.#sentBytes += next.value.length;
      if (announced !== undefined && this.#sentBytes > announced)
        return this.#abandon({ type: 'source-broken', detail: 'longer than announced' });
      this.#write(next.value);
    }
    if (announced !== undefined && this.#sentBytes < announced)
      return { type: 'source-broken', detail: 'shorter than announced' };
    this.#stream.end();
    while (this.#inFlightBytes > 0 && !this.#isStopped) await this.#moved();
    return { type: 'sent' };
  }

  async #take(): Promise<IteratorResult<Uint8Array>> {
    const next = this.#source.next();
    if (!(next instanceof Promise)) return next;
    this.#isAtSource = true;
    try {
      return await next;
    } finally {
      this.#isAtSource = false;
      this.#options.onProgress();
    }
  }

  #write(bytes: Uint8Array): void {
    this.#inFlightBytes += bytes.length;
    // A slice that has left is progress, though a slow line takes its time for the whole piece.
    for (const slice of slices(bytes))
      this.#stream.write(slice, () => {
        this.#inFlightBytes -= slice.length;
        this.#options.onProgress();
        this.#wake?.();
      });
  }

  #moved(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Lets the body release what it holds; it may take its time, nobody waits for it. */
  #abandon(end: SendEnd): SendEnd {
    const finished = this.#source.return?.();
    if (finished instanceof Promise) finished.catch(() => undefined);
    return end;
  }
}

function* slices(bytes: Uint8Array): Generator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += sliceBytes)
    yield bytes.subarray(offset, offset + sliceBytes);
}
