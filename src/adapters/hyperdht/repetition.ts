/**
 * Telling the DHT something again and again: nodes forget, go and come. Often at first, for a network may be only beginning and have nobody yet to remember it.
 */
import { secondMs } from '../../base/units.ts';

export interface Repetition {
  /** The first time is over, whatever came of it. */
  readonly first: Promise<void>;
  /** Waits for the work under way. */
  stop(): Promise<void>;
}

const firstPauseMs: number = 1 * secondMs;

/** Pauses double from a second to `longestPauseMs`. Failures are the next time's business. */
export function repeat(work: () => Promise<unknown>, longestPauseMs: number): Repetition {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  let pauseMs = firstPauseMs;
  const once = async (): Promise<void> => {
    await work().catch(() => undefined);
    if (isStopped) return;
    timer = setTimeout(() => {
      last = once();
    }, pauseMs);
    timer.unref();
    pauseMs = Math.min(2 * pauseMs, longestPauseMs);
  };
  const first = once();
  let last = first;
  return {
    first,
    stop: async () => {
      isStopped = true;
      clearTimeout(timer);
      await last;
    },
  };
}
