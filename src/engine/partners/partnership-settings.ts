/** How a computer looks for partners and what it agrees to (DESIGN §8): every knob, with its unit and its default by preset. */
import { dayMs, hourMs, minuteMs } from '../../base/units.ts';
import { leastOverlapHours } from '../../core/agreements/policy.ts';
import type { Place, Preset } from '../../core/wire/profile.ts';

export interface PartnershipSettings {
  /** The terms offered to, and taken from, partners that were not invited. */
  readonly preset: Preset;
  /** Looks for partners by itself, and answers offers of those that look. Without it only invites make partners. */
  readonly seek: boolean;
  /** Those that look for partners meet under the hash of this name. */
  readonly neighbourhood: string;
  /** Addresses of peers that may know others. */
  readonly bootstrap: readonly string[];
  /** Space wanted at partners, all together, in bytes; 0: none, this computer only lends; undefined: as much as it lends. */
  readonly wantedBytes: number | undefined;
  /** How many partners are wanted; 0: as many as the planner wants for its full code. */
  readonly wantedPartners: number;
  /** Least average bytes a second promised both ways (C26); 0: no promise. */
  readonly bandwidth: number;
  /** Least hours of the week in which both are on line. */
  readonly overlapHours: number;
  /** A candidate that reneged on more partners than this is refused. */
  readonly renegesAllowed: number;
  readonly auditIntervalMs: number;
  /** G. */
  readonly graceMs: number;
  /** C. */
  readonly commitmentMs: number;
  /** L, in running time of the partner. */
  readonly deleteLockMs: number;
  readonly noticeMs: number;
  /** How long an agreement runs before it is renewed; 0: until it is ended. */
  readonly termMs: number;
  /** T_r: a partner that is silent for longer gets a spare. */
  readonly spareAfterMs: number;
  /** Strangers begin with this much lent to each other, doubling with every clean stretch of `rampStepMs`; 0: no ramp. */
  readonly rampBytes: number;
  readonly rampStepMs: number;
  /** Pause between two searches that found too few; grows while nothing changes. */
  readonly searchIntervalMs: number;
  /** How often every partner is asked for a sign of life. */
  readonly probeIntervalMs: number;
  /** In so much of its running time a computer reads all that it holds for others once, and compares it. */
  readonly scrubMs: number;
  /** How often restoring is tried, on a few files drawn by chance; 0: only when a person asks. */
  readonly drillIntervalMs: number;
  /** What a receipt of the track record covers. */
  readonly receiptPeriodMs: number;
  /** Where the user says that this computer stands. */
  readonly place: Place;
  /** The network this computer is in, as `192.0.2.0/24` or `2001:db8::/48`; undefined: not known. */
  readonly networkPrefix: string | undefined;
  /** Version of the operating system. */
  readonly systemVersion: string;
}

const common = {
  seek: false,
  neighbourhood: 'covault',
  bootstrap: [],
  wantedBytes: undefined,
  wantedPartners: 0,
  bandwidth: 0,
  renegesAllowed: 1,
  termMs: 0,
  noticeMs: 14 * dayMs,
  searchIntervalMs: 5 * minuteMs,
  probeIntervalMs: 30 * minuteMs,
  scrubMs: 30 * dayMs,
  drillIntervalMs: dayMs,
  receiptPeriodMs: 7 * dayMs,
  place: {},
  networkPrefix: undefined,
  systemVersion: '',
};

const presets: Readonly<Record<Preset, PartnershipSettings>> = {
  circle: {
    ...common,
    preset: 'circle',
    overlapHours: leastOverlapHours.circle,
    auditIntervalMs: 6 * hourMs,
    graceMs: 30 * dayMs,
    commitmentMs: 31 * dayMs,
    deleteLockMs: 14 * dayMs,
    spareAfterMs: 3 * dayMs,
    rampBytes: 0,
    rampStepMs: 0,
  },
  open: {
    ...common,
    preset: 'open',
    overlapHours: leastOverlapHours.open,
    auditIntervalMs: 3 * hourMs,
    graceMs: 30 * dayMs,
    commitmentMs: 31 * dayMs,
    deleteLockMs: 30 * dayMs,
    // A computer of an office is away from Friday evening to Monday morning: 63 hours.
    spareAfterMs: 3 * dayMs,
    rampBytes: 1_000_000_000,
    rampStepMs: 14 * dayMs,
  },
};

/** The preset, with what was set otherwise. */
export function partnershipSettings(
  change: Partial<PartnershipSettings> = {},
): PartnershipSettings {
  return { ...presets[change.preset ?? 'circle'], ...change };
}
