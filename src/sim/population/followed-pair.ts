/**
 * One partner of an honest owner, followed hour by hour: its audits, its drills, the owner's lifecycle of it, and what the two gave each other.
 *
 * The owner's side is the machine of core/partners/lifecycle.ts with the cadence of core/audits/audit-cadence.ts; a partner is a row of strategies.ts. A dodged challenge
 * stays: until it is answered every further audit ends as silence (DESIGN §9).
 */
import { dayMs, hourMs, instant } from '../../base/units.ts';
import { openRamp, rampedBytes } from '../../core/agreements/ramp.ts';
import { auditCadence } from '../../core/audits/audit-cadence.ts';
import { stepLifecycle } from '../../core/partners/lifecycle.ts';
import type { LifecycleEffect, LifecycleEvent } from '../../core/partners/lifecycle-event.ts';
import {
  cleanMs,
  type LifecycleState,
  lifecycleStart,
  restorableFrom,
  restoresAllowed,
} from '../../core/partners/lifecycle-state.ts';
import { atHour, type Rules } from './plan.ts';
import type { Strategy, StrategyMoment } from './strategies.ts';

/** One shard on disk: a pack's block range at one partner, about what a full pack leaves there. */
const shardSizeBytes = 4 * 2 ** 20;
/** Of drills, those that the restoring notice announces, and how far apart they are at least: as the engine's drills (engine/drills/drill.ts). */
const announcedShare = 1 / 30;
const announcedRestHours = 45 * 24;
const drillHours = 24;

export interface PairDay {
  readonly day: number;
  /** Hours of the two. */
  readonly ownerHours: number;
  readonly partnerHours: number;
  /** Share of its time that the owner is on. */
  readonly ownerShare: number;
  /** 0 … 1, from the seed. */
  readonly chance: () => number;
}

/** A moment of a pair, in hours: of the world since day 0, and of the owner's running time since the pair began. */
export interface PairMoment {
  readonly hour: number;
  readonly ran: number;
}

/** What became of a pair. */
export interface PairAccount {
  /** When it first kept less than everything, or was gone. */
  readonly fell: PairMoment | undefined;
  /** First wrong or silent audit, refused drill, or silence for T_r. */
  readonly found: PairMoment | undefined;
  readonly reneged: PairMoment | undefined;
  /** What `found` was expected to take from `fell` on, in hours of the owner's running time. */
  readonly expectedHours: number | undefined;
  /** What the owner kept for the partner and would have given back. */
  readonly usableByteDays: number;
  /** Of it after the partnership was over. */
  readonly servedByteDays: number;
  readonly heldByteDays: number;
  /** How often the owner held that its bytes were wrong. */
  readonly accused: number;
  readonly over: boolean;
}

export interface FollowedStart {
  readonly strategy: Strategy;
  /** Of the owner. */
  readonly slot: number;
  /** First day that the pair lives. */
  readonly fromDay: number;
}

export class FollowedPair {
  readonly strategy: Strategy;
  readonly slot: number;
  readonly joinedHour: number;
  readonly #rules: Rules;
  #state: LifecycleState;
  #ranHours = 0;
  #lastAudit: number;
  #lastDrill: number;
  #lastAnnounced = Number.NEGATIVE_INFINITY;
  #dodged = false;
  #bytes = 0;
  #provenOn = -1;
  #movedHour: number | undefined;
  #ran = 0;
  #fell: PairMoment | undefined;
  #found: PairMoment | undefined;
  #reneged: PairMoment | undefined;
  #expectedHours: number | undefined;
  #usable = 0;
  #served = 0;
  #held = 0;
  #accused = 0;
  #over = false;

  constructor(of: FollowedStart, rules: Rules) {
    this.strategy = of.strategy;
    this.slot = of.slot;
    this.#rules = rules;
    this.joinedHour = of.fromDay * 24;
    this.#lastAudit = this.joinedHour;
    this.#lastDrill = this.joinedHour;
    this.#state = lifecycleStart(rules.periods, atHour(this.joinedHour));
    this.#lend(this.joinedHour);
  }

  get state(): LifecycleState {
    return this.#state;
  }

  get found(): PairMoment | undefined {
    return this.#found;
  }

  get over(): boolean {
    return this.#over;
  }

