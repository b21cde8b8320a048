/**
 * Every shard at a partner that counts (DESIGN §8, two timers): a shard whose partner was silent for T_r is sent to another one. When the first comes back both hold it; the
 * spare is let go of only when its room is wanted, so that the next silence of either costs nothing.
 */
import { type Community, traced } from './community.ts';
import { goodPartners } from './matching.ts';
import { flags, noPartner, noShard } from './slot-table.ts';

/** Sending takes until the next day. */
const sendingDays = 1;

export class Repair {
  readonly #community: Community;
  readonly #copies: Uint8Array;

  constructor(community: Community) {
    this.#community = community;
    this.#copies = new Uint8Array(community.slots.width);
  }

  /** Sends what is missing of one owner. Gives how many more partners it wants. */
  settle(owner: number, options: { readonly heldFromDay?: number } = {}): number {
    const { unsettled, plan, day } = this.#community;
    const from = options.heldFromDay ?? day + sendingDays;
    this.#countCopies(owner);
    const isSent = this.#sendMissing(owner, from);
    const wanted = Math.max(0, plan.rules.shards - goodPartners(this.#community, owner));
    if (isSent && wanted === 0) unsettled[owner] = 0;
    return wanted;
  }

  /** Any n shards at partners that count; what is sent is a shard that nobody holds yet. False: there was no room for one. */
  #sendMissing(owner: number, from: number): boolean {
    const { plan } = this.#community;
    let good = this.#copies.reduce((sum, copies) => sum + (copies > 0 ? 1 : 0), 0);
    for (; good < plan.rules.shards; good += 1) {
      const slot = this.#room(owner);
      if (slot < 0) return false;
      this.#send(owner, { slot, shard: this.#unusedShard(owner), from });
    }
    return true;
  }

  #unusedShard(owner: number): number {
    const { slots } = this.#community;
    const used = slots.shard.subarray(owner * slots.width, (owner + 1) * slots.width);
    let shard = 0;
    while (used.includes(shard)) shard += 1;
    return shard;
  }

  #countCopies(owner: number): void {
    const { slots } = this.#community;
    const copies = this.#copies.fill(0);
    const end = (owner + 1) * slots.width;
    for (let slot = owner * slots.width; slot < end; slot += 1) {
      const shard = slots.shard[slot] ?? noShard;
      if (shard !== noShard && !slots.has(slot, flags.suspended))
        copies[shard] = (copies[shard] ?? 0) + 1;
    }
  }

  /** A partner without a shard, the longest-standing first; else one whose shard another holds as well. */
  #room(owner: number): number {
    const { slots } = this.#community;
    let best = -1;
    let second = -1;
    const end = (owner + 1) * slots.width;
    for (let slot = owner * slots.width; slot < end; slot += 1) {
      if (slots.partner[slot] === noPartner || slots.has(slot, flags.suspended)) continue;
      const shard = slots.shard[slot] ?? noShard;
      if (shard === noShard) {
        if (best < 0 || (slots.joinedDay[slot] ?? 0) < (slots.joinedDay[best] ?? 0)) best = slot;
      } else if (second < 0 && (this.#copies[shard] ?? 0) > 1) second = slot;
    }
    return best >= 0 ? best : second;
  }

  #send(
    owner: number,
    what: { readonly slot: number; readonly shard: number; readonly from: number },
  ): void {
    const { slots, trace, sentCount, plan } = this.#community;
    const released = slots.shard[what.slot] ?? noShard;
    if (released !== noShard) this.#copies[released] = (this.#copies[released] ?? 1) - 1;
    this.#copies[what.shard] = 1;
    slots.shard[what.slot] = what.shard;
    slots.heldFromDay[what.slot] = what.from;
    slots.clear(what.slot, flags.lost);
    const counts = this.#community.countsOf(owner);
    const sent = sentCount[owner] ?? 0;
    if (sent < plan.rules.shards) counts.firstUploads += 1;
    else counts.repairUploads += 1;
    sentCount[owner] = sent + 1;
    trace.add(traced.upload, owner, what.slot);
  }
}
