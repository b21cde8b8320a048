/**
 * Who is whose partner, as columns: each peer has a row of slots, and a slot says what its owner knows and believes of one partner. An agreement is two slots, one at either
 * side, each the other's twin.
 */
import { assert } from '../../base/assert.ts';

export const noPartner = -1;
export const noShard = -1;

/** What makes a slot more than a partner that is simply there. */
export const flags = {
  /** Silent for T_r: its shard does not count, and it is replaced. */
  suspended: 1,
  /** It lost what it held, and the owner has not heard of it yet. */
  lost: 2,
  /** Its lifecycle is kept, not only its silence. */
  live: 4,
  /** Followed hour by hour (followed-pair.ts). */
  followed: 8,
} as const;

export class SlotTable {
  /** Slots of one peer. */
  readonly width: number;
  readonly partner: Int32Array;
  readonly twin: Int32Array;
  readonly joinedDay: Int16Array;
  /** Counted hours of the owner (PeerTable.countedHours) at which the partner's commitment would have begun if it had served well ever since. */
  readonly committedFrom: Float32Array;
  /** Which shard of its owner's stripes the partner holds. */
  readonly shard: Int8Array;
  readonly heldFromDay: Int16Array;
  /** Hours that the owner ran since it last heard of the partner. */
  readonly silentHours: Uint16Array;
  /** Day on which it last did. */
  readonly metDay: Int16Array;
  readonly provenDays: Uint16Array;
  readonly flags: Uint8Array;

  constructor(peers: number, width: number) {
    const size = peers * width;
    this.width = width;
    this.partner = new Int32Array(size).fill(noPartner);
    this.twin = new Int32Array(size);
    this.joinedDay = new Int16Array(size);
    this.committedFrom = new Float32Array(size);
    this.shard = new Int8Array(size).fill(noShard);
    this.heldFromDay = new Int16Array(size);
    this.silentHours = new Uint16Array(size);
    this.metDay = new Int16Array(size);
    this.provenDays = new Uint16Array(size);
    this.flags = new Uint8Array(size);
  }

  ownerOf(slot: number): number {
    return Math.floor(slot / this.width);
  }

  /** A free slot of the peer, or -1. */
  freeSlot(peer: number): number {
    const end = (peer + 1) * this.width;
    for (let slot = peer * this.width; slot < end; slot += 1)
      if (this.partner[slot] === noPartner) return slot;
    return -1;
  }

  arePartners(peer: number, other: number): boolean {
    const end = (peer + 1) * this.width;
    for (let slot = peer * this.width; slot < end; slot += 1)
      if (this.partner[slot] === other) return true;
    return false;
  }

  /** An agreement begins; both have a free slot. Gives the two slots. */
  join(left: number, right: number, day: number): readonly [number, number] {
    const ours = this.freeSlot(left);
    const theirs = this.freeSlot(right);
    assert(ours >= 0 && theirs >= 0 && left !== right, 'both have a slot for the other');
    this.#open(ours, { partner: right, twin: theirs, day });
    this.#open(theirs, { partner: left, twin: ours, day });
    return [ours, theirs];
  }

  /** An agreement is over, for both. Gives the other's slot. */
  part(slot: number): number {
    const twin = this.twin[slot] ?? 0;
    assert(
      this.partner[slot] !== noPartner && this.twin[twin] === slot,
      'twins point to each other',
    );
    this.#close(slot);
    this.#close(twin);
    return twin;
  }

  has(slot: number, flag: number): boolean {
    return ((this.flags[slot] ?? 0) & flag) !== 0;
  }

  mark(slot: number, flag: number): void {
    this.flags[slot] = (this.flags[slot] ?? 0) | flag;
  }

  clear(slot: number, flag: number): void {
    this.flags[slot] = (this.flags[slot] ?? 0) & ~flag;
  }

  #open(
    slot: number,
    to: { readonly partner: number; readonly twin: number; readonly day: number },
  ): void {
    this.partner[slot] = to.partner;
    this.twin[slot] = to.twin;
    this.joinedDay[slot] = to.day;
    this.shard[slot] = noShard;
    this.silentHours[slot] = 0;
    this.metDay[slot] = to.day;
    this.provenDays[slot] = 0;
    this.flags[slot] = 0;
  }

  #close(slot: number): void {
    this.partner[slot] = noPartner;
    this.shard[slot] = noShard;
    this.flags[slot] = 0;
  }
}
