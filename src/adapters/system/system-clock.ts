/** Time by the computer's own clock. */
import { instant } from '../../base/units.ts';
import type { Clock } from '../../ports/clock.ts';

/** Timers of the platform hold at most this long; longer sleeps are made of several. */
const timerMaximumMs = 2_147_483_647;

export function systemClock(): Clock {
  return { now: () => instant(Date.now()), sleep };
}

async function sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
  let leftMs = durationMs;
  do {
    const stepMs = Math.min(Math.max(leftMs, 0), timerMaximumMs);
    await oneTimer(stepMs, signal);
    leftMs -= stepMs;
  } while (leftMs > 0 && signal?.aborted !== true);
}

function oneTimer(durationMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve();
      return;
    }
    const finish = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, durationMs);
    signal?.addEventListener('abort', finish, { once: true });
  });
}
