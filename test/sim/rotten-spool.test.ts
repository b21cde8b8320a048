/** Packs that rot in the spool, or vanish from it, before partners have them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bytes } from '../../src/base/bytes.ts';
import { dayMs, mebi, minuteMs } from '../../src/base/units.ts';
import { durable } from '../../src/sim/checkers.ts';
import type { SimTree } from '../../src/sim/sim-tree.ts';
import { backUp, mustRestore, quiet, reach, Scene } from './scene.ts';

function files(tree: SimTree, bytes: (count: number) => Bytes): void {
  for (let file = 0; file < 8; file += 1) tree.writeFile(`/home/big-${file}`, bytes(3 * mebi));
}

function setPartners({ world, partners }: Scene, running: boolean): void {
  for (const { name } of partners)
    if (running) world.restart(name);
    else world.crash(name);
}

/** Packs of this kind in the owner's spool that have not been sent. */
function spooled(scene: Scene, kind: string): readonly string[] {
  const rows = durable(scene.owner).packs.spooled();
  return rows.filter((row) => row.kind === kind).map(({ pack }) => pack);
}

for (const harm of ['rot', 'lose'] as const)
  test(`a pack that was never sent ${harm === 'rot' ? 'rots' : 'vanishes'}: its snapshot does not count as protected, the next backup reads the files again`, async () => {
    const scene = new Scene(`spool-${harm}`, 4, { files });
    await scene.mustPlay(async (computer, node) => {
      setPartners(scene, false);
      const first = await backUp(computer);
      const [pack] = spooled(scene, 'data');
      assert.ok(pack !== undefined);
      scene.owner.home.spool[harm](pack);
      setPartners(scene, true);
      await node.clock.sleep(20 * minuteMs);
      assert.equal(await computer.protect(first.snapshot, 'protected', quiet), 'captured');
      const second = await backUp(computer);
      await reach(computer, node, { snapshot: second.snapshot, phase: 'complete' });
      await mustRestore(scene, computer, { snapshot: second.snapshot });
      await reach(computer, node, { snapshot: first.snapshot, phase: 'protected' });
      await mustRestore(scene, computer, { snapshot: first.snapshot });
    }, dayMs);
  });

test('what was lost and cannot be read again leaves its snapshot captured for good, and later ones alone', async () => {
  const scene = new Scene('spool-gone', 4, { files });
  await scene.mustPlay(async (computer, node) => {
    setPartners(scene, false);
    const first = await backUp(computer);
    for (const pack of spooled(scene, 'data')) scene.owner.home.spool.lose(pack);
    setPartners(scene, true);
    await node.clock.sleep(20 * minuteMs);
    scene.owner.files.writeFile('/home/big-0', new Uint8Array(100_000).fill(5));
    const second = await backUp(computer);
    await reach(computer, node, { snapshot: second.snapshot, phase: 'complete' });
    assert.equal(await computer.protect(first.snapshot, 'protected', quiet), 'captured');
    const third = await backUp(computer);
    await reach(computer, node, { snapshot: third.snapshot, phase: 'complete' });
    await mustRestore(scene, computer, { snapshot: third.snapshot });
  }, dayMs);
});

test('a life that ends after the rot was seen does not forget it', async () => {
  const scene = new Scene('spool-rot-restart', 4, { files });
  let step = 0;
  await scene.mustPlay(async (computer, node) => {
    step += 1;
    if (step === 1) {
      setPartners(scene, false);
      await backUp(computer);
      const [pack] = spooled(scene, 'data');
      assert.ok(pack !== undefined);
      scene.owner.home.spool.rot(pack);
      setPartners(scene, true);
      await node.clock.sleep(20 * minuteMs);
      setPartners(scene, false);
      scene.world.restart('owner');
      await new Promise(() => {});
    }
    const second = await backUp(computer);
    setPartners(scene, true);
    await reach(computer, node, { snapshot: second.snapshot, phase: 'complete' });
    await mustRestore(scene, computer, { snapshot: second.snapshot });
  }, dayMs);
});

test('an index pack that rots before it is out is written again', async () => {
  const scene = new Scene('spool-index', 4, { files });
  await scene.mustPlay(async (computer, node) => {
    const { snapshot } = await backUp(computer);
    while (spooled(scene, 'index').length === 0) await node.clock.sleep(1);
    setPartners(scene, false);
    for (const pack of spooled(scene, 'index')) scene.owner.home.spool.rot(pack);
    await node.clock.sleep(minuteMs);
    setPartners(scene, true);
    await reach(computer, node, { snapshot, phase: 'complete' });
    await mustRestore(scene, computer, { snapshot });
  }, dayMs);
});
