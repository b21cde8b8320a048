/** Branded numbers and names: a brand costs nothing at run time and keeps unlike things apart. */

declare const brand: unique symbol;

export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** Milliseconds since 1970-01-01T00:00:00Z, by the clock that the daemon was given. */
export type Instant = Brand<number, 'Instant'>;

export function instant(milliseconds: number): Instant {
  return milliseconds as Instant;
}

export const secondMs = 1_000;
export const minuteMs: number = 60 * secondMs;
export const hourMs: number = 60 * minuteMs;
export const dayMs: number = 24 * hourMs;

export const kibi = 1_024;
export const mebi: number = 1_024 * kibi;
export const gibi: number = 1_024 * mebi;
