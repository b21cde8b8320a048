/**
 * Which code the partners there are can carry, how many more are wanted, and what to do next: decided here, with reasons that a person can read.
 *
 * The number of partners with room leads (code-choice.ts). When these are measured to be there so seldom that a restore within a week would fail more often
 * than one time in twenty, data shards give way to redundancy. All of it is a pure function of what is known, and asked anew whenever that changes.
 */
import { present } from '../../base/assert.ts';
import type { Instant } from '../../base/units.ts';
import { type Code, shardCount } from '../vocabulary/code.ts';
import { idBytes, idOf, type PeerId, type StripeId } from '../vocabulary/ids.ts';
import { blockBytes } from '../vocabulary/limits.ts';
import { chooseCode, fullShards, type PlanPreset } from './code-choice.ts';
import {
  durabilityOf,
  expectedLifeMs,
  type Holder,
  type LossModel,
  ordinaryModel,
} from './durability.ts';
import type { FailureDomains } from './failure-domains.ts';
import { type CrowdedDomain, placeShards } from './placement.ts';

/** A partner that takes shards, as far as it is known. */
export interface PlannedPartner {
  readonly peer: PeerId;
  /** Chance that it can be reached at one moment, measured, 0 … 1. Absent: not measured. */
  readonly availability?: number;
  /** How long it has been a partner. */
  readonly ageMs: number;
  readonly freeBytes: number;
  /** What it holds of this owner already, planned or held; absent: nothing. */
  readonly usedBytes?: number;
  /** Average bytes a second at which it gives data back; absent: not known. */
  readonly bandwidth?: number;
  readonly domains?: FailureDomains;
  /** It is suspended (`Holder.missedMs`). Absent: it is not. */
  readonly missedMs?: number;
  /** In commitment until then: it holds shards, but restores are not asked of it. Absent: they are. */
  readonly restorableFrom?: Instant;
}

/** Half of the time: nobody is counted on before it was measured. */
export const unmeasuredAvailability = 0.5;

export type PlanReason =
  | { readonly code: 'plan.no-partners' }
  /** So many partners carry this code; the full one needs so many. */
  | { readonly code: 'plan.few-partners'; readonly partners: number; readonly wanted: number }
  | { readonly code: 'plan.full-code'; readonly partners: number }
  /** Partners without room do not count. */
  | { readonly code: 'plan.partners-full'; readonly partners: number }
  /** More redundancy was taken than the number of partners asks for. */
  | { readonly code: 'plan.seldom-there'; readonly availability: number }
  /** More shards of each stripe than should lie in one failure domain, for want of a choice. */
  | {
      readonly code: 'plan.crowded-domain';
      readonly domain: string;
      readonly shards: number;
      readonly maximum: number;
    };

/** What would help most. */
export type NextAction =
  | { readonly type: 'find-partners'; readonly count: number }
  | { readonly type: 'free-space'; readonly partners: number }
  /** Partners of another place or system than this one. */
  | { readonly type: 'diversify'; readonly domain: string; readonly count: number }
  | { readonly type: 'none' };

export interface Plan {
  /** For new stripes; absent without partners that have room. */
  readonly code: Code | undefined;
  /** Partners that the preset wants for its full code. */
  readonly wantedPartners: number;
  readonly reasons: readonly PlanReason[];
  readonly next: NextAction;
}

export function planFor(partners: readonly PlannedPartner[], preset: PlanPreset): Plan {
  const roomy = partners.filter(({ freeBytes }) => freeBytes >= blockBytes);
  const wantedPartners = fullShards(preset);
  const byNumber = chooseCode(roomy.length, preset);
  const code = byNumber && hardened(byNumber, roomy, preset);
  const crowded = code === undefined ? [] : crowdedAt(code, roomy);
  const reasons: PlanReason[] = [sizeReason(roomy.length, wantedPartners)];
  const full = partners.length - roomy.length;
  if (full > 0) reasons.push({ code: 'plan.partners-full', partners: full });
  if (code !== undefined && code !== byNumber)
    reasons.push({ code: 'plan.seldom-there', availability: meanAvailability(roomy) });
  for (const domain of crowded) reasons.push({ code: 'plan.crowded-domain', ...domain });
  const missing = wantedPartners - partners.length;
  return { code, wantedPartners, reasons, next: nextAction(missing, full, crowded) };
}

