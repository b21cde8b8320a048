/**
 * What if the owner's computer were lost today? Asked of every owner once a week: whether enough shards could be given back within the window, by partners that hold them,
 * stay, are past their commitment, and are on line at some hour of it (RESEARCH §3).
 *
 * One answer is what really happens next. Since restores fail seldom, further futures are drawn beside it: each holder stays for the two weeks or not, by its rate of
 * leaving alone; when it is on line is as it was.
 */
import { type CellCounts, type Community, traced } from './community.ts';
import { bitCount } from './hashed-chance.ts';
import { absenceDays, windowDays } from './peer-table.ts';
import { departuresPerYear, reinstallsPerYear, yearDays } from './plan.ts';
import { flags, noPartner, noShard } from './slot-table.ts';

/** Owners younger than this, and the first days of a run, are not looked at: their partners are still coming together. */
export const settlingDays = 60;
const everyDays = 7;
const drawnFutures = 8;
const word = 2 ** 32;

export class RestoreSamples {
  readonly #community: Community;
  readonly #chance: Community['chance'];
  readonly #stays: number;
  readonly #shards: Int32Array;
  readonly #reached: Uint8Array;

  constructor(community: Community) {
    this.#community = community;
    this.#chance = community.chance.fork('futures');
    const perYear = departuresPerYear + reinstallsPerYear;
    this.#stays = Math.exp((-perYear * (absenceDays + windowDays)) / yearDays) * word;
    this.#shards = new Int32Array(community.slots.width);
    this.#reached = new Uint8Array(community.slots.width);
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
    const { peers, slots, plan, trace, day } = this.#community;
    const counts = this.#community.countsOf(owner);
    const last = day + absenceDays + windowDays;
    let found = 0;
    let held = 0;
    let actual = 0;
    let reachable = 0;
    const end = (owner + 1) * slots.width;
    for (let slot = owner * slots.width; slot < end; slot += 1) {
      const other = slots.partner[slot] ?? noPartner;
      if (other === noPartner || !this.#gives(slot, other)) continue;
      const bit = 1 << (slots.shard[slot] ?? 0);
      const reached = (peers.lastOnDay[other] ?? 0) >= day + absenceDays;
      const stays =
        (peers.departsDay[other] ?? 0) >= last && (peers.reinstallsDay[other] ?? 0) >= last;
      held |= bit;
      if (reached) reachable |= bit;
      if (reached && stays) actual |= bit;
      this.#shards[found] = bit;
      this.#reached[found] = reached ? 1 : 0;
      found += 1;
    }
    const needed = plan.rules.code.dataShards;
    counts.samples += 1;
    counts.shardsSampled += plan.rules.shards;
    counts.shardsMissing += plan.rules.shards - bitCount(held);
    counts.shardsUnreached += bitCount(held) - bitCount(reachable);
    if (bitCount(actual) < needed) {
      counts.failures += 1;
      trace.add(traced.restoreFailed, owner, day);
    }
    this.#drawFutures(found, needed, counts);
  }

  /** It has the shard, and restores from it are honoured when the owner begins. */
  #gives(slot: number, other: number): boolean {
    const { peers, slots, plan, day } = this.#community;
    if ((slots.shard[slot] ?? noShard) === noShard || peers.sleeper[other] === 1) return false;
    if (slots.has(slot, flags.lost) || (slots.heldFromDay[slot] ?? 0) > day) return false;
    if (!peers.isAlive(other, day)) return false;
    const committedDays = plan.rules.terms.commitmentMs / 86_400_000;
    return (slots.joinedDay[slot] ?? 0) + committedDays <= day + absenceDays;
  }

  #drawFutures(found: number, needed: number, counts: CellCounts): void {
    for (let future = 0; future < drawnFutures; future += 1) {
      let bits = 0;
      for (let at = 0; at < found; at += 1) {
        const stays = this.#chance.uint32() < this.#stays;
        if (stays && this.#reached[at] === 1) bits |= this.#shards[at] ?? 0;
      }
      counts.futures += 1;
      if (bitCount(bits) < needed) counts.futureFailures += 1;
    }
  }
}
