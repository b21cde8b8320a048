/**
 * Two hundred different computers that find partners by themselves while messages are lost and computers crash; what is wrong then is posted to whoever started it.
 *
 * It runs in a thread of its own: the test runner follows every promise of its own thread, which takes longer than much of what is tried here.
 */
import { parentPort } from 'node:worker_threads';
import { present } from '../../src/base/assert.ts';
import { minuteMs, secondMs } from '../../src/base/units.ts';
import type { Computer } from '../../src/engine/computer.ts';
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
import { type SimComputer, SimWorld } from '../../src/sim/world.ts';
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

interface Scene {
  readonly world: SimWorld;
  readonly neighbours: readonly Neighbour[];
  /** Owners whose backup is protected. */
  readonly safe: ReadonlySet<string>;
  /** Lets the owners begin. */
  begin(): void;
}

function newScene(): Scene {
  const world = new SimWorld('two hundred', { plan: badWeather() });
  const link = new SimLink(world);
  const meeting = new SimMeeting(new VirtualClock(world.timeline), world.prng.fork('meeting'));
  const neighbours = neighboursOf(drawInhabitants(world.prng.fork('people'), peers), {
    ...{ world, link, meeting, kernels },
    partnership: { wantedPartners: wanted, searchIntervalMs: 20 * secondMs },
  });
  const safe = new Set<string>();
  let goes = false;
  const own = async (name: string, computer: Computer, node: SimComputer): Promise<void> => {
    while (!goes) await node.clock.sleep(5 * secondMs);
    const { snapshot } = await backUp(computer);
    await reach(computer, node, { snapshot, phase: 'protected' });
    safe.add(name);
  };
  for (const { peer } of neighbours.slice(0, owners)) {
    const draws = world.prng.fork(`files/${peer.name}`);
    peer.files.makeFolder('/home');
    smallFiles(peer.files, (count) => draws.bytes(count));
    peer.spawn((computer, node) => own(peer.name, computer, node));
  }
  for (const { peer } of neighbours.slice(owners)) peer.spawn();
  return {
    ...{ world, neighbours, safe },
    begin: () => {
      goes = true;
    },
  };
}

function halfSigned(neighbours: readonly Neighbour[]): readonly string[] {
  return neighbours.flatMap(({ inhabitant, peer }) =>
    unsignedInForce(peer, inhabitant.offeredBytes),
  );
}

function unsettled(neighbours: readonly Neighbour[]): readonly string[] {
  const apart = agreementsApart(neighbours.map(({ peer }) => peer));
  return apart.length > 0 ? apart : unserved(neighbours, wanted);
}

/** What was wrong while things went wrong, what still is half an hour later, and how the stripes lie. */
async function problems({ world, neighbours, safe, begin }: Scene): Promise<readonly string[]> {
  while (world.nowMs < healsAtMs) {
    await world.run({ untilMs: world.nowMs + minuteMs, maxSteps: stepsMaximum });
    const half = halfSigned(neighbours);
    if (half.length > 0) return half;
  }
  while (unsettled(neighbours).length > 0 && world.nowMs < 30 * minuteMs)
    await world.run({ untilMs: world.nowMs + minuteMs, maxSteps: stepsMaximum });
  begin();
  const until = (): boolean => safe.size === owners;
  const end = await world.run({ untilMs: 60 * minuteMs, until, maxSteps: stepsMaximum });
  const backedUp = neighbours.slice(0, owners).map(({ peer }) => peer);
  return [
    ...unsettled(neighbours),
    ...halfSigned(neighbours),
    ...(end === 'reached' ? [] : [`${safe.size} of ${owners} backups are protected`]),
    ...backedUp.flatMap((peer) => crowdedStripes(peer, neighbours)),
    ...backedUp.flatMap((peer) => sharedHouseholds(peer, neighbours)),
  ];
}

const port = present(parentPort, 'it runs in a thread');
port.postMessage(await problems(newScene()));
