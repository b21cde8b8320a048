/** Everything is lost while partners are in commitment (C30): they honour no restores yet, and whoever comes back is told from when on they will. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { minuteMs, secondMs } from '../../src/base/units.ts';
import type { Computer } from '../../src/engine/computer.ts';
import type { PartnershipSettings } from '../../src/engine/partners/partnership-settings.ts';
import { simAddress } from '../../src/sim/network.ts';
import { SimPeer } from '../../src/sim/sim-peer.ts';
import { type Crowd, crowd, played, settled } from './crowd.ts';
import { backUp, kernels, quiet, smallFiles } from './scene.ts';

/** Periods in proportion, on the scale of minutes. */
const periods: Partial<PartnershipSettings> = {
  ...{ graceMs: 4 * minuteMs, commitmentMs: 8 * minuteMs, noticeMs: 3 * minuteMs },
  ...{ deleteLockMs: 2 * minuteMs, spareAfterMs: minuteMs, auditIntervalMs: 20 * secondMs },
};

async function backedUp(): Promise<Crowd> {
  const them = crowd('early disaster', 4, {
    meets: true,
    partnership: (number) => ({
      ...{ ...periods, wantedPartners: 3 },
      ...(number === 0 ? {} : { wantedBytes: 0 }),
    }),
  });
  const owner = present(them.peers[0], 'an owner');
  owner.files.makeFolder('/home');
  const draws = them.world.prng.fork('files');
  smallFiles(owner.files, (count) => draws.bytes(count));
  await settled({ ...them, peers: them.peers.slice(0, 1) }, 3, minuteMs);
  const computer = present(owner.computer, 'the owner runs');
  await played(them, async () => {
    const { snapshot } = await backUp(computer);
    assert.equal(await computer.protect(snapshot, 'complete', quiet), 'complete');
  });
  return them;
}

test('a disaster in commitment ends with the date from which restores are possible, and then they are', async () => {
  const them = await backedUp();
  const { world, link } = them;
  const owner = present(them.peers[0], 'an owner');
  const ends = present(owner.computer, 'it runs')
    .partners()
    .map(({ commitmentEndsAt }) => present(commitmentEndsAt, 'in commitment'));
  world.crash(owner.name);
  const heir = new SimPeer({ world, link, kernels, name: 'heir', rootSeed: owner.rootSeed });
  heir.spawn();
  await world.run({ untilMs: world.nowMs + secondMs });
  const computer: Computer = present(heir.computer, 'the heir runs');
  const peers = them.peers
    .slice(1)
    .map(({ keys }) => ({ peer: undefined, address: simAddress(keys.peerId) }));
  const recover = () => played(them, () => computer.recover(peers, { floor: undefined, ...quiet }));
  const early = await recover();
  assert(!early.ok && early.error.code === 'recover.too-few-partners', JSON.stringify(early));
  const from = present(early.error.restorableFrom, 'a date');
  assert.ok(Math.abs(from - Math.max(...ends)) <= 10 * secondMs, `${from}: ${ends.join()}`);
  await world.run({ untilMs: world.nowMs + (from - computer.now()) + 10 * secondMs });
  const late = await recover();
  assert(late.ok, JSON.stringify(late));
  assert.equal(late.value.snapshots, 1);
});
