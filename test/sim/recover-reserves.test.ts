/** After a total loss whoever has an index pack's shards will do, not only those whom the manifest names (docs/decisions/0013-spares-are-further-shards.md). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { secondMs } from '../../src/base/units.ts';
import { stripeIdOf } from '../../src/core/erasure/layout.ts';
import { openManifest } from '../../src/core/manifest/manifest.ts';
import type { PackDescriptor } from '../../src/core/manifest/pack-descriptor.ts';
import { ShardNamer } from '../../src/core/sealing/shard-name.ts';
import { blobOf } from '../../src/engine/holding/held-trash.ts';
import { durable } from '../../src/sim/checkers.ts';
import { simAddress } from '../../src/sim/network.ts';
import { SimPeer } from '../../src/sim/sim-peer.ts';
import { played } from './crowd.ts';
import { Circle, spared } from './repair-circle.ts';
import { facts, kernels, mustRestore, quiet } from './scene.ts';

/** The index packs of the newest manifest, as their descriptors say. */
function indexPacks({ self }: Circle): readonly PackDescriptor[] {
  const { document } = present(durable(self).manifests.newest(self.keys.peerId), 'a manifest');
  const manifest = openManifest(document, self.keys);
  assert(manifest.ok);
  return manifest.value.body.indexPacks;
}

const isNamed = ({ placement }: PackDescriptor, peer: SimPeer): boolean =>
  placement.includes(peer.keys.peerId);

/** The disks of those that the manifest names forget the pack's shards, but for one of them. */
function losesAllButOne({ them, self }: Circle, descriptor: PackDescriptor): void {
  const { pack: packId, lengthBytes: packLength, code, placement } = descriptor;
  const stripe = stripeIdOf({ packId, packLength, code });
  const owner = self.keys.peerId;
  const isReadable = (peer: SimPeer): boolean =>
    durable(peer).agreements.ofPartner(owner)?.phase === 'standing';
  let left = 1;
  for (const peer of them.peers) {
    const index = placement.indexOf(peer.keys.peerId);
    if (index < 0) continue;
    const name = new ShardNamer(self.keys.shardNameKey, peer.keys.peerId).nameOf(stripe, index);
    const blob = blobOf({ owner, name });
    assert.ok(peer.home.held.wholeNames().includes(blob), `${peer.name} holds it`);
    if (isReadable(peer) && left > 0) left -= 1;
    else peer.home.held.lose(blob);
  }
  assert.equal(left, 0);
}

async function recovered(circle: Circle): Promise<SimPeer> {
  const { them, self, world } = circle;
  const heir = new SimPeer({
    world,
    link: them.link,
    kernels,
    name: 'heir',
    rootSeed: self.rootSeed,
  });
  heir.spawn();
  await world.run({ untilMs: world.nowMs + secondMs });
  const computer = present(heir.computer, 'the heir runs');
  const peers = them.peers
    .slice(1)
    .map(({ keys }) => ({ peer: undefined, address: simAddress(keys.peerId) }));
  const report = await played(them, () => computer.recover(peers, { floor: undefined, ...quiet }));
  assert(report.ok, JSON.stringify(report));
  return heir;
}

test('C14: an index pack is read from reserves when those that the manifest names do not suffice', async () => {
  const circle = new Circle('index in reserve', { count: 6, wanted: 4, keepTrace: true });
  await circle.settle(4);
  const away = await spared(circle);
  circle.world.restart(away.name);
  await circle.until('it is back', () => circle.phaseOf(away) === 'standing');
  await circle.untilWhole('it came back');
  await circle.wait(60 * secondMs);
  const descriptor = present(
    indexPacks(circle).find((each) => !isNamed(each, away)),
    'an index pack of which it has a shard in reserve',
  );
  assert.equal(descriptor.code.dataShards, 2);
  circle.world.crash(circle.self.name);
  losesAllButOne(circle, descriptor);
  const heir = await recovered(circle);
  const asked = circle.world.trace
    .lines()
    .filter((line) => line.includes('recover.reserves-asked'));
  assert.equal(asked.length, 1);
  const computer = present(heir.computer, 'the heir runs');
  const { snapshot } = present(computer.snapshots().at(-1), 'a snapshot');
  const files = facts(circle.self.files, '/home');
  await played(circle.them, () => mustRestore({ owner: heir }, computer, { snapshot, files }));
});
