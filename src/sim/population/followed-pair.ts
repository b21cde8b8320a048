/**
 * One partner of an honest owner, followed hour by hour: its audits, its drills, the owner's lifecycle of it, and what the two gave each other.
 *
 * The owner's side is the machine of core/partners/lifecycle.ts with the cadence of core/audits/audit-cadence.ts; a partner is a row of strategies.ts. A dodged challenge
 * stays: until it is answered every further audit ends as silence (DESIGN §9).
 */
import { dayMs, hourMs, instant } from '../../base/units.ts';
import { auditCadence } from '../../core/audits/audit-cadence.ts';
import { stepLifecycle } from '../../core/partners/lifecycle.ts';
import type { LifecycleEffect, LifecycleEvent } from '../../core/partners/lifecycle-event.ts';
import {
  inCommitment,
  isRenewable,
  type LifecycleState,
  lifecycleStart,
} from '../../core/partners/lifecycle-state.ts';
import { type Balance, PairLedger } from './pair-ledger.ts';
import { atHour, type Rules } from './plan.ts';
import type { Strategy, StrategyMoment } from './strategies.ts';

/** One shard on disk: a pack's block range at one partner, about what a full pack leaves there. */
const shardSizeBytes = 4 * 2 ** 20;
/** Of drills, those that the restoring notice announces, and how far apart they are at least: as the engine's drills (engine/drills/drill.ts). */
const announcedShare = 1 / 30;
const announcedRestHours = 45 * 24;
const drillHours = 24;
/** The owner has its shards elsewhere so long after a notice, and sends again within so long what was lost. */
const movingHours = 72;
const reloadHours = 24;

export interface PairDay {
  readonly day: number;
  /** Hours of the two. */
  readonly ownerHours: number;
  readonly partnerHours: number;
  /** The partner's computer still exists. */
  readonly partnerLives: boolean;
  /** Share of its time that the owner is on, and by how much its running time counts (core/partners/counted-time.ts). */
  readonly ownerShare: number;
  readonly rate: number;
  /** 0 … 1, from the seed. */
  readonly chance: () => number;
}

/** A moment of a pair, in hours: of the world since day 0, of the owner's running time since the pair began, and of its counted time. */
export interface PairMoment {
  readonly hour: number;
  readonly ran: number;
  readonly counted: number;
}

/** What became of a pair. */
export interface PairAccount {
  /** When it first kept less than everything, or was gone. */
  readonly fell: PairMoment | undefined;
  /** First wrong or silent audit, refused drill, or silence for T_r. */
  readonly found: PairMoment | undefined;
  /** Not of computers that died. */
  readonly reneged: PairMoment | undefined;
  /** What `found` was expected to take from `fell` on, in hours of the owner's running time. */
  readonly expectedHours: number | undefined;
  readonly balance: Balance;
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
  readonly #rules: Rules;
  readonly #ledger: PairLedger;
  #state: LifecycleState;
  /** Since the pair began, or was renewed. */
  #begunHour: number;
  #rate = 1;
  #ranHours = 0;
  #lastAudit: number;
  #lastDrill: number;
  #lastAnnounced = Number.NEGATIVE_INFINITY;
  #dodged = false;
  #provenOn = -1;
  #movedHour = Number.POSITIVE_INFINITY;
  #wasThere = true;
  /** Until then it has nothing of what it should hold, and the owner knows. */
  #reloadedHour = Number.NEGATIVE_INFINITY;
  #ran = 0;
  #counted = 0;
  #died = false;
  #fell: PairMoment | undefined;
  #found: PairMoment | undefined;
  #reneged: PairMoment | undefined;
  #expectedHours: number | undefined;
  #accused = 0;
  #stepsOver = 0;
  #over = false;

