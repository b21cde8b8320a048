/**
 * Which code the partners there are can bear, how many more are wanted, and what to do next: decided here, with reasons that a person can read.
 */
import type { Instant } from '../../base/units.ts';
import type { Code } from '../vocabulary/code.ts';
import type { PeerId } from '../vocabulary/ids.ts';
import { chooseCode, fullShards, type PlanPreset } from './code-choice.ts';
import type { FailureDomains } from './failure-domains.ts';

/** A partner that takes shards, as far as it is known. */
export interface PlannedPartner {
  readonly peer: PeerId;
  /** Chance that it can be reached at one moment, measured, 0 … 1. Absent: not measured. */
  readonly availability?: number;
  /** Since when it has been a partner. */
  readonly ageMs: number;
  readonly freeBytes: number;
  readonly domains?: FailureDomains;
  /** In commitment until then: it holds shards, but restores are not asked of it. Absent: they are. */
  readonly restorableFrom?: Instant;
}

export type PlanReason =
  | { readonly code: 'plan.no-partners' }
  /** So many partners carry this code; the full one needs so many. */
  | { readonly code: 'plan.few-partners'; readonly partners: number; readonly wanted: number }
  | { readonly code: 'plan.full-code'; readonly partners: number }
  /** Partners without room do not count. */
  | { readonly code: 'plan.partners-full'; readonly partners: number }
  /** The partners are there so seldom that more redundancy was taken than their number asks for. */
  | { readonly code: 'plan.seldom-there'; readonly availability: number }
  /** More shards of each stripe than should lie in one failure domain, for want of a choice. */
  | { readonly code: 'plan.crowded-domain'; readonly domain: string; readonly shards: number };

export interface Plan {
  /** Absent without partners. */
  readonly code: Code | undefined;
  /** Partners that the preset wants for its full code. */
  readonly wantedPartners: number;
  readonly reasons: readonly PlanReason[];
}

export function planFor(partners: readonly PlannedPartner[], preset: PlanPreset): Plan {
  const wantedPartners = fullShards(preset);
  return { code: chooseCode(partners.length, preset), wantedPartners, reasons: [] };
}
