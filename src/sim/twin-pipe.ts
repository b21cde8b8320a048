/**
 * One direction of a body in the simulator's network: pieces under way in order, a window that the reader opens, an end or a break.
 *
 * A piece that is lost stops the pipe for good, as a connection stops whose packets no longer arrive: neither side is told.
 */
import { assert } from '../base/assert.ts';
import { BodyBroken } from '../ports/transport.ts';

type Next = IteratorResult<Uint8Array, undefined>;

export interface PipeOptions {
  readonly windowBytes: number;
  /** Resolves when what is sent now arrives: true; or never will: false. */
  readonly carry: () => Promise<boolean>;
  /** Bytes or room for them came, or a wait began. */
  readonly onProgress: () => void;
  /** The reader wants no more although more may come. */
  readonly onLeft: () => void;
  /** The reader has met the end or the break. */
  readonly onSettled: () => void;
}

export class TwinPipe implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array> {
  readonly #options: PipeOptions;
  readonly #queue: Uint8Array[] = [];
  #windowUsed = 0;
  #isStopped = false;
  #line: Promise<boolean> = Promise.resolve(true);
  #end: 'open' | 'complete' | BodyBroken = 'open';
  #reader: PromiseWithResolvers<Next> | undefined;
  #writer: (() => void) | undefined;

  constructor(options: PipeOptions) {
    this.#options = options;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this;
  }

  /** The reader waits for bytes. */
  get isRead(): boolean {
    return this.#reader !== undefined;
  }

  get isOpen(): boolean {
    return this.#end === 'open';
  }

  /** Resolves to false when the sender should stop; otherwise when there is room for more. */
  async write(bytes: Uint8Array): Promise<boolean> {
    if (this.#isStopped) return false;
    this.#windowUsed += bytes.length;
    const copy = bytes.slice();
    this.post(() => this.#receive(copy));
    while (this.#windowUsed >= this.#options.windowBytes && !this.#isStopped)
      await new Promise<void>((resolve) => {
        this.#writer = resolve;
      });
    return !this.#isStopped;
  }

  finish(): void {
    if (!this.#isStopped) this.post(() => this.#settle('complete'));
  }

  /** `write` returns false from now on; what is under way still arrives. */
  stop(): void {
    this.#isStopped = true;
    this.#writer?.();
  }

  /** What has arrived can still be read, then `BodyBroken` is thrown. */
  break(detail: string): void {
    this.#settle(new BodyBroken(`the body broke off: ${detail}`));
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

  async return(): Promise<Next> {
    this.leave();
    return { done: true, value: undefined };
  }

  leave(): void {
    this.#queue.length = 0;
    if (this.#end !== 'open') return;
    this.break('the reader left');
    this.#options.onLeft();
  }

  /** Calls `arrive` at the other end, in order with the pieces, unless it gets lost. */
  post(arrive: () => void): void {
    const before = this.#line;
    const carried = this.#options.carry();
    this.#line = (async () => {
      const arrives = (await carried) && (await before);
      if (arrives && this.#end === 'open') arrive();
      return arrives;
    })();
  }

  #receive(bytes: Uint8Array): void {
    this.#options.onProgress();
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader === undefined) this.#queue.push(bytes);
    else reader.resolve({ done: false, value: this.#taken(bytes) });
  }

  #taken(bytes: Uint8Array): Uint8Array {
    this.#windowUsed -= bytes.length;
    this.#options.onProgress();
    this.#writer?.();
    return bytes;
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
