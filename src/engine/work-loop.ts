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
export async function workLoop(
  { clock, changes, backoff }: WorkLoopParts,
  round: () => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const resting = new AbortController();
    const wake = AbortSignal.any([signal, resting.signal]);
    // What changes during the round must not be missed by the rest after it.
    const changed = changes.changed(wake);
    if (!(await round())) {
      const pause = clock.sleep(Math.min(lookAgainMs, backoff.nextMs() ?? lookAgainMs), wake);
      await Promise.race([changed, pause]);
    }
    resting.abort();
  }
}
