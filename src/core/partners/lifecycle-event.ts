/** What can happen to a partnership, and what is to be done then (C30, C46). */
import type { Instant } from '../../base/units.ts';
import type { LedgerPlace } from '../agreements/acknowledgement.ts';
import type { FailureCause, LifecycleState } from './lifecycle-state.ts';

export type LifecycleEvent =
  /** It answered anything that only it can answer. */
  | { readonly type: 'answered'; readonly now: Instant }
  /** We asked, being on line, and nothing answered (offline). */
  | { readonly type: 'missed'; readonly now: Instant }
  /** It answers, but not the challenge (silent). */
  | { readonly type: 'unproved'; readonly now: Instant }
  /** It answers the challenge, and nothing can be said of what it holds (unclear). */
  | { readonly type: 'unjudged'; readonly now: Instant }
  /** It proved what it holds: an audit passed. */
  | { readonly type: 'proved'; readonly now: Instant }
  /** It is there, and gave nothing when a restore was tried (C17). */
  | { readonly type: 'drill-refused'; readonly now: Instant }
  /** It gave what was asked for as for a restore, and it was right. */
  | { readonly type: 'drill-served'; readonly now: Instant }
  /** Its bytes prove a loss. Our own faults are no event at all. */
  | { readonly type: 'wrong'; readonly now: Instant }
  /** It told of a total loss so soon after another that it is not sent everything once more. */
  | { readonly type: 'lost-again'; readonly now: Instant }
  /** `ranMs`: how long we have run, on line, since the last tick, by a clock that nobody sets; `rate` as in counted-time.ts. */
  | {
      readonly type: 'tick';
      readonly now: Instant;
      readonly ranMs: number;
      readonly rate: number;
    }
  /** Terms came into force under which more is lent; the places are those of the last shards that it stored here, and we there. */
  | {
      readonly type: 'grown';
      readonly now: Instant;
      readonly theirs: LedgerPlace;
      readonly ours: LedgerPlace;
      /** See `CommitmentStep`. */
      readonly readableBytes: number;
    }
  /** It took us back after it held that we had reneged or left: commitment begins anew on both sides. `wasAway`: for so long that it may well have held that. */
  | { readonly type: 'recommitted'; readonly now: Instant; readonly wasAway?: boolean }
  /** After the end it says, signed, that it wants to be a partner again. */
  | { readonly type: 'renewed'; readonly now: Instant }
  | { readonly type: 'notice-given'; readonly now: Instant; readonly until: Instant }
  | { readonly type: 'notice-received'; readonly now: Instant; readonly until: Instant }
  /** Whoever gave notice took it back. */
  | { readonly type: 'notice-withdrawn'; readonly now: Instant; readonly by: 'us' | 'partner' }
  /** It says, signed, that it lost everything. */
  | { readonly type: 'loss-noticed'; readonly now: Instant }
  /** We told it that we lost everything: for a while it may hold that our commitment runs again. */
  | { readonly type: 'own-loss'; readonly now: Instant }
  /** It says that it is back; only an answer shows it. */
  | { readonly type: 'returned'; readonly now: Instant }
  /** A person forgives it. */
  | { readonly type: 'forgiven'; readonly now: Instant }
  /** A person ends it at once. */
  | { readonly type: 'dropped'; readonly now: Instant };

export type LifecycleEffect =
  /** C is over: restores may be made and honoured. */
  | { readonly type: 'committed' }
  | { readonly type: 'suspended'; readonly cause: FailureCause }
  /** Silent for T_r: place spares of its shards. */
  | { readonly type: 'place-spares' }
  | { readonly type: 'release-spares' }
  /** It is back: ask for a proof soon. */
  | { readonly type: 'ask-proof' }
  | { readonly type: 'reinstated' }
  /** It reneged: replace it, and enter it into the track record. */
  | { readonly type: 'divorce'; readonly cause: FailureCause }
  /** Keep what it stored here for so much of our running time. */
  | { readonly type: 'serve'; readonly forMs: number }
  /** Move our shards away before the notice ends. */
  | { readonly type: 'move-shards'; readonly until: Instant }
  /** It lost what it held: send it again. */
  | { readonly type: 'reload' }
  /** The agreement is over. */
  | { readonly type: 'ended' }
  /** What it stored here may go. */
  | { readonly type: 'discard' };

export interface LifecycleStep {
  readonly state: LifecycleState;
  readonly effects: readonly LifecycleEffect[];
}
