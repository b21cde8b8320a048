/**
 * Which partner gets which shard (C36): each shard of a stripe goes to a partner of its own.
 *
 * The partners are matched to the stripe by the cheapest flow: each carries one shard, and each failure domain (a place, a system) at most half of the
 * parity, so that no one event takes more than the code bears; and a place only one, as long as there are others. When there is no such choice the limit gives way by as little as it must, evenly, and the
 * answer says where. Among equal choices those that hold most of this owner's data already come first, so that all its stripes share one set of partners
 * (many sets would mean that some stripe is lost with almost any few partners); then those with more bandwidth; then those with more space.
 * Which of the chosen hold data and which parity turns with the stripe, so that reading is spread.
 */
import { assert, present } from '../../base/assert.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { type Code, shardCount } from '../vocabulary/code.ts';
import { bytesOf, type PeerId, type StripeId } from '../vocabulary/ids.ts';
import { cheapestFlow, type FlowEdge } from './cheapest-flow.ts';
import { domainKey, domainLayers, domainMaximum, type FailureDomains } from './failure-domains.ts';

export interface PartnerSpace {
  readonly peer: PeerId;
  readonly freeBytes: number;
  /** What it holds of this owner already, planned or held; absent: nothing. */
  readonly usedBytes?: number;
  /** Average bytes a second at which it gives data back; absent: not known. */
  readonly bandwidth?: number;
  /** Absent: it fails by itself. */
  readonly domains?: FailureDomains;
}

export interface PlacementRequest {
  readonly code: Code;
  readonly partners: readonly PartnerSpace[];
  /** What one shard takes at its partner. */
  readonly shardBytes: number;
  readonly stripeId: StripeId;
  /** Shards that stay where they are, partner by index; these partners take no other. They count in their domains if they are among `partners`. */
  readonly kept?: ReadonlyMap<number, PeerId>;
  /** Indices of the shards to be placed, none of them kept; absent: those of 0 … n−1 that are not kept. */
  readonly open?: readonly number[];
}

/** A domain with more shards of the stripe than it should have. */
export interface CrowdedDomain {
  readonly domain: string;
  readonly shards: number;
  readonly maximum: number;
}

export interface Placement {
  /** Partner by shard index, the kept ones included, in order of index. */
  readonly partners: ReadonlyMap<number, PeerId>;
  /** Empty when the failure domains are respected. */
  readonly crowded: readonly CrowdedDomain[];
}

export type PlacementFailure = {
  readonly code: 'placement.too-few-partners';
  /** Partners with room, for so many shards. */
  readonly able: number;
  readonly needed: number;
};

export function placeShards(request: PlacementRequest): Outcome<Placement, PlacementFailure> {
  const { code, partners, shardBytes } = request;
  assert(new Set(partners.map(({ peer }) => peer)).size === partners.length, 'partners differ');
  const kept = request.kept ?? new Map<number, PeerId>();
  const keeping = new Set(kept.values());
  assert(keeping.size === kept.size, 'kept shards lie at partners of their own');
  const open = request.open ?? openIndices(code, kept);
  assert(!open.some((index) => kept.has(index)), 'what is kept is not placed again');
  const needed = open.length;
  const able = partners.filter(
    ({ peer, freeBytes }) => freeBytes >= shardBytes && !keeping.has(peer),
  );
  if (able.length < needed)
    return failed({ code: 'placement.too-few-partners', able: able.length, needed });
  const staying = partners.filter(({ peer }) => keeping.has(peer));
  const maximum = domainMaximum(code.parityShards);
  const chosen = matched([...able].sort(byPreference), staying, { needed, maximum });
  return succeeded({
    partners: turned(request.stripeId, { kept, open }, chosen),
    crowded: crowdedDomains([...staying, ...chosen], maximum),
  });
}

