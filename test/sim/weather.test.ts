/** Random plans of faults, a little of everything, and then a world that heals: in the end every backup is complete and whole. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../src/base/prng.ts';
import { dayMs, hourMs } from '../../src/base/units.ts';
import type { Computer } from '../../src/engine/computer.ts';
import { drawFaultPlan, type FaultPlan } from '../../src/sim/fault-plan.ts';
import type { SimComputer } from '../../src/sim/world.ts';
import { mustRestore, quiet, reach, request, Scene, smallFiles } from './scene.ts';

const nodes = ['owner', 'partner-0', 'partner-1', 'partner-2', 'partner-3'];

/** Rot is left out: nothing finds and mends it yet. Disks are made small enough to become full. */
function planOf(seed: string): FaultPlan {
  const plan = drawFaultPlan(new Prng(seed), { nodes, durationMs: hourMs, steps: 80 });
  const draws = new Prng(`${seed}/disks`);
  return {
    ...plan,
    // Clocks a day apart make no agreement, and are told to be compared; these come to within that.
    clockJumps: plan.clockJumps.map((jump) => ({ ...jump, byMs: jump.byMs % (10 * hourMs) })),
    disks: plan.disks.map((disk) => ({
      ...disk,
      capacityBytes: disk.capacityBytes === undefined ? undefined : draws.between(1, 400_000),
      rotsAtMs: [],
    })),
  };
}

async function backups(scene: Scene, computer: Computer, node: SimComputer): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    let snapshot = computer.snapshots()[round]?.snapshot;
    while (snapshot === undefined) {
      scene.owner.files.writeFile(`/home/round-${round}`, new Uint8Array(40_000).fill(round));
      const outcome = await computer.backup(request, quiet);
      if (outcome.ok) snapshot = outcome.value.snapshot;
      else await node.clock.sleep(60_000);
    }
    await reach(computer, node, { snapshot, phase: round === 1 ? 'protected' : 'complete' });
  }
  const last = computer.snapshots().at(-1)?.snapshot;
  assert.ok(last !== undefined);
  await mustRestore(scene, computer, { snapshot: last });
}

async function weather(seed: string): Promise<string> {
  const scene = new Scene(seed, 4, { plan: planOf(seed), files: smallFiles });
  try {
    await scene.mustPlay((computer, node) => backups(scene, computer, node), 20 * dayMs);
  } catch (reason) {
    throw new Error(`replay: COVAULT_SEED=${seed}\n${scene.report()}`, { cause: reason });
  }
  return scene.world.trace.hash();
}

/** COVAULT_SEED=name runs that one; COVAULT_SEEDS=1000 so many. */
const { COVAULT_SEED: one, COVAULT_SEEDS: many = '8' } = process.env;
const seeds =
  one === undefined
    ? Array.from({ length: Number(many) }, (_, index) => `weather-${index}`)
    : [one];

test(`C44: after any weather (${seeds.length} seeds) everything is complete, whole and accounted for`, async () => {
  for (const seed of seeds) await weather(seed);
});

test('the same weather gives the same run', async () => {
  const [seed = 'weather-0'] = seeds;
  assert.equal(await weather(seed), await weather(seed));
});
