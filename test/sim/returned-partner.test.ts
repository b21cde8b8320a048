/** A partner loses everything, comes back from its words and goes on: what it had is sent to it again, and nothing counts on what is gone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { hourMs, type Instant, instant } from '../../src/base/units.ts';
import { signNotice } from '../../src/core/wire/notice.ts';
import type { Computer } from '../../src/engine/computer.ts';
import { durable, violations } from '../../src/sim/checkers.ts';
import { calmNetwork, calmPlan, type FaultPlan } from '../../src/sim/fault-plan.ts';
import { simAddress } from '../../src/sim/network.ts';
import type { SimPeer } from '../../src/sim/sim-peer.ts';
import type { SimComputer } from '../../src/sim/world.ts';
import { backUp, mustRestore, quiet, reach, Scene, smallFiles } from './scene.ts';

interface Lost {
  readonly scene: Scene;
  readonly gone: SimPeer;
}

/** Everything is complete, and then one partner, which has a backup of its own, is gone with its home. */
async function partnerLost(seed: string, plan: FaultPlan = calmPlan): Promise<Lost> {
  const scene = new Scene(seed, 4, { plan, files: smallFiles });
  const gone = present(scene.partners[0], 'a partner');
  gone.files.makeFolder('/home');
  gone.files.writeFile('/home/own', new Uint8Array(50_000).fill(9));
  await scene.mustPlay(async (computer, node) => {
    const { snapshot } = await backUp(computer);
    await reach(computer, node, { snapshot, phase: 'complete' });
    const partner = present(gone.computer, 'a partner that runs');
    const own = await backUp(partner);
    await reach(partner, node, { snapshot: own.snapshot, phase: 'protected' });
  });
  scene.world.crash(gone.name);
  return { scene, gone };
}

/** The partner's next life, with nothing but its words; `work` begins when it has recovered. */
async function returned(
  { scene, gone }: Lost,
  work: (owner: Computer, node: SimComputer) => Promise<void>,
): Promise<SimPeer> {
  const heir = scene.newPeer('returned', { rootSeed: gone.rootSeed });
  const { peerId } = scene.owner.keys;
  let done = false;
  heir.spawn(async (computer, node) => {
    if (computer.snapshots().length === 0) {
      const address = { peer: peerId, address: simAddress(peerId) };
      for (;;) {
        const report = await computer.recover([address], { floor: undefined, ...quiet });
        if (report.ok) break;
        await node.clock.sleep(5_000);
      }
    }
    await work(present(scene.owner.computer, 'an owner that runs'), node);
    done = true;
  });
  const untilMs = scene.world.nowMs + 6 * hourMs;
  assert.equal(await scene.world.run({ untilMs, until: () => done }), 'reached', scene.report());
  return heir;
}

function heldAt(owner: SimPeer, partner: SimPeer): number {
  const rows = durable(owner).shards.ofPartner(partner.keys.peerId);
  return rows.filter(({ phase }) => phase === 'held').length;
}

const losses: FaultPlan = {
  ...calmPlan,
  network: { ...calmNetwork, lossShare: 0.15, duplicateShare: 0.2, breakShare: 0.1 },
};

for (const [what, plan] of [
  ['', calmPlan],
  [', over a bad line', losses],
] as const)
  test(`a partner that lost its home goes on as partner, and has everything again${what}`, async () => {
    const lost = await partnerLost(`returned${what}`, plan);
    const { scene, gone } = lost;
    const { owner } = scene;
    const before = heldAt(owner, gone);
    assert.ok(before > 0);
    const heir = await returned(lost, async (computer, node) => {
      owner.files.writeFile('/home/later', new Uint8Array(70_000).fill(3));
      const { snapshot } = await backUp(computer);
      await reach(computer, node, { snapshot, phase: 'complete' });
      while (durable(owner).shards.incompletePacks().length > 0) await node.clock.sleep(5_000);
      assert.equal(computer.status().spooledBytes, 0, 'what was sent again waits no more');
      await mustRestore(scene, computer, { snapshot });
    });
    assert.ok(heldAt(owner, heir) > before);
    assert.deepEqual(violations(owner, [heir, ...scene.partners.slice(1)]), [], scene.report());
    const [row] = durable(owner)
      .agreements.all()
      .filter(({ partner }) => partner === heir.keys.peerId);
    const { ledger } = durable(owner);
    const { agreement } = present(row, 'the agreement');
    assert.equal(ledger.head(agreement, 'owner')?.epoch, 1);
    const first = ledger.get(agreement, 'owner', { epoch: 0, sequence: 1 });
    assert.notEqual(first, undefined, 'what it signed before stays');
  });

test('a loss that is told after its partner was sent everything again takes nothing of that, and accuses nobody', async () => {
  const lost = await partnerLost('told late');
  const { scene, gone } = lost;
  const { owner } = scene;
  const by = gone.keys.peerId;
  const { agreement } = present(durable(owner).agreements.ofPartner(by), 'the agreement');
  const times: Instant[] = [];
  const heir = await returned(lost, async (computer, node) => {
    // Signed before it took anything in; only the replies were lost.
    times.push(instant(node.clock.now() - hourMs), instant(node.clock.now() - hourMs + 1));
    owner.files.writeFile('/home/later', new Uint8Array(70_000).fill(3));
    const { snapshot } = await backUp(computer);
    await reach(computer, node, { snapshot, phase: 'complete' });
    while (durable(owner).shards.incompletePacks().length > 0) await node.clock.sleep(5_000);
    const held = heldAt(owner, gone);
    assert.ok(held > 0);
    for (const time of times) {
      const subject = { type: 'lost-data', shards: [] } as const;
      const body = signNotice({ agreement, by, time, subject }, gone.keys.identitySeed);
      const request = { method: 'POST', path: '/v1/notices', body } as const;
      const to = scene.link.address(owner.keys.peerId);
      const reply = await scene.link.network.transport(by).request(to, request);
      assert.ok(reply.ok && reply.value.status === 200);
      assert.equal(heldAt(owner, gone), held);
      assert.notEqual(durable(owner).agreements.ofPartner(by)?.phase, 'suspended');
    }
  });
  assert.deepEqual(violations(owner, [heir, ...scene.partners.slice(1)]), [], scene.report());
});

test('shards that a returned partner has no more do not count, though their packs are gone from here', async () => {
  const lost = await partnerLost('returned late');
  const { scene, gone } = lost;
  const { owner } = scene;
  const before = heldAt(owner, gone);
  scene.world.crash(owner.name);
  // As if the cache had been trimmed.
  const image = durable(owner);
  for (const row of image.packs.spooled()) owner.home.spool.lose(row.pack);
  scene.world.restart(owner.name);
  const heir = await returned(lost, async (_, node) => {
    await node.clock.sleep(1_000);
    const computer = present(owner.computer, 'an owner that runs');
    owner.files.writeFile('/home/later', new Uint8Array(70_000).fill(3));
    const { snapshot } = await backUp(computer);
    await computer.protect(snapshot, 'protected', quiet);
  });
  const rows = durable(owner).shards.ofPartner(heir.keys.peerId);
  assert.equal(rows.filter(({ phase }) => phase === 'lost').length, before);
});
