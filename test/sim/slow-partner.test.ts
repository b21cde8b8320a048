/** One partner that is slow, away or hostile must not keep the others from their shards. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bytes } from '../../src/base/bytes.ts';
import { dayMs, mebi, minuteMs } from '../../src/base/units.ts';
import { durable } from '../../src/sim/checkers.ts';
import type { SimTree } from '../../src/sim/sim-tree.ts';
import { backUp, mustRestore, quiet, reach, request, Scene } from './scene.ts';

/** Five packs or so. */
function fivePacks(tree: SimTree, bytes: (count: number) => Bytes): void {
  for (let file = 0; file < 24; file += 1) tree.writeFile(`/home/big-${file}`, bytes(3 * mebi));
}

/** From now on the computer is awake for a moment now and then only, never long enough away to count as silent. */
function doze({ world }: Scene, name: string): () => void {
  let isOn = true;
  const again = (): void => {
    if (!isOn) return;
    world.suspend(name, 28_000);
    world.at(world.nowMs + 28_050, again);
  };
  again();
  return () => {
    isOn = false;
  };
}

test('partners that are fast get all their shards while a slow one still takes its first', async () => {
  const scene = new Scene('slow', 4, { files: fivePacks });
  const [slow] = scene.partners;
  assert.ok(slow !== undefined);
  await scene.mustPlay(async (computer, node) => {
    const wake = doze(scene, slow.name);
    const { snapshot } = await backUp(computer);
    const began = scene.world.nowMs;
    await reach(computer, node, { snapshot, phase: 'protected' });
    const tookMs = scene.world.nowMs - began;
    assert.ok(tookMs < 15 * minuteMs, `${Math.round(tookMs / 1_000)} s`);
    const { shards } = durable(scene.owner);
    const there = shards.ofPartner(slow.keys.peerId).filter(({ phase }) => phase === 'held');
    assert.ok(there.length <= 3, `${there.length} shards are at the slow one`);
    wake();
    await reach(computer, node, { snapshot, phase: 'complete' });
    await mustRestore(scene, computer, { snapshot });
  }, dayMs);
});

test('a partner away for good does not fill the spool: what is protected is let go', async () => {
  const scene = new Scene('away-for-good', 4, {
    files: fivePacks,
    owner: { spoolCapBytes: 34 * mebi },
  });
  await scene.mustPlay(async (computer, node) => {
    scene.world.crash('partner-3');
    const { snapshot } = await backUp(computer);
    assert.ok(computer.status().spooledBytes <= 34 * mebi);
    await reach(computer, node, { snapshot, phase: 'protected' });
    scene.owner.files.writeFile('/home/later', new Uint8Array(300_000).fill(7));
    const second = await computer.backup(request, quiet);
    assert.ok(second.ok, 'the next backup finds room as well');
    await reach(computer, node, { snapshot: second.value.snapshot, phase: 'protected' });
    const { protection } = computer.status();
    assert.ok(protection.packsComplete < protection.packs, 'what is missing stays visible');
    await mustRestore(scene, computer, { snapshot: second.value.snapshot });
  }, dayMs);
});
