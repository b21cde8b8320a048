import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { cheapestFlow, type FlowEdge } from './cheapest-flow.ts';

test('units take the cheapest way first, and turn back on themselves where that saves', () => {
  // 0 → 1 → 3 is cheapest for one unit; for two, 1 → 3 must be left to the other.
  const edges: readonly FlowEdge[] = [
    { from: 0, to: 1, capacity: 1, cost: 1 },
    { from: 0, to: 2, capacity: 1, cost: 4 },
    { from: 1, to: 2, capacity: 1, cost: 1 },
    { from: 1, to: 3, capacity: 1, cost: 6 },
    { from: 2, to: 3, capacity: 1, cost: 1 },
  ];
  const one = cheapestFlow({ edges, source: 0, sink: 3, units: 1 });
  assert.deepEqual(one, [1, 0, 1, 0, 1]);
  const two = cheapestFlow({ edges, source: 0, sink: 3, units: 2 });
  assert.deepEqual(two, [1, 1, 0, 1, 1]);
});

/** The least cost of choosing `units` of pairs (row, column), no row and no column twice; by trying all. */
function leastCost(
  pairs: readonly (readonly [row: number, column: number, cost: number])[],
  units: number,
): number | undefined {
  let least: number | undefined;
  for (let choice = 0; choice < 1 << pairs.length; choice += 1) {
    const chosen = pairs.filter((_, at) => (choice & (1 << at)) !== 0);
    if (chosen.length !== units) continue;
    if (new Set(chosen.map(([row]) => row)).size < units) continue;
    if (new Set(chosen.map(([, column]) => column)).size < units) continue;
    const cost = chosen.reduce((sum, [, , each]) => sum + each, 0);
    least = Math.min(least ?? cost, cost);
  }
  return least;
}

test('a matching by flow costs as little as the best of all matchings', () => {
  const pair = fc.tuple(fc.nat(3), fc.nat(3), fc.nat(20));
  fc.assert(
    fc.property(
      fc.array(pair, { maxLength: 8 }),
      fc.integer({ min: 1, max: 4 }),
      (pairs, units) => {
        const ends = [0, 1, 2, 3].flatMap((at): FlowEdge[] => [
          { from: 0, to: 2 + at, capacity: 1, cost: 0 },
          { from: 6 + at, to: 1, capacity: 1, cost: 0 },
        ]);
        const middle = pairs.map(([row, column, cost]) => ({
          from: 2 + row,
          to: 6 + column,
          capacity: 1,
          cost,
        }));
        const flow = cheapestFlow({ edges: [...middle, ...ends], source: 0, sink: 1, units });
        const taken = flow.slice(0, pairs.length);
        const arrived = taken.reduce((sum, each) => sum + each, 0);
        const cost = taken.reduce((sum, each, at) => sum + each * (pairs[at]?.[2] ?? 0), 0);
        assert.equal(cost, leastCost(pairs, arrived) ?? 0);
        if (arrived < units) assert.equal(leastCost(pairs, arrived + 1), undefined);
      },
    ),
  );
});
