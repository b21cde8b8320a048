/**
 * The part of `config.json` that says how partners are looked for, what is agreed with them, and where this computer stands.
 *
 * Null stands for what the preset has (DESIGN §8). Bounds are those of the terms that follow; which values go together is checked where all of them are known
 * (src/daemon/partnership-config.ts).
 */
import { z } from 'zod';
import { type BoundedTerm, termBounds } from '../../core/agreements/terms.ts';

/** Times are in seconds, fractions allowed where a term does not need whole ones. */
export type PartnersConfig = {
  /** Terms towards computers that nobody invited; `auto`: `open` while partners are looked for, else `circle`. */
  readonly preset: 'auto' | 'circle' | 'open';
  /** Looks for partners by itself; `auto`: when there is something to lend or wanted, and a way to meet others. */
  readonly seek: boolean | 'auto';
  /** Computers of one neighbourhood find each other. */
  readonly neighbourhood: string;
  /** Space wanted at all partners together; null: as much as is lent; 0: this computer only lends. */
  readonly wantedBytes: number | null;
  /** 0: as many as the planner wants. */
  readonly wantedPartners: number;
  /** Average bandwidth that both promise. */
  readonly bandwidthBytesPerSecond: number;
  /** Hours of the week that both are on line. */
  readonly overlapHours: number | null;
  /** A candidate may have reneged on so many others. */
  readonly renegesAllowed: number;
  readonly auditIntervalSeconds: number | null;
  /** G. */
  readonly graceSeconds: number | null;
  /** C. */
  readonly commitmentSeconds: number | null;
  /** L. */
  readonly deleteLockSeconds: number | null;
  readonly noticeSeconds: number | null;
  /** 0: until it is ended. */
  readonly termSeconds: number | null;
  /** T_r. */
  readonly spareAfterSeconds: number | null;
  /** 0: no ramp. */
  readonly rampBytes: number | null;
  readonly rampStepSeconds: number | null;
  readonly searchIntervalSeconds: number | null;
  readonly probeIntervalSeconds: number | null;
  readonly receiptPeriodSeconds: number | null;
  /** 0: only when a person asks. */
  readonly drillIntervalSeconds: number | null;
  readonly scrubSeconds: number | null;
};

/** Nobody is told more than whole degrees. */
export type PlaceConfig = {
  /** Two capital letters (ISO 3166-1); empty: not told. */
  readonly country: string;
  readonly latitude: number | null;
  readonly longitude: number | null;
  /** A word that all computers of one household have in common; empty: not told. */
  readonly household: string;
};

const day = 86_400;

type TermSeconds = Extract<BoundedTerm, `${string}Ms`>;

const bytes = z.int().min(0).max(termBounds.firstLendsBytes.most);

function seconds(least: number, most: number): z.ZodDefault<z.ZodNullable<z.ZodNumber>> {
  return z.number().min(least).max(most).nullable().default(null);
}

function secondsOf(term: TermSeconds): z.ZodDefault<z.ZodNullable<z.ZodNumber>> {
  const { least, most } = termBounds[term];
  return seconds(least / 1000, most / 1000);
}

export const partnersSchema: z.ZodType<PartnersConfig> = z.strictObject({
  preset: z.enum(['auto', 'circle', 'open']).default('auto'),
  seek: z.union([z.boolean(), z.literal('auto')], 'true, false or auto').default('auto'),
  neighbourhood: z.string().min(1).max(64).default('covault'),
  wantedBytes: bytes.nullable().default(null),
  wantedPartners: z.int().min(0).max(1_000).default(0),
  bandwidthBytesPerSecond: z
    .int()
    .min(termBounds.bandwidth.least)
    .max(termBounds.bandwidth.most)
    .default(0),
  overlapHours: z.int().min(0).max(168).nullable().default(null),
  renegesAllowed: z.int().min(0).max(1_000).default(1),
  auditIntervalSeconds: secondsOf('auditIntervalMs'),
  graceSeconds: secondsOf('graceMs'),
  commitmentSeconds: secondsOf('commitmentMs'),
  deleteLockSeconds: secondsOf('deleteLockMs'),
  noticeSeconds: secondsOf('noticeMs'),
  termSeconds: secondsOf('termMs'),
  spareAfterSeconds: seconds(1, 365 * day),
  rampBytes: bytes.nullable().default(null),
  rampStepSeconds: seconds(1, 365 * day),
  searchIntervalSeconds: seconds(1, day),
  probeIntervalSeconds: seconds(1, day),
  receiptPeriodSeconds: seconds(1, 365 * day),
  drillIntervalSeconds: seconds(0, 365 * day),
  scrubSeconds: seconds(10, 365 * day),
});

export const placeSchema: z.ZodType<PlaceConfig> = z.strictObject({
  country: z
    .string()
    .regex(/^([A-Z]{2})?$/, 'two capital letters, such as DE')
    .default(''),
  latitude: z.number().min(-90).max(90).nullable().default(null),
  longitude: z.number().min(-180).max(180).nullable().default(null),
  household: z.string().max(64).default(''),
});
