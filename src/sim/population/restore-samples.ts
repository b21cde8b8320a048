/**
 * What if the owner's computer were lost today? Asked of every owner once a week: whether enough shards could be given back within the window, by partners that hold them,
 * stay, are past their commitment, and are on line at some hour of it (RESEARCH §3).
 *
 * One answer is what really happens next. Since restores fail seldom, further futures are drawn beside it: each holder stays for the two weeks or not, by its rate of
 * leaving alone; when it is on line is as it was.
 */

import { believedAt, type CellCounts, type Community, traced } from './community.ts';
import { bitCount } from './hashed-chance.ts';
import { absenceDays, windowDays } from './peer-table.ts';
import { departuresPerYear, reinstallsPerYear, yearDays } from './plan.ts';
import { flags, noPartner, noShard } from './slot-table.ts';

/** Owners younger than this, and the first days of a run, are not looked at: their partners are still coming together. */
export const settlingDays = 60;
const everyDays = 7;
export const drawnFutures = 8;
const word = 2 ** 32;
/** Partners, and former ones that still serve. */
const mostHolders = 256;

export class RestoreSamples {
  readonly #community: Community;
  readonly #chance: Community['chance'];
  readonly #stays: number;
  readonly #shards: Int32Array;
  readonly #reached: Uint8Array;
  /** Of the owner that is looked at: shards as bits. */
  readonly #seen = { found: 0, held: 0, actual: 0, reachable: 0 };
  /** Shards at partners that honour restores, for all that the owner knows; and those of them at partners that are not missed. */
  readonly #believed = { honoured: 0, counted: 0, missed: 0, missedAlive: 0 };

  constructor(community: Community) {
    this.#community = community;
    this.#chance = community.chance.fork('futures');
    const perYear = departuresPerYear + reinstallsPerYear;
    this.#stays = Math.exp((-perYear * (absenceDays + windowDays)) / yearDays) * word;
    this.#shards = new Int32Array(mostHolders);
    this.#reached = new Uint8Array(mostHolders);
  }

  pass(): void {
    const { peers, plan, day } = this.#community;
    if (day < settlingDays) return;
    for (const owner of peers.alive()) {
      if ((day + owner) % everyDays !== 0) continue;
      const born = peers.bornDay[owner] ?? 0;
      if (born > 0 && day - born < settlingDays) continue;
      if ((plan.cells[peers.cell[owner] ?? 0]?.strategyPeers ?? 0) === 0) this.#sample(owner);
    }
  }

  #sample(owner: number): void {
    const { slots, peers, plan, trace, day } = this.#community;
    const counts = this.#community.countsOf(owner);
    const seen = this.#seen;
    seen.found = 0;
    seen.held = 0;
    seen.actual = 0;
    seen.reachable = 0;
    this.#believed.honoured = 0;
    this.#believed.counted = 0;
    this.#believed.missed = 0;
    this.#believed.missedAlive = 0;
    const end = (owner + 1) * slots.width;
    for (let slot = owner * slots.width; slot < end; slot += 1) this.#lookAt(slot);
    for (const { holder, shard, untilDay } of this.#community.served.get(owner) ?? [])
      if (untilDay >= day + absenceDays) this.#see(holder, shard);
    const needed = plan.rules.code.dataShards;
    counts.samples += 1;
    if (bitCount(this.#believed.honoured) < needed) {
      counts.waiting += 1;
      return;
    }
    const habit = peers.habit[owner] ?? 0;
    const { counted, missed, missedAlive } = this.#believed;
    const at = believedAt(bitCount(counted), missed);
    add(counts.believed[habit], at, 1);
    counts.shardsMissed += missed;
    counts.shardsMissedAlive += missedAlive;
    counts.shardsHeld += bitCount(seen.held);
    counts.shardsUnreached += bitCount(seen.held) - bitCount(seen.reachable);
    if (bitCount(seen.actual) < needed) {
      counts.failures += 1;
      add(counts.cameToNothing[habit], at, 1);
      trace.add(traced.restoreFailed, owner, day);
    }
    const before = counts.futureFailures;
    this.#drawFutures(needed, counts);
    add(counts.drewNothing[habit], at, counts.futureFailures - before);
  }

  /** A holder that has a shard and would give it back. */
  #see(holder: number, shard: number): void {
    const { peers, day } = this.#community;
    if (!peers.isAlive(holder, day) || peers.sleeper[holder] === 1) return;
    if (this.#seen.found === mostHolders) return;
    const seen = this.#seen;
    const last = day + absenceDays + windowDays;
    const bit = 1 << shard;
    const reached = (peers.lastOnDay[holder] ?? 0) >= day + absenceDays;
    const stays =
      (peers.departsDay[holder] ?? 0) >= last && (peers.reinstallsDay[holder] ?? 0) >= last;
    seen.held |= bit;
    if (reached) seen.reachable |= bit;
    if (reached && stays) seen.actual |= bit;
    this.#shards[seen.found] = bit;
    this.#reached[seen.found] = reached ? 1 : 0;
    seen.found += 1;
  }

  #lookAt(slot: number): void {
    const { slots, peers, day } = this.#community;
    const partner = slots.partner[slot] ?? noPartner;
    const shard = slots.shard[slot] ?? noShard;
    if (partner === noPartner || shard === noShard || !this.#honours(slot)) return;
    this.#believed.honoured |= 1 << shard;
    if (slots.has(slot, flags.suspended)) {
      this.#believed.missed += 1;
      if (peers.isAlive(partner, day)) this.#believed.missedAlive += 1;
    } else this.#believed.counted |= 1 << shard;
    const isHeld = !slots.has(slot, flags.lost) && (slots.heldFromDay[slot] ?? 0) <= day;
    if (isHeld) this.#see(partner, shard);
  }

  /** Restores from it are honoured when the owner begins: by its own count, which goes on until it misses the owner. */
  #honours(slot: number): boolean {
    const { slots, plan } = this.#community;
    const { commitmentMs, spareMs } = plan.rules.periods;
    return this.#community.committedMs(slots.twin[slot] ?? 0) + spareMs >= commitmentMs;
  }

  #drawFutures(needed: number, counts: CellCounts): void {
    for (let future = 0; future < drawnFutures; future += 1) {
      let bits = 0;
      for (let at = 0; at < this.#seen.found; at += 1) {
        const stays = this.#chance.uint32() < this.#stays;
        if (stays && this.#reached[at] === 1) bits |= this.#shards[at] ?? 0;
      }
      counts.futures += 1;
      if (bitCount(bits) < needed) counts.futureFailures += 1;
    }
  }
}

function add(counts: Uint32Array | undefined, at: number, more: number): void {
  if (counts !== undefined) counts[at] = (counts[at] ?? 0) + more;
}
