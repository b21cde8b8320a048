/**
 * How long this computer has been at work, over all its lives: what waits of the delete-lock are counted in (DESIGN §8).
 *
 * The wall clock cannot be trusted with other people's data: set forward by years, it would empty every trash at once. So time passes here only while the
 * computer runs, is counted in small steps, and a jump of the clock adds a day at most.
 */
import { assert } from '../../base/assert.ts';
import { decodeCbor, encodeCbor } from '../../base/codec.ts';
import { dayMs, type Instant, instant } from '../../base/units.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Stores } from '../../ports/stores.ts';

const jumpMaximumMs: number = dayMs;
const factName = 'running-ms';

export class RunningTime {
  readonly #stores: Stores;
  readonly #clock: Clock;
  #seenAt: number;

  constructor(stores: Stores, clock: Clock) {
    this.#stores = stores;
    this.#clock = clock;
    this.#seenAt = clock.now();
  }

  /** Milliseconds at work since the first start, as an instant that is comparable with others from here only. */
  now(): Instant {
    return instant(this.#counted() + this.#sinceSeen());
  }

  /** Makes durable what passed since the last time; while nobody waits it need not count, which spares the disk. To be called every few minutes. */
  tick(counts: boolean): void {
    const passed = counts ? Math.floor(this.#sinceSeen()) : 0;
    if (passed > 0) this.#stores.facts.put(factName, encodeCbor(this.#counted() + passed));
    this.#seenAt = this.#clock.now();
  }

  #sinceSeen(): number {
    return Math.min(jumpMaximumMs, Math.max(0, this.#clock.now() - this.#seenAt));
  }

  #counted(): number {
    const value = this.#stores.facts.get(factName);
    if (value === undefined) return 0;
    const decoded = decodeCbor(value, 16);
    assert(decoded.ok && typeof decoded.value === 'number', 'running time is a number');
    return decoded.value;
  }
}
