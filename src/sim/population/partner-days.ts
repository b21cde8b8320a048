/**
 * One day of every owner with every partner: who met, who was silent for how long, and what the lifecycle makes of it. Where nothing happens it costs a few operations on
 * columns; the lifecycle is asked from T_r on, for losses, and for whoever is followed.
 */
import { assert } from '../../base/assert.ts';
import { dayMs, hourMs } from '../../base/units.ts';
import type { LifecycleEffect } from '../../core/partners/lifecycle-event.ts';
import type { LifecyclePeriods, LifecycleState } from '../../core/partners/lifecycle-state.ts';
import { type Community, traced } from './community.ts';
import { bitCount } from './hashed-chance.ts';
import { atHour } from './plan.ts';
import { availabilityOf, habits } from './presence.ts';
import { isQuiet, quietState, silentFor, stepAll } from './silence-course.ts';
import { flags, noPartner, noShard } from './slot-table.ts';

const attention = flags.suspended | flags.lost | flags.live;

export class PartnerDays {
  readonly #community: Community;
  readonly #spareHours: number;
  readonly #shares: readonly number[];
  /** A whole silence in one tick; for partners that hold something of the owner's, and for others. */
  readonly #proving: LifecyclePeriods;
  readonly #idle: LifecyclePeriods;

  constructor(community: Community) {
    const { periods } = community.plan.rules;
    this.#community = community;
    this.#proving = { ...periods, tickMostMs: periods.graceMs };
    this.#idle = { ...this.#proving, proves: false };
    this.#spareHours = periods.spareMs / hourMs;
    this.#shares = habits.map((_, habit) => availabilityOf(habit));
  }

  pass(): void {
    const { peers, slots, day } = this.#community;
    const { partner, silentHours, provenDays, metDay, flags: marks, width } = slots;
    const { hours } = peers;
    for (const owner of peers.alive()) {
      const own = hours[owner] ?? 0;
      if (own === 0) continue;
      const ownHours = bitCount(own);
      // T_r is counted time; what is added up here is running time.
      const spareHours = this.#spareHours / peers.rate(owner, day);
      const end = (owner + 1) * width;
      for (let slot = owner * width; slot < end; slot += 1) {
        const other = partner[slot] ?? noPartner;
        if (other === noPartner) continue;
        const mark = marks[slot] ?? 0;
        if ((mark & flags.followed) !== 0) continue;
        const both = own & (hours[other] ?? 0);
        if (both === 0) {
          const silent = (silentHours[slot] ?? 0) + ownHours;
          silentHours[slot] = silent;
          if (silent >= spareHours) this.#silent(slot, silent);
          continue;
        }
        const silent = (silentHours[slot] ?? 0) + bitCount(own & ((both & -both) - 1));
        if (silent >= spareHours && this.#silent(slot, silent)) continue;
        silentHours[slot] = bitCount(own & ~((2 << (31 - Math.clz32(both))) - 1));
        provenDays[slot] = (provenDays[slot] ?? 0) + 1;
        metDay[slot] = day;
        if (((marks[slot] ?? 0) & attention) !== 0) this.#met(slot, ownHours);
      }
    }
    this.#passFollowed();
  }

  #passFollowed(): void {
    const { peers, slots, followed, day, chance } = this.#community;
    for (const pair of [...followed.values()]) {
      const owner = slots.ownerOf(pair.slot);
      if (!peers.isAlive(owner, day)) continue;
      const wasFound = pair.found;
      pair.live({
        day,
        ownerHours: peers.hours[owner] ?? 0,
        partnerHours: peers.hours[slots.partner[pair.slot] ?? 0] ?? 0,
        partnerLives: peers.isAlive(slots.partner[pair.slot] ?? 0, day),
        ownerShare: this.#shares[peers.habit[owner] ?? 0] ?? 1,
        rate: peers.rate(owner, day),
        chance: () => chance.unit(),
      });
      const { found, over } = pair;
      if (wasFound === undefined && found !== undefined)
        this.#community.trace.add(traced.found, pair.slot, found.hour);
      if (over) {
        this.#community.trace.add(traced.followedEnd, pair.slot, day);
        this.#community.part(pair.slot);
      } else this.#showPhase(pair.slot, pair.state);
    }
  }

