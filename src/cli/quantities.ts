/** Sizes, rates and times, as people write them and as they are shown to people. */
import { dayMs, hourMs, minuteMs, secondMs } from '../base/units.ts';

const decimalUnits = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

const sizeFactors: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['b', 1],
  ['k', 1e3],
  ['kb', 1e3],
  ['m', 1e6],
  ['mb', 1e6],
  ['g', 1e9],
  ['gb', 1e9],
  ['t', 1e12],
  ['tb', 1e12],
  ['pb', 1e15],
  ['kib', 2 ** 10],
  ['mib', 2 ** 20],
  ['gib', 2 ** 30],
  ['tib', 2 ** 40],
]);

const durationFactors: ReadonlyMap<string, number> = new Map([
  ['s', secondMs],
  ['m', minuteMs],
  ['min', minuteMs],
  ['h', hourMs],
  ['d', dayMs],
  ['w', 7 * dayMs],
]);

function parseWith(text: string, factors: ReadonlyMap<string, number>): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text);
  const factor = factors.get((match?.[2] ?? '').toLowerCase());
  if (match === null || factor === undefined) return undefined;
  const value = Math.round(Number(match[1]) * factor);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Bytes of `50GB` (decimal), `20GiB` (binary) or `1000`; undefined when it is no size. */
export function parseSize(text: string): number | undefined {
  return parseWith(text, sizeFactors);
}

/** Bytes a second of `5MB/s` or `5MB`; 0 is no rate. */
export function parseRate(text: string): number | undefined {
  const bytes = parseSize(text.replace(/\s*\/\s*s(ec)?\s*$/i, ''));
  return bytes === 0 ? undefined : bytes;
}

/** Milliseconds of `30m`, `12h`, `1d`; a bare number is refused, because its unit would be a guess. */
export function parseDuration(text: string): number | undefined {
  const value = parseWith(text, durationFactors);
  return value === 0 ? undefined : value;
}

/** Three digits and a decimal unit: `1.23 GB`, `45.6 MB`, `789 kB`. */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < decimalUnits.length - 1) {
    value /= 1000;
    unit += 1;
  }
  if (unit === 0) return `${Math.round(value)} B`;
  const decimals = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(decimals)} ${decimalUnits[unit]}`;
}

/** A size in as few characters as it is exact in: `50 GB`, not `50.0 GB`. */
export function roundSizeText(bytes: number): string {
  return sizeText(bytes)
    .replace(/(\.\d*?)0+ /, '$1 ')
    .replace('. ', ' ');
}

export function rateText(bytesPerSecond: number): string {
  return `${sizeText(bytesPerSecond)}/s`;
}

/** `0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`, `3 d 4 h`. */
export function durationText(milliseconds: number): string {
  if (milliseconds < 9_950) return `${(milliseconds / secondMs).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / secondMs);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(seconds % 60).padStart(2, '0')} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, '0')} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

const periodUnits = [
  [dayMs, 'day'],
  [hourMs, 'hour'],
  [minuteMs, 'minute'],
  [secondMs, 'second'],
] as const;

/** A period that somebody chose, in its largest whole unit: `21 days`, `36 hours`, `90 seconds`. */
export function periodText(milliseconds: number): string {
  const unit = periodUnits.find(
    ([length]) => milliseconds >= length && milliseconds % length === 0,
  );
  if (unit === undefined) return durationText(milliseconds);
  return countedText(milliseconds / unit[0], unit[1]);
}

/** `1,234,567`, in every locale alike. */
export function countText(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 file`, `2 files`. */
export function countedText(count: number, one: string, several = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : several}`;
}

/** The verb after so many of something. */
export function verbText(count: number, one: string, several: string): string {
  return count === 1 ? one : several;
}

/** `2026-11-23 02:44`, in the time zone of the person. */
export function momentText(isoTime: string): string {
  const moment = new Date(isoTime);
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;
  return `${date} ${two(moment.getHours())}:${two(moment.getMinutes())}`;
}
