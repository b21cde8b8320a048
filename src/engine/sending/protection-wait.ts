/** Waits until a snapshot is as safe as wanted, or nothing more can be done for it at present. */
import { present } from '../../base/assert.ts';
import { linkedAbort } from '../../base/linked-abort.ts';
import type { SnapshotId } from '../../core/vocabulary/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { SnapshotPhase, Stores } from '../../ports/stores.ts';
import type { Spool } from '../backup/spool.ts';
import type { ProtectionProgress } from '../computer.ts';
import type { PartnerBook } from '../partners/partner-book.ts';
import type { Notifier } from '../work/notifier.ts';
import { protectionProgress, reached } from './protection.ts';

/** Looks this often when nothing happens, and not more often when much does: looking costs a pass over all packs. */
const lookMs = 500;
const leastLookMs = 200;
/** Gives up when so many looks on end found nothing going on. */
const restingLooksMaximum = 8;

export interface ProtectionWaitParts {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly spool: Spool;
  readonly book: PartnerBook;
  readonly changes: Notifier;
  /** Whether nothing is being sent or published. */
  readonly resting: () => boolean;
}

/** Ends with the phase that was reached; early when `stopped` or the caller's signal aborts. */
export async function waitForProtection(
  parts: ProtectionWaitParts,
  goal: { readonly snapshot: SnapshotId; readonly wanted: SnapshotPhase },
  options: {
    readonly signal: AbortSignal;
    readonly stopped: AbortSignal;
    readonly progress: (progress: ProtectionProgress) => void;
  },
): Promise<SnapshotPhase> {
  const { stores, spool, book } = parts;
  const { signal, stopped } = options;
  present(stores.snapshots.get(goal.snapshot), 'a snapshot of ours');
  let restingLooks = 0;
  for (;;) {
    const progress = protectionProgress(stores, goal.snapshot, spool.runBeganAt);
    options.progress(progress);
    const { phase } = progress;
    if (reached(phase, goal.wanted) || signal.aborted || stopped.aborted) return phase;
    if (book.open().length === 0 || restingLooks >= restingLooksMaximum) return phase;
    restingLooks = (await nothingGoesOn(parts, [signal, stopped])) ? restingLooks + 1 : 0;
  }
}

/** Waits until it is worth looking again; whether nothing went on meanwhile. */
async function nothingGoesOn(
  { clock, changes, resting }: ProtectionWaitParts,
  signals: readonly AbortSignal[],
): Promise<boolean> {
  const wait = linkedAbort(...signals);
  let changed = false;
  const woken = changes.changed(wait.signal).then(() => {
    changed = true;
  });
  await clock.sleep(leastLookMs, wait.signal);
  if (!changed) await Promise.race([woken, clock.sleep(lookMs - leastLookMs, wait.signal)]);
  const isResting = !changed && resting();
  wait.abort();
  return isResting;
}
