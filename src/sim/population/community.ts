/** A population as it stands: peers, slots, the lifecycles of those that are more than silent for a while, and what was counted so far. */
import { Prng } from '../../base/prng.ts';
import { hourMs } from '../../base/units.ts';
import type { LifecycleState } from '../../core/partners/lifecycle-state.ts';
import type { FollowedPair } from './followed-pair.ts';
import { PeerTable } from './peer-table.ts';
import type { PopulationPlan } from './plan.ts';
import { habits } from './presence.ts';
import { flags, noShard, SlotTable } from './slot-table.ts';
import { honestStrategies, strategies } from './strategies.ts';
import { TraceHash } from './trace-hash.ts';

/** More than bits of a word. */
export const mostShards = 33;

/** Where in a column of `believed` owners are counted that have so many shards at partners that are there, and so many more at those that are missed. */
export function believedAt(there: number, missed: number): number {
  return there * mostShards + missed;
}

export const traced = {
  departure: 1,
  reinstall: 2,
  join: 3,
  spare: 4,
  reinstated: 5,
  reneged: 6,
  upload: 7,
  reload: 8,
  restoreFailed: 9,
  followedEnd: 10,
  found: 11,
} as const;

/** Counts of one cell. */
export interface CellCounts {
  ownerDays: number;
  /** Shards sent for the first time. */
  firstUploads: number;
  /** Shards sent because one did not count any more. */
  repairUploads: number;
  /** Shards sent to a partner that had lost what it held. */
  reloads: number;
  /** Holders of a shard that left for good, or lost what they held. */
  losses: number;
  suspensions: number;
  reinstatements: number;
  /** Divorces of partners that had left for good. */
  divorces: number;
  /** Of partners that had not, after a silence of G or longer. */
  divorcesAlive: number;
  /** Of partners that had been silent for less than G of counted time: there must be none. */
  divorcesEarly: number;
  /** Of partners that were silent for less than G by the calendar, though longer in counted time. */
  divorcesHasty: number;
  joins: number;
  samples: number;
  /** Of owners that know that fewer than k of their holders honour a restore yet: partners are in commitment. They are not among what follows. */
  waiting: number;
  failures: number;
  /** Hypothetical futures of the next two weeks, and those in which the restore failed. */
  futures: number;
  futureFailures: number;
  /** By habit of the owner and number of shards: owners that take so many to be at partners that honour restores; see `believedAt`. */
  readonly believed: readonly Uint32Array[];
  /** Of the same owners: restores that failed in what came, and in drawn futures. */
  readonly cameToNothing: readonly Uint32Array[];
  readonly drewNothing: readonly Uint32Array[];
  /** Shards at partners that are missed, and those of them that are still partners. */
  shardsMissed: number;
  shardsMissedAlive: number;
  /** Shards that some partner could give back, and those of them that were out of reach for the whole window. */
  shardsHeld: number;
  shardsUnreached: number;
}

export function emptyCounts(): CellCounts {
  return {
    ...{ ownerDays: 0, firstUploads: 0, repairUploads: 0, reloads: 0, losses: 0, suspensions: 0 },
    ...{ reinstatements: 0, divorces: 0, divorcesAlive: 0, divorcesEarly: 0, divorcesHasty: 0 },
    ...{ joins: 0 },
    ...{ samples: 0, waiting: 0, failures: 0, futures: 0, futureFailures: 0 },
    ...{ believed: byBelief(), cameToNothing: byBelief(), drewNothing: byBelief() },
    ...{ shardsMissed: 0, shardsMissedAlive: 0 },
    ...{ shardsHeld: 0, shardsUnreached: 0 },
  };
}

function byBelief(): readonly Uint32Array[] {
  return habits.map(() => new Uint32Array(mostShards ** 2));
}

/** A shard at a partner that has divorced its owner for being silent, and keeps it for a while. */
export interface ServedShard {
  readonly holder: number;
  readonly shard: number;
  readonly untilDay: number;
}

export interface KeptLifecycle {
  readonly state: LifecycleState;
  /** Hours of the present silence that it was told of. */
  readonly toldHours: number;
}

