/**
 * A body as it comes out of an HTTP/2 stream, read no faster than its reader asks.
 *
 * It ends in one of two ways: complete, or with `BodyBroken`. Node's streams can emit `end` after a reset, and a reset can carry the code
 * for "no error"; so an end counts only when the stream was not reset and the announced length was reached.
 */
import { constants, type Http2Stream } from 'node:http2';
import { assert } from '../../base/assert.ts';
import { kibi } from '../../base/units.ts';
import { BodyBroken } from '../../ports/transport.ts';

/** Bytes that are taken out of the stream ahead of the reader; beyond them the peer's window closes. */
const aheadBytes = 256 * kibi;

type Next = IteratorResult<Uint8Array, undefined>;

export interface ReceiveOptions {
  /** The length that was announced; undefined when none was. */
  readonly announced: number | undefined;
  /** Bytes came, or a wait for them began. */
  readonly onProgress: () => void;
  /** The body is complete or broken; called once. */
  readonly onSettled: () => void;
  /** The reader wants no more although more may come; called once at most, after `onSettled`. */
  readonly onLeft: () => void;
}

export class BodyReceiver implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array> {
  readonly #stream: Http2Stream;
  readonly #options: ReceiveOptions;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #receivedBytes = 0;
  #end: 'open' | 'complete' | BodyBroken = 'open';
  #reader: PromiseWithResolvers<Next> | undefined;

  constructor(stream: Http2Stream, options: ReceiveOptions) {
    this.#stream = stream;
    this.#options = options;
    stream.on('data', (bytes: Uint8Array) => this.#receive(bytes));
    // Before Node's own listener, which destroys a stream that closed in the same turn in which it was opened: then it would look cut off.
    stream.prependListener('end', () => this.#finish());
    stream.on('error', (problem: Error) => this.break(problem.message));
    stream.on('aborted', () => this.#reset());
    stream.on('close', () => this.break('the stream closed before its end'));
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this;
  }

  /** The reader waits and the peer has sent nothing. */
  get isWaiting(): boolean {
    return this.#reader !== undefined;
  }

  /** Bytes for which the reader has not asked yet. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  async next(): Promise<Next> {
    assert(
      this.#reader === undefined,
      'a body has one reader, which takes one piece after another',
    );
    const value = this.#queue.shift();
    if (value !== undefined) return { done: false, value: this.#taken(value) };
    if (this.#end instanceof BodyBroken) throw this.#end;
    if (this.#end === 'complete') return { done: true, value: undefined };
    this.#reader = Promise.withResolvers<Next>();
    this.#options.onProgress();
    return this.#reader.promise;
  }

  /** The reader wants no more. */
  async return(): Promise<Next> {
    this.leave();
    return { done: true, value: undefined };
  }

  leave(): void {
    this.#queue = [];
    this.#queuedBytes = 0;
    if (this.#end !== 'open') return;
    this.break('the reader left');
    this.#options.onLeft();
  }

  /** Ends the body, unless it has ended: what is queued can still be read, then `BodyBroken` is thrown. */
  break(detail: string): void {
    this.#settle(new BodyBroken(`the body broke off: ${detail}`));
  }

  #receive(bytes: Uint8Array): void {
    if (this.#end !== 'open') return;
    this.#receivedBytes += bytes.length;
    this.#options.onProgress();
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader !== undefined) {
      reader.resolve({ done: false, value: bytes });
      return;
    }
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    if (this.#queuedBytes >= aheadBytes) this.#stream.pause();
  }

  #taken(bytes: Uint8Array): Uint8Array {
    this.#queuedBytes -= bytes.length;
    if (this.#queuedBytes < aheadBytes / 2 && this.#stream.isPaused()) this.#stream.resume();
    return bytes;
  }

  /** A reset without an error says that *our* body is not wanted; this one ends by itself. */
  #reset(): void {
    if (this.#stream.rstCode !== constants.NGHTTP2_NO_ERROR)
      this.break('the peer reset the stream');
  }

  #finish(): void {
    const { announced } = this.#options;
    if (this.#stream.destroyed || this.#stream.rstCode !== constants.NGHTTP2_NO_ERROR)
      this.break('the stream was reset');
    else if (announced !== undefined && announced !== this.#receivedBytes)
      this.break('not as long as announced');
    else this.#settle('complete');
  }

  #settle(end: 'complete' | BodyBroken): void {
    if (this.#end !== 'open') return;
    this.#end = end;
    const reader = this.#reader;
    this.#reader = undefined;
    if (end === 'complete') reader?.resolve({ done: true, value: undefined });
    else reader?.reject(end);
    this.#options.onSettled();
  }
}
