/** What becomes of shards of a layout that a pack is to have is known when the pack has it: nothing that was lost meanwhile counts then. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { dayMs, minuteMs } from '../../src/base/units.ts';
import { ShardNamer } from '../../src/core/sealing/shard-name.ts';
import type { SnapshotId } from '../../src/core/vocabulary/ids.ts';
import { pathOf } from '../../src/core/wire/resources.ts';
import type { Computer } from '../../src/engine/computer.ts';
import { shardsAt } from '../../src/engine/sending/shard-places.ts';
import type { ShardRow } from '../../src/ports/stores.ts';
import { durable } from '../../src/sim/checkers.ts';
import { simAddress } from '../../src/sim/network.ts';
import type { SimPeer } from '../../src/sim/sim-peer.ts';
import type { SimComputer } from '../../src/sim/world.ts';
import { backUp, mustRestore, reach, Scene, smallFiles } from './scene.ts';

/** Partners are joined by hand. */
class GrowingScene extends Scene {
  override async joinAll(): Promise<void> {}

  async join(computer: Computer, partners: readonly SimPeer[]): Promise<void> {
    for (const partner of partners) {
      const code = partner.computer?.invite({ spaceBytes: this.lendsBytes, validMs: dayMs });
      await computer.join(present(code, 'an invite'), { spaceBytes: this.lendsBytes });
    }
  }

  /** Shards at a partner of layouts that packs are to have. */
  nextAt({ keys }: SimPeer): readonly ShardRow[] {
    const { layouts } = durable(this.owner);
    return layouts
      .all()
      .flatMap(({ pack }) => layouts.shards(pack))
      .filter(({ partner }) => partner === keys.peerId);
  }

  /** Backups at the first four, which four others are to have part of; the last of these went away as it joined, so that every layout waits for it. */
  async waiting(computer: Computer, node: SimComputer): Promise<SnapshotId> {
    const [first, others] = [this.partners.slice(0, 4), this.partners.slice(4, 8)];
    await this.join(computer, first);
    let last: SnapshotId | undefined;
    for (let run = 0; run < 4; run += 1) {
      this.owner.files.writeFile(`/home/run-${run}`, new Uint8Array(90_000).fill(run));
      last = (await backUp(computer)).snapshot;
      await reach(computer, node, { snapshot: last, phase: 'complete' });
    }
    await this.join(computer, others);
    const late = present(others.at(-1), 'the last');
    this.world.crash(late.name);
    const isWaiting = (): boolean => {
      const { layouts } = durable(this.owner);
      const left = layouts.all().flatMap(({ pack }) => layouts.shards(pack));
      const due = left.filter(({ phase }) => phase !== 'held');
      return due.length > 0 && due.every(({ partner }) => partner === late.keys.peerId);
    };
    while (!isWaiting()) await node.clock.sleep(1_000);
    return present(last, 'a snapshot');
  }
}

/** Deletes everything at a partner, as somebody can who has the key. */
async function deleteAll(scene: Scene, partner: SimPeer): Promise<void> {
  const [self, peer] = [scene.owner.keys.peerId, partner.keys.peerId];
  const transport = scene.link.network.transport(self);
  for (const { name } of durable(partner).held.page(self, undefined, 1_000)) {
    const path = pathOf({ resource: 'shard', name });
    const to = { peer, addresses: [simAddress(peer)] };
    const reply = await transport.request(to, { method: 'DELETE', path });
    assert.ok(reply.ok && reply.value.status === 200);
    for await (const part of reply.value.body) assert.ok(part.length > 0);
  }
}

/** Shards that count as held at a partner, and do not lie there or only in its trash. */
function heldFalsely(scene: Scene, partner: SimPeer): number {
  const { peerId, shardNameKey } = scene.owner.keys;
  const namer = new ShardNamer(shardNameKey, partner.keys.peerId);
  return shardsAt(durable(scene.owner), partner.keys.peerId, ['held']).filter((shard) => {
    const row = durable(partner).held.get(peerId, namer.nameOf(shard.stripe, shard.index));
    return row === undefined || row.trashedAt !== undefined;
  }).length;
}

test('what was deleted of layouts that packs are to have is sent again before they have them', async () => {
  const scene = new GrowingScene('next deleted', 8, { files: smallFiles });
  const program = async (computer: Computer, node: SimComputer): Promise<void> => {
    const snapshot = await scene.waiting(computer, node);
    const robbed = present(scene.partners[5], 'a partner');
    assert.ok(scene.nextAt(robbed).length > 4);
    await deleteAll(scene, robbed);
    const isTold = (): boolean =>
      computer.status().hindrances.some(({ code }) => code === 'shards.deleted');
    while (!isTold()) await node.clock.sleep(minuteMs);
    assert.equal(heldFalsely(scene, robbed), 0);
    scene.world.restart('partner-7');
    while (durable(scene.owner).layouts.all().length > 0) await node.clock.sleep(minuteMs);
    assert.ok(shardsAt(durable(scene.owner), robbed.keys.peerId, ['held']).length > 4);
    assert.equal(heldFalsely(scene, robbed), 0);
    await mustRestore(scene, computer, { snapshot });
  };
  await scene.mustPlay(program, 4 * dayMs);
});

test('a partner that has wrong bytes of a layout that a pack is to have is left out of it', async () => {
  const scene = new GrowingScene('next wrong', 9, { files: smallFiles });
  const program = async (computer: Computer, node: SimComputer): Promise<void> => {
    await scene.waiting(computer, node);
    const liar = present(scene.partners[5], 'a partner');
    const row = present(scene.nextAt(liar)[0], 'a shard of a next layout');
    const { layouts, shards } = scene.owner.home.stores;
    layouts.putShard({ ...row, phase: 'wrong' });
    await scene.join(computer, scene.partners.slice(8));
    scene.world.restart('partner-7');
    while (layouts.get(row.pack) !== undefined) {
      const now = layouts.shards(row.pack).find(({ partner }) => partner === row.partner);
      assert.ok(now === undefined || now.phase === 'wrong', 'it is not asked for the same again');
      await node.clock.sleep(1_000);
    }
    const holders = shards.ofPack(row.pack).map(({ partner }) => partner);
    assert.equal(holders.length, 8);
    assert.equal(holders.includes(row.partner), false);
  };
  await scene.mustPlay(program, dayMs);
});