export class Community {
  readonly plan: PopulationPlan;
  readonly peers: PeerTable;
  readonly slots: SlotTable;
  /** Of partners that were silent for T_r, or lost something; by the owner's slot. */
  readonly lifecycles: Map<number, KeptLifecycle> = new Map();
  readonly followed: Map<number, FollowedPair> = new Map();
  /** Pairs that are over. */
  readonly formerPairs: FollowedPair[] = [];
  readonly counts: readonly CellCounts[];
  readonly trace: TraceHash = new TraceHash();
  /** 1: its partners or shards are to be looked at. */
  readonly unsettled: Uint8Array;
  /** How many shards an owner sent ever. */
  readonly sentCount: Uint16Array;
  /** What former partners still serve; by the owner. */
  readonly served: Map<number, readonly ServedShard[]> = new Map();
  /** 1: nobody becomes its partner any more. */
  readonly barred: Uint8Array;
  readonly chance: Prng;
  day = 0;
  /** Before the first day, while partners are put together. */
  isSettling = true;

  constructor(plan: PopulationPlan) {
    this.plan = plan;
    this.peers = new PeerTable(plan);
    // Half as many partners again as the code needs, at most (core/partners/sufficiency.ts).
    const width = plan.rules.shards + Math.floor(plan.rules.shards / 2);
    this.slots = new SlotTable(this.peers.capacity, width);
    this.counts = plan.cells.map(emptyCounts);
    this.unsettled = new Uint8Array(this.peers.capacity);
    this.sentCount = new Uint16Array(this.peers.capacity);
    this.barred = new Uint8Array(this.peers.capacity);
    this.chance = new Prng(plan.seed).fork('community');
  }

  countsOf(peer: number): CellCounts {
    return this.counts[this.peers.cell[peer] ?? 0] ?? emptyCounts();
  }

  /** The agreement is over on both sides, and both look for somebody else. */
  part(slot: number): void {
    const owner = this.slots.ownerOf(slot);
    const partner = this.slots.partner[slot] ?? 0;
    const twin = this.slots.part(slot);
    for (const side of [slot, twin]) {
      this.lifecycles.delete(side);
      const pair = this.followed.get(side);
      if (pair === undefined) continue;
      this.followed.delete(side);
      this.formerPairs.push(pair);
      this.#remember(pair, side === slot ? partner : owner);
    }
    this.unsettled[owner] = 1;
    this.unsettled[partner] = 1;
  }

  /** Who was found out stays so among friends; among strangers it takes another name. */
  #remember(pair: FollowedPair, peer: number): void {
    const isHonest = strategies.indexOf(pair.strategy) < honestStrategies;
    const isKnown = this.plan.rules.terms.trusted && !isHonest;
    if (pair.over && (isKnown || !pair.strategy.comesBack)) this.barred[peer] = 1;
  }

  /** How much of the partner's commitment is over, by its owner's count; at most C. */
  committedMs(slot: number): number {
    const known = this.lifecycles.get(slot)?.state;
    if (known !== undefined && this.slots.has(slot, flags.live)) return known.committedMs;
    const { countedHours } = this.peers;
    const hours =
      (countedHours[this.slots.ownerOf(slot)] ?? 0) - (this.slots.committedFrom[slot] ?? 0);
    return Math.min(this.plan.rules.terms.commitmentMs, Math.max(0, hours * hourMs));
  }

  /** Remembers how much of it is over, so that it goes on from there. */
  setCommitted(slot: number, committedMs: number): void {
    const { countedHours } = this.peers;
    this.slots.committedFrom[slot] =
      (countedHours[this.slots.ownerOf(slot)] ?? 0) - committedMs / hourMs;
  }

  /** Who divorces a partner for its silence keeps what that one stored. `slot`: of the one who divorces. */
  serve(slot: number, forDays: number): void {
    const owner = this.slots.partner[slot] ?? 0;
    const twin = this.slots.twin[slot] ?? 0;
    const shard = this.slots.shard[twin] ?? noShard;
    if (shard === noShard || this.slots.has(twin, flags.lost)) return;
    const untilDay = this.day + forDays;
    const more = { holder: this.slots.ownerOf(slot), shard, untilDay };
    const before = (this.served.get(owner) ?? []).filter((each) => each.untilDay > this.day);
    this.served.set(owner, [...before, more]);
  }
}
