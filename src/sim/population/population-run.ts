/**
 * A population through its days (DESIGN §13): 10⁵ peers for a year on one core, by the pure functions that a single computer decides with.
 *
 * A day: some leave and others come, some lose what they hold, everybody's hours are known, owners meet their partners or miss them, what is missing is sent elsewhere, and
 * a seventh of the owners is asked whether it could restore. The same plan gives the same trace hash.
 */
import { type CellCounts, Community, emptyCounts, traced } from './community.ts';
import type { FollowedPair } from './followed-pair.ts';
import { Matching } from './matching.ts';
import { PartnerDays } from './partner-days.ts';
import { unfollowed } from './peer-table.ts';
import type { PopulationPlan } from './plan.ts';
import { Repair } from './repair.ts';
import { RestoreSamples } from './restore-samples.ts';
import { flags, noPartner, noShard } from './slot-table.ts';

export interface PopulationOutcome {
  readonly plan: PopulationPlan;
  readonly counts: readonly CellCounts[];
  readonly pairs: readonly FollowedPair[];
  /** For each pair the habit of its owner. */
  readonly ownerHabitOf: (pair: FollowedPair) => number;
  readonly traceHash: string;
  readonly traceCount: number;
  /** Peers that ever lived. */
  readonly peers: number;
}

/** At the beginning everybody has been everybody's partner for so long. */
const formerDays = 200;

export class PopulationRun {
  readonly #community: Community;
  readonly #matching: Matching;
  readonly #repair: Repair;
  readonly #days: PartnerDays;
  readonly #samples: RestoreSamples;

  constructor(plan: PopulationPlan) {
    this.#community = new Community(plan);
    this.#matching = new Matching(this.#community);
    this.#repair = new Repair(this.#community);
    this.#days = new PartnerDays(this.#community);
    this.#samples = new RestoreSamples(this.#community);
    this.#settleIn();
  }

  get day(): number {
    return this.#community.day;
  }

  /** All days; `onDay` hears of each that is over. */
  run(onDay: (day: number) => void = () => undefined): PopulationOutcome {
    const { plan } = this.#community;
    while (this.#community.day < plan.days) {
      this.#live();
      this.#community.day += 1;
      onDay(this.#community.day);
    }
    return this.#outcome();
  }

  /** Partners of long standing, who hold everything already. */
  #settleIn(): void {
    const { peers, slots, plan, counts, unsettled } = this.#community;
    const everybody = [...peers.alive()];
    for (let round = 0; round < plan.rules.shards; round += 1) {
      const wanting = everybody.filter((peer) => this.#partnersOf(peer) <= round);
      this.#matching.match(wanting, -formerDays);
    }
    slots.provenDays.fill(formerDays);
    for (const pair of this.#community.followed.keys()) slots.provenDays[pair] = 0;
    for (const peer of everybody) {
      unsettled[peer] = 1;
      this.#repair.settle(peer, { heldFromDay: 0 });
    }
    this.#community.isSettling = false;
    for (const each of counts) Object.assign(each, emptyCounts());
  }

  #partnersOf(peer: number): number {
    const { slots } = this.#community;
    const end = (peer + 1) * slots.width;
    let count = 0;
    for (let slot = peer * slots.width; slot < end; slot += 1)
      if (slots.partner[slot] !== noPartner) count += 1;
    return count;
  }

  #live(): void {
    const { peers, day } = this.#community;
    if (day > 0) this.#comeAndGo();
    peers.dawn(day);
    for (const peer of peers.reinstalling[day] ?? []) this.#reinstall(peer);
    this.#days.pass();
    this.#upkeep();
    this.#samples.pass();
  }

  #comeAndGo(): void {
    const { peers, slots, trace, unsettled, day } = this.#community;
    const leaving = peers.leaving[day] ?? [];
    for (const peer of leaving) {
      trace.add(traced.departure, peer, day);
      const end = (peer + 1) * slots.width;
      for (let slot = peer * slots.width; slot < end; slot += 1) this.#countLoss(slot);
    }
    peers.sweep(day);
    for (const peer of leaving) {
      const next = peers.succeed(peer, day);
      this.#matching.arrived(next);
      unsettled[next] = 1;
    }
  }

  /** A partner's disk is gone: what it held for us, in this slot of its own, is as well. */
  #countLoss(slot: number): boolean {
    const { slots, peers, day } = this.#community;
    const owner = slots.partner[slot] ?? noPartner;
    if (owner === noPartner || !peers.isAlive(owner, day)) return false;
    const twin = slots.twin[slot] ?? 0;
    if (slots.shard[twin] === noShard) return false;
    this.#community.countsOf(owner).losses += 1;
    return true;
  }

  #reinstall(peer: number): void {
    const { peers, slots, trace, day } = this.#community;
    if (!peers.isAlive(peer, day)) return;
    peers.planReinstall(peer, day);
    trace.add(traced.reinstall, peer, day);
    const end = (peer + 1) * slots.width;
    for (let slot = peer * slots.width; slot < end; slot += 1)
      if (this.#countLoss(slot)) slots.mark(slots.twin[slot] ?? 0, flags.lost);
  }

  #upkeep(): void {
    const { peers, unsettled, day } = this.#community;
    const wanting: number[] = [];
    for (const owner of peers.alive()) {
      const hours = peers.hours[owner] ?? 0;
      const counts = this.#community.countsOf(owner);
      if (peers.strategy[owner] === unfollowed) counts.ownerDays += 1;
      if (hours === 0 || unsettled[owner] === 0) continue;
      const wanted = this.#repair.settle(owner);
      for (let more = 0; more < wanted; more += 1) wanting.push(owner);
    }
    if (wanting.length > 0) this.#matching.match(wanting, day);
  }

  #outcome(): PopulationOutcome {
    const { plan, counts, followed, formerPairs, trace, peers, slots } = this.#community;
    return {
      ...{ plan, counts, pairs: [...formerPairs, ...followed.values()] },
      ownerHabitOf: ({ slot }) => peers.habit[slots.ownerOf(slot)] ?? 0,
      ...{ traceHash: trace.text(), traceCount: trace.count, peers: peers.count },
    };
  }
}
