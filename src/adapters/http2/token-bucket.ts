/** A rate with a burst: `burst` at once after a quiet time, then `perSecond`. */
import { secondMs } from '../../base/units.ts';

export class TokenBucket {
  readonly #burst: number;
  readonly #perSecond: number;
  #tokens: number;
  #filledAtMs: number;

  constructor(burst: number, perSecond: number, nowMs: number) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#tokens = burst;
    this.#filledAtMs = nowMs;
  }

  /** Whether one more is within the rate. `nowMs` never goes back. */
  take(nowMs: number): boolean {
    const gained = ((nowMs - this.#filledAtMs) / secondMs) * this.#perSecond;
    this.#tokens = Math.min(this.#burst, this.#tokens + gained);
    this.#filledAtMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Nothing was taken for so long that forgetting the bucket changes nothing. */
  isFull(nowMs: number): boolean {
    const gained = ((nowMs - this.#filledAtMs) / secondMs) * this.#perSecond;
    return this.#tokens + gained >= this.#burst;
  }
}
