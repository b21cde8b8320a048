/**
 * Who may become a partner at all (C2, C24–C27): each stated criterion is checked, and every refusal says by how much it was missed.
 *
 * What nobody knows refuses nobody: a candidate without measured schedule or bandwidth stays, with a remark, and is ranked lower.
 */
import type { Instant } from '../../base/units.ts';
import { gibi, mebi } from '../../base/units.ts';
import { leastOverlapHours } from '../agreements/policy.ts';
import type { PeerId } from '../vocabulary/ids.ts';
import type { Preset, Profile } from '../wire/profile.ts';
import { commonProtocol, spokenProtocols } from '../wire/protocol.ts';
import { sharePlace, type Traits } from './failure-domain.ts';
import { bandwidthOf, type Observation, scheduleOf } from './observation.ts';
import { overlapHours } from './schedule.ts';

/** What a user demands of partners. */
export interface Criteria {
  /** Versions of the protocol that this computer speaks. */
  readonly protocols: readonly number[];
  /** Kinds of agreement that it enters. */
  readonly presets: readonly Preset[];
  /** Hours a week that both must be on line, 0 … 168. */
  readonly overlapHoursMinimum: number;
  /** Average bytes a second, each way (C26). */
  readonly bandwidthMinimum: number;
  /** Bytes that a candidate must offer. */
  readonly spaceMinimumBytes: number;
  /** N of C27: on so many others it may have reneged. */
  readonly renegedMaximum: number;
  /** Partners in the household or network of this computer are taken. */
  readonly householdAllowed: boolean;
}

/** What a candidate's references said and showed, as far as they were asked. */
export interface CheckedRecord {
  /** Peers on which it reneged. */
  readonly renegedCount: number;
  /** References that answered. */
  readonly askedCount: number;
  /** Days of proof that both sides signed, over all references that answered. */
  readonly provenDays: number;
  /** What it says of itself is not what those that it names say, or not what it signed. */
  readonly liar?: boolean;
}

/** All that is known of a peer that may become a partner. */
export interface Candidate {
  readonly peer: PeerId;
  readonly profile: Profile | undefined;
  readonly traits: Traits;
  readonly observation?: Observation | undefined;
  readonly record?: CheckedRecord | undefined;
  /** It reneged on this computer the last time, and no person forgave it. */
  readonly renegedHere?: boolean | undefined;
  /** It has an agreement in force with this computer, or one is being signed. */
  readonly isPartner?: boolean | undefined;
  /** Whoever answers at its addresses is somebody else. */
  readonly wrongIdentity?: boolean | undefined;
  /** It was invited, or invited us: a person vouches for it. */
  readonly invited?: boolean | undefined;
  /** Why it was refused, or refused, the last time (a stable code), and until when it is not asked again. */
  readonly refused?: { readonly code: string; readonly until: Instant } | undefined;
}

/** This computer, as candidates are compared with it. */
export interface Seeker {
  readonly peer: PeerId;
  readonly traits: Traits;
  /** Its own hours: a mask (21 bytes) or shares (168 bytes); undefined while nothing was measured. */
  readonly schedule: Uint8Array | undefined;
}

export type CandidateRefusal =
  | { readonly code: 'candidate.self' }
  | { readonly code: 'candidate.already-partner' }
  | { readonly code: 'candidate.wrong-identity' }
  | { readonly code: 'candidate.recently-refused'; readonly cause: string; readonly until: Instant }
  /** Its profile was never read. */
  | { readonly code: 'candidate.unknown' }
  | { readonly code: 'candidate.protocol'; readonly spoken: readonly number[] }
  | { readonly code: 'candidate.preset'; readonly entered: readonly Preset[] }
  | { readonly code: 'candidate.same-household' }
  | { readonly code: 'candidate.schedule'; readonly hours: number; readonly needed: number }
  | {
      readonly code: 'candidate.bandwidth';
      readonly direction: 'up' | 'down';
      readonly bytesPerSecond: number;
      readonly needed: number;
    }
  | { readonly code: 'candidate.space'; readonly offeredBytes: number; readonly needed: number }
  | { readonly code: 'candidate.record'; readonly reneged: number; readonly allowed: number }
  | { readonly code: 'candidate.reneged-here' }
  | { readonly code: 'candidate.false-record' };

export type CandidateRemark = 'schedule-unknown' | 'bandwidth-unknown' | 'record-unknown';

export type Judgement =
  | { readonly accepted: true; readonly remarks: readonly CandidateRemark[] }
  | { readonly accepted: false; readonly refusals: readonly CandidateRefusal[] };

/** The defaults among people who know each other: whoever was invited is welcome. */
export const circleCriteria: Criteria = {
  protocols: spokenProtocols,
  presets: ['circle'],
  overlapHoursMinimum: leastOverlapHours.circle,
  bandwidthMinimum: 0,
  spaceMinimumBytes: 1,
  renegedMaximum: 3,
  householdAllowed: true,
};

/** The defaults among strangers. */
export const openCriteria: Criteria = {
  protocols: spokenProtocols,
  presets: ['open'],
  overlapHoursMinimum: leastOverlapHours.open,
  bandwidthMinimum: mebi / 16,
  spaceMinimumBytes: gibi,
  renegedMaximum: 1,
  householdAllowed: false,
};

export interface JudgingView {
  readonly seeker: Seeker;
  readonly criteria: Criteria;
  readonly now: Instant;
}

