/**
 * Which partner gets which shard (C36): each shard of a stripe goes to a partner of its own.
 *
 * Partners with more space left come first, so that all fill up evenly. Which of the chosen holds data and which parity turns with the stripe, so that
 * reading is spread as well.
 */
import { assert, present } from '../../base/assert.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { type Code, shardCount } from '../vocabulary/code.ts';
import { bytesOf, type PeerId, type StripeId } from '../vocabulary/ids.ts';

export interface PartnerSpace {
  readonly peer: PeerId;
  readonly freeBytes: number;
}

export interface PlacementRequest {
  readonly code: Code;
  readonly partners: readonly PartnerSpace[];
  /** What one shard takes at its partner. */
  readonly shardBytes: number;
  readonly stripeId: StripeId;
}

export type PlacementFailure = {
  readonly code: 'placement.too-few-partners';
  readonly able: number;
};

/** Partner by shard index. */
export function placeShards(
  request: PlacementRequest,
): Outcome<ReadonlyMap<number, PeerId>, PlacementFailure> {
  const { code, partners, shardBytes, stripeId } = request;
  assert(new Set(partners.map(({ peer }) => peer)).size === partners.length, 'partners differ');
  const shards = shardCount(code);
  const able = partners.filter(({ freeBytes }) => freeBytes >= shardBytes);
  if (able.length < shards)
    return failed({ code: 'placement.too-few-partners', able: able.length, needed: shards });
  const chosen = [...able]
    .sort(byFreeSpace)
    .slice(0, shards)
    .map(({ peer }) => peer)
    .sort();
  const turn = (bytesOf(stripeId)[0] ?? 0) % shards;
  const placed = new Map<number, PeerId>();
  for (let index = 0; index < shards; index += 1)
    placed.set(index, present(chosen[(index + turn) % shards], 'a partner for every shard'));
  return succeeded(placed);
}

/** More space first; equal ones in the order of their ids, so that the same question has the same answer. */
function byFreeSpace(left: PartnerSpace, right: PartnerSpace): number {
  if (left.freeBytes !== right.freeBytes) return right.freeBytes - left.freeBytes;
  return left.peer < right.peer ? -1 : 1;
}
