/** What rots or vanishes at a partner is found by the partner itself, told, and sent again, before anybody asks for it (C30, C39). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { dayMs, hourMs, minuteMs } from '../../src/base/units.ts';
import type { SimPeer } from '../../src/sim/sim-peer.ts';
import type { SimComputer } from '../../src/sim/world.ts';
import { backUp, mustRestore, reach, Scene, smallFiles } from './scene.ts';

/** Every shard is read once an hour; audits and drills are far away, so that only the partner can find out. */
const scrubbing = { settings: { partnership: { scrubMs: hourMs } } };

function wordsOf(scene: Scene, word: string): readonly string[] {
  return scene.world.trace.lines().filter((line) => line.includes(word));
}

async function until(node: SimComputer, holds: () => boolean): Promise<void> {
  while (!holds()) await node.clock.sleep(minuteMs);
}

async function backedUp(
  scene: Scene,
  ...[computer, node]: Parameters<Parameters<Scene['play']>[0]>
): ReturnType<typeof backUp> {
  const report = await backUp(computer);
  await reach(computer, node, { snapshot: report.snapshot, phase: 'complete' });
  assert.ok(scene.partners.length > 0);
  return report;
}

function blobsOf(scene: Scene, partner: SimPeer): readonly string[] {
  return partner.home.held.wholeNames().filter((name) => name.startsWith(scene.owner.keys.peerId));
}

test('a shard that rots is found by its holder, told of, and made whole again', async () => {
  const scene = new Scene('rot', 4, { partner: scrubbing, keepTrace: true, files: smallFiles });
  await scene.mustPlay(async (computer, node) => {
    const { snapshot } = await backedUp(scene, computer, node);
    const rotten = present(scene.partners[1], 'a partner');
    const blob = present(blobsOf(scene, rotten)[0], 'a held shard');
    const before = rotten.home.held.whole(blob);
    rotten.home.held.rot(blob);
    assert.notDeepEqual(rotten.home.held.whole(blob), before);
    await until(node, () => wordsOf(scene, 'notice.received').length > 0);
    await until(node, () => {
      const now = rotten.home.held.whole(blob);
      return now !== undefined && Buffer.compare(now, present(before, 'what it was')) === 0;
    });
    await reach(computer, node, { snapshot, phase: 'complete' });
    const phase = computer.partners().find(({ agreement }) => {
      return agreement.partner === rotten.keys.peerId;
    })?.agreement.phase;
    assert.equal(phase, 'standing', 'whoever tells of a loss is not suspended for it');
    await mustRestore(scene, computer, { snapshot });
  }, dayMs);
  assert.ok(wordsOf(scene, 'held.damaged').length > 0);
  assert.equal(wordsOf(scene, 'audit.wrong').length, 0);
});

test('files that vanish, all of them, are told of within a roll call and sent again', async () => {
  const scene = new Scene('gone', 4, { partner: scrubbing, keepTrace: true, files: smallFiles });
  await scene.mustPlay(async (computer, node) => {
    const { snapshot } = await backedUp(scene, computer, node);
    const robbed = present(scene.partners[2], 'a partner');
    const blobs = blobsOf(scene, robbed);
    for (const blob of blobs) robbed.home.held.lose(blob);
    const lostAt = node.clock.now();
    await until(node, () => wordsOf(scene, 'shard.lost').length >= blobs.length);
    assert.ok(
      node.clock.now() - lostAt <= hourMs,
      'lists are compared more often than files are read',
    );
    await until(node, () => blobs.every((blob) => robbed.home.held.whole(blob) !== undefined));
    await reach(computer, node, { snapshot, phase: 'complete' });
    await mustRestore(scene, computer, { snapshot });
  }, dayMs);
});
