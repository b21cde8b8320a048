/**
 * What one computer signs with one other: its bounds for every term, and what it asks of the other (C3, C24–C27).
 *
 * The presets are *circle*, for people who know each other, and *open*, for strangers (DESIGN §8); every number in them is a knob. A policy is made anew for each
 * negotiation, for space, ramp and trust depend on with whom.
 */
import type { Bytes } from '../../base/bytes.ts';
import { dayMs } from '../../base/units.ts';
import type { Code } from '../vocabulary/code.ts';
import { type Suite, suiteAesGcm, suiteChaChaPoly } from '../vocabulary/suite.ts';
import type { Party } from './agreement.ts';
import { openRamp, type Ramp, rampedBytes } from './ramp.ts';
import { circleTerms, openTerms, type Terms, termBounds } from './terms.ts';

export type Preset = 'circle' | 'open';

export const presets: readonly Preset[] = ['circle', 'open'];

/** Hours of the week in which two must be on line together (C24): strangers on average two of a day; people who know each other arrange that themselves. */
export const leastOverlapHours: Readonly<Record<Preset, number>> = { circle: 0, open: 14 };

export interface Range {
  readonly least: number;
  readonly most: number;
}

/** Terms that have a range of their own. */
export type RangedTerm =
  | 'bandwidth'
  | 'auditIntervalMs'
  | 'graceMs'
  | 'commitmentMs'
  | 'deleteLockMs'
  | 'readQuota'
  | 'noticeMs';

export const rangedTerms: readonly RangedTerm[] = [
  'bandwidth',
  'auditIntervalMs',
  'graceMs',
  'commitmentMs',
  'deleteLockMs',
  'readQuota',
  'noticeMs',
];

export interface Lending {
  /** This side lends at most. */
  readonly mostBytes: number;
  /** The other lends at least. */
  readonly leastInReturnBytes: number;
  /** This side would like the other to lend. */
  readonly wantedBytes: number;
  /** What this side lends is at most this many times what the other lends (C25). undefined: it may lend for nothing. */
  readonly timesReturn: number | undefined;
}

export interface Policy {
  /** A person trusts this other: C may be waived. Only then is an agreement with `trusted` signed. */
  readonly trusted: boolean;
  /** What is offered first; what both lend is set by `lending`. */
  readonly preferred: Terms;
  readonly ranges: Readonly<Record<RangedTerm, Range>>;
  readonly term: {
    /** The shortest term that is signed. */
    readonly leastMs: number;
    /** The longest; absent: also one without end. */
    readonly mostMs?: number;
  };
  readonly suites: readonly Suite[];
  /** Code that is signed besides none. */
  readonly code?: Code;
  readonly lending: Lending;
  readonly schedule: {
    /** Hours that this side can promise, as in Terms.schedule. Absent: it promises none. */
    readonly own?: Bytes;
    /** Hours a week that both must promise. */
    readonly leastPromisedHours: number;
    /** Hours a week that the two must be on line together. */
    readonly leastOverlapHours: number;
  };
  /** Average bytes a second that the other must have (C26). */
  readonly leastBandwidth: number;
  /** N of C27: the other may have reneged on so many. */
  readonly mostReneged: number;
}

/** What this side found out about the other; undefined where it knows nothing, which refuses nothing. */
export interface Circumstances {
  /** Hours a week that the two are on line together, as measured or declared. */
  readonly overlapHours: number | undefined;
  /** The other's average bandwidth, the lesser of up and down, in bytes a second. */
  readonly bandwidth: number | undefined;
  /** Peers that the other reneged on, as far as receipts and references say. */
  readonly renegedCount: number;
  /** It reneged on this side the last time, and no person forgave it: no policy takes it back. */
  readonly renegedHere?: boolean;
  /** Those that it names as references tell otherwise than it does. */
  readonly liar?: boolean;
}

export const nothingKnown: Circumstances = {
  overlapHours: undefined,
  bandwidth: undefined,
  renegedCount: 0,
};

/** How a preset turns into a policy for one other. */
export interface PolicyChoice {
  readonly preset: Preset;
  /** A person invited this other. */
  readonly trusted: boolean;
  /** Space that is left to lend. */
  readonly freeBytes: number;
  /** Space that this side would like to borrow from this one. */
  readonly wantedBytes: number;
  /** Time that the other has been a clean partner; 0 for a new one. */
  readonly cleanMs: number;
  /** Knobs that differ from the preset's. */
  readonly changes?: PolicyChanges;
}

export type PolicyChanges = Partial<
  Omit<Policy, 'trusted' | 'preferred' | 'lending' | 'ranges'>
> & {
  /** Terms to prefer; ranges follow them unless given. */
  readonly preferred?: Partial<Terms>;
  readonly ranges?: Partial<Record<RangedTerm, Range>>;
  readonly lending?: Partial<Lending>;
  /** null: no ramp. */
  readonly ramp?: Ramp | null;
};

/** How far from what a side prefers it still signs: between half and twice. The presets overlap in every term, so that strangers and friends of friends agree. */
const latitude = 2;

