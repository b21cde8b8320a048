/** Work that goes on as long as the computer runs: rounds, one after the other, and rest until something changes or it is time to try again. */
import { linkedAbort } from '../../base/linked-abort.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import { StorageBroken, StorageFull } from '../../ports/stores.ts';
import type { Backoff } from './backoff.ts';
import type { Notifier } from './notifier.ts';

export interface WorkLoopParts {
  readonly clock: Clock;
  readonly log: EventLog;
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

  /** Works until `signal` aborts. A disk that is full or failing is waited for; any other error ends the loop and is thrown. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, changes, backoff } = this.#parts;
    while (!signal.aborted) {
      const rest = linkedAbort(signal);
      // What changes during the round must not be missed by the rest after it.
      const changed = changes.changed(rest.signal);
      const lookedAt = clock.now();
      this.#resting = false;
      const outcome = await this.#once(signal);
      if (outcome !== 'advanced') {
        this.#resting = true;
        const soonMs = outcome === 'storage' ? lookAgainMs : backoff.nextMs(lookedAt);
        const pause = clock.sleep(Math.min(lookAgainMs, soonMs ?? lookAgainMs), rest.signal);
        await Promise.race(outcome === 'storage' ? [pause] : [changed, pause]);
      }
      rest.abort();
    }
  }

  async #once(signal: AbortSignal): Promise<'advanced' | 'nothing' | 'storage'> {
    try {
      return (await this.#round(signal)) ? 'advanced' : 'nothing';
    } catch (reason) {
      if (!(reason instanceof StorageFull || reason instanceof StorageBroken)) throw reason;
      const reported = { reason: reason.name, detail: reason.message };
      this.#parts.log.write('error', 'work.storage-failed', reported);
      return 'storage';
    }
  }
}