/**
 * Codes to try in turn when partners lack room for a stripe: a code for fewer partners is better than none, as long as it bears half the losses of the
 * first, or four.
 */
export function codesToTry(
  partners: readonly PlannedPartner[],
  preset: PlanPreset,
): readonly Code[] {
  const codes: Code[] = [];
  for (let count = partners.length; count > 0; count -= 1) {
    const byNumber = present(chooseCode(count, preset), 'a code for some partners');
    const code = hardened(byNumber, partners, preset);
    const first = codes[0] ?? code;
    if (code.parityShards < Math.min(4, first.parityShards / 2)) break;
    if (codes.every((other) => shardCount(other) !== shardCount(code))) codes.push(code);
  }
  return codes;
}

/** A partner as the model of losses sees it. */
export function holderOf(partner: PlannedPartner): Holder {
  return {
    availability: partner.availability ?? unmeasuredAvailability,
    lifeMs: expectedLifeMs(partner.ageMs),
    ...(partner.domains === undefined ? {} : { domains: partner.domains }),
    ...(partner.missedMs === undefined ? {} : { missedMs: partner.missedMs }),
  };
}

/** The world that a preset expects: strangers cheat now and then, and are not all found out at once. */
export function modelOf({ preset, hostile, repairMs }: PlanPreset): LossModel {
  const model = repairMs === undefined ? ordinaryModel : { ...ordinaryModel, repairMs };
  if (preset === 'circle') return model;
  return { ...model, cheatShare: hostile ? 0.2 : 0.05 };
}

const failsTooOften = 1 / 20;
/** Redundancy beyond this multiple costs more than finding better partners. */
const mostExpansion = 4;

/** The code with as much more redundancy as it takes, for its least available partners, that a restore within a week hardly ever fails. */
function hardened(code: Code, partners: readonly PlannedPartner[], preset: PlanPreset): Code {
  const shards = shardCount(code);
  // A failure domain is lost with all its redundancy: more of it would not help there.
  const holders = partners
    .map((partner) => ({ ...holderOf(partner), domains: {} }))
    .sort((left, right) => left.availability - right.availability)
    .slice(0, shards);
  // How long this owner itself is away changes what it is told, not what its partners have to hold.
  const { repairMs: _, ...usual } = preset;
  const model = modelOf(usual);
  for (let dataShards = code.dataShards; dataShards > 1; dataShards -= 1) {
    if (durabilityOf({ holders, dataShards, model }).failsInWindow <= failsTooOften)
      return withData(code, dataShards);
    if (shards > mostExpansion * (dataShards - 1)) return withData(code, dataShards);
  }
  return withData(code, 1);
}

/** The same shards, so many of them with data. */
function withData(code: Code, dataShards: number): Code {
  if (dataShards === code.dataShards) return code;
  return { id: 'reed-solomon', dataShards, parityShards: shardCount(code) - dataShards };
}

function sizeReason(partners: number, wanted: number): PlanReason {
  if (partners === 0) return { code: 'plan.no-partners' };
  return partners < wanted
    ? { code: 'plan.few-partners', partners, wanted }
    : { code: 'plan.full-code', partners };
}

function meanAvailability(partners: readonly PlannedPartner[]): number {
  const sum = partners.reduce((total, partner) => total + holderOf(partner).availability, 0);
  return sum / partners.length;
}

const anyStripe: StripeId = idOf<StripeId>(new Uint8Array(idBytes));

/** Where a stripe is crowded even if it is placed as well as can be. */
function crowdedAt(code: Code, partners: readonly PlannedPartner[]): readonly CrowdedDomain[] {
  const placed = placeShards({ code, partners, shardBytes: blockBytes, stripeId: anyStripe });
  return placed.ok ? placed.value.crowded : [];
}

function nextAction(missing: number, full: number, crowded: readonly CrowdedDomain[]): NextAction {
  if (missing > 0) return { type: 'find-partners', count: missing };
  if (full > 0) return { type: 'free-space', partners: full };
  const [worst] = [...crowded].sort((left, right) => right.shards - left.shards);
  if (worst === undefined) return { type: 'none' };
  return { type: 'diversify', domain: worst.domain, count: worst.shards - worst.maximum };
}
