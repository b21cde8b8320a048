/** When to try a partner again that failed: soon at first, then ever later. */
import type { PeerId } from '../../core/vocabulary/ids.ts';
import type { Clock } from '../../ports/clock.ts';

const firstMs = 1_000;
const longestMs = 5 * 60_000;
/** A partner that is waited for so long failed many times on end: about two minutes. */
const lastingMs = 60_000;

interface Wait {
  readonly from: number;
  readonly until: number;
  readonly ms: number;
}

export class Backoff {
  readonly #clock: Clock;
  readonly #waits = new Map<PeerId, Wait>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  failed(partner: PeerId): void {
    const ms = Math.min(longestMs, (this.#waits.get(partner)?.ms ?? firstMs / 2) * 2);
    const from = this.#clock.now();
    this.#waits.set(partner, { from, until: from + ms, ms });
  }

  /** The partner answered, or is to be tried at once. */
  cleared(partner: PeerId): void {
    this.#waits.delete(partner);
  }

  waits(partner: PeerId): boolean {
    const wait = this.#waits.get(partner);
    const now = this.#clock.now();
    // A clock that was set back must not make a second's wait last for days.
    return wait !== undefined && wait.from <= now && now < wait.until;
  }

  /** The partner failed many times on end and not once succeeded. */
  isLasting(partner: PeerId): boolean {
    return (this.#waits.get(partner)?.ms ?? 0) >= lastingMs;
  }

  /**
   * Milliseconds until the next partner may be tried again that had to wait at `lookedAt`; undefined when none had. Those whose
   * wait was over by then were free to be tried, and are no reason to look again.
   */
  nextMs(lookedAt: number): number | undefined {
    const now = this.#clock.now();
    let next: number | undefined;
    for (const { until } of this.#waits.values()) {
      if (until <= lookedAt) continue;
      const left = Math.max(0, until - now);
      if (next === undefined || left < next) next = left;
    }
    return next;
  }
}
