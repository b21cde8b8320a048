/** A crash at every durable step of owner and partner, before it and after it (C44; order of writes): nothing acknowledged is lost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hourMs } from '../../src/base/units.ts';
import type { Computer } from '../../src/engine/computer.ts';
import { calmPlan, type PlannedCrash } from '../../src/sim/fault-plan.ts';
import type { SimTree } from '../../src/sim/sim-tree.ts';
import type { SimComputer } from '../../src/sim/world.ts';
import { backUp, mustRestore, reach, Scene } from './scene.ts';

const seed = 'crash-points';

/** Two backups with a change between them, each until it is complete; begun again in every life. */
async function twoBackups(scene: Scene, computer: Computer, node: SimComputer): Promise<void> {
  const { files } = scene.owner;
  for (const [round, tag] of ['first', 'second'].entries()) {
    const known = computer.snapshots()[round]?.snapshot;
    if (round === 1 && known === undefined)
      files.writeFile('/home/a/changing', new Uint8Array(70_000).fill(round));
    const snapshot = known ?? (await backUp(computer, [tag])).snapshot;
    await reach(computer, node, { snapshot, phase: 'complete' });
  }
  const last = computer.snapshots().at(-1)?.snapshot;
  assert.ok(last !== undefined);
  await mustRestore(scene, computer, { snapshot: last });
  assert.equal(computer.status().bearableLosses, 2);
}

function fewFiles(tree: SimTree, bytes: (count: number) => Uint8Array<ArrayBuffer>): void {
  tree.makeFolder('/home/a');
  tree.writeFile('/home/a/changing', bytes(20_000));
  tree.writeFile('/home/a/same', bytes(300_000));
  tree.writeFile('/home/b', bytes(10));
  tree.link('/home/b', '/home/b-too');
}

async function run(crashes: readonly PlannedCrash[]): Promise<Scene> {
  const plan = { ...calmPlan, crashes };
  const scene = new Scene(seed, 4, { plan, files: fewFiles });
  try {
    await scene.mustPlay((computer, node) => twoBackups(scene, computer, node), 10 * hourMs);
  } catch (reason) {
    const replay = `replay: seed ${seed} ${JSON.stringify(crashes)}`;
    throw new Error(`${replay}\n${scene.report()}`, { cause: reason });
  }
  return scene;
}

/** At most so many of the crash points are tried, spread evenly; COVAULT_CRASH_POINTS=10000 tries all. */
const pointsMaximum = Number(process.env['COVAULT_CRASH_POINTS'] ?? 40);

for (const node of ['owner', 'partner-1'])
  test(`C44: ${node} crashes at any durable step, and both backups are whole in the end`, async () => {
    const calm = await run([]);
    const steps = calm.world.durableSteps(node);
    assert.ok(steps > 10, `${steps} steps`);
    const points = Array.from({ length: steps }, (_, index) => index + 1).flatMap((step) =>
      (['before', 'after'] as const).map((moment) => ({ node, step, moment, downMs: 3_000 })),
    );
    const every = Math.max(1, points.length / pointsMaximum);
    for (let at = 0; at < points.length; at += every) {
      const point = points[Math.floor(at)];
      if (point !== undefined) await run([point]);
    }
  });
