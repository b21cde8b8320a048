/** When to try a partner again that failed: soon at first, then ever later. */
import type { PeerId } from '../core/vocabulary/ids.ts';
import type { Clock } from '../ports/clock.ts';

const firstMs = 1_000;
const longestMs = 5 * 60_000;

export class Backoff {
  readonly #clock: Clock;
  readonly #waits = new Map<PeerId, { until: number; ms: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  failed(partner: PeerId): void {
    const ms = Math.min(longestMs, (this.#waits.get(partner)?.ms ?? firstMs / 2) * 2);
    this.#waits.set(partner, { until: this.#clock.now() + ms, ms });
  }

  /** The partner answered, or is to be tried at once. */
  cleared(partner: PeerId): void {
    this.#waits.delete(partner);
  }

  waits(partner: PeerId): boolean {
    const wait = this.#waits.get(partner);
    return wait !== undefined && this.#clock.now() < wait.until;
  }

  /** Milliseconds until the first partner may be tried again; undefined when none waits. */
  nextMs(): number | undefined {
    let next: number | undefined;
    for (const { until } of this.#waits.values()) {
      const left = Math.max(0, until - this.#clock.now());
      if (next === undefined || left < next) next = left;
    }
    return next;
  }
}
