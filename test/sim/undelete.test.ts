/** Delete-lock (DESIGN §8): whoever has the key of an owner cannot make its shards vanish at once, for partners keep what is deleted, and give it back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { dayMs, minuteMs } from '../../src/base/units.ts';
import { ShardNamer } from '../../src/core/sealing/shard-name.ts';
import { pathOf } from '../../src/core/wire/resources.ts';
import type { Computer } from '../../src/engine/computer.ts';
import { shardsAt } from '../../src/engine/sending/shard-places.ts';
import { durable } from '../../src/sim/checkers.ts';
import { simAddress } from '../../src/sim/network.ts';
import type { SimPeer } from '../../src/sim/sim-peer.ts';
import type { SimComputer } from '../../src/sim/world.ts';
import { backUp, mustRestore, quiet, reach, Scene } from './scene.ts';

/** Deletes everything at a partner, as somebody can who has the key. */
async function deleteAll(scene: Scene, partner: SimPeer): Promise<number> {
  const self = scene.owner.keys.peerId;
  const peer = partner.keys.peerId;
  const transport = scene.link.network.transport(self);
  const rows = durable(partner).held.page(self, undefined, 1_000);
  for (const { name } of rows) {
    const path = pathOf({ resource: 'shard', name });
    const to = { peer, addresses: [simAddress(peer)] };
    const reply = await transport.request(to, { method: 'DELETE', path });
    assert.ok(reply.ok && reply.value.status === 200);
    for await (const part of reply.value.body) assert.ok(part.length > 0);
  }
  return rows.length;
}

/** Shards that count as held at a partner, and do not lie there or only in its trash. */
function heldFalsely(scene: Scene, partner: SimPeer): number {
  const { keys } = scene.owner;
  const { peerId } = partner.keys;
  const namer = new ShardNamer(keys.shardNameKey, peerId);
  return shardsAt(durable(scene.owner), peerId, ['held']).filter(({ stripe, index }) => {
    const row = durable(partner).held.get(keys.peerId, namer.nameOf(stripe, index));
    return row === undefined || row.trashedAt !== undefined;
  }).length;
}

async function backUpOften(scene: Scene, computer: Computer, node: SimComputer): Promise<void> {
  for (let run = 0; run < 6; run += 1) {
    scene.owner.files.writeFile(`/home/later-${run}`, new Uint8Array(50_000 + run).fill(run));
    const { snapshot } = await backUp(computer);
    await reach(computer, node, { snapshot, phase: 'complete' });
  }
}

test('what a thief of the key deletes is taken back from the trash, and restored', async () => {
  const scene = new Scene('undelete', 3, { owner: { settings: { cacheCapBytes: 0 } } });
  await scene.mustPlay(async (computer, node) => {
    const { snapshot } = await backUp(computer);
    await reach(computer, node, { snapshot, phase: 'complete' });
    const nothing = await computer.undelete(quiet);
    assert.deepEqual([nothing.deleted, nothing.silent], [0, []]);
    let deleted = 0;
    for (const partner of scene.partners) deleted += await deleteAll(scene, partner);
    assert.ok(deleted > 3);
    const report = await computer.undelete(quiet);
    assert.deepEqual([report.deleted, report.restored, report.gone], [deleted, deleted, 0]);
    for (const partner of scene.partners)
      assert.deepEqual(durable(partner).held.trashed(scene.owner.keys.peerId), []);
    await mustRestore(scene, computer, { snapshot });
    await node.clock.sleep(minuteMs);
    assert.deepEqual((await computer.undelete(quiet)).deleted, 0);
  });
});

test('a partner that is away is named, and what it has let go of counts as lost', async () => {
  const scene = new Scene('undelete too late', 3, { owner: { settings: { cacheCapBytes: 0 } } });
  const end = await scene.play(async (computer, node) => {
    const { snapshot } = await backUp(computer);
    await reach(computer, node, { snapshot, phase: 'complete' });
    const [away, robbed] = scene.partners as [SimPeer, SimPeer];
    const self = scene.owner.keys.peerId;
    const deleted = await deleteAll(scene, robbed);
    scene.world.crash(away.name);
    for (const { name } of durable(robbed).held.trashed(self))
      robbed.home.held.lose(`${self}/${name}`);
    const report = await computer.undelete(quiet);
    assert.deepEqual(report.silent, [away.keys.peerId]);
    assert.deepEqual([report.deleted, report.restored, report.gone], [deleted, 0, deleted]);
  });
  assert.equal(end, 'reached');
});

