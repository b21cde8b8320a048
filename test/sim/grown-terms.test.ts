/** Strangers lend each other more after a clean stretch of time, and what is stored in that has a commitment of its own (C30). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { mebi, minuteMs, secondMs } from '../../src/base/units.ts';
import { decodeLifecycle } from '../../src/core/partners/lifecycle-codec.ts';
import type { PartnershipSettings } from '../../src/engine/partners/partnership-settings.ts';
import { durable } from '../../src/sim/checkers.ts';
import { simAddress } from '../../src/sim/network.ts';
import { SimPeer } from '../../src/sim/sim-peer.ts';
import { crowd, played, settled, waitUntil } from './crowd.ts';
import { backUp, kernels, quiet, smallFiles } from './scene.ts';

/** Periods in proportion, on the scale of minutes. */
const commitmentMs = 6 * minuteMs;
const rampStepMs = 10 * minuteMs;
const periods: Partial<PartnershipSettings> = {
  ...{ preset: 'open', graceMs: 4 * minuteMs, commitmentMs, noticeMs: 3 * minuteMs },
  ...{ deleteLockMs: 2 * minuteMs, spareAfterMs: minuteMs, auditIntervalMs: 20 * secondMs },
  ...{ rampBytes: 24 * mebi, rampStepMs, wantedPartners: 3 },
};

function openSteps(peer: SimPeer): readonly number[] {
  return durable(peer)
    .agreements.all()
    .filter(({ phase }) => phase !== 'proposed')
    .map((row) => {
      const state = decodeLifecycle(present(row.lifecycle, 'it lives'));
      assert(state.ok);
      return state.value.steps.length;
    });
}

test('C30: what was stored since the terms grew is neither drilled for nor given back at large, until C has passed once more', async () => {
  const them = crowd('grown terms', 4, {
    meets: true,
    partnership: () => periods,
  });
  const owner = present(them.peers[0], 'an owner');
  const others = them.peers.slice(1);
  owner.files.makeFolder('/home');
  const draws = them.world.prng.fork('files');
  smallFiles(owner.files, (count) => draws.bytes(count));
  await settled(them, 3, minuteMs);
  const computer = present(owner.computer, 'the owner runs');
  const backedUp = (): Promise<unknown> =>
    played(them, async () => {
      const { snapshot } = await backUp(computer);
      assert.equal(await computer.protect(snapshot, 'complete', quiet), 'complete');
    });
  await backedUp();
  await waitUntil(them, 'the terms grew', () =>
    them.peers.every((peer) => openSteps(peer).includes(1)),
  );
  assert.ok(them.world.nowMs > commitmentMs, 'the first commitment is over');
  const grownMs = them.world.nowMs;
  owner.files.makeFolder('/home/newer');
  const newer = 3;
  for (let file = 0; file < newer; file += 1)
    owner.files.writeFile(`/home/newer/file-${file}`, draws.bytes(4 * mebi));
  await backedUp();
  const report = await played(them, () =>
    computer.drill({ files: 50, bytes: 100 * mebi, ...quiet }),
  );
  assert(report.ok, JSON.stringify(report));
  assert.deepEqual(report.value.problems, [], 'nothing is asked for that need not be given');
  const from = present(computer.status().outlook.restorableFrom, 'a date is told');
  assert.ok(from > computer.now() && from - computer.now() <= commitmentMs);
  const heir = new SimPeer({ ...them, kernels, name: 'heir', rootSeed: owner.rootSeed });
  them.world.crash(owner.name);
  heir.spawn();
  await them.world.run({ untilMs: them.world.nowMs + secondMs });
  const next = present(heir.computer, 'the heir runs');
  const peers = others.map(({ keys }) => ({ peer: undefined, address: simAddress(keys.peerId) }));
  const recovered = await played(them, () => next.recover(peers, { floor: undefined, ...quiet }));
  assert(recovered.ok, `index and trees are given at once: ${JSON.stringify(recovered)}`);
  assert.ok(them.world.nowMs < grownMs + commitmentMs, 'all of this within the second commitment');
});
