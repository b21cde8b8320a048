/** Two hundred different computers find partners by themselves, while messages are lost and computers crash (C2, C3, C20–C27, C36). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { gibi, minuteMs, secondMs } from '../../src/base/units.ts';
import { calmPlan, type FaultPlan } from '../../src/sim/fault-plan.ts';
import { drawInhabitants, type Neighbour, neighboursOf } from '../../src/sim/neighbourhood.ts';
import {
  agreementsApart,
  crowdedStripes,
  sharedHouseholds,
  unserved,
  unsignedInForce,
} from '../../src/sim/partnership-checkers.ts';
import { SimLink } from '../../src/sim/sim-link.ts';
import { SimMeeting } from '../../src/sim/sim-meeting.ts';
import { VirtualClock } from '../../src/sim/virtual-clock.ts';
import { SimWorld } from '../../src/sim/world.ts';
import { backUp, kernels, reach, smallFiles } from './scene.ts';

const peers = 200;
const wanted = 8;
const owners = 10;
const stepsMaximum = 100_000_000;
const healsAtMs: number = 4 * minuteMs;

/** Much is lost, much comes twice, and every tenth computer crashes in the middle of something. */
function badWeather(): FaultPlan {
  return {
    ...calmPlan,
    network: {
      lossShare: 0.05,
      duplicateShare: 0.05,
      breakShare: 0.02,
      delayMs: { least: 1, most: 200 },
    },
    crashes: Array.from({ length: peers / 10 }, (_, index) => ({
      node: `peer ${index * 10}`,
      step: 10 + 7 * index,
      moment: index % 2 === 0 ? ('before' as const) : ('after' as const),
      downMs: 10 * secondMs,
    })),
    healsAtMs,
  };
}

function problems(neighbours: readonly Neighbour[]): readonly string[] {
  return [
    ...agreementsApart(neighbours.map(({ peer }) => peer)),
    ...unserved(neighbours, wanted),
    ...neighbours.flatMap(({ inhabitant, peer }) => unsignedInForce(peer, inhabitant.offeredBytes)),
  ];
}

test('everybody who can be served is, whatever gets lost, and stripes keep to separate places', async () => {
  const world = new SimWorld('two hundred', { plan: badWeather() });
  const link = new SimLink(world);
  const meeting = new SimMeeting(new VirtualClock(world.timeline), world.prng.fork('meeting'));
  const inhabitants = drawInhabitants(world.prng.fork('people'), peers);
  const neighbours = neighboursOf(inhabitants, {
    ...{ world, link, meeting, kernels },
    spoolCapBytes: gibi,
    partnership: { wantedPartners: wanted, searchIntervalMs: 20 * secondMs },
  });
  const goals = new Set<string>();
  let goes = false;
  for (const [number, { peer }] of neighbours.entries()) {
    if (number >= owners) {
      peer.spawn();
      continue;
    }
    peer.files.makeFolder('/home');
    const draws = world.prng.fork(`files/${number}`);
    smallFiles(peer.files, (count) => draws.bytes(count));
    peer.spawn(async (computer, node) => {
      while (!goes) await node.clock.sleep(5 * secondMs);
      const { snapshot } = await backUp(computer);
      await reach(computer, node, { snapshot, phase: 'protected' });
      goals.add(peer.name);
    });
  }
  while (world.nowMs < healsAtMs) {
    await world.run({ untilMs: world.nowMs + minuteMs, maxSteps: stepsMaximum });
    for (const { inhabitant, peer } of neighbours)
      assert.deepEqual(unsignedInForce(peer, inhabitant.offeredBytes), []);
  }
  while (problems(neighbours).length > 0 && world.nowMs < 30 * minuteMs)
    await world.run({ untilMs: world.nowMs + minuteMs, maxSteps: stepsMaximum });
  assert.deepEqual(problems(neighbours), []);
  goes = true;
  const isDone = (): boolean => goals.size === owners;
  await world.run({ untilMs: world.nowMs + 30 * minuteMs, until: isDone, maxSteps: stepsMaximum });
  assert.equal(goals.size, owners);
  for (let number = 0; number < owners; number += 1) {
    const { peer } = present(neighbours[number], 'an owner');
    assert.deepEqual(crowdedStripes(peer, neighbours), []);
    assert.deepEqual(sharedHouseholds(peer, neighbours), []);
  }
});
