/** Claims about how a partnership goes on and ends: commitment, grace, leaving and returning, and what becomes of whoever gives nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { dayMs, mebi, minuteMs, secondMs } from '../../src/base/units.ts';
import { pathOf } from '../../src/core/wire/resources.ts';
import { durable } from '../../src/sim/checkers.ts';
import { simAddress } from '../../src/sim/network.ts';
import { inAuditScene } from '../sim/audit-scene.ts';
import { mustRestore } from '../sim/scene.ts';
import { periods, Strangers } from './sim-strangers.ts';

/** One that wants a partner, and so many that lend. */
async function partnered(seed: string, lenders: number): Promise<Strangers> {
  const they = new Strangers(seed, 1 + lenders, {
    meets: true,
    partnership: (number) => ({
      ...periods,
      wantedPartners: 1,
      ...(number === 0 ? {} : { wantedBytes: 0 }),
    }),
  });
  await they.until('a partner', () => they.partners(0).length === 1);
  return they;
}

/** How a partner answers whoever asks for a shard, whatever the asker's own engine would do. */
async function askedForShard(they: Strangers, partner: number): Promise<number> {
  const [self, peer] = [they.id(0), they.id(partner)];
  const [held] = durable(they.peer(partner)).held.page(self, undefined, 1);
  const path = pathOf({ resource: 'shard', name: present(held, 'a shard').name });
  return await they.play(0, async () => {
    const to = { peer, addresses: [simAddress(peer)] };
    const reply = await they.them.link.network.transport(self).request(to, { method: 'GET', path });
    assert(reply.ok);
    await reply.value.body[Symbol.asyncIterator]().return?.();
    return reply.value.status;
  });
}

test('C30: during a commitment period that is longer than grace a restore is neither made nor honoured', async () => {
  const they = await partnered('commitment', 1);
  await they.backedUp(0);
  const { spool } = they.peer(0).home;
  for (const name of spool.wholeNames()) spool.rot(name);
  const { terms } = present(they.computer(0).agreements()[0], 'one').agreement;
  assert(terms.commitmentMs > terms.graceMs);
  assert.equal(they.phase(0, 1), 'in-commitment');
  const { snapshot } = present(they.computer(0).snapshots()[0], 'a snapshot');
  const scene = { owner: they.peer(0) };
  await assert.rejects(
    they.play(0, (computer) => mustRestore(scene, computer, { snapshot })),
    /restore\.too-few-partners/,
  );
  assert.equal(await askedForShard(they, 1), 403);
  await they.until('C is over', () => they.phase(0, 1) === 'standing');
  await they.until('on both sides', () => they.phase(1, 0) === 'standing');
  await they.play(0, (computer) => mustRestore(scene, computer, { snapshot }));
  assert.equal(await askedForShard(they, 1), 200);
});

test('C30: grace begins when a partner does not answer; it has reneged when grace runs out, and not before', async () => {
  const they = await partnered('grace', 1);
  await they.backedUp(0);
  await they.until('C is over', () => they.phase(0, 1) === 'standing');
  const silentAt = they.world.nowMs;
  they.world.crash(they.peer(1).name);
  await they.until('it is suspended', () => they.phase(0, 1) === 'suspended');
  const view = present(they.computer(0).partners()[0], 'it');
  assert.notEqual(view.graceEndsAt, undefined);
  await they.until('it has reneged', () => they.phase(0, 1) !== 'suspended');
  assert.match(they.phase(0, 1) ?? '', /^(reneged|ended)$/);
  const silentMs = they.world.nowMs - silentAt;
  assert(silentMs >= 4 * minuteMs - 10 * secondMs, `after ${silentMs}`);
});

test('C46: a partner leaves when it wants to, and is a partner again when both want it', async () => {
  const they = await partnered('leaving', 2);
  await they.backedUp(0);
  const left = present(they.partners(0)[0], 'a partner');
  const other = 3 - left;
  await they.play(left, (computer) => computer.leave(they.id(0)));
  await they.until('both know that it ended', () =>
    [they.phase(0, left), they.phase(left, 0)].every((phase) => phase === 'ended'),
  );
  await they.until('what it held is elsewhere', () => {
    const latest = they.computer(0).snapshots().at(-1);
    return they.partners(0).includes(other) && latest?.phase === 'complete';
  });
  const code = they.computer(left).invite({ spaceBytes: 8 * mebi, validMs: dayMs });
  const joined = await they.play(0, (computer) => computer.join(code, { spaceBytes: 8 * mebi }));
  assert(joined.ok, JSON.stringify(joined));
  assert.deepEqual([...they.partners(0)].sort(), [1, 2]);
  assert(they.partners(left).includes(0));
});

test('C46: a partner that goes without a word and is back within grace is a partner as before', async () => {
  const they = await partnered('night', 1);
  await they.backedUp(0);
  await they.until('C is over', () => they.phase(0, 1) === 'standing');
  they.world.crash(they.peer(1).name);
  await they.until('it is suspended', () => they.phase(0, 1) === 'suspended');
  they.world.restart(they.peer(1).name);
  await they.until('it is back', () => they.phase(0, 1) === 'standing');
  const { snapshot } = present(they.computer(0).snapshots()[0], 'a snapshot');
  await they.play(0, (computer) => mustRestore({ owner: they.peer(0) }, computer, { snapshot }));
});

test('C47: any partner can be asked for proof at any time, and whoever has nothing to show fails at once', async () => {
  await inAuditScene({ seed: 'C47', shards: [2, 3] }, async (scene) => {
    for (const restMs of [0, secondMs, 7 * minuteMs]) {
      await scene.clock.sleep(restMs);
      assert.equal((await scene.audit())?.outcome, 'passed');
    }
    for (const name of scene.names) scene.disk.remove(scene.blobOf(name));
    const event = present(await scene.audit(), 'it was asked');
    assert.equal(event.outcome, 'wrong', 'with no warning, and no interval kept');
    assert.notEqual(event.findings.length, 0);
    const shards = scene.ownerStores.shards.ofPartner(scene.holder.peerId);
    assert(shards.some(({ phase }) => phase === 'lost'));
  });
});

test('C47: whoever falls silent when it is asked is asked for the same until it answers', async () => {
  await inAuditScene({ seed: 'C47 silent', shards: [4] }, async (scene) => {
    scene.mishap = (type) => (type === 'opening' ? 'request-lost' : undefined);
    assert.equal((await scene.audit())?.outcome, 'silent');
    assert.notEqual((await scene.audit())?.pendingSince, undefined);
    scene.mishap = () => undefined;
    assert.equal((await scene.audit())?.outcome, 'passed');
  });
});

test('C47: whoever drops what it was given reneges, loses its place, and what it stored with the one it cheated', async () => {
  const they = await partnered('C47 freeloader', 1);
  await they.backedUp(0);
  await they.until('C is over', () => they.phase(0, 1) === 'standing');
  const { held } = they.peer(1).home;
  const dropAll = (): void => {
    for (const name of held.wholeNames()) held.lose(name);
  };
  await they.until('it is over', () => {
    dropAll();
    return they.partners(0).length === 0;
  });
  assert.equal(they.phase(0, 1), 'reneged');
  assert.deepEqual(durable(they.peer(0)).held.page(they.id(1), undefined, 1), []);
});
