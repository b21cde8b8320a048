/**
 * Fills the open places of a stripe (docs/decisions/0013-spares-are-further-shards.md): first with shards of it that partners have already, whatever their index, for
 * these need not be sent; then with shards that are to be sent to others.
 *
 * Where reserves would put more into one failure domain than it should have, while others have room, something is sent after all.
 */
import type { Outcome } from '../../base/outcome.ts';
import { shardCount } from '../vocabulary/code.ts';
import type { PeerId } from '../vocabulary/ids.ts';
import { domainKey, domainLayers, domainMaximum } from './failure-domains.ts';
import { openPlaces } from './open-places.ts';
import {
  type PartnerSpace,
  type Placement,
  type PlacementFailure,
  type PlacementRequest,
  placeShards,
} from './placement.ts';

/** A shard of the stripe that a partner has, and that does not count at present. */
export interface ReserveShard {
  readonly index: number;
  readonly partner: PeerId;
}

export interface FillingRequest extends Omit<PlacementRequest, 'open'> {
  readonly kept: ReadonlyMap<number, PeerId>;
  /** Those wanted most first; of partners that are not among `partners` none is taken. */
  readonly reserves: readonly ReserveShard[];
  /** Indices that somebody may come back with. */
  readonly taken: Iterable<number>;
}

export function fillStripe(request: FillingRequest): Outcome<Placement, PlacementFailure> {
  const cheapest = filled(request, () => true);
  if (cheapest.ok && cheapest.value.crowded.length === 0) return cheapest;
  const spread = filled(request, (partner, others) => !isCrowding(request, partner, others));
  if (!spread.ok) return cheapest;
  return cheapest.ok && excess(cheapest.value) <= excess(spread.value) ? cheapest : spread;
}

function filled(
  request: FillingRequest,
  mayTake: (partner: PartnerSpace, others: ReadonlySet<PeerId>) => boolean,
): Outcome<Placement, PlacementFailure> {
  const { code, partners, kept, reserves, taken } = request;
  const whole = new Map(kept);
  const busy = new Set(kept.values());
  for (const { index, partner } of reserves) {
    if (whole.size >= shardCount(code)) break;
    const able = partners.find(({ peer }) => peer === partner);
    if (able === undefined || whole.has(index) || busy.has(partner)) continue;
    if (!mayTake(able, busy)) continue;
    whole.set(index, partner);
    busy.add(partner);
  }
  const open = openPlaces(code, whole.keys(), taken);
  return placeShards({ ...request, kept: whole, open });
}

/** With this partner one of its domains would have more than it should. */
function isCrowding(
  { code, partners }: FillingRequest,
  partner: PartnerSpace,
  others: ReadonlySet<PeerId>,
): boolean {
  const holders = partners.filter(({ peer }) => others.has(peer));
  return domainLayers.some((layer) => {
    const key = domainKey(partner, layer);
    const there = holders.filter((other) => domainKey(other, layer) === key).length;
    return there >= domainMaximum(code.parityShards);
  });
}

function excess({ crowded }: Placement): number {
  return crowded.reduce((sum, { shards, maximum }) => sum + shards - maximum, 0);
}
