/** Two machines with one identity: the one that was recovered elsewhere stops by itself, and the other loses nothing by it (RESEARCH §2). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { minuteMs, secondMs } from '../../src/base/units.ts';
import type { Computer } from '../../src/engine/computer.ts';
import { durable } from '../../src/sim/checkers.ts';
import { simAddress } from '../../src/sim/network.ts';
import { SimPeer } from '../../src/sim/sim-peer.ts';
import { type Crowd, crowd, played, settled, waitUntil } from './crowd.ts';
import { backUp, kernels, quiet, request, smallFiles } from './scene.ts';

const backedUp = (them: Crowd, computer: Computer): Promise<void> =>
  played(them, async () => {
    const { snapshot } = await backUp(computer);
    assert.equal(await computer.protect(snapshot, 'complete', quiet), 'complete');
  });

test('an old machine that comes back after its identity was recovered stops by itself, for good', async () => {
  const them = crowd('successor', 4, {
    meets: true,
    partnership: (number) => ({
      ...{ preset: 'circle' as const, graceMs: 4 * minuteMs, commitmentMs: 5 * minuteMs },
      ...{ noticeMs: minuteMs, deleteLockMs: minuteMs, spareAfterMs: minuteMs },
      ...{ auditIntervalMs: 20 * secondMs, wantedPartners: 3 },
      ...(number === 0 ? {} : { wantedBytes: 0 }),
    }),
  });
  const { world, link } = them;
  const owner = present(them.peers[0], 'an owner');
  const others = them.peers.slice(1);
  owner.files.makeFolder('/home');
  const draws = world.prng.fork('files');
  smallFiles(owner.files, (count) => draws.bytes(count));
  await settled({ ...them, peers: [owner] }, 3, minuteMs);
  await backedUp(them, present(owner.computer, 'it runs'));
  await world.run({ untilMs: world.nowMs + 6 * minuteMs });
  world.crash(owner.name);

  const heir = new SimPeer({ world, link, kernels, name: 'heir', rootSeed: owner.rootSeed });
  heir.spawn();
  await world.run({ untilMs: world.nowMs + secondMs });
  const next = present(heir.computer, 'the heir runs');
  const peers = others.map(({ keys }) => ({ peer: undefined, address: simAddress(keys.peerId) }));
  const recovered = await played(them, () => next.recover(peers, { floor: undefined, ...quiet }));
  assert(recovered.ok, JSON.stringify(recovered));
  heir.files.makeFolder('/home');
  heir.files.writeFile('/home/newer', draws.bytes(10_000));
  await backedUp(them, next);
  const held = () =>
    others.map((peer) => durable(peer).held.page(owner.keys.peerId, undefined, 1_000).length);
  const before = held();
  world.crash(heir.name);

  world.restart(owner.name);
  await world.run({ untilMs: world.nowMs + secondMs });
  const old = present(owner.computer, 'the old machine runs');
  owner.files.writeFile('/home/older', draws.bytes(10_000));
  const isSuperseded = (): boolean =>
    present(owner.computer, 'it runs')
      .status()
      .hindrances.some(({ code }) => code === 'identity.superseded');
  void backUp(old);
  await waitUntil(them, 'it sees that it was succeeded', isSuperseded);
  const again = await played(them, () => old.backup({ ...request, tags: [] }, quiet));
  assert(!again.ok && again.error.code === 'backup.superseded', JSON.stringify(again));
  world.crash(owner.name);
  world.restart(owner.name);
  await world.run({ untilMs: world.nowMs + minuteMs });
  assert(isSuperseded(), 'after a restart as well');
  world.crash(owner.name);

  world.restart(heir.name);
  await world.run({ untilMs: world.nowMs + 2 * minuteMs });
  const heard = present(heir.computer, 'the heir goes on');
  assert.deepEqual(
    heard.partners().map(({ phase }) => phase),
    ['standing', 'standing', 'standing'],
  );
  assert.equal(heard.snapshots().at(-1)?.phase, 'complete');
  held().forEach((count, at) => {
    assert.ok(count >= (before[at] ?? 0));
  });
});
