/** Two computers whose agreement ended, and that agree once more: what the first left behind takes nothing from the second (C30, C46). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { dayMs, hourMs, minuteMs, secondMs } from '../../src/base/units.ts';
import type { PartnershipSettings } from '../../src/engine/partners/partnership-settings.ts';
import { durable } from '../../src/sim/checkers.ts';
import { calmPlan, type PlannedCrash } from '../../src/sim/fault-plan.ts';
import { Crashed } from '../../src/sim/life.ts';
import type { SimPeer } from '../../src/sim/sim-peer.ts';
import { type Crowd, crowd, partnersOf, settled, waitUntil } from './crowd.ts';
import { backUp, quiet, reach, Scene, smallFiles } from './scene.ts';

const periods: Partial<PartnershipSettings> = {
  graceMs: 4 * minuteMs,
  commitmentMs: 6 * minuteMs,
  noticeMs: minuteMs,
  deleteLockMs: 2 * minuteMs,
  spareAfterMs: minuteMs,
  auditIntervalMs: 20 * secondMs,
  wantedPartners: 1,
};

interface Pair extends Crowd {
  readonly owner: SimPeer;
  readonly holder: SimPeer;
}

async function pair(
  seed: string,
  change: Partial<PartnershipSettings> = {},
  crashes: readonly PlannedCrash[] = [],
): Promise<Pair> {
  const them = crowd(seed, 2, {
    ...{ meets: true, plan: { ...calmPlan, crashes } },
    partnership: () => ({ ...periods, ...change }),
  });
  const [owner, holder] = them.peers.map((peer) => present(peer, 'a computer'));
  assert(owner !== undefined && holder !== undefined);
  owner.files.makeFolder('/home');
  const draws = them.world.prng.fork('files');
  smallFiles(owner.files, (bytes) => draws.bytes(bytes));
  await settled(them, 1, 2 * minuteMs);
  return { ...them, owner, holder };
}

async function backedUp(them: Pair): Promise<void> {
  const computer = present(them.owner.computer, 'the owner runs');
  let phase: string | undefined;
  void backUp(computer).then(async ({ snapshot }) => {
    phase = await computer.protect(snapshot, 'complete', quiet);
  });
  await waitUntil(them, 'a complete backup', () => phase !== undefined);
  assert.equal(phase, 'complete');
}

function heldFor({ holder, owner }: Pair): number {
  return durable(holder).held.page(owner.keys.peerId, undefined, 100).length;
}

test('what a partner holds stays when an earlier agreement with the same computer runs out', async () => {
  const them = await pair('again');
  await backedUp(them);
  const held = heldFor(them);
  assert(held > 0);
  const forgotten = present(them.owner.computer, 'it').forget(them.holder.keys.peerId);
  assert(forgotten.ok);
  const first = durable(them.owner).agreements.all()[0]?.agreement;
  await waitUntil(them, 'they agree again', () =>
    [them.owner, them.holder].every(
      (peer) =>
        partnersOf(peer) === 1 && peer.computer?.partners()[0]?.agreement.agreement !== first,
    ),
  );
  const complete = (): boolean =>
    them.owner.computer?.snapshots().at(-1)?.phase === 'complete' && heldFor(them) >= held;
  await waitUntil(them, 'all is there again', complete);
  // The delete-lock of the first agreement ends meanwhile, and so does the life of the holder.
  await them.world.run({ untilMs: them.world.nowMs + 10 * minuteMs });
  assert(complete(), 'after the delete-lock');
  them.world.crash(them.holder.name);
  them.world.restart(them.holder.name);
  await them.world.run({ untilMs: them.world.nowMs + minuteMs });
  assert(complete(), 'after a restart');
  assert.deepEqual(durable(them.holder).held.trashed(them.owner.keys.peerId), []);
});

test('C30: what is kept for whoever fell silent stays when an earlier agreement with the same computer ran out', async () => {
  const them = await pair('kept again');
  await backedUp(them);
  const { owner, holder } = them;
  const peer = owner.keys.peerId;
  const first = durable(holder).agreements.ofPartner(peer)?.agreement;
  assert(present(owner.computer, 'it').forget(holder.keys.peerId).ok);
  await waitUntil(them, 'they agree again', () => {
    const now = durable(holder).agreements.ofPartner(peer);
    return now !== undefined && now.agreement !== first && now.phase === 'in-commitment';
  });
  await waitUntil(
    them,
    'all is there again',
    () => owner.computer?.snapshots().at(-1)?.phase === 'complete',
  );
  await them.world.run({ untilMs: them.world.nowMs + 10 * minuteMs });
  const held = heldFor(them);
  assert(held > 0);
  them.world.crash(owner.name);
  await waitUntil(
    them,
    'it has reneged',
    () => durable(holder).agreements.ofPartner(peer)?.phase === 'reneged',
  );
  await them.world.run({ untilMs: them.world.nowMs + 10 * minuteMs });
  assert.deepEqual(durable(holder).held.trashed(peer), []);
  assert.equal(heldFor(them), held);
});

test('C27: a partner that reneged is no candidate, until a person forgives it', async () => {
  const them = await pair('reneged');
  const peer = them.holder.keys.peerId;
  const owner = present(them.owner.computer, 'the owner runs');
  // In time that it was asked, it gives no sign.
  them.world.crash(them.holder.name);
  const phase = (): string | undefined => durable(them.owner).agreements.ofPartner(peer)?.phase;
  await waitUntil(them, 'grace runs out', () => phase() === 'reneged');
  const refusals = (): readonly string[] =>
    owner
      .candidates()
      .filter((candidate) => candidate.peer === peer && candidate.rank === undefined)
      .flatMap(({ reasons }) => reasons.map(({ code }) => code));
  assert(refusals().includes('candidate.reneged-here'), refusals().join());
  assert(owner.forgive(peer).ok);
  assert.equal(partnersOf(them.owner), 1);
  assert.deepEqual(refusals(), []);
});

/** The steps between which an owner that has backed up forgets its only partner; with crashes, until it is forgotten. */
async function forgets(crashes: readonly PlannedCrash[]): Promise<{ from: number; to: number }> {
  const scene = new Scene('crash at the end', 1, { plan: { ...calmPlan, crashes } });
  const { owner, world } = scene;
  const steps = { from: 0, to: 0 };
  const partner = present(scene.partners[0], 'a partner').keys.peerId;
  const isOver = (): boolean =>
    durable(owner)
      .agreements.all()
      .some(({ phase }) => phase === 'ended');
  scene.spawnPartners();
  owner.spawn(async (computer, node) => {
    if (isOver()) return;
    await scene.joinAll(computer, node);
    await reach(computer, node, { snapshot: (await backUp(computer)).snapshot, phase: 'complete' });
    await node.clock.sleep(minuteMs);
    steps.from = world.durableSteps(owner.name);
    assert(computer.forget(partner).ok);
    steps.to = world.durableSteps(owner.name);
  });
  await world.run({ untilMs: hourMs, until: isOver });
  await world.run({ untilMs: world.nowMs + minuteMs });
  const shards = durable(owner).shards.ofPartner(partner);
  assert(shards.length > 0);
  assert.deepEqual(
    shards.filter(({ phase }) => phase === 'held'),
    [],
    JSON.stringify(crashes),
  );
  return steps;
}

