/**
 * Whether a partner takes an upload fast enough: one that takes a few bytes now and then is never silent, and would keep us at it for ever.
 *
 * Counted is the time that the transport keeps us waiting, for room to send and for the answer. What our own limit on uploads takes is not.
 */
import { kibi, minuteMs, secondMs } from '../../base/units.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Body } from '../../ports/transport.ts';

/** Eight partners that share an uplink of 256 kbit/s still take twice as much each. What was sent is kept, so even a slower one gets there in pieces. */
export const leastBytesPerSecond: number = 2 * kibi;
/** Beside what the bytes may take: connecting, gathering speed, a disk that is busy. */
export const graceMs: number = 2 * minuteMs;
const lookMs: number = 5 * secondMs;

export class UploadPace {
  readonly #clock: Clock;
  #takenBytes = 0;
  #waitedMs = 0;
  #markedAt: number;
  #isOurTurn = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#markedAt = clock.now();
  }

  /** The same body, whose taking is watched. */
  async *watched(body: Body): AsyncGenerator<Uint8Array> {
    this.#turn(true);
    try {
      for await (const part of body instanceof Uint8Array ? [body] : body) {
        this.#turn(false);
        yield part;
        this.#takenBytes += part.length;
        this.#turn(true);
      }
    } finally {
      this.#turn(false);
    }
  }

  /** Calls `late` when the partner is too slow. Resolves then, or when `ended` aborts. */
  async watch(late: () => void, ended: AbortSignal): Promise<void> {
    while (!ended.aborted) {
      this.#turn(this.#isOurTurn);
      const leftMs = graceMs + (this.#takenBytes * secondMs) / leastBytesPerSecond - this.#waitedMs;
      if (leftMs <= 0) return late();
      await this.#clock.sleep(lookMs, ended);
    }
  }

  #turn(isOurs: boolean): void {
    const now = this.#clock.now();
    // No more than two looks apart: a clock that was set, or a computer that slept, says nothing about the partner.
    const passedMs = Math.min(Math.max(0, now - this.#markedAt), 2 * lookMs);
    if (!this.#isOurTurn) this.#waitedMs += passedMs;
    this.#markedAt = now;
    this.#isOurTurn = isOurs;
  }
}
