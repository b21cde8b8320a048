/** A spare is a further shard of its stripe, and stands in for any other (docs/decisions/0013-spares-are-further-shards.md). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { hourMs, secondMs } from '../../src/base/units.ts';
import { shardCount } from '../../src/core/vocabulary/code.ts';
import type { PeerId } from '../../src/core/vocabulary/ids.ts';
import { durable } from '../../src/sim/checkers.ts';
import { simAddress } from '../../src/sim/network.ts';
import { SimPeer } from '../../src/sim/sim-peer.ts';
import { Circle, spared } from './repair-circle.ts';
import { facts, kernels, mustRestore, quiet } from './scene.ts';

/** Indices of each stripe, whose places are filled by as many different partners. */
function indices(circle: Circle): readonly (readonly number[])[] {
  const { packs, shards } = durable(circle.self);
  return circle.packs().map((pack) => {
    const rows = shards.ofPack(pack);
    const code = present(packs.get(pack)?.code, 'it was coded');
    assert.equal(rows.length, shardCount(code));
    assert.equal(new Set(rows.map(({ partner }) => partner)).size, rows.length);
    return rows.map(({ index }) => index);
  });
}

function holders(circle: Circle): readonly SimPeer[] {
  const packs = circle.packs();
  return circle.partners().filter((peer) => circle.held(peer, packs) > 0);
}

/** Silent for longer than T_r, until everything is whole without it; then back. */
async function awayForLong(circle: Circle, peer: SimPeer): Promise<void> {
  circle.world.crash(peer.name);
  await circle.until(`${peer.name} is suspended`, () => circle.phaseOf(peer) === 'suspended');
  await circle.untilWhole(`${peer.name} was silent`);
  circle.world.restart(peer.name);
  await circle.until(`${peer.name} is back`, () => circle.phaseOf(peer) === 'standing');
}

/** Restores are made from so many partners, and honoured by them. */
async function untilRead(circle: Circle, count: number): Promise<void> {
  const { peerId } = circle.self.keys;
  await circle.until('commitment is over', () => {
    const standing = circle
      .partners()
      .filter((peer) => circle.phaseOf(peer) === 'standing')
      .filter((peer) => durable(peer).agreements.ofPartner(peerId)?.phase === 'standing');
    return standing.length >= count;
  });
}

test('C20: when partners are silent one after the other, one spare of each stripe is sent for all of them', async () => {
  const circle = new Circle('one after the other', { count: 6, wanted: 4, keepTrace: true });
  await circle.settle(4);
  const packs = circle.packs();
  const first = holders(circle);
  const before = circle.sent(packs);
  for (const peer of [...first, ...first]) await awayForLong(circle, peer);
  const sent = circle.sent(packs) - before;
  assert.equal(sent, packs.length, `${sent} shards of ${packs.length} packs`);
  for (const held of indices(circle)) assert.ok(held.filter((index) => index >= 4).length <= 1);
  await circle.mustRestore();
});

test('with spares in any place, whichever partners are left restore every byte', async () => {
  const circle = new Circle('any two', { count: 6, wanted: 4 });
  await circle.settle(4);
  await spared(circle);
  for (const held of indices(circle)) {
    assert.equal(held.filter((index) => index >= 4).length, 1, 'a further index');
    assert.equal(held.filter((index) => index < 4).length, 3, 'and not that of the silent one');
  }
  await untilRead(circle, 4);
  const there = holders(circle);
  assert.equal(there.length, 4);
  for (const one of there)
    for (const other of there.slice(there.indexOf(one) + 1)) {
      for (const peer of [one, other]) circle.world.crash(peer.name);
      await circle.mustRestore();
      for (const peer of [one, other]) circle.world.restart(peer.name);
    }
});

