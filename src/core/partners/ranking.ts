/**
 * In which order candidates are asked (C2, C21, C23): by geographic separation and diversity of systems, then by how well they can serve.
 *
 * Greedy and diverse: each next place goes to the candidate that adds most to this computer, its partners and the candidates ranked before it. So two good
 * candidates of one household do not both come first. Every place carries its reasons, and the points of these add up to its score; equal scores are ordered by
 * id, so that the order depends on nothing but what is known.
 */
import { mebi } from '../../base/units.ts';
import type { PeerId } from '../vocabulary/ids.ts';
import { bandwidthWith, type Candidate, renegedBy, type Seeker, sharedHours } from './criteria.ts';
import { distanceKm, sameKnown, sharePlace, systemOf, type Traits } from './failure-domain.ts';
import { weekHours } from './schedule.ts';

export type DiversityLayer = 'system' | 'architecture' | 'program';

/** One thing that speaks for or against a candidate, and by how many points. */
export type RankReason =
  | { readonly code: 'separate-place'; readonly points: number }
  /** So many of the others stand in its household or behind its network. */
  | { readonly code: 'shared-place'; readonly others: number; readonly points: number }
  | { readonly code: 'other-country'; readonly country: string; readonly points: number }
  | {
      readonly code: 'shared-country';
      readonly country: string;
      readonly others: number;
      readonly points: number;
    }
  /** To the nearest of the others whose place is known. */
  | { readonly code: 'distance'; readonly km: number; readonly points: number }
  /** So many of the others run the same. */
  | {
      readonly code: 'diversity';
      readonly layer: DiversityLayer;
      readonly value: string;
      readonly others: number;
      readonly among: number;
      readonly points: number;
    }
  /** Hours a week in which both are there. */
  | { readonly code: 'schedule'; readonly hours: number; readonly points: number }
  /** Average of the slower direction. */
  | { readonly code: 'bandwidth'; readonly bytesPerSecond: number; readonly points: number }
  | {
      readonly code: 'proven';
      readonly days: number;
      readonly references: number;
      readonly points: number;
    }
  | { readonly code: 'reneged'; readonly times: number; readonly points: number }
  | { readonly code: 'invited'; readonly points: number }
  | {
      readonly code: 'unknown';
      readonly subject: 'schedule' | 'bandwidth' | 'record';
      readonly points: number;
    };

export interface RankedCandidate {
  readonly peer: PeerId;
  /** From 1. */
  readonly place: number;
  readonly score: number;
  /** No partner, and no candidate ranked before it, stands in its household or network. */
  readonly separate: boolean;
  readonly reasons: readonly RankReason[];
}

export interface RankingView {
  readonly seeker: Seeker;
  /** Of all present partners. */
  readonly partners: readonly Traits[];
}

/** What each consideration is worth at most; separation and diversity together outweigh the rest. */
export const rankPoints = {
  place: 40,
  country: 10,
  distance: 20,
  system: 12,
  architecture: 4,
  program: 4,
  schedule: 16,
  bandwidth: 10,
  proven: 8,
  invited: 15,
} as const;

/** Beyond this distance nothing is gained any more: what strikes both places strikes a continent. */
const farKm = 1_000;
const fastBytesPerSecond: number = 4 * mebi;
const longProvenDays = 90;
const crowdingPoints = 5;
const renegedPoints = 12;

/** The candidates (those that `judgeCandidate` accepted), best first, whatever order they come in. */
export function rankCandidates(
  candidates: readonly Candidate[],
  view: RankingView,
): readonly RankedCandidate[] {
  let remaining = candidates
    .map((candidate) => contenderOf(candidate, view))
    .toSorted((left, right) => (left.candidate.peer < right.candidate.peer ? -1 : 1));
  const ranked: RankedCandidate[] = [];
  while (remaining.length > 0) {
    const best = remaining.map(weighed).reduce(better);
    ranked.push({ ...best.verdict, place: ranked.length + 1 });
    remaining = remaining
      .filter((other) => other !== best.contender)
      .map((other) => comparedWith(other, best.contender.candidate.traits));
  }
  return ranked;
}

/** A candidate with how it compares to the others so far, kept up as places are given. */
interface Contender {
  readonly candidate: Candidate;
  /** Reasons that do not depend on the others. */
  readonly own: readonly RankReason[];
  readonly others: number;
  readonly samePlace: number;
  readonly sameCountry: number;
  readonly countriesKnown: number;
  readonly nearestKm: number | undefined;
  readonly same: Readonly<Record<DiversityLayer, number>>;
}

interface Weighed {
  readonly contender: Contender;
  readonly verdict: Omit<RankedCandidate, 'place'>;
}

function contenderOf(candidate: Candidate, { seeker, partners }: RankingView): Contender {
  const alone: Contender = {
    candidate,
    own: ownReasons(candidate, seeker),
    others: 0,
    samePlace: 0,
    sameCountry: 0,
    countriesKnown: 0,
    nearestKm: undefined,
    same: { system: 0, architecture: 0, program: 0 },
  };
  return [seeker.traits, ...partners].reduce(comparedWith, alone);
}