  constructor(of: FollowedStart, rules: Rules) {
    const joinedHour = of.fromDay * 24;
    this.strategy = of.strategy;
    this.slot = of.slot;
    this.#rules = rules;
    this.#begunHour = joinedHour;
    this.#lastAudit = joinedHour;
    this.#lastDrill = joinedHour;
    this.#state = lifecycleStart(rules.periods, atHour(joinedHour));
    this.#ledger = new PairLedger(rules);
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
      ...{ expectedHours: this.#expectedHours, balance: this.#ledger.balance },
      ...{ accused: this.#accused, over: this.#over },
    };
  }

  /** Blocks that one audit of this pair draws, and how often, now. */
  cadence(hour: number): ReturnType<typeof auditCadence> {
    return auditCadence(this.#rules.terms, {
      ageMs: (hour - this.#begunHour) * hourMs,
      shardCount: Math.max(1, Math.round(this.#ledger.bytes / shardSizeBytes)),
    });
  }

  live(day: PairDay): void {
    this.#rate = day.rate;
    this.#died ||= !day.partnerLives;
    for (let inDay = 0; inDay < 24 && !this.#over; inDay += 1) {
      if (((day.ownerHours >>> inDay) & 1) === 0) continue;
      this.#hour(day.day * 24 + inDay, {
        ...day,
        partnerOn: ((day.partnerHours >>> inDay) & 1) === 1,
      });
    }
    this.#evening(day, day.day * 24 + 24);
  }

  #evening(day: PairDay, hour: number): void {
    if (!this.#over) this.#flush(hour);
    const grown = this.#over ? undefined : this.#ledger.grow(this.#state, atHour(hour));
    if (grown !== undefined) this.#step(hour, () => grown);
    if (this.#over) this.#ledger.close(this.#state, day.ownerShare);
    else this.#ledger.pass(this.#state, this.#heldShare(hour));
    this.#stepsOver = this.#ledger.stepsOver(this.#state);
  }

  #heldShare(hour: number): number {
    const isHeld = hour < this.#movedHour && hour >= this.#reloadedHour && this.#isInForce();
    return isHeld && this.#isThere(hour) ? this.strategy.kept : 0;
  }

  #isInForce(): boolean {
    return this.#state.phase !== 'reneged' && this.#state.phase !== 'ended';
  }