test('taking back that is cut off leaves nothing counted as held that lies in the trash', async () => {
  const scene = new Scene('undelete cut off', 3, { owner: { settings: { cacheCapBytes: 0 } } });
  await scene.mustPlay(async (computer, node) => {
    await backUpOften(scene, computer, node);
    const robbed = scene.partners[1] as SimPeer;
    const deleted = await deleteAll(scene, robbed);
    assert.ok(deleted > 8);
    const stop = new AbortController();
    const progress = ({ done }: { readonly done: number }): void => {
      if (done === 2) stop.abort();
    };
    const report = await computer.undelete({ signal: stop.signal, progress });
    assert.deepEqual([report.deleted, report.restored], [deleted, 2]);
    assert.equal(heldFalsely(scene, robbed), 0);
    assert.notEqual(computer.snapshots().at(-1)?.phase, 'complete');
    const told = computer.status().hindrances.find(({ code }) => code === 'shards.deleted');
    assert.ok(told !== undefined);
    while (computer.snapshots().some(({ phase }) => phase !== 'complete'))
      await node.clock.sleep(minuteMs);
    assert.equal(heldFalsely(scene, robbed), 0);
  }, 2 * dayMs);
});

test('an owner that crashes as it hears of deletions knows of them in its next life', async () => {
  const scene = new Scene('deletions and a crash', 3, {
    owner: { settings: { cacheCapBytes: 0 } },
  });
  const robbed = scene.partners[1] as SimPeer;
  const entries = (): number => {
    const stores = durable(scene.owner);
    const agreement = present(stores.agreements.ofPartner(robbed.keys.peerId), 'an agreement');
    return stores.ledger.head(agreement.agreement, 'owner')?.sequence ?? 0;
  };
  const crashAfter = (known: number): void => {
    if (entries() === known) {
      scene.world.at(scene.world.nowMs + 1, () => crashAfter(known));
      return;
    }
    scene.world.crash('owner');
    scene.world.restart('owner');
  };
  let lives = 0;
  await scene.mustPlay(async (computer, node) => {
    lives += 1;
    if (lives === 1) {
      await backUpOften(scene, computer, node);
      assert.ok((await deleteAll(scene, robbed)) > 8);
      crashAfter(entries());
      scene.owner.files.writeFile('/home/new', new Uint8Array(70_000).fill(99));
      await backUp(computer);
      await node.clock.sleep(dayMs);
      assert.fail('it never heard of them');
    }
    assert.equal(lives, 2);
    assert.equal(heldFalsely(scene, robbed), 0);
    const told = computer.status().hindrances.find(({ code }) => code === 'shards.deleted');
    assert.ok(told !== undefined);
  }, 2 * dayMs);
});

test('mass deletion is told on both sides: by the holder at once, by the owner when it follows the ledger', async () => {
  const scene = new Scene('mass deletion', 3);
  await scene.mustPlay(async (computer, node) => {
    for (let run = 0; run < 4; run += 1) {
      scene.owner.files.writeFile(`/home/later-${run}`, new Uint8Array(50_000 + run));
      const { snapshot } = await backUp(computer);
      await reach(computer, node, { snapshot, phase: 'complete' });
    }
    await node.clock.sleep(1.5 * dayMs);
    const [robbed, other] = scene.partners as [SimPeer, SimPeer];
    const told = (peer: SimPeer, code: string): readonly number[] =>
      (peer.computer?.status().hindrances ?? []).flatMap((each) =>
        each.code === code && 'shards' in each ? [each.shards] : [],
      );
    const deleted = await deleteAll(scene, robbed);
    assert.ok(deleted >= 8, `${deleted} shards`);
    const [counted] = told(robbed, 'owner.mass-deletion');
    assert.ok(counted !== undefined && counted * 2 > deleted);
    assert.deepEqual(told(other, 'owner.mass-deletion'), []);
    while (told(scene.owner, 'shards.deleted').length === 0) await node.clock.sleep(10 * minuteMs);
    // A drill may have missed one or the other before.
    const [found = 0] = told(scene.owner, 'shards.deleted');
    assert.ok(found <= deleted && found * 2 > deleted, `${found} of ${deleted}`);
    await computer.undelete(quiet);
    assert.deepEqual(told(scene.owner, 'shards.deleted'), []);
    while (computer.snapshots().some(({ phase }) => phase !== 'complete'))
      await node.clock.sleep(minuteMs);
    assert.deepEqual(durable(robbed).held.trashed(scene.owner.keys.peerId), []);
  }, 4 * dayMs);
});
