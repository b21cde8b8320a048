/**
 * Sees to it that everything lies as it should, now: what upkeep does by itself in the course of time is looked through at once and waited for (C20, C22).
 *
 * Partners are asked for a sign of life first, so that whoever is back counts again; where too few are left the search for others is woken.
 */
import { linkedAbort } from '../../base/linked-abort.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Stores } from '../../ports/stores.ts';
import type { Notifier } from '../work/notifier.ts';
import { type RepairWork, repairWork, type StripeHealth, stripeHealth } from './stripe-health.ts';

export interface RepairProgress {
  readonly health: StripeHealth;
  readonly work: RepairWork;
}

export interface RepairReport extends RepairProgress {
  /** Stripes that were short when it began, and are whole now. */
  readonly mended: number;
  readonly durationMs: number;
}

export interface RepairRunParts {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly changes: Notifier;
  /** Asks every partner for a sign of life. */
  readonly probe: (signal: AbortSignal) => Promise<void>;
  /** Has everything looked at again, and partners looked for. */
  readonly lookAgain: () => void;
  /** Nothing is being sent, and nothing could be. */
  readonly resting: () => boolean;
}

/** Looks this often when nothing happens, and not more often when much does. */
const lookMs = 500;
const leastLookMs = 200;
/** Ends when so many looks on end found nothing going on. */
const restingLooksMaximum = 8;

/** Ends when all is whole, nothing more can be done at present, or a signal aborts. */
export async function runRepair(
  parts: RepairRunParts,
  options: {
    readonly signal: AbortSignal;
    readonly progress: (progress: RepairProgress) => void;
  },
): Promise<RepairReport> {
  const { stores, clock, changes } = parts;
  const { signal } = options;
  const began = clock.now();
  const before = shortCount(stripeHealth(stores));
  await parts.probe(signal);
  parts.lookAgain();
  changes.notify();
  let restingLooks = 0;
  for (;;) {
    const progress = { health: stripeHealth(stores), work: repairWork(stores) };
    options.progress(progress);
    const short = shortCount(progress.health);
    const isDone = short === 0 && progress.work.stripes === 0;
    if (isDone || signal.aborted || restingLooks >= restingLooksMaximum) {
      const durationMs = Math.max(0, clock.now() - began);
      return { ...progress, mended: Math.max(0, before - short), durationMs };
    }
    restingLooks = (await nothingGoesOn(parts, signal)) ? restingLooks + 1 : 0;
  }
}

/** Waits until it is worth looking again; whether nothing went on meanwhile. */
async function nothingGoesOn(
  { clock, changes, resting }: RepairRunParts,
  signal: AbortSignal,
): Promise<boolean> {
  const wait = linkedAbort(signal);
  const woken = changes.changed(wait.signal);
  await clock.sleep(leastLookMs, wait.signal);
  await Promise.race([woken, clock.sleep(lookMs - leastLookMs, wait.signal)]);
  wait.abort();
  // Audits and signs of life change things all the time; whether anything is sent is what matters here.
  return resting();
}

function shortCount({ stripes, whole }: StripeHealth): number {
  return stripes - whole;
}
