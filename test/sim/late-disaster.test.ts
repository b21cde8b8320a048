/** An owner comes back after its partners have held that it reneged (C30): what it stored is there still, and is given back after a renewed commitment. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { minuteMs, secondMs } from '../../src/base/units.ts';
import type { PartnershipSettings } from '../../src/engine/partners/partnership-settings.ts';
import { durable } from '../../src/sim/checkers.ts';
import { simAddress } from '../../src/sim/network.ts';
import { SimPeer } from '../../src/sim/sim-peer.ts';
import { type Crowd, crowd, played, settled, waitUntil } from './crowd.ts';
import { backUp, kernels, quiet, smallFiles } from './scene.ts';

/** Periods in proportion, on the scale of minutes. */
const graceMs = 4 * minuteMs;
const commitmentMs = 6 * minuteMs;
const periods: Partial<PartnershipSettings> = {
  ...{ graceMs, commitmentMs, noticeMs: 3 * minuteMs },
  ...{ deleteLockMs: 2 * minuteMs, spareAfterMs: minuteMs, auditIntervalMs: 20 * secondMs },
};

interface Scene extends Crowd {
  readonly owner: SimPeer;
  readonly holders: readonly SimPeer[];
}

/** An owner with a backup at three standing partners, gone for longer than G, so that all of them hold that it reneged. */
async function reneged(seed: string): Promise<Scene> {
  const them = crowd(seed, 4, {
    meets: true,
    partnership: (number) => ({
      ...{ ...periods, wantedPartners: 3 },
      ...(number === 0 ? {} : { wantedBytes: 0 }),
    }),
  });
  const owner = present(them.peers[0], 'an owner');
  const holders = them.peers.slice(1);
  const scene = { ...them, owner, holders };
  owner.files.makeFolder('/home');
  const draws = them.world.prng.fork('files');
  smallFiles(owner.files, (count) => draws.bytes(count));
  await settled({ ...them, peers: [owner] }, 3, minuteMs);
  const computer = present(owner.computer, 'the owner runs');
  let phase: string | undefined;
  void backUp(computer).then(async ({ snapshot }) => {
    phase = await computer.protect(snapshot, 'complete', quiet);
  });
  await waitUntil(scene, 'a complete backup', () => phase === 'complete');
  await waitUntil(scene, 'they stand', () => arePhases(scene, 'standing'));
  them.world.crash(owner.name);
  await waitUntil(scene, 'it has reneged', () => arePhases(scene, 'reneged'));
  return scene;
}

function arePhases({ owner, holders }: Scene, phase: string): boolean {
  return holders.every(
    (holder) => durable(holder).agreements.ofPartner(owner.keys.peerId)?.phase === phase,
  );
}

test('C30: whoever lost everything and came back after G gets it back after one more commitment', async () => {
  const scene = await reneged('late disaster');
  const { world, link, owner, holders } = scene;
  const heir = new SimPeer({ world, link, kernels, name: 'heir', rootSeed: owner.rootSeed });
  heir.spawn();
  await world.run({ untilMs: world.nowMs + secondMs });
  const computer = present(heir.computer, 'the heir runs');
  const peers = holders.map(({ keys }) => ({ peer: undefined, address: simAddress(keys.peerId) }));
  const recover = () =>
    played(scene, () => computer.recover(peers, { floor: undefined, ...quiet }));
  const early = await recover();
  assert(!early.ok && early.error.code === 'recover.too-few-partners', JSON.stringify(early));
  const from = present(early.error.restorableFrom, 'it is said from when on');
  const waitMs = from - computer.now();
  assert.ok(waitMs > commitmentMs - 10 * secondMs && waitMs <= commitmentMs, `${waitMs} ms`);
  assert.ok(arePhases(scene, 'in-commitment'), 'they took it back');
  await world.run({ untilMs: world.nowMs + waitMs + minuteMs });
  const late = await recover();
  assert(late.ok, JSON.stringify(late));
  assert.equal(late.value.snapshots, 1);
});

test('C30: an owner that was merely away finds its partners again, with all that it stored', async () => {
  const scene = await reneged('long absence');
  const { owner, holders } = scene;
  const heldBy = (holder: SimPeer): number =>
    durable(holder).held.page(owner.keys.peerId, undefined, 100).length;
  const before = holders.map(heldBy);
  scene.world.restart(owner.name);
  await waitUntil(scene, 'they took it back', () => arePhases(scene, 'in-commitment'));
  assert.deepEqual(holders.map(heldBy), before);
  const phases = () => owner.computer?.partners().map(({ phase }) => phase);
  assert.deepEqual(phases(), Array(3).fill('in-commitment'), 'and it counts their commitment anew');
  await waitUntil(scene, 'they stand', () => arePhases(scene, 'standing'));
  assert.equal(owner.computer?.snapshots().at(-1)?.phase, 'complete');
});

test('C30: an owner that is away for long twice in short time blames nobody for counting its commitment anew', async () => {
  const scene = await reneged('two absences');
  const { owner, world } = scene;
  const phases = (): string | undefined =>
    owner.computer
      ?.partners()
      .map(({ phase }) => phase)
      .join();
  const all = (phase: string): string => Array(3).fill(phase).join();
  world.restart(owner.name);
  await waitUntil(scene, 'they took it back', () => arePhases(scene, 'in-commitment'));
  await waitUntil(scene, 'it stands', () => phases() === all('standing'));
  world.crash(owner.name);
  await waitUntil(scene, 'it has reneged again', () => arePhases(scene, 'reneged'));
  world.restart(owner.name);
  await waitUntil(scene, 'they took it back again', () => arePhases(scene, 'in-commitment'));
  await waitUntil(scene, 'it counts anew as well', () => phases() === all('in-commitment'));
});
