/**
 * Who becomes whose partner: peers that want more find each other, or somebody who has room, in their own cell. Strangers must be on line together for long enough
 * (C24, core/agreements/policy.ts).
 */
import { present } from '../../base/assert.ts';
import { dayMs } from '../../base/units.ts';
import { overlapHours } from '../../core/partners/schedule.ts';
import { type Community, traced } from './community.ts';
import { FollowedPair } from './followed-pair.ts';
import { unfollowed } from './peer-table.ts';
import { habits, weekShares } from './presence.ts';
import { flags, noPartner } from './slot-table.ts';
import { strategies } from './strategies.ts';

const shifts = 24;
const tries = 12;

/** Hours a week that two computers of these habits are on line together. */
export class Overlaps {
  readonly #hours: Float32Array;

  constructor() {
    const weeks = habits.flatMap((_, habit) =>
      Array.from({ length: shifts }, (_, shift) => weekShares(habit, shift)),
    );
    this.#hours = Float32Array.from(
      weeks.flatMap((left) => weeks.map((right) => overlapHours(left, right))),
    );
  }

  hours(community: Community, left: number, right: number): number {
    const { habit, shift } = community.peers;
    const kindOf = (peer: number): number => (habit[peer] ?? 0) * shifts + (shift[peer] ?? 0);
    return this.#hours[kindOf(left) * habits.length * shifts + kindOf(right)] ?? 0;
  }
}

export class Matching {
  readonly #community: Community;
  readonly #overlaps = new Overlaps();
  /** Members of each cell, those that left among them until they are passed over. */
  readonly #members: number[][];

  constructor(community: Community) {
    this.#community = community;
    this.#members = community.plan.cells.map(() => []);
    for (let peer = 0; peer < community.peers.count; peer += 1) this.arrived(peer);
  }

  arrived(peer: number): void {
    present(this.#members[this.#community.peers.cell[peer] ?? 0], 'a cell').push(peer);
  }

  /** Finds partners for those that want some: each entry one more. */
  match(wanting: readonly number[], joinedDay: number): void {
    const { plan, peers, chance } = this.#community;
    for (let cell = 0; cell < plan.cells.length; cell += 1) {
      const here = wanting.filter((peer) => peers.cell[peer] === cell);
      const waiting = chance.shuffled(here);
      while (waiting.length > 0) {
        const peer = present(waiting.pop(), 'somebody waits');
        if (this.#community.slots.freeSlot(peer) < 0) continue;
        const other = this.#partnerFor(peer, waiting);
        if (other !== undefined) this.#join(peer, other, joinedDay);
      }
    }
  }

  #partnerFor(peer: number, waiting: number[]): number | undefined {
    for (let back = 1; back <= Math.min(tries, waiting.length); back += 1) {
      const at = waiting.length - back;
      const other = present(waiting[at], 'inside the list');
      if (!this.#suits(peer, other)) continue;
      waiting[at] = present(waiting.at(-1), 'the last of the list');
      waiting.pop();
      return other;
    }
    const { peers, chance, day } = this.#community;
    const members = present(this.#members[peers.cell[peer] ?? 0], 'a cell');
    for (let left = tries; left > 0 && members.length > 0; left -= 1) {
      const at = chance.below(members.length);
      const other = present(members[at], 'inside the list');
      if (!peers.isAlive(other, day)) {
        members[at] = present(members.at(-1), 'the last of the list');
        members.pop();
      } else if (this.#suits(peer, other)) return other;
    }
    return undefined;
  }

  #suits(peer: number, other: number): boolean {
    const { slots, peers, plan, barred } = this.#community;
    if (barred[peer] === 1 || barred[other] === 1) return false;
    if (peer === other || slots.freeSlot(other) < 0 || slots.arePartners(peer, other)) return false;
    if (isFollowed(peers.strategy[peer]) && isFollowed(peers.strategy[other])) return false;
    return this.#overlaps.hours(this.#community, peer, other) >= plan.rules.leastOverlapHours;
  }

  #join(left: number, right: number, joinedDay: number): void {
    const { slots, peers, trace, unsettled } = this.#community;
    const follows = isFollowed(peers.strategy[left]) || isFollowed(peers.strategy[right]);
    const day = follows ? Math.max(0, joinedDay) : joinedDay;
    const pair = slots.join(left, right, day);
    for (const slot of pair) this.#community.setCommitted(slot, Math.max(0, -day) * dayMs);
    trace.add(traced.join, left, right);
    this.#community.countsOf(left).joins += 1;
    unsettled[left] = 1;
    unsettled[right] = 1;
    for (const slot of pair) this.#follow(slot, day);
  }

  /** The honest side follows a partner that has a strategy. */
  #follow(slot: number, day: number): void {
    const { slots, peers, plan, followed } = this.#community;
    const strategy = strategies[peers.strategy[slots.partner[slot] ?? 0] ?? unfollowed];
    if (strategy === undefined) return;
    slots.mark(slot, flags.followed);
    const fromDay = this.#community.isSettling ? 0 : day + 1;
    followed.set(slot, new FollowedPair({ strategy, slot, fromDay }, plan.rules));
  }
}

function isFollowed(strategy: number | undefined): boolean {
  return strategy !== undefined && strategy !== unfollowed;
}

/** Partners of a peer that count: those that are not replaced. */
export function goodPartners({ slots }: Community, peer: number): number {
  let good = 0;
  const end = (peer + 1) * slots.width;
  for (let slot = peer * slots.width; slot < end; slot += 1)
    if (slots.partner[slot] !== noPartner && !slots.has(slot, flags.suspended)) good += 1;
  return good;
}
