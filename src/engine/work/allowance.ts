/** So many in a period, and no more: for what others can cause without end. A clock that leaps begins a new period. */
import { assert } from '../../base/assert.ts';
import type { Instant } from '../../base/units.ts';

export class Allowance {
  readonly #count: number;
  readonly #periodMs: number;
  #period: { readonly since: Instant; readonly taken: number } | undefined;

  constructor({ count, periodMs }: { readonly count: number; readonly periodMs: number }) {
    assert(count > 0 && periodMs > 0, 'an allowance allows something');
    this.#count = count;
    this.#periodMs = periodMs;
  }

  /** Whether one more is allowed now; it is taken then. */
  takes(now: Instant): boolean {
    const before = this.#period;
    const begun = before === undefined || Math.abs(now - before.since) > this.#periodMs;
    const taken = begun ? 0 : before.taken;
    if (taken >= this.#count) return false;
    this.#period = { since: begun ? now : before.since, taken: taken + 1 };
    return true;
  }
}