  #showPhase(slot: number, { phase }: LifecycleState): void {
    const { slots, unsettled } = this.#community;
    const isBad = phase !== 'in-commitment' && phase !== 'standing';
    if (isBad === slots.has(slot, flags.suspended)) return;
    if (isBad) slots.mark(slot, flags.suspended);
    else slots.clear(slot, flags.suspended);
    unsettled[slots.ownerOf(slot)] = 1;
  }

  /** Silent for T_r or longer. True when the agreement is over. */
  #silent(slot: number, hours: number): boolean {
    const { slots, peers, day } = this.#community;
    const rate = peers.rate(slots.ownerOf(slot), day);
    if (slots.has(slot, flags.suspended) && hours * rate * hourMs < this.#proving.graceMs)
      return false;
    const now = atHour(day * 24 + 24);
    const toldHours = this.#community.lifecycles.get(slot)?.toldHours ?? 0;
    const moreHours = hours - toldHours;
    const state = this.#stateOf(slot, moreHours * rate * hourMs);
    const since = atHour((slots.metDay[slot] ?? 0) * 24 + 24);
    const step = silentFor(state, { since, moreHours, now, rate }, this.#proving);
    this.#keep(slot, step.state, hours);
    return this.#heed(slot, step.effects, hours);
  }

  /** The two met: what was silent or lost is there again. While something is due for a loss the owner's time counts (core/partners/told-loss.ts). */
  #met(slot: number, ownHours: number): void {
    const { slots, peers, day } = this.#community;
    const now = atHour(day * 24 + 24);
    const isLost = slots.has(slot, flags.lost);
    const before = this.#stateOf(slot, 0);
    const rate = peers.rate(slots.ownerOf(slot), day);
    const tick = { type: 'tick', now, ranMs: ownHours * hourMs, rate } as const;
    const step = stepAll(
      before,
      [
        ...(before.lossDebt === undefined ? [] : [tick]),
        { type: 'answered', now },
        ...(isLost ? [{ type: 'loss-noticed', now } as const] : []),
        { type: 'proved', now },
      ],
      slots.shard[slot] === noShard ? this.#idle : this.#proving,
    );
    this.#keep(slot, step.state, 0);
    this.#heed(slot, step.effects, 0);
  }

  /** As it was before so much of its silence, which the column of commitments takes for good service. */
  #stateOf(slot: number, silentMs: number): LifecycleState {
    const { lifecycles, slots, plan } = this.#community;
    const known = lifecycles.get(slot)?.state;
    const provenDays = slots.provenDays[slot] ?? 0;
    if (known !== undefined && slots.has(slot, flags.live)) return { ...known, provenDays };
    const committedMs = Math.max(0, this.#community.committedMs(slot) - silentMs);
    const joinedAt = atHour((slots.joinedDay[slot] ?? 0) * 24);
    const quiet = quietState(plan.rules.periods, { joinedAt, provenDays, committedMs });
    if (known === undefined) return quiet;
    const { phase, committedAt } = quiet;
    return { ...known, provenDays, phase, committedMs, committedAt };
  }

  #keep(slot: number, state: LifecycleState, toldHours: number): void {
    const { lifecycles, slots } = this.#community;
    const quiet = isQuiet(state);
    if (quiet) {
      slots.clear(slot, flags.live);
      this.#community.setCommitted(slot, state.committedMs);
    } else slots.mark(slot, flags.live);
    // A loss that it told of is remembered: a second one soon after pauses nothing.
    if (quiet && state.lossNoticedAt === undefined) lifecycles.delete(slot);
    else lifecycles.set(slot, { state, toldHours });
  }

  #heed(slot: number, effects: readonly LifecycleEffect[], hours: number): boolean {
    const { slots, trace, unsettled, day } = this.#community;
    const owner = slots.ownerOf(slot);
    const counts = this.#community.countsOf(owner);
    let over = false;
    for (const effect of effects) {
      const { type } = effect;
      if (type === 'place-spares') {
        slots.mark(slot, flags.suspended);
        unsettled[owner] = 1;
        counts.suspensions += 1;
        trace.add(traced.spare, slot, day);
      } else if (type === 'reinstated') {
        slots.clear(slot, flags.suspended);
        counts.reinstatements += 1;
        trace.add(traced.reinstated, slot, day);
      } else if (type === 'reload') this.#reload(slot);
      else if (type === 'divorce') over = true;
      else if (effect.type === 'serve' && this.#proving.commitmentMs === 0)
        this.#community.serve(slot, effect.forMs / dayMs);
    }
    if (over) this.#divorce(slot, hours);
    return over;
  }

  #reload(slot: number): void {
    const { slots, trace, day } = this.#community;
    slots.clear(slot, flags.lost);
    if (slots.shard[slot] === noShard) return;
    slots.heldFromDay[slot] = day + 1;
    this.#community.countsOf(slots.ownerOf(slot)).reloads += 1;
    trace.add(traced.reload, slot, day);
  }

  #divorce(slot: number, hours: number): void {
    const { slots, peers, trace, day } = this.#community;
    const owner = slots.ownerOf(slot);
    const counts = this.#community.countsOf(owner);
    const other = slots.partner[slot] ?? 0;
    assert(hours > 0, 'nobody is divorced without silence');
    const { graceMs } = this.#proving;
    if (!peers.isAlive(other, day)) counts.divorces += 1;
    else if (hours * peers.rate(owner, day) * hourMs < graceMs) counts.divorcesEarly += 1;
    else counts.divorcesAlive += 1;
    const isHasty = (day + 1 - (slots.metDay[slot] ?? 0)) * dayMs < graceMs;
    if (isHasty && peers.isAlive(other, day)) counts.divorcesHasty += 1;
    trace.add(traced.reneged, slot, day);
    this.#community.part(slot);
  }
}