function comparedWith(contender: Contender, other: Traits): Contender {
  const { traits } = contender.candidate;
  const km = distanceKm(traits, other);
  const counts = (layer: DiversityLayer): number =>
    contender.same[layer] + Number(sameKnown(layerOf(traits, layer), layerOf(other, layer)));
  return {
    ...contender,
    others: contender.others + 1,
    samePlace: contender.samePlace + Number(sharePlace(traits, other)),
    sameCountry: contender.sameCountry + Number(sameKnown(traits.country, other.country)),
    countriesKnown: contender.countriesKnown + Number(other.country !== undefined),
    nearestKm: km === undefined ? contender.nearestKm : Math.min(km, contender.nearestKm ?? km),
    same: {
      system: counts('system'),
      architecture: counts('architecture'),
      program: counts('program'),
    },
  };
}

function layerOf(traits: Traits, layer: DiversityLayer): string | undefined {
  return layer === 'system' ? systemOf(traits) : traits[layer];
}

function weighed(contender: Contender): Weighed {
  const reasons = [
    ...placeReasons(contender),
    ...(['system', 'architecture', 'program'] as const).flatMap((layer) =>
      diversityReasons(contender, layer),
    ),
    ...contender.own,
  ];
  const score = reasons.reduce((sum, { points }) => sum + points, 0);
  const separate = contender.samePlace === 0;
  return { contender, verdict: { peer: contender.candidate.peer, score, separate, reasons } };
}

/** The earlier one of two equals is the one of the smaller id. */
function better(left: Weighed, right: Weighed): Weighed {
  return right.verdict.score > left.verdict.score ? right : left;
}

function placeReasons(contender: Contender): readonly RankReason[] {
  const { samePlace, sameCountry, countriesKnown, nearestKm } = contender;
  const { country } = contender.candidate.traits;
  const reasons: RankReason[] = [];
  if (samePlace === 0) reasons.push({ code: 'separate-place', points: rankPoints.place });
  else
    reasons.push({
      code: 'shared-place',
      others: samePlace,
      points: -crowdingPoints * (samePlace - 1),
    });
  if (country !== undefined && countriesKnown > 0) {
    if (sameCountry === 0)
      reasons.push({ code: 'other-country', country, points: rankPoints.country });
    else reasons.push({ code: 'shared-country', country, others: sameCountry, points: 0 });
  }
  if (nearestKm !== undefined) {
    const points = Math.round((rankPoints.distance * Math.min(nearestKm, farKm)) / farKm);
    reasons.push({ code: 'distance', km: nearestKm, points });
  }
  return reasons;
}

function diversityReasons(contender: Contender, layer: DiversityLayer): readonly RankReason[] {
  const value = layerOf(contender.candidate.traits, layer);
  if (value === undefined || value === '') return [];
  const [others, among] = [contender.same[layer], contender.others];
  const points = Math.round(rankPoints[layer] * (1 - others / among));
  return [{ code: 'diversity', layer, value, others, among, points }];
}

function ownReasons(candidate: Candidate, seeker: Seeker): readonly RankReason[] {
  return [
    scheduleReason(candidate, seeker),
    bandwidthReason(candidate),
    ...recordReasons(candidate),
    ...(candidate.invited === true
      ? [{ code: 'invited' as const, points: rankPoints.invited }]
      : []),
  ];
}

function scheduleReason(candidate: Candidate, seeker: Seeker): RankReason {
  const hours = sharedHours(seeker, candidate);
  if (hours === undefined) return { code: 'unknown', subject: 'schedule', points: 0 };
  const points = Math.round((rankPoints.schedule * hours) / weekHours);
  return { code: 'schedule', hours: Math.round(hours), points };
}

function bandwidthReason(candidate: Candidate): RankReason {
  const known = (['up', 'down'] as const)
    .map((direction) => bandwidthWith(candidate, direction))
    .filter((average) => average !== undefined);
  if (known.length === 0) return { code: 'unknown', subject: 'bandwidth', points: 0 };
  const bytesPerSecond = Math.min(...known);
  // Even a slow link that is known is better than one of which nothing is.
  const share = Math.min(bytesPerSecond, fastBytesPerSecond) / fastBytesPerSecond;
  return {
    code: 'bandwidth',
    bytesPerSecond,
    points: 1 + Math.round((rankPoints.bandwidth - 1) * share),
  };
}

function recordReasons(candidate: Candidate): readonly RankReason[] {
  const times = renegedBy(candidate);
  const reneged: readonly RankReason[] =
    times === 0 ? [] : [{ code: 'reneged', times, points: -renegedPoints * times }];
  const { record } = candidate;
  if (record === undefined || record.askedCount === 0)
    return [{ code: 'unknown', subject: 'record', points: 0 }, ...reneged];
  const days = record.provenDays;
  const points = Math.round((rankPoints.proven * Math.min(days, longProvenDays)) / longProvenDays);
  return [{ code: 'proven', days, references: record.askedCount, points }, ...reneged];
}
