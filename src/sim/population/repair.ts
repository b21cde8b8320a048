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
    this.#copies = new Uint8Array(community.plan.rules.shards);
  }

  /** Sends what is missing of one owner. Gives how many more partners it wants. */
  settle(owner: number, options: { readonly heldFromDay?: number } = {}): number {
    const { slots, unsettled, plan, day } = this.#community;
    const from = options.heldFromDay ?? day + sendingDays;
    const copies = this.#countCopies(owner);
    let missing = 0;
    for (let shard = 0; shard < copies.length; shard += 1) {
      if (copies[shard] !== 0) continue;
      const slot = this.#room(owner);
      if (slot < 0) {
        missing += 1;
        continue;
      }
      const released = slots.shard[slot] ?? noShard;
      if (released !== noShard) copies[released] = (copies[released] ?? 1) - 1;
      this.#send(owner, { slot, shard, from });
      copies[shard] = 1;
    }
    const wanted = Math.max(0, plan.rules.shards - goodPartners(this.#community, owner));
    if (missing === 0 && wanted === 0) unsettled[owner] = 0;
    return wanted;
  }

  #countCopies(owner: number): Uint8Array {
    const { slots } = this.#community;
    const copies = this.#copies.fill(0);
    const end = (owner + 1) * slots.width;
    for (let slot = owner * slots.width; slot < end; slot += 1) {
      const shard = slots.shard[slot] ?? noShard;
      if (shard !== noShard && !slots.has(slot, flags.suspended))
        copies[shard] = (copies[shard] ?? 0) + 1;
    }
    return copies;
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
    const { slots, trace, everSent } = this.#community;
    slots.shard[what.slot] = what.shard;
    slots.heldFromDay[what.slot] = what.from;
    slots.clear(what.slot, flags.lost);
    const counts = this.#community.countsOf(owner);
    const sent = everSent[owner] ?? 0;
    if ((sent & (1 << what.shard)) === 0) counts.firstUploads += 1;
    else counts.repairUploads += 1;
    everSent[owner] = sent | (1 << what.shard);
    trace.add(traced.upload, owner, what.slot);
  }
}