/** The cheapest `needed` of the partners, given in order of preference. */
function matched(
  able: readonly PartnerSpace[],
  staying: readonly PartnerSpace[],
  { needed, maximum }: { readonly needed: number; readonly maximum: number },
): readonly PartnerSpace[] {
  const nodes = new Map<string, number>();
  const source = 0;
  const sink = 1;
  const edges: FlowEdge[] = [];
  // A second shard in one place weighs more than all preferences together, and one domain crowded by one shard more than all of those.
  const sharing = able.length * needed + 1;
  const crowding = sharing * (needed ** 2 + 1);
  const nodeOf = (key: string, isPlace: boolean): number => {
    const named = `${isPlace ? 'in' : 'out'} ${key}`;
    const known = nodes.get(named);
    if (known !== undefined) return known;
    const node = nodes.size + 2;
    nodes.set(named, node);
    const layer = isPlace ? 'place' : 'system';
    const present = staying.filter((other) => domainKey(other, layer) === key).length;
    const limits = { needed, maximum, crowding, sharing: isPlace ? sharing : 0 };
    for (const { capacity, cost } of roomOf(present, limits))
      edges.push(
        isPlace
          ? { from: source, to: node, capacity, cost }
          : { from: node, to: sink, capacity, cost },
      );
    return node;
  };
  const carriers = able.map((partner, rank) => {
    const from = nodeOf(domainKey(partner, 'place'), true);
    const to = nodeOf(domainKey(partner, 'system'), false);
    return { partner, at: edges.push({ from, to, capacity: 1, cost: rank }) - 1 };
  });
  const flow = cheapestFlow({ edges, source, sink, units: needed });
  return carriers.filter(({ at }) => flow[at] === 1).map(({ partner }) => partner);
}

/** Room for shards in one domain: the first is free, those up to the maximum cost little, and then each one more, so that crowding is spread. */
function roomOf(
  present: number,
  limits: {
    readonly needed: number;
    readonly maximum: number;
    readonly crowding: number;
    readonly sharing: number;
  },
): readonly { readonly capacity: number; readonly cost: number }[] {
  const { needed, maximum, crowding, sharing } = limits;
  return Array.from({ length: needed }, (_, index) => {
    const before = present + index;
    const over = before + 1 - maximum;
    return { capacity: 1, cost: over <= 0 ? sharing * before : crowding * (2 * over - 1) };
  });
}

function openIndices(code: Code, kept: ReadonlyMap<number, PeerId>): readonly number[] {
  const all = Array.from({ length: shardCount(code) }, (_, index) => index);
  return all.filter((index) => !kept.has(index));
}

function turned(
  stripeId: StripeId,
  { kept, open }: { readonly kept: ReadonlyMap<number, PeerId>; readonly open: readonly number[] },
  chosen: readonly PartnerSpace[],
): ReadonlyMap<number, PeerId> {
  const peers = chosen.map(({ peer }) => peer).sort();
  const first = (bytesOf(stripeId)[0] ?? 0) % Math.max(1, peers.length);
  const fresh = [...open]
    .sort((left, right) => left - right)
    .map((index, at): readonly [number, PeerId] => {
      return [index, present(peers[(first + at) % peers.length], 'a partner for every shard')];
    });
  return new Map([...kept, ...fresh].sort(([left], [right]) => left - right));
}

function crowdedDomains(holders: readonly PartnerSpace[], maximum: number): CrowdedDomain[] {
  const counts = new Map<string, number>();
  for (const layer of domainLayers)
    for (const holder of holders) {
      const domain = domainKey(holder, layer);
      if (holder.domains?.[layer] !== undefined) counts.set(domain, (counts.get(domain) ?? 0) + 1);
    }
  return [...counts]
    .filter(([, shards]) => shards > maximum)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([domain, shards]) => ({ domain, shards, maximum }));
}

/** Equal ones in the order of their ids, so that the same question has the same answer. */
function byPreference(left: PartnerSpace, right: PartnerSpace): number {
  const used = (right.usedBytes ?? 0) - (left.usedBytes ?? 0);
  if (used !== 0) return used;
  const bandwidth = (right.bandwidth ?? 0) - (left.bandwidth ?? 0);
  if (bandwidth !== 0) return bandwidth;
  if (left.freeBytes !== right.freeBytes) return right.freeBytes - left.freeBytes;
  return left.peer < right.peer ? -1 : 1;
}
