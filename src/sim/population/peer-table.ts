/** The peers of a population as columns. A peer that leaves for good stays in the table; whoever comes in its place has a row of its own. */
import { assert, present } from '../../base/assert.ts';
import { Prng } from '../../base/prng.ts';
import { rateOfShare } from '../../core/partners/counted-time.ts';
import { bitCount } from './hashed-chance.ts';
import {
  type CellPlan,
  departuresPerYear,
  type PopulationPlan,
  reinstallsPerYear,
  yearDays,
} from './plan.ts';
import { alwaysOn, availabilityOf, classMixes, habits, hoursOn } from './presence.ts';
import { honestStrategies, strategies } from './strategies.ts';

/** A restore may begin so many days after the disaster, and takes as many (RESEARCH §3). */
export const absenceDays = 7;
export const windowDays = 7;
const lookaheadDays: number = absenceDays + windowDays;
const neverDay = 1_000_000;
const watchedDays = 7;

export const unfollowed = 255;

export class PeerTable {
  readonly habit: Uint8Array;
  readonly shift: Uint8Array;
  readonly cell: Uint8Array;
  /** Number in `strategies`, or `unfollowed`: honest, and counted in bulk. */
  readonly strategy: Uint8Array;
  /** 1: holds nothing, and is never found out. */
  readonly sleeper: Uint8Array;
  readonly bornDay: Int32Array;
  /** Day from which it is gone for good. */
  readonly departsDay: Int32Array;
  /** Next day on which it loses what it holds. */
  readonly reinstallsDay: Int32Array;
  /** Hours of today. */
  readonly hours: Uint32Array;
  /** By how much its running time counts, by its habit (core/partners/counted-time.ts). */
  readonly #rates: readonly number[];
  /** Hours that it counted until the end of today. */
  readonly countedHours: Float64Array;
  /** The latest day known, at most `lookaheadDays` − 1 ahead, on which it is on, whether it is still a member then or not. */
  readonly lastOnDay: Int32Array;
  readonly leaving: number[][] = [];
  readonly reinstalling: number[][] = [];
  readonly #plan: PopulationPlan;
  readonly #chance: Prng;
  readonly #alive: Int32Array;
  #aliveCount = 0;
  #count = 0;

  constructor(plan: PopulationPlan) {
    this.#plan = plan;
    this.#chance = new Prng(plan.seed).fork('peers');
    const members = plan.cells.reduce((sum, { peers }) => sum + peers, 0);
    const expected = members * (1 + (departuresPerYear * plan.days) / yearDays);
    const capacity = Math.ceil(expected + 6 * Math.sqrt(expected) + 64);
    this.habit = new Uint8Array(capacity);
    this.shift = new Uint8Array(capacity);
    this.cell = new Uint8Array(capacity);
    this.strategy = new Uint8Array(capacity).fill(unfollowed);
    this.sleeper = new Uint8Array(capacity);
    this.bornDay = new Int32Array(capacity);
    this.departsDay = new Int32Array(capacity);
    this.reinstallsDay = new Int32Array(capacity);
    this.hours = new Uint32Array(capacity);
    this.#rates = habits.map((_, habit) => rateOfShare(availabilityOf(habit)));
    this.countedHours = new Float64Array(capacity);
    this.lastOnDay = new Int32Array(capacity).fill(-1);
    this.#alive = new Int32Array(capacity);
    for (let day = 0; day <= plan.days; day += 1) {
      this.leaving.push([]);
      this.reinstalling.push([]);
    }
    plan.cells.forEach((cell, number) => {
      this.#settle(cell, number);
    });
  }

  get count(): number {
    return this.#count;
  }

  get capacity(): number {
    return this.habit.length;
  }

  /** Those that have not left, in order of number. */
  alive(): Int32Array {
    return this.#alive.subarray(0, this.#aliveCount);
  }

  isAlive(peer: number, day: number): boolean {
    return (this.departsDay[peer] ?? 0) > day;
  }