/** The bounds of a preset for one other. */
export function policyOf(choice: PolicyChoice): Policy {
  const { preset, trusted, changes = {} } = choice;
  const { preferred, ranges, lending, ramp, ...rest } = changes;
  const terms = preferredTerms(preset, trusted, preferred);
  return {
    trusted,
    preferred: terms,
    ranges: { ...rangesAround(terms, rest.leastBandwidth ?? 0), ...ranges },
    term: { leastMs: terms.termMs === 0 ? dayMs : terms.termMs / latitude },
    suites: [suiteAesGcm, suiteChaChaPoly],
    schedule: { leastPromisedHours: 0, leastOverlapHours: leastOverlapHours[preset] },
    leastBandwidth: 0,
    mostReneged: preset === 'open' ? 1 : Number.MAX_SAFE_INTEGER,
    ...rest,
    lending: { ...lendingOf(choice, ramp), ...lending },
  };
}

function preferredTerms(preset: Preset, trusted: boolean, changes?: Partial<Terms>): Terms {
  const nothing = { firstLendsBytes: 0, secondLendsBytes: 0 };
  const terms = { ...(preset === 'circle' ? circleTerms : openTerms)(nothing), ...changes };
  const waits = trusted || terms.commitmentMs > terms.graceMs;
  // Somebody who is not trusted has to be in commitment for longer than the grace period, whatever the preset (C30).
  const commitmentMs = waits ? terms.commitmentMs : longerThanGrace(terms.graceMs);
  return { ...terms, trusted, commitmentMs };
}

/** A commitment period that makes every strategy of deleting in time unprofitable: a day longer than the grace period, in proportion when that is short. */
export function longerThanGrace(graceMs: number): number {
  return Math.ceil(graceMs + Math.min(dayMs, graceMs / 2));
}

function rangesAround(terms: Terms, leastBandwidth: number): Record<RangedTerm, Range> {
  const around = (term: RangedTerm): Range => {
    const { least, most } = termBounds[term];
    return {
      least: Math.max(least, Math.ceil(terms[term] / latitude)),
      most: Math.min(most, Math.floor(terms[term] * latitude)),
    };
  };
  return {
    bandwidth: { least: 0, most: Math.max(leastBandwidth, terms.bandwidth) },
    auditIntervalMs: around('auditIntervalMs'),
    graceMs: around('graceMs'),
    commitmentMs: {
      // Where C is waived, any that the other asks for is signed too.
      least: terms.trusted ? 0 : around('commitmentMs').least,
      most: Math.max(around('commitmentMs').most, longerThanGrace(around('graceMs').most)),
    },
    deleteLockMs: around('deleteLockMs'),
    readQuota: around('readQuota'),
    noticeMs: around('noticeMs'),
  };
}

function lendingOf(choice: PolicyChoice, ramp: Ramp | null | undefined): Lending {
  const { preset, freeBytes, wantedBytes, cleanMs } = choice;
  const chosen = ramp === undefined && preset === 'open' ? openRamp : (ramp ?? undefined);
  const mostBytes = Math.min(freeBytes, rampedBytes(chosen, cleanMs));
  return {
    mostBytes,
    leastInReturnBytes: 0,
    wantedBytes: Math.min(wantedBytes, rampedBytes(chosen, cleanMs)),
    // Strangers lend each other the same; friends as they please.
    timesReturn: preset === 'open' ? 1 : undefined,
  };
}

/**
 * The bounds towards a partner: this side's own, stretched just so far that the terms in force lie within. Bounds that went by those terms could be moved step by
 * step, until a delete-lock, a grace period or a notice is gone; whoever stole a partner's key would do just that.
 */
export function stretchedTo(policy: Policy, inForce: Terms): Policy {
  const ranges = { ...policy.ranges };
  for (const term of rangedTerms) {
    const { least, most } = ranges[term];
    const value = inForce[term];
    ranges[term] = { least: Math.min(least, value), most: Math.max(most, value) };
  }
  // An end that comes before the notice would is no way around it.
  const { leastMs, mostMs } = policy.term;
  const shortest = Math.max(leastMs, inForce.noticeMs);
  const { termMs, code, suite } = inForce;
  const longest = mostMs === undefined || termMs === 0 ? {} : { mostMs: Math.max(mostMs, termMs) };
  return {
    ...policy,
    preferred: inForce,
    ranges,
    term: { leastMs: termMs === 0 ? shortest : Math.min(shortest, termMs), ...longest },
    suites: [...new Set([...policy.suites, suite])],
    ...(code === undefined ? {} : { code }),
  };
}

/** What each party lends, seen from one of them. */
export function termsWithLending(
  terms: Terms,
  own: Party,
  lent: { readonly ours: number; readonly theirs: number },
): Terms {
  return own === 'first'
    ? { ...terms, firstLendsBytes: lent.ours, secondLendsBytes: lent.theirs }
    : { ...terms, firstLendsBytes: lent.theirs, secondLendsBytes: lent.ours };
}

/** The terms that this side offers first. */
export function openingTerms(policy: Policy, own: Party): Terms {
  const { mostBytes, wantedBytes, leastInReturnBytes, timesReturn } = policy.lending;
  const theirs = Math.max(leastInReturnBytes, wantedBytes);
  const ours = Math.min(mostBytes, Math.floor((timesReturn ?? Number.POSITIVE_INFINITY) * theirs));
  const { own: hours, leastPromisedHours } = policy.schedule;
  const promise = hours !== undefined && leastPromisedHours > 0 ? { schedule: hours } : {};
  const lent = { ours: Number.isFinite(ours) ? ours : mostBytes, theirs };
  return { ...termsWithLending(policy.preferred, own, lent), ...promise };
}
