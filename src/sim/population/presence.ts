/**
 * When computers are on: habits, mixed to the availability of a class (Farsite's desktops: always on or in office hours, RESEARCH §3).
 *
 * A day is a mask of 24 hours, the lowest bit first, fixed by seed, peer and day alone. Weekends, missed days, outages and two holidays of a week a year are in it;
 * leaving for good is not.
 */
import { hoursIn, weekHours } from '../../core/partners/schedule.ts';
import { hashedDraw } from './hashed-chance.ts';

export const habits = ['always-on', 'desktop', 'office-hours', 'long-outages'] as const;
export const alwaysOn = 0;
export const desktop = 1;
export const officeHours = 2;
/** On, but for six outages a year of four days on average: the computers of RESEARCH §3's sums of repair. */
export const longOutages = 3;

/** Shares of the habits in a class whose members are there with the named availability on average. */
export const classMixes: Readonly<Record<AvailabilityClass, readonly number[]>> = {
  0.5: [0.17, 0.32, 0.51],
  0.66: [0.28, 0.5, 0.22],
  0.8: [0.61, 0.25, 0.14],
  0.95: [0.95, 0.03, 0.02],
  0.93: [0, 0, 0, 1],
};

/** 0.93: `longOutages`. */
export type AvailabilityClass = 0.5 | 0.66 | 0.8 | 0.95 | 0.93;

export const availabilityClasses: readonly AvailabilityClass[] = [0.5, 0.66, 0.8, 0.95];

const dayMask = 0xff_ffff;
const yearDays = 365;
const holidayDays = 7;
const outagesPerYear = 6;
const meanOutageHours = 4.2 * 24;
const outageHours = 12;
const desktopHours = 17;
const workHours = 9;
/** One day in so many. */
const outageEvery = 25;
const desktopMissesEvery = 30;
const officeMissesEvery = 20;

/** Purposes of draws, so that they do not depend on each other. */
const ofDay = 0x1d5;
const ofYear = 0x3e7;

export interface Presence {
  readonly seed: number;
  readonly peer: number;
  readonly habit: number;
  /** Hours by which its day is moved against UTC, 0 … 23. */
  readonly shift: number;
}

/** Hours of a day on which a computer is on. Day 0 is a Monday. */
export function hoursOn({ seed, peer, habit, shift }: Presence, day: number): number {
  const draw = hashedDraw(seed ^ ofDay, peer, day);
  if (habit === alwaysOn) {
    if (draw % outageEvery !== 0) return dayMask;
    return dayMask & ~(((1 << outageHours) - 1) << ((draw >>> 8) % (24 - outageHours + 1)));
  }
  if (habit === longOutages) return dayMask & ~outageOn(seed, peer, day);
  if (onHoliday(seed, peer, day)) return 0;
  const jitter = (draw >>> 16) % 3;
  if (habit === desktop)
    return draw % desktopMissesEvery === 0 ? 0 : rotated(desktopHours, shift + jitter);
  const isWeekend = day % 7 === 5 || day % 7 === 6;
  return isWeekend || draw % officeMissesEvery === 0 ? 0 : rotated(workHours, shift + jitter);
}

function rotated(hours: number, by: number): number {
  const turn = by % 24;
  const mask = (1 << hours) - 1;
  return ((mask << turn) | (mask >>> (24 - turn))) & dayMask;
}

/** Hours of a day that fall into an outage: each sixth of a year one begins, and lasts as long as chance has it. */
function outageOn(seed: number, peer: number, day: number): number {
  const turnHours = Math.round((yearDays * 24) / outagesPerYear);
  const turn = Math.floor((day * 24) / turnHours);
  let hours = 0;
  for (let each = turn - 1; each <= turn + 1; each += 1) {
    const begins = hashedDraw(seed ^ ofYear, peer, 2 * each) % turnHours;
    const share = (hashedDraw(seed ^ ofYear, peer, 2 * each + 1) + 1) / 2 ** 32;
    const from = each * turnHours + begins - day * 24;
    const until = from + Math.round(-Math.log(share) * meanOutageHours);
    for (let hour = Math.max(0, from); hour < Math.min(24, until); hour += 1) hours |= 1 << hour;
  }
  return hours;
}

function onHoliday(seed: number, peer: number, day: number): boolean {
  const year = Math.floor(day / yearDays);
  const inYear = day - year * yearDays;
  for (let holiday = 0; holiday < 2; holiday += 1) {
    const from = hashedDraw(seed ^ ofYear, peer, 2 * year + holiday) % (yearDays - holidayDays + 1);
    if (inYear >= from && inYear < from + holidayDays) return true;
  }
  return false;
}

/** Shares of the hours of an ordinary week, as measured ones would be: 168 bytes (core/partners/schedule.ts). */
export function weekShares(habit: number, shift: number): Uint8Array {
  const shares = new Uint8Array(weekHours);
  for (let hour = 0; hour < weekHours; hour += 1)
    shares[hour] = Math.round(255 * shareOf(habit, shift, hour));
  return shares;
}

function shareOf(habit: number, shift: number, hour: number): number {
  const day = Math.floor(hour / 24);
  const isHoliday = (2 * holidayDays) / yearDays;
  if (habit === alwaysOn) return 1 - outageHours / 24 / outageEvery;
  if (habit === longOutages) return 1 - (outagesPerYear * meanOutageHours) / (yearDays * 24);
  if (habit === officeHours && day > 4) return 0;
  const [length, misses] =
    habit === desktop ? [desktopHours, desktopMissesEvery] : [workHours, officeMissesEvery];
  let on = 0;
  for (let jitter = 0; jitter < 3; jitter += 1)
    if ((rotated(length, shift + jitter) >>> (hour % 24)) & 1) on += 1 / 3;
  return on * (1 - 1 / misses) * (1 - isHoliday);
}

/** Share of all hours that a habit is there. */
export function availabilityOf(habit: number): number {
  return hoursIn(weekShares(habit, 0)) / weekHours;
}
