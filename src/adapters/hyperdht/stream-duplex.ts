/**
 * hyperdht's stream as a stream of Node.js, which HTTP/2 needs: without it a session hangs without a word.
 *
 * Both are full duplex with back-pressure, but streamx streams have neither Node's states nor its callbacks, so each event is carried over by hand.
 */
import { Duplex } from 'node:stream';
import type { SecretStream } from './hyperdht-shapes.ts';

type Done = (problem?: Error | null) => void;

export class StreamDuplex extends Duplex {
  readonly #stream: SecretStream;
  #bytesRead = 0;
  #onDrained: Done | undefined;
  #hasEnded = false;

  /** `first`: what was read from the stream before. */
  constructor(stream: SecretStream, first?: Uint8Array) {
    super({ allowHalfOpen: true });
    this.#stream = stream;
    stream.on('data', (data: Uint8Array) => this.#receive(data));
    stream.on('end', () => this.#finishReading());
    stream.on('drain', () => this.#drained());
    stream.on('error', (problem: Error) => this.destroy(problem));
    stream.on('close', () => this.#closed());
    stream.pause();
    if (first !== undefined) this.#receive(first);
    if (stream.destroyed) this.#closed();
  }

  /** Bytes that came in, however many of them were read. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _write(data: Uint8Array, _encoding: string, done: Done): void {
    if (this.#stream.destroyed) {
      done(new Error('the connection was closed'));
      return;
    }
    // An empty message means "still here" to the other side, and is not delivered.
    if (data.length === 0 || this.#stream.write(data)) done();
    else this.#onDrained = done;
  }

  override _final(done: Done): void {
    this.#stream.end();
    done();
  }

  override _destroy(problem: Error | null, done: Done): void {
    this.#drained();
    this.#stream.destroy(problem ?? undefined);
    done(problem);
  }

  #receive(data: Uint8Array): void {
    this.#bytesRead += data.length;
    if (!this.push(data)) this.#stream.pause();
  }

  #drained(): void {
    const done = this.#onDrained;
    this.#onDrained = undefined;
    done?.();
  }

  #finishReading(): void {
    if (this.#hasEnded || this.destroyed) return;
    this.#hasEnded = true;
    this.push(null);
  }

  #closed(): void {
    if (!this.destroyed) this.destroy();
  }
}