  /** By how much an hour of it counts: 1 until it was watched for a week. */
  rate(peer: number, day: number): number {
    const born = this.bornDay[peer] ?? 0;
    if (born > 0 && day - born < watchedDays) return 1;
    return present(this.#rates[this.habit[peer] ?? 0], 'a habit');
  }

  /** Somebody comes in the place of one who left, of its kind. */
  succeed(peer: number, day: number): number {
    const cell = this.cell[peer] ?? 0;
    return this.#add({
      ...{ cell, strategy: this.strategy[peer] ?? unfollowed, day },
      sleeper: this.sleeper[peer] === 1,
    });
  }

  /** Removes who left, at the beginning of a day. */
  sweep(day: number): void {
    let kept = 0;
    for (let at = 0; at < this.#aliveCount; at += 1) {
      const peer = this.#alive[at] ?? 0;
      if (!this.isAlive(peer, day)) {
        this.hours[peer] = 0;
        continue;
      }
      this.#alive[kept] = peer;
      kept += 1;
    }
    this.#aliveCount = kept;
  }

  /** Hours of this day, and a look at the last day of a restore that a disaster of today would bring. */
  dawn(day: number): void {
    const ahead = day + lookaheadDays - 1;
    for (let at = 0; at < this.#aliveCount; at += 1) {
      const peer = this.#alive[at] ?? 0;
      const hours = this.#hoursOn(peer, day);
      this.hours[peer] = hours;
      const counted = this.countedHours[peer] ?? 0;
      this.countedHours[peer] = counted + bitCount(hours) * this.rate(peer, day);
      if (this.#hoursOn(peer, ahead) !== 0) this.lastOnDay[peer] = ahead;
    }
  }

  /** Draws when it loses what it holds the next time. */
  planReinstall(peer: number, day: number): void {
    const next = day + 1 + this.#wait(reinstallsPerYear);
    this.reinstallsDay[peer] = next;
    if (next <= this.#plan.days) this.reinstalling[next]?.push(peer);
  }

  #settle(cell: CellPlan, number: number): void {
    const followed = cell.strategyPeers * strategies.length;
    assert(followed < cell.peers / 2, 'most peers of a cell are honest');
    for (let place = 0; place < cell.peers; place += 1) {
      const strategy = place < followed ? place % strategies.length : unfollowed;
      const sleeper = place < Math.round(cell.cheatShare * cell.peers);
      this.#add({ cell: number, strategy, sleeper, day: 0 });
    }
  }

  #add(from: {
    readonly cell: number;
    readonly strategy: number;
    readonly sleeper: boolean;
    readonly day: number;
  }): number {
    const peer = this.#count;
    assert(peer < this.capacity, 'the table has room for all who come');
    this.#count += 1;
    this.#alive[this.#aliveCount] = peer;
    this.#aliveCount += 1;
    const isFollowed = from.strategy !== unfollowed;
    // Who is compared is always there: its own absence is no part of what is tried.
    const isSteady = isFollowed && from.strategy !== honestStrategies - 1;
    this.habit[peer] = isSteady ? alwaysOn : this.#habit(from.cell);
    this.shift[peer] =
      this.#plan.preset === 'circle' ? this.#chance.below(3) : this.#chance.below(24);
    this.cell[peer] = from.cell;
    this.strategy[peer] = from.strategy;
    this.sleeper[peer] = from.sleeper ? 1 : 0;
    this.bornDay[peer] = from.day;
    // Computers of those who are honest die like any; a cheat's stays, so that its own doing alone is seen.
    const isCheat = isFollowed && from.strategy >= honestStrategies;
    const departs = isCheat ? neverDay : from.day + 1 + this.#wait(departuresPerYear);
    this.departsDay[peer] = departs;
    if (departs <= this.#plan.days) this.leaving[departs]?.push(peer);
    if (isFollowed) this.reinstallsDay[peer] = neverDay;
    else this.planReinstall(peer, from.day);
    for (let ahead = 0; ahead < lookaheadDays; ahead += 1)
      if (this.#hoursOn(peer, from.day + ahead) !== 0) this.lastOnDay[peer] = from.day + ahead;
    this.hours[peer] = this.#hoursOn(peer, from.day);
    return peer;
  }

  #habit(cell: number): number {
    const mix = classMixes[this.#plan.cells[cell]?.availability ?? 0.66];
    let left = this.#chance.unit();
    for (const [habit, share] of mix.entries()) {
      left -= share;
      if (left < 0) return habit;
    }
    return mix.length - 1;
  }

  /** Days until something that happens so often, at random. */
  #wait(perYear: number): number {
    return Math.floor((-Math.log(1 - this.#chance.unit()) * yearDays) / perYear);
  }

  #hoursOn(peer: number, day: number): number {
    const habit = this.habit[peer] ?? 0;
    return hoursOn({ seed: this.#plan.seed, peer, habit, shift: this.shift[peer] ?? 0 }, day);
  }
}
