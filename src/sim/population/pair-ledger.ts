/**
 * What the two of a followed pair gave each other: how much each lends, which of it is past its commitment, and what that came to, in bytes × days.
 *
 * Terms grow as the ramp allows. What each growth added is a place of its own in the ledger, as shards stored after it are (C30).
 */
import { dayMs, type Instant } from '../../base/units.ts';
import { openRamp, rampedBytes } from '../../core/agreements/ramp.ts';
import type { LifecycleEvent } from '../../core/partners/lifecycle-event.ts';
import {
  cleanMs,
  type LifecycleState,
  openStepOf,
  restoresAllowed,
} from '../../core/partners/lifecycle-state.ts';
import type { Rules } from './plan.ts';

const epoch = 1;

/** What one side had of it, in bytes × days. */
export interface Balance {
  /** The owner kept it for the partner, and would have given it back. */
  readonly usable: number;
  /** Of it after the partnership was over. */
  readonly served: number;
  /** Kept, but not to be had without another commitment. */
  readonly kept: number;
  /** What the partner held. */
  readonly held: number;
}

export class PairLedger {
  readonly #rules: Rules;
  /** Bytes that each growth added, the first agreement's first. */
  readonly #growths: number[];
  #balance: Balance = { usable: 0, served: 0, kept: 0, held: 0 };

  constructor(rules: Rules) {
    this.#rules = rules;
    this.#growths = [Math.min(rules.wantedBytes, rampedBytes(this.#ramp(), 0))];
  }

  get balance(): Balance {
    return this.#balance;
  }

  /** What each lends the other. */
  get bytes(): number {
    return this.#growths.reduce((sum, added) => sum + added, 0);
  }

  /** Growths after the first agreement that are past their commitment. */
  stepsOver(state: LifecycleState): number {
    return this.#growths.slice(1).filter((_, at) => this.#isCommitted(state, at + 1)).length;
  }

  /** What is lent grows while all is well, and is not taken back; what the lifecycle is to be told of that. */
  grow(state: LifecycleState, now: Instant): LifecycleEvent | undefined {
    if (state.phase !== 'in-commitment' && state.phase !== 'standing') return undefined;
    const ramped = rampedBytes(this.#ramp(), cleanMs(state, now));
    const more = Math.min(this.#rules.wantedBytes, ramped) - this.bytes;
    if (more <= 0) return undefined;
    const place = { epoch, sequence: this.#growths.length - 1 };
    this.#growths.push(more);
    // What was lent before is used up, so that nothing of the new is read in its stead.
    return { type: 'grown', now, theirs: place, ours: place, readableBytes: 0 };
  }

  /** One day. `heldShare`: of what is lent, so much the partner held. */
  pass(state: LifecycleState, heldShare: number): void {
    const usable = this.#usableBytes(state);
    const isKept = state.phase !== 'ended' || state.keptLeftMs > 0;
    this.#add({
      usable,
      served: 0,
      kept: isKept ? this.bytes - usable : 0,
      held: this.bytes * heldShare,
    });
  }

  /** It is over: what is kept runs down with the owner's running time. */
  close(state: LifecycleState, ownerShare: number): void {
    const keptDays = state.keptLeftMs / dayMs / ownerShare;
    const served = restoresAllowed(state, this.#rules.periods) ? this.bytes * keptDays : 0;
    const kept = served > 0 ? 0 : this.bytes * keptDays;
    this.#add({ usable: served, served, kept, held: 0 });
  }

  #usableBytes(state: LifecycleState): number {
    if (!restoresAllowed(state, this.#rules.periods)) return 0;
    return this.#growths.reduce(
      (sum, added, sequence) => sum + (this.#isCommitted(state, sequence) ? added : 0),
      0,
    );
  }

  #isCommitted(state: LifecycleState, sequence: number): boolean {
    return openStepOf(state, { epoch, sequence }) === undefined;
  }

  #ramp(): typeof openRamp | undefined {
    return this.#rules.ramps ? openRamp : undefined;
  }

  #add(more: Balance): void {
    const { usable, served, kept, held } = this.#balance;
    this.#balance = {
      usable: usable + more.usable,
      served: served + more.served,
      kept: kept + more.kept,
      held: held + more.held,
    };
  }
}