  #isThere(hour: number): boolean {
    return !this.#died && this.strategy.isThere(this.#moment(hour));
  }

  #moment(hour: number): StrategyMoment {
    const { periods } = this.#rules;
    return {
      ageDays: (hour - this.#begunHour) / 24,
      isCommitted: !inCommitment(this.#state, periods),
      stepsOver: this.#stepsOver,
      graceShare: this.#state.failingMs / periods.graceMs,
      keptDays: this.#state.keptLeftMs / dayMs,
    };
  }

  #hour(hour: number, at: PairDay & { readonly partnerOn: boolean }): void {
    if (!this.#isInForce()) this.#renew(hour);
    const isThere = this.#isThere(hour);
    const { kept, refusesRestores } = this.strategy;
    if (!this.#died && (!isThere || kept < 1 || refusesRestores)) this.#fall(hour, at, isThere);
    if (isThere !== this.#wasThere) this.#comeOrGo(hour, isThere);
    if (this.#isInForce()) {
      if (isThere && at.partnerOn) this.#meet(hour, at);
      else if (!this.#state.unanswered) this.#judge(hour, 'missed');
    }
    this.#ranHours += 1;
    this.#ran += 1;
    this.#counted += at.rate;
  }

  #meet(hour: number, at: PairDay): void {
    if (this.#state.unanswered) this.#step(hour, (now) => ({ type: 'answered', now }));
    this.#leave(hour);
    if (hour < this.#reloadedHour || !this.strategy.takesShards) return;
    this.#drill(hour, at);
    this.#audit(hour, at);
  }

  /** Whoever goes keeps nothing; some tell of it as of an honest loss. */
  #comeOrGo(hour: number, isThere: boolean): void {
    this.#wasThere = isThere;
    const { tellsLoss } = this.strategy;
    const tells = isThere ? tellsLoss === 'on-return' : tellsLoss === 'before-leaving';
    if (this.#died || !tells || !this.#isInForce()) return;
    if (this.#state.unanswered) this.#step(hour, (now) => ({ type: 'answered', now }));
    this.#step(hour, (now) => ({ type: 'loss-noticed', now }));
    this.#reloadedHour = hour + reloadHours;
  }

  #renew(hour: number): void {
    if (this.#died || this.strategy.renews?.(this.#moment(hour)) !== true) return;
    this.#step(hour, (now) => ({ type: 'renewed', now }));
    this.#begunHour = hour;
    this.#reloadedHour = hour + reloadHours;
  }

  #leave(hour: number): void {
    const { leaving } = this.#state;
    if (leaving !== undefined || !this.strategy.leavesWithNotice(this.#moment(hour))) return;
    const until = instant(atHour(hour) + this.#rules.terms.noticeMs);
    this.#step(hour, (now) => ({ type: 'notice-received', now, until }));
    this.#movedHour = hour + movingHours;
  }

  #audit(hour: number, { chance }: PairDay): void {
    const { intervalMs, coverageCount, uniformCount } = this.cadence(hour);
    if ((hour - this.#lastAudit) * hourMs < intervalMs && this.#state.proofsOwed === 0) return;
    if (hour - this.#lastAudit < 1) return;
    this.#lastAudit = hour;
    const { kept, whenLacking } = this.strategy;
    const lacks = kept < 1 && chance() >= kept ** (coverageCount + uniformCount);
    if (lacks && whenLacking === 'admits') {
      this.#find(hour);
      this.#judge(hour, 'wrong');
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
    this.#judge(hour, refuses ? 'drill-refused' : 'drill-served');
  }

  #unproved(hour: number): void {
    this.#find(hour);
    if (!this.#state.unproved) this.#judge(hour, 'unproved');
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

  #now(hour: number): PairMoment {
    return { hour, ran: this.#ran, counted: this.#counted };
  }

  #find(hour: number): void {
    this.#found ??= this.#now(hour);
  }

  /** From now on there is something to find. */
  #fall(hour: number, { ownerShare, rate }: PairDay, isThere: boolean): void {
    if (this.#fell !== undefined) return;
    this.#fell = this.#now(hour);
    const { intervalMs, coverageCount, uniformCount } = this.cadence(hour);
    const drawn = coverageCount + uniformCount;
    const { kept } = this.strategy;
    if (!this.strategy.takesShards) return;
    if (!isThere) this.#expectedHours = this.#rules.periods.spareMs / hourMs / rate;
    else if (kept < 1) this.#expectedHours = intervalMs / hourMs / (1 - kept ** drawn);
    else this.#expectedHours = (drillHours / announcedShare) * ownerShare;
  }

  #flush(hour: number): void {
    if (this.#ranHours === 0) return;
    const ranMs = this.#ranHours * hourMs;
    this.#ranHours = 0;
    const rate = this.#rate;
    this.#step(hour, (now) => ({ type: 'tick', now, ranMs, rate }));
  }

  /** The tick that was under way when it began to fail does not count. */
  #judge(
    hour: number,
    type: 'missed' | 'unproved' | 'wrong' | 'drill-refused' | 'drill-served',
  ): void {
    this.#step(hour, (now) => ({ type, now }));
    this.#step(hour, (now) => ({ type: 'tick', now, ranMs: 0, rate: 1 }));
  }

  #step(hour: number, event: (now: ReturnType<typeof atHour>) => LifecycleEvent): void {
    this.#flush(hour);
    if (this.#over) return;
    const { takesShards } = this.strategy;
    const periods = { ...this.#rules.periods, proves: takesShards, refusesRoom: !takesShards };
    const step = stepLifecycle(this.#state, event(atHour(hour)), periods);
    this.#state = step.state;
    for (const effect of step.effects) this.#heed(effect, hour);
    if (this.#isInForce() || this.#over) return;
    const returns = this.strategy.renews !== undefined && !this.#died;
    this.#over = !returns || !isRenewable(this.#state, periods, atHour(hour));
  }

  #heed(effect: LifecycleEffect, hour: number): void {
    if (effect.type === 'place-spares') this.#find(hour);
    if (effect.type === 'suspended' && effect.cause === 'wrong') this.#accused += 1;
    if (effect.type === 'divorce' && !this.#died) this.#reneged = this.#now(hour);
  }
}
