/**
 * What partners may fail together with, as placement and the planner see it: one place (a household, a network), one system (an operating system with
 * its version). A partner of which nothing is known stands by itself.
 */
import type { PeerId } from '../vocabulary/ids.ts';

export type DomainLayer = 'place' | 'system';

export const domainLayers: readonly DomainLayer[] = ['place', 'system'];

export interface FailureDomains {
  readonly place?: string;
  readonly system?: string;
}

/** Shards of a stripe that one failure domain may hold when there is a choice (DESIGN §8). */
export function domainMaximum(parityShards: number): number {
  return Math.max(1, Math.floor(parityShards / 2));
}

/** The domain of a partner in one layer, as a key; a partner without one has one of its own. */
export function domainKey(
  partner: { readonly peer: PeerId; readonly domains?: FailureDomains },
  layer: DomainLayer,
): string {
  const named = partner.domains?.[layer];
  return named === undefined ? `peer ${partner.peer}` : `${layer} ${named}`;
}
