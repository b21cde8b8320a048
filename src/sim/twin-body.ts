/** Sends a body into a pipe of the simulator's network, keeping to the length that was announced. */
import type { Body } from '../ports/transport.ts';
import type { TwinPipe } from './twin-pipe.ts';

export type SendEnd =
  | { readonly type: 'sent' | 'stopped' }
  | { readonly type: 'source-broken'; readonly detail: string };

const pieceBytes = 64 * 1_024;

export class TwinBody {
  readonly #pipe: TwinPipe;
  readonly #source: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  readonly #announced: number | undefined;
  #isAtSource = false;

  constructor(pipe: TwinPipe, body: Body, announced: number | undefined) {
    this.#pipe = pipe;
    this.#announced = announced;
    this.#source =
      body instanceof Uint8Array ? pieces(body)[Symbol.iterator]() : body[Symbol.asyncIterator]();
  }

  /** The body has yet to produce its next bytes. */
  get isAtSource(): boolean {
    return this.#isAtSource;
  }

  /** Never rejects. */
  async run(): Promise<SendEnd> {
    try {
      return await this.#pump();
    } catch (problem) {
      return { type: 'source-broken', detail: String(problem) };
    }
  }

  async #pump(): Promise<SendEnd> {
    let sentBytes = 0;
    while (true) {
      this.#isAtSource = true;
      const next = await this.#source.next();
      this.#isAtSource = false;
      if (next.done === true) break;
      sentBytes += next.value.length;
      if (this.#announced !== undefined && sentBytes > this.#announced)
        return this.#leave({ type: 'source-broken', detail: 'longer than announced' });
      for (const piece of pieces(next.value))
        if (!(await this.#pipe.write(piece))) return this.#leave({ type: 'stopped' });
    }
    if (this.#announced !== undefined && sentBytes < this.#announced)
      return { type: 'source-broken', detail: 'shorter than announced' };
    this.#pipe.finish();
    return { type: 'sent' };
  }

  #leave(end: SendEnd): SendEnd {
    const finished = this.#source.return?.();
    if (finished instanceof Promise) finished.catch(() => undefined);
    return end;
  }
}

function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += pieceBytes)
    yield bytes.subarray(offset, offset + pieceBytes);
}
