/** Time as the engine sees it. */
import type { Instant } from '../base/units.ts';

export interface Clock {
  now(): Instant;
  /** Resolves after `durationMs`, or as soon as `signal` aborts. Never rejects. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
}
