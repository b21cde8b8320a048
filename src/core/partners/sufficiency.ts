/**
 * "Have I enough good partners?" (C20–C22): decided before any search, from what the partners there are and what the planner wants.
 *
 * A partner counts when it takes shards, is there often enough, and has room. Several in one household or network count only up to what a stripe may lose with that
 * place; while that is the only thing missing, only candidates that stand apart are worth asking, and no more are taken than `mostPartners`.
 */
import { assertNever } from '../../base/assert.ts';
import { domainKey, type FailureDomains } from '../placement/failure-domains.ts';
import type { PeerId } from '../vocabulary/ids.ts';
import type { LifecyclePhase } from './lifecycle-phase.ts';

/** A partner there is, as far as it matters here. */
export interface PresentPartner {
  readonly peer: PeerId;
  readonly phase: LifecyclePhase | 'proposed';
  readonly paused: boolean;
  /** It has been silent so long that a spare is to be found for it (T_r); one silent for less still counts. */
  readonly spareWanted: boolean;
  /** Share of the time that it is there, measured; undefined: not measured. */
  readonly availability: number | undefined;
  readonly domains: FailureDomains;
  /** What it lends to this computer, and what of that is free. */
  readonly lentBytes: number;
  readonly freeBytes: number;
}

/** What the planner wants. */
export interface WantedPartners {
  /** Partners for the full code, or as many as a person asks for. */
  readonly count: number;
  /** Shards of the widest stripe there is: no code gives way to one that bears less, so each of them wants a partner. */
  readonly shardsInUse: number;
  /** Bytes, redundancy included, that still have to find room; 0: everything is placed. */
  readonly bytes: number;
  /** Partners of one place that count: max(1, ⌊m/2⌋). */
  readonly perPlaceMaximum: number;
  /** Least share of the time, 0 … 1, that a good partner is there. */
  readonly availabilityMinimum: number;
}

export type SufficiencyReason =
  | { readonly code: 'enough-partners'; readonly have: number; readonly wanted: number }
  | { readonly code: 'few-partners'; readonly have: number; readonly wanted: number }
  /** These do not count, and why. */
  | { readonly code: 'not-counted'; readonly peer: PeerId; readonly cause: Disregard }
  /** So many stand in one place, of which only `counted` count. */
  | {
      readonly code: 'crowded-place';
      readonly place: string;
      readonly partners: number;
      readonly counted: number;
    }
  /** All good partners (at least three) run one system: what strikes it strikes them together. */
  | { readonly code: 'one-system'; readonly system: string; readonly partners: number };

/** Why a partner does not count. */
export type Disregard =
  | {
      readonly code:
        | 'paused'
        | 'silent'
        | 'suspended'
        | 'leaving'
        | 'not-in-force'
        | 'lends-nothing';
    }
  | { readonly code: 'seldom-there'; readonly availability: number; readonly needed: number }
  | { readonly code: 'no-room'; readonly freeBytes: number; readonly neededBytes: number };

export interface Sufficiency {
  readonly enough: boolean;
  readonly wanted: number;
  /** Good partners. */
  readonly have: number;
  /** More partners to look for; 0 when there are enough. */
  readonly missing: number;
  /** Only candidates in places of their own (`RankedCandidate.separate`) would help. */
  readonly onlySeparate: boolean;
  readonly reasons: readonly SufficiencyReason[];
}

/** A few more than are wanted: for the sake of separation, and so that the last ones to come find somebody. */
export function mostPartners(wanted: number): number {
  return wanted + Math.max(3, Math.floor(wanted / 2));
}

export function enoughPartners(
  partners: readonly PresentPartner[],
  want: WantedPartners,
): Sufficiency {
  const most = mostPartners(want.count);
  const wanted = want.count === 0 ? 0 : Math.max(want.count, Math.min(want.shardsInUse, most));
  const neededBytes = wanted === 0 ? 0 : Math.ceil(want.bytes / wanted);
  const judged = partners.map((partner) => ({
    partner,
    cause: disregardOf(partner, want, neededBytes),
  }));
  const good = judged.filter(({ cause }) => cause === undefined).map(({ partner }) => partner);
  const places = crowdedPlaces(good, want.perPlaceMaximum);
  const surplus = places.reduce((sum, { partners: all, counted }) => sum + all - counted, 0);
  const short = Math.max(0, wanted - good.length);
  // For the sake of separation alone the number of partners does not grow without end.
  const separate = Math.max(0, wanted - (good.length - surplus));
  const missing = Math.max(short, Math.min(separate, Math.max(0, most - good.length)));
  const numbers = { have: good.length, wanted };
  return {
    enough: missing === 0,
    ...numbers,
    missing,
    onlySeparate: missing > 0 && short === 0,
    reasons: [
      short === 0 ? { code: 'enough-partners', ...numbers } : { code: 'few-partners', ...numbers },
      ...judged.flatMap(({ partner, cause }) =>
        cause === undefined ? [] : [{ code: 'not-counted' as const, peer: partner.peer, cause }],
      ),
      ...places,
      ...sharedSystem(good),
    ],
  };
}

function disregardOf(
  partner: PresentPartner,
  want: WantedPartners,
  neededBytes: number,
): Disregard | undefined {
  switch (partner.phase) {
    case 'proposed':
    case 'reneged':
    case 'ended':
      return { code: 'not-in-force' };
    case 'leaving':
      return { code: 'leaving' };
    case 'suspended':
      return { code: partner.spareWanted ? 'silent' : 'suspended' };
    case 'in-commitment':
    case 'standing':
      return weakness(partner, want, neededBytes);
    default:
      return assertNever(partner.phase);
  }
}

function weakness(
  partner: PresentPartner,
  want: WantedPartners,
  neededBytes: number,
): Disregard | undefined {
  if (partner.spareWanted) return { code: 'silent' };
  if (partner.paused) return { code: 'paused' };
  if (partner.lentBytes === 0) return { code: 'lends-nothing' };
  const { availability, freeBytes } = partner;
  if (availability !== undefined && availability < want.availabilityMinimum)
    return { code: 'seldom-there', availability, needed: want.availabilityMinimum };
  return freeBytes < neededBytes ? { code: 'no-room', freeBytes, neededBytes } : undefined;
}

type CrowdedPlace = Extract<SufficiencyReason, { code: 'crowded-place' }>;

function crowdedPlaces(good: readonly PresentPartner[], most: number): readonly CrowdedPlace[] {
  const members = Map.groupBy(good, (partner) => domainKey(partner, 'place'));
  return [...members.values()].flatMap((partners) => {
    const place = partners[0]?.domains.place;
    if (place === undefined || partners.length <= most) return [];
    return [{ code: 'crowded-place', place, partners: partners.length, counted: most } as const];
  });
}

const fewestForOneSystem = 3;

function sharedSystem(good: readonly PresentPartner[]): readonly SufficiencyReason[] {
  const system = good[0]?.domains.system;
  if (system === undefined || good.length < fewestForOneSystem) return [];
  if (!good.every(({ domains }) => domains.system === system)) return [];
  return [{ code: 'one-system', system, partners: good.length }];
}
