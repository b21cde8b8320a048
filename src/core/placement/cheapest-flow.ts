/**
 * The cheapest way to send so many units from one node to another through edges that each carry a few (successive shortest paths).
 *
 * Small graphs with whole costs: placement asks for some tens of units among some hundreds of edges. The answer depends on the order of nodes and edges
 * and on nothing else, so the same question has the same answer on every computer.
 */
import { assert, present } from '../../base/assert.ts';

export interface FlowEdge {
  readonly from: number;
  readonly to: number;
  /** Units that it carries at most. */
  readonly capacity: number;
  /** For each unit, not negative. */
  readonly cost: number;
}

/** An edge of the graph of what is left: each edge has a twin the other way, at its own number xor 1. */
interface Residual {
  readonly from: number;
  readonly to: number;
  readonly cost: number;
  left: number;
}

export interface FlowRequest {
  readonly edges: readonly FlowEdge[];
  readonly source: number;
  readonly sink: number;
  /** Units that are to arrive. */
  readonly units: number;
}

/** Units on each edge, in the order of edges; fewer than asked for arrive when the edges carry no more. */
export function cheapestFlow(request: FlowRequest): readonly number[] {
  const residuals: Residual[] = [];
  for (const { from, to, capacity, cost } of request.edges) {
    assert(capacity >= 0 && cost >= 0, 'an edge carries something, for a price or for nothing');
    residuals.push(
      { from, to, cost, left: capacity },
      { from: to, to: from, cost: -cost, left: 0 },
    );
  }
  for (let unit = 0; unit < request.units; unit += 1) {
    const path = cheapestPath(residuals, request);
    if (path === undefined) break;
    for (const at of path) {
      present(residuals[at], 'an edge of the path').left -= 1;
      present(residuals[at ^ 1], 'its twin').left += 1;
    }
  }
  return request.edges.map((_, at) => present(residuals[2 * at + 1], 'a twin').left);
}

/** Numbers of the edges of the cheapest path on which one more unit fits (Bellman–Ford: twins have negative costs). */
function cheapestPath(
  residuals: readonly Residual[],
  { source, sink }: FlowRequest,
): readonly number[] | undefined {
  const costs = new Map<number, number>([[source, 0]]);
  const reachedBy = new Map<number, number>();
  for (let changed = true; changed; ) {
    changed = false;
    for (const [at, { from, to, cost, left }] of residuals.entries()) {
      const before = costs.get(from);
      if (left <= 0 || before === undefined) continue;
      if (before + cost >= (costs.get(to) ?? Number.POSITIVE_INFINITY)) continue;
      costs.set(to, before + cost);
      reachedBy.set(to, at);
      changed = true;
    }
  }
  if (!costs.has(sink)) return undefined;
  const path: number[] = [];
  for (let node = sink; node !== source; ) {
    const at = present(reachedBy.get(node), 'the edge that reached it');
    path.push(at);
    node = present(residuals[at], 'an edge').from;
  }
  return path;
}