  account(): PairAccount {
    return {
      ...{ fell: this.#fell, found: this.#found, reneged: this.#reneged },
      expectedHours: this.#expectedHours,
      ...{ usableByteDays: this.#usable, servedByteDays: this.#served, heldByteDays: this.#held },
      ...{ accused: this.#accused, over: this.#over },
    };
  }

  /** Blocks that one audit of this pair draws, and how often, now. */
  cadence(hour: number): ReturnType<typeof auditCadence> {
    return auditCadence(this.#rules.terms, {
      ageMs: (hour - this.joinedHour) * hourMs,
      shardCount: Math.max(1, Math.round(this.#bytes / shardSizeBytes)),
    });
  }

  live(day: PairDay): void {
    for (let inDay = 0; inDay < 24 && !this.#over; inDay += 1) {
      if (((day.ownerHours >>> inDay) & 1) === 0) continue;
      this.#hour(day.day * 24 + inDay, {
        ...day,
        partnerOn: ((day.partnerHours >>> inDay) & 1) === 1,
      });
    }
    const evening = day.day * 24 + 24;
    if (!this.#over) this.#flush(evening);
    this.#account(day, evening);
  }

  #moment(hour: number): StrategyMoment {
    const { commitmentMs, noticeMs } = this.#rules.terms;
    return {
      ageDays: (this.#rules.commitmentRuns ? this.#ran : hour - this.joinedHour) / 24,
      commitmentDays: commitmentMs / dayMs,
      noticeDays: noticeMs / dayMs,
    };
  }

  #hour(hour: number, at: PairDay & { readonly partnerOn: boolean }): void {
    const moment = this.#moment(hour);
    const isThere = this.strategy.isThere(moment);
    const kept = this.strategy.kept(moment);
    if (!isThere || kept < 1 || this.strategy.refusesRestores) this.#fall(hour, at, kept);
    const reached = isThere && at.partnerOn;
    if (reached) {
      if (this.#state.unanswered) this.#step(hour, (now) => ({ type: 'answered', now }));
      this.#leave(hour, moment);
      this.#drill(hour, at);
      this.#audit(hour, { ...at, kept });
    } else if (!this.#state.unanswered) {
      this.#step(hour, (now) => ({ type: 'missed', now }));
      this.#step(hour, (now) => ({ type: 'tick', now, ranMs: 0, rate: 1 }));
    }
    this.#ranHours += 1;
    this.#ran += 1;
  }

  #leave(hour: number, moment: StrategyMoment): void {
    if (this.#state.leaving !== undefined || !this.strategy.leavesWithNotice(moment)) return;
    const until = instant(atHour(hour) + this.#rules.terms.noticeMs);
    this.#step(hour, (now) => ({ type: 'notice-received', now, until }));
    // The owner moves its shards away as soon as it is told; it has them elsewhere within three days.
    this.#movedHour = hour + 72;
  }

  #audit(hour: number, at: PairDay & { readonly kept: number }): void {
    const { intervalMs, coverageCount, uniformCount } = this.cadence(hour);
    if ((hour - this.#lastAudit) * hourMs < intervalMs && this.#state.proofsOwed === 0) return;
    if (hour - this.#lastAudit < 1) return;
    this.#lastAudit = hour;
    const lacks = at.kept < 1 && at.chance() >= at.kept ** (coverageCount + uniformCount);
    if (lacks && this.strategy.whenLacking === 'admits') {
      this.#find(hour);
      this.#step(hour, (now) => ({ type: 'wrong', now }));
      this.#step(hour, (now) => ({ type: 'tick', now, ranMs: 0, rate: 1 }));
      return;
    }
    if (lacks) this.#dodged = true;
    if (this.#dodged) this.#unproved(hour);
    else this.#proved(hour);
    // Whoever refused a drill is asked again, as for a restore of everything, until it serves.
    if (this.#state.refusedMs !== undefined) this.#tryRestore(hour);
  }

  #tryRestore(hour: number): void {
    const refuses = this.strategy.refusesRestores;
    if (refuses) this.#find(hour);
    const type = refuses ? 'drill-refused' : 'drill-served';
    this.#step(hour, (now) => ({ type, now }));
    this.#step(hour, (now) => ({ type: 'tick', now, ranMs: 0, rate: 1 }));
  }

  #unproved(hour: number): void {
    this.#find(hour);
    if (this.#state.unproved) return;
    this.#step(hour, (now) => ({ type: 'unproved', now }));
    this.#step(hour, (now) => ({ type: 'tick', now, ranMs: 0, rate: 1 }));
  }

  /** A proof that changes nothing need be told once a day only. */
  #proved(hour: number): void {
    const day = Math.floor(hour / 24);
    const { proofsOwed, unproved, failingMs } = this.#state;
    if (this.#provenOn === day && proofsOwed + failingMs === 0 && !unproved) return;
    this.#provenOn = day;
    this.#step(hour, (now) => ({ type: 'proved', now }));
  }

  #drill(hour: number, { chance }: PairDay): void {
    if (hour - this.#lastDrill < drillHours) return;
    this.#lastDrill = hour;
    if (hour - this.#lastAnnounced < announcedRestHours || chance() >= announcedShare) return;
    this.#lastAnnounced = hour;
    if (this.strategy.refusesRestores) this.#tryRestore(hour);
  }

  #find(hour: number): void {
    this.#found ??= { hour, ran: this.#ran };
  }

  /** From now on there is something to find. */
  #fall(hour: number, { ownerShare }: PairDay, kept: number): void {
    if (this.#fell !== undefined) return;
    this.#fell = { hour, ran: this.#ran };
    const { intervalMs, coverageCount, uniformCount } = this.cadence(hour);
    const drawn = coverageCount + uniformCount;
    if (!this.strategy.isThere(this.#moment(hour)))
      this.#expectedHours = this.#rules.periods.spareMs / hourMs;
    else if (kept < 1) this.#expectedHours = intervalMs / hourMs / (1 - kept ** drawn);
    else this.#expectedHours = (drillHours / announcedShare) * ownerShare;
  }

  #flush(hour: number): void {
    if (this.#ranHours === 0) return;
    const ranMs = this.#ranHours * hourMs;
    this.#ranHours = 0;
    this.#step(hour, (now) => ({ type: 'tick', now, ranMs, rate: 1 }));
  }

  #step(hour: number, event: (now: ReturnType<typeof atHour>) => LifecycleEvent): void {
    this.#flush(hour);
    if (this.#over) return;
    const step = stepLifecycle(this.#state, event(atHour(hour)), this.#rules.periods);
    this.#state = step.state;
    for (const effect of step.effects) this.#heed(effect, hour);
  }

  #heed(effect: LifecycleEffect, hour: number): void {
    if (effect.type === 'place-spares') this.#find(hour);
    if (effect.type === 'suspended' && effect.cause === 'wrong') this.#accused += 1;
    if (effect.type === 'divorce') this.#reneged = { hour, ran: this.#ran };
    if (effect.type === 'divorce' || effect.type === 'ended') this.#over = true;
  }

  /** What each lends the other grows while all is well, and is not taken back. */
  #lend(hour: number): void {
    const { terms, wantedBytes } = this.#rules;
    if (this.#state.phase !== 'in-commitment' && this.#state.phase !== 'standing') return;
    const ramp = terms.trusted ? undefined : openRamp;
    const ramped = rampedBytes(ramp, cleanMs(this.#state, atHour(hour)));
    this.#bytes = Math.max(this.#bytes, Math.min(wantedBytes, ramped));
  }

  /** What is left of C. */
  #committedMs(hour: number, ownerShare: number): number {
    const { terms, periods, commitmentRuns } = this.#rules;
    const left = commitmentRuns
      ? (terms.commitmentMs - this.#ran * hourMs) / ownerShare
      : restorableFrom(this.#state, periods, atHour(hour)) - atHour(hour);
    return Math.max(0, left);
  }

  /** What the two gave each other on this day; after the end, what the owner still serves. */
  #account({ ownerShare }: PairDay, hour: number): void {
    const { periods } = this.#rules;
    this.#lend(hour);
    const committedMs = this.#committedMs(hour, ownerShare);
    if (restoresAllowed(this.#state, periods) && committedMs === 0) this.#usable += this.#bytes;
    if (this.#over) {
      // The days of service run with the owner's own time; in what is left of the commitment nothing is given back.
      const servedMs = Math.max(0, this.#state.keptLeftMs / ownerShare - committedMs);
      this.#served = (this.#bytes * servedMs) / dayMs;
      this.#usable += this.#served;
      return;
    }
    if (this.#movedHour === undefined || hour < this.#movedHour)
      this.#held += this.#bytes * this.strategy.kept(this.#moment(hour));
  }
}