test('what lies at a former partner counts for nothing, also when a crash came right after the end', async () => {
  const { from, to } = await forgets([]);
  assert(to > from);
  for (let step = from + 1; step <= to; step += 1)
    await forgets([{ node: 'owner', step, moment: 'after', downMs: secondMs }]);
});

/** The steps between which a holder forgives an owner whose shards are in its trash; with crashes, until they are held as before. */
async function forgives(crashes: readonly PlannedCrash[]): Promise<{ from: number; to: number }> {
  const lazy = {
    ...{ probeIntervalMs: minuteMs, searchIntervalMs: minuteMs, auditIntervalMs: hourMs },
    ...{ receiptPeriodMs: dayMs, deleteLockMs: dayMs },
  };
  const them = await pair('forgiven', lazy, crashes);
  const { owner, holder, world } = them;
  await backedUp(them);
  const held = heldFor(them);
  assert(held > 0);
  world.crash(owner.name);
  // It had earned a day.
  const isInTrash = (): boolean => heldFor(them) === 0;
  await world.run({ untilMs: world.nowMs + 3 * dayMs, until: isInTrash });
  const from = world.durableSteps(holder.name);
  let isForgiven = false;
  try {
    isForgiven = present(holder.computer, 'it').forgive(owner.keys.peerId).ok;
  } catch (reason) {
    if (!(reason instanceof Crashed)) throw reason;
  }
  const to = world.durableSteps(holder.name);
  await world.run({ untilMs: world.nowMs + minuteMs });
  const phase = durable(holder).agreements.ofPartner(owner.keys.peerId)?.phase;
  assert.notEqual(phase, 'ended');
  if (isForgiven) assert.notEqual(phase, 'reneged');
  assert.equal(
    heldFor(them),
    phase === 'reneged' ? 0 : held,
    `${phase} ${JSON.stringify(crashes)}`,
  );
  return { from, to };
}

test('what an owner that is forgiven has here is held again, also when a crash came as it was', async () => {
  const { from, to } = await forgives([]);
  assert(to > from);
  for (let step = from + 1; step <= to; step += 1)
    await forgives([{ node: 'peer 1', step, moment: 'after', downMs: secondMs }]);
});