test('C14: after a total loss spares are found where they lie, and those in reserve are read when others are gone', async () => {
  const circle = new Circle('total loss', { count: 6, wanted: 4 });
  await circle.settle(4);
  const [silent] = holders(circle);
  assert.ok(silent !== undefined);
  await awayForLong(circle, silent);
  await circle.until('it is published', () => {
    const packs = durable(circle.self).packs.all();
    return packs.every(({ kind, indexed }) => kind === 'index' || indexed);
  });
  await untilRead(circle, 5);
  const spares = holders(circle);
  assert.ok(!spares.includes(silent));
  const spare = present(
    spares.find((peer) => peer.keys.peerId === holderOfFurther(circle)),
    'who has the spares',
  );
  circle.world.crash(circle.self.name);
  const { world } = circle;
  const files = facts(circle.self.files, '/home');
  const { link } = circle.them;
  const { rootSeed } = circle.self;
  const heir = new SimPeer({ world, link, kernels, name: 'heir', rootSeed });
  let done = false;
  heir.spawn(async (computer) => {
    const peers = [...spares, silent].map(({ keys: { peerId } }) => ({
      peer: undefined,
      address: simAddress(peerId),
    }));
    const report = await computer.recover(peers, { floor: undefined, ...quiet });
    assert.ok(report.ok, JSON.stringify(report));
    for (const peer of spares) if (peer !== spare) world.crash(peer.name);
    const { snapshot } = present(computer.snapshots().at(-1), 'a snapshot');
    await mustRestore({ owner: heir }, computer, { snapshot, files });
    done = true;
  });
  const end = await world.run({ untilMs: world.nowMs + hourMs, until: () => done });
  assert.equal(end, 'reached', world.trace.lines().slice(-40).join('\n'));
});

test('a reserve that turns out to be gone, or wrong, is not counted on any more', async () => {
  const circle = new Circle('spoilt', { count: 6, wanted: 4 });
  await circle.settle(4);
  const [silent] = holders(circle);
  assert.ok(silent !== undefined);
  await awayForLong(circle, silent);
  await untilRead(circle, 5);
  const before = circle.reserves(silent);
  assert.ok(before >= circle.packs().length);
  for (const name of silent.home.held.wholeNames()) silent.home.held.lose(name);
  for (const peer of holders(circle).slice(0, 3)) circle.world.crash(peer.name);
  await assert.rejects(circle.mustRestore(), /restore.too-few-partners/);
  assert.ok(circle.reserves(silent) < before);
});

test('when somebody is back before its spare was sent, what it has fills a place instead', async () => {
  const circle = new Circle('back in time', { count: 11, wanted: 10, keepTrace: true });
  await circle.settle(10);
  const packs = circle.packs();
  const eight = holders(circle);
  assert.equal(eight.length, 8);
  const [first, second] = eight;
  const [, late] = circle.partners().filter((peer) => !eight.includes(peer));
  assert.ok(first !== undefined && second !== undefined && late !== undefined);
  const before = circle.sent(packs);
  for (const peer of [first, second]) circle.world.crash(peer.name);
  await circle.wait(50 * secondMs);
  circle.world.crash(late.name);
  await circle.until('both are suspended', () =>
    [first, second].every((peer) => circle.phaseOf(peer) === 'suspended'),
  );
  await circle.wait(6 * secondMs);
  assert.ok(durable(circle.self).layouts.all().length >= packs.length, 'repair waits for it');
  circle.world.restart(first.name);
  await circle.until('it is back', () => circle.phaseOf(first) === 'standing');
  await circle.untilWhole('it came back');
  assert.equal(circle.phaseOf(late), 'standing', 'nothing had to be known of the one that is late');
  assert.equal(circle.sent(packs) - before, packs.length, 'one spare of each for two silences');
  assert.ok(circle.world.trace.lines().some((line) => line.includes(' layout.revised ')));
});

function holderOfFurther(circle: Circle): PeerId | undefined {
  const { shards } = durable(circle.self);
  const rows = circle.packs().flatMap((pack) => shards.ofPack(pack));
  return rows.find(({ index }) => index >= 4)?.partner;
}
