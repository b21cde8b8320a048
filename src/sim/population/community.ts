/** A population as it stands: peers, slots, the lifecycles of those that are more than silent for a while, and what was counted so far. */
import { Prng } from '../../base/prng.ts';
import type { LifecycleState } from '../../core/partners/lifecycle-state.ts';
import type { FollowedPair } from './followed-pair.ts';
import { PeerTable } from './peer-table.ts';
import type { PopulationPlan } from './plan.ts';
import { SlotTable } from './slot-table.ts';
import { TraceHash } from './trace-hash.ts';

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
  /** Of partners that had been silent for less than G: there must be none. */
  divorcesEarly: number;
  joins: number;
  samples: number;
  failures: number;
  /** Hypothetical futures of the next two weeks, and those in which the restore failed. */
  futures: number;
  futureFailures: number;
  /** Shards looked at, those that no partner could give back at that moment, and those out of reach for the whole window. */
  shardsSampled: number;
  shardsMissing: number;
  shardsUnreached: number;
}

export function emptyCounts(): CellCounts {
  return {
    ...{ ownerDays: 0, firstUploads: 0, repairUploads: 0, reloads: 0, losses: 0, suspensions: 0 },
    ...{ reinstatements: 0, divorces: 0, divorcesAlive: 0, divorcesEarly: 0, joins: 0 },
    ...{ samples: 0, failures: 0, futures: 0, futureFailures: 0 },
    ...{ shardsSampled: 0, shardsMissing: 0, shardsUnreached: 0 },
  };
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
  /** Shards that an owner sent ever, one bit each. */
  readonly everSent: Int32Array;
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
    this.everSent = new Int32Array(this.peers.capacity);
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
    const isKnown = this.plan.rules.terms.trusted && pair.strategy.name !== 'honest';
    if (pair.account().over && (isKnown || !pair.strategy.comesBack)) this.barred[peer] = 1;
  }
}