/** Whether the candidate may become a partner; refused, with every criterion that it misses, in a fixed order. */
export function judgeCandidate(candidate: Candidate, view: JudgingView): Judgement {
  const refusals = [
    ...standingRefusals(candidate, view),
    ...(candidate.profile === undefined
      ? [{ code: 'candidate.unknown' } as const]
      : profileRefusals(candidate.profile, view.criteria)),
    ...placeRefusals(candidate, view),
    ...scheduleRefusals(candidate, view),
    ...bandwidthRefusals(candidate, view.criteria),
    ...recordRefusals(candidate, view.criteria),
  ];
  if (refusals.length > 0) return { accepted: false, refusals };
  return { accepted: true, remarks: remarksOn(candidate, view) };
}

/** Hours a week in which seeker and candidate are expected to be there together; undefined while either is unknown. */
export function sharedHours(seeker: Seeker, candidate: Candidate): number | undefined {
  const theirs = scheduleOfCandidate(candidate);
  if (seeker.schedule === undefined || theirs === undefined) return undefined;
  return overlapHours(seeker.schedule, theirs);
}

/** Average bytes a second towards the candidate (`up`) or from it; what we measured before what it says. */
export function bandwidthWith(
  { observation, profile }: Candidate,
  direction: 'up' | 'down',
): number | undefined {
  const measured = observation === undefined ? undefined : bandwidthOf(observation, direction);
  // What goes up from here comes down there.
  const said = direction === 'up' ? profile?.downBytesPerSecond : profile?.upBytesPerSecond;
  return measured ?? said;
}

/** The hours observed here, else those that it measured of itself, else those that it promises. */
function scheduleOfCandidate({ observation, profile }: Candidate): Uint8Array | undefined {
  const observed = observation === undefined ? undefined : scheduleOf(observation);
  return observed ?? profile?.schedule ?? profile?.promised;
}

function standingRefusals(candidate: Candidate, view: JudgingView): readonly CandidateRefusal[] {
  const { refused } = candidate;
  return [
    ...(candidate.peer === view.seeker.peer ? [{ code: 'candidate.self' } as const] : []),
    ...(candidate.isPartner === true ? [{ code: 'candidate.already-partner' } as const] : []),
    ...(candidate.wrongIdentity === true ? [{ code: 'candidate.wrong-identity' } as const] : []),
    ...(refused !== undefined && view.now < refused.until
      ? [
          {
            code: 'candidate.recently-refused',
            cause: refused.code,
            until: refused.until,
          } as const,
        ]
      : []),
  ];
}

function profileRefusals(profile: Profile, criteria: Criteria): readonly CandidateRefusal[] {
  const { protocols, presets, offeredBytes } = profile;
  const needed = criteria.spaceMinimumBytes;
  return [
    ...(commonProtocol(criteria.protocols, protocols) === undefined
      ? [{ code: 'candidate.protocol', spoken: protocols } as const]
      : []),
    ...(presets.some((preset) => criteria.presets.includes(preset))
      ? []
      : [{ code: 'candidate.preset', entered: presets } as const]),
    ...(offeredBytes < needed ? [{ code: 'candidate.space', offeredBytes, needed } as const] : []),
  ];
}

function placeRefusals(candidate: Candidate, view: JudgingView): readonly CandidateRefusal[] {
  const isHere = sharePlace(candidate.traits, view.seeker.traits);
  return isHere && !view.criteria.householdAllowed ? [{ code: 'candidate.same-household' }] : [];
}

function scheduleRefusals(candidate: Candidate, view: JudgingView): readonly CandidateRefusal[] {
  const hours = sharedHours(view.seeker, candidate);
  const needed = view.criteria.overlapHoursMinimum;
  if (hours === undefined || hours >= needed) return [];
  return [{ code: 'candidate.schedule', hours: Math.floor(hours), needed }];
}

function bandwidthRefusals(candidate: Candidate, criteria: Criteria): readonly CandidateRefusal[] {
  const needed = criteria.bandwidthMinimum;
  return (['up', 'down'] as const).flatMap((direction) => {
    const bytesPerSecond = bandwidthWith(candidate, direction);
    if (bytesPerSecond === undefined || bytesPerSecond >= needed) return [];
    return [{ code: 'candidate.bandwidth', direction, bytesPerSecond, needed } as const];
  });
}

/** Its own references count as reneged on where it admits it, even if they could not be asked. */
function recordRefusals(candidate: Candidate, criteria: Criteria): readonly CandidateRefusal[] {
  const reneged = renegedBy(candidate);
  const allowed = criteria.renegedMaximum;
  return [
    ...(candidate.renegedHere === true ? [{ code: 'candidate.reneged-here' } as const] : []),
    ...(reneged > allowed ? [{ code: 'candidate.record', reneged, allowed } as const] : []),
    ...(candidate.record?.liar === true ? [{ code: 'candidate.false-record' } as const] : []),
  ];
}

/** Others on which the candidate reneged: as its references say, or as it says itself, whichever is more. */
export function renegedBy({ record, profile }: Candidate): number {
  const admitted = profile?.references.filter(({ renegedCount }) => renegedCount > 0).length ?? 0;
  return Math.max(record?.renegedCount ?? 0, admitted);
}

function remarksOn(candidate: Candidate, view: JudgingView): readonly CandidateRemark[] {
  const slow = bandwidthWith(candidate, 'up') ?? bandwidthWith(candidate, 'down');
  return [
    ...(sharedHours(view.seeker, candidate) === undefined ? ['schedule-unknown' as const] : []),
    ...(slow === undefined ? ['bandwidth-unknown' as const] : []),
    ...((candidate.record?.askedCount ?? 0) === 0 ? ['record-unknown' as const] : []),
  ];
}
