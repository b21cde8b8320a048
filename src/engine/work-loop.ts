/** Work that goes on as long as the computer runs: rounds, one after the other, and rest until something changes or it is time to try again. */
import type { Clock } from '../ports/clock.ts';
import type { Backoff } from './backoff.ts';
import type { Notifier } from './notifier.ts';

export interface WorkLoopParts {
  readonly clock: Clock;
  readonly changes: Notifier;
  readonly backoff: Backoff;
}

/** How often a loop looks again when nothing happens. */
const lookAgainMs = 60_000;

/** `round` says whether it got anywhere; then the next one follows at once. */
export class WorkLoop {
  readonly #parts: WorkLoopParts;
  readonly #round: (signal: AbortSignal) => Promise<boolean>;
  #resting = true;

  constructor(parts: WorkLoopParts, round: (signal: AbortSignal) => Promise<boolean>) {
    this.#parts = parts;
    this.#round = round;
  }

  /** Nothing could be done when it last looked. */
  get resting(): boolean {
    return this.#resting;
  }

  /** Works until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, changes, backoff } = this.#parts;
    while (!signal.aborted) {
      const rest = new AbortController();
      const wake = AbortSignal.any([signal, rest.signal]);
      // What changes during the round must not be missed by the rest after it.
      const changed = changes.changed(wake);
      this.#resting = false;
      if (!(await this.#round(signal))) {
        this.#resting = true;
        const pause = clock.sleep(Math.min(lookAgainMs, backoff.nextMs() ?? lookAgainMs), wake);
        await Promise.race([changed, pause]);
      }
      rest.abort();
    }
  }
}
