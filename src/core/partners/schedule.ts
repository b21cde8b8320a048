/**
 * When a computer is on line, as hours of the week (C24).
 *
 * A week has 168 hours, the one that begins on Monday 00:00 UTC first. A mask (21 bytes, as in `Terms.schedule`) says which hours are promised; shares (168 bytes)
 * say how much of each hour a computer was there; a learned week holds the tallies from which shares are made.
 */
import { assert } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import { hourMs } from '../../base/units.ts';
import { scheduleBytes } from '../agreements/terms.ts';
import { addToTally, emptyTally, type Tally } from './tally.ts';

export const weekHours = 168;
/** What each hour of the week remembers: eight weeks, the older ones ever less. */
export const slotMemoryMs: number = 8 * hourMs;

/** One tally for each hour of the week: milliseconds on line, of milliseconds observed. */
export type LearnedWeek = readonly Tally[];

/** A stretch of time in which a computer was seen to be there, or seen to be away. Milliseconds since 1970. */
export interface Stretch {
  readonly from: number;
  readonly until: number;
  readonly online: boolean;
}

/** After as many weeks of a new habit nothing is left of the old one. */
const forgottenWeeks = 60;
/** 1970 began on a Thursday. */
const hoursBeforeThursday = 72;

/** Which hour of the week, 0 … 167, a time falls in. */
export function hourOfWeek(time: number): number {
  return (Math.floor(time / hourMs) + hoursBeforeThursday) % weekHours;
}

export const unlearnedWeek: LearnedWeek = Array.from({ length: weekHours }, () => emptyTally);

/** The week with one more stretch; one that ends before it begins, as after a clock was set back, teaches nothing. */
export function learnStretch(week: LearnedWeek, { from, until, online }: Stretch): LearnedWeek {
  const learned = [...week];
  // What lies further back would only be forgotten again.
  let time = Math.max(0, from, until - forgottenWeeks * weekHours * hourMs);
  while (time < until) {
    const end = Math.min(until, (Math.floor(time / hourMs) + 1) * hourMs);
    const hour = hourOfWeek(time);
    const whole = end - time;
    const more = { part: online ? whole : 0, whole };
    learned[hour] = addToTally(learned[hour] ?? emptyTally, more, slotMemoryMs);
    time = end;
  }
  return learned;
}

/**
 * Shares of the hours, 168 bytes, 255 = always there; undefined while nothing was observed. An hour of which little was seen leans towards the whole week's
 * share, as if that had been seen for one hour more.
 */
export function sharesOf(week: LearnedWeek): Bytes | undefined {
  let part = 0;
  let whole = 0;
  for (const slot of week) {
    part += slot.part;
    whole += slot.whole;
  }
  if (whole === 0) return undefined;
  const usual = (part / whole) * hourMs;
  return Uint8Array.from(week, (slot) =>
    Math.round((255 * (slot.part + usual)) / (slot.whole + hourMs)),
  );
}

/** How much of the hour, 0 … 1, a mask (21 bytes) or shares (168 bytes) say. */
export function shareAt(week: Uint8Array, hour: number): number {
  assert(week.length === scheduleBytes || week.length === weekHours, 'a mask or shares of a week');
  if (week.length === weekHours) return (week[hour] ?? 0) / 255;
  return maskHas(week, hour) ? 1 : 0;
}

/** Whether the hour is promised: bits count from the most significant of the first byte. */
export function maskHas(mask: Uint8Array, hour: number): boolean {
  return (((mask[hour >> 3] ?? 0) >> (7 - (hour & 7))) & 1) === 1;
}

/** Hours a week in which both are expected to be there, 0 … 168; each is a mask or shares. */
export function overlapHours(left: Uint8Array, right: Uint8Array): number {
  let hours = 0;
  for (let hour = 0; hour < weekHours; hour += 1)
    hours += shareAt(left, hour) * shareAt(right, hour);
  return hours;
}

/** Hours a week that a mask or shares come to, 0 … 168. */
export function hoursIn(week: Uint8Array): number {
  let hours = 0;
  for (let hour = 0; hour < weekHours; hour += 1) hours += shareAt(week, hour);
  return hours;
}

/** The hours of which at least `least` (0 … 1) was spent on line, as a mask that could be promised. */
export function maskOf(shares: Uint8Array, least: number): Bytes {
  const mask = new Uint8Array(scheduleBytes);
  for (let hour = 0; hour < weekHours; hour += 1)
    if (shareAt(shares, hour) >= least)
      mask[hour >> 3] = (mask[hour >> 3] ?? 0) | (1 << (7 - (hour & 7)));
  return mask;
}

/** How much of what it promised a computer kept, 0 … 1; 1 when it promised nothing. */
export function keptShare(promised: Uint8Array, shares: Uint8Array): number {
  const hours = hoursIn(promised);
  return hours === 0 ? 1 : overlapHours(promised, shares) / hours;
}
