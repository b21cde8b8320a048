/** A limit on bytes a second, shared by all who send: each takes its share before it sends and waits for its turn. */
import type { Clock } from '../../ports/clock.ts';

export class RateLimit {
  readonly #clock: Clock;
  readonly #bytesPerSecond: number | undefined;
  /** When everything granted so far will have been sent, at exactly the limit. */
  #freeAt = 0;
  #lastAt = 0;

  constructor(clock: Clock, bytesPerSecond: number | undefined) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
  }

  async take(bytes: number, signal: AbortSignal): Promise<void> {
    if (this.#bytesPerSecond === undefined) return;
    const now = this.#clock.now();
    // A clock that was set back says nothing about what was sent since.
    if (now < this.#lastAt) this.#freeAt = now;
    this.#lastAt = now;
    const start = Math.max(now, this.#freeAt);
    this.#freeAt = start + (bytes * 1_000) / this.#bytesPerSecond;
    if (start > now) await this.#clock.sleep(start - now, signal);
  }
}
