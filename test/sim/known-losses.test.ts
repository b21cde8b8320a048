/** What a computer finds out about losses counts at once, and stays known: status never says more than is so. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { type Bytes, utf8Bytes } from '../../src/base/bytes.ts';
import { dayMs, hourMs, type Instant, minuteMs } from '../../src/base/units.ts';
import { signNotice } from '../../src/core/wire/notice.ts';
import type { Computer } from '../../src/engine/computer.ts';
import { durable } from '../../src/sim/checkers.ts';
import { simAddress } from '../../src/sim/network.ts';
import type { SimPeer } from '../../src/sim/sim-peer.ts';
import { backUp, mustRestore, quiet, reach, Scene } from './scene.ts';

function emptySpool({ home }: SimPeer): void {
  for (const name of home.spool.wholeNames()) home.spool.lose(name);
}

function shards(owner: SimPeer, partner: SimPeer): readonly string[] {
  const rows = durable(owner).shards.ofPartner(partner.keys.peerId);
  return [...new Set(rows.map(({ phase }) => phase))].sort();
}

/** The partners with the first two data shards of a data pack, which are read first. */
function holdersOfData({ owner, partners }: Scene): readonly [SimPeer, SimPeer] {
  const { shards: rows } = durable(owner);
  const pack = present(
    rows.standings().find(({ kind }) => kind === 'data'),
    'a pack',
  ).pack;
  const at = (index: number): SimPeer => {
    const holder = rows.ofPack(pack)[index]?.partner;
    return present(
      partners.find(({ keys }) => keys.peerId === holder),
      'its holder',
    );
  };
  return [at(0), at(1)];
}

function hindrance(computer: Computer, code: string): boolean {
  return computer.status().hindrances.some((found) => found.code === code);
}

test('shards that a restore finds wrong or gone count as held no longer, and a restart does not forget it', async () => {
  const scene = new Scene('known losses', 8);
  let lives = 0;
  let ended = 0;
  const program = async (computer: Computer, node: Parameters<typeof reach>[1]): Promise<void> => {
    lives += 1;
    if (lives === 1) {
      const { snapshot } = await backUp(computer);
      await reach(computer, node, { snapshot, phase: 'complete' });
      assert.equal(computer.status().bearableLosses, 4);
      assert.deepEqual(computer.status().hindrances, []);
      const [liar, loser] = holdersOfData(scene);
      for (const name of liar.home.held.wholeNames()) liar.home.held.rot(name);
      for (const name of loser.home.held.wholeNames()) loser.home.held.lose(name);
      emptySpool(scene.owner);
      await mustRestore(scene, computer, { snapshot });
      assert.ok(shards(scene.owner, liar).includes('wrong'));
      assert.ok(shards(scene.owner, loser).includes('lost'));
    }
    const status = computer.status();
    assert.notEqual(status.protection.phase, 'complete');
    assert.notEqual(status.latest?.phase, 'complete');
    assert.notEqual(computer.snapshots().at(-1)?.phase, 'complete');
    assert.ok((status.bearableLosses ?? 0) < 4);
    assert.ok(hindrance(computer, 'shards.lost'));
    ended = lives;
  };
  assert.equal(await scene.play(program), 'reached', scene.report());
  scene.world.crash('owner');
  scene.world.restart('owner');
  const again = await scene.world.run({ untilMs: 2 * dayMs, until: () => ended === 2 });
  assert.equal(again, 'reached', scene.report());
});

test('a shard that is gone is sent again from the spool, a wrong one is not', async () => {
  const scene = new Scene('sent again', 4);
  await scene.play(async (computer, node) => {
    const { snapshot } = await backUp(computer);
    await reach(computer, node, { snapshot, phase: 'complete' });
    const [liar, loser] = holdersOfData(scene);
    const { spool } = scene.owner.home;
    const kept = spool
      .wholeNames()
      .map((name) => [name, present(spool.whole(name), 'a pack')] as const);
    for (const name of liar.home.held.wholeNames()) liar.home.held.rot(name);
    for (const name of loser.home.held.wholeNames()) loser.home.held.lose(name);
    emptySpool(scene.owner);
    await mustRestore(scene, computer, { snapshot });
    assert.ok(shards(scene.owner, loser).includes('lost'));
    for (const [name, bytes] of kept) spool.setWhole(name, bytes);
    // The next backup looks whether the packs are there again.
    await backUp(computer);
    await node.clock.sleep(hourMs);
    assert.deepEqual(shards(scene.owner, loser), ['held']);
    assert.ok(shards(scene.owner, liar).includes('wrong'));
    assert.ok(hindrance(computer, 'shards.lost'));
  });
});

test('a told loss that arrives twice is heeded once; another one soon after is not made good again', async () => {
  const scene = new Scene('told twice', 3);
  await scene.play(async (computer, node) => {
    const { snapshot } = await backUp(computer);
    await reach(computer, node, { snapshot, phase: 'complete' });
    const loser = present(scene.partners[0], 'a partner');
    const { agreement } = present(
      durable(loser).agreements.ofPartner(scene.owner.keys.peerId),
      'theirs',
    );
    const by = loser.keys.peerId;
    const noticeAt = (time: Instant): Bytes => {
      const subject = { type: 'lost-data', shards: [] } as const;
      return signNotice({ agreement, by, time, subject }, loser.keys.identitySeed);
    };
    const tell = async (body: Bytes): Promise<void> => {
      const to = scene.link.address(scene.owner.keys.peerId);
      const request = { method: 'POST', path: '/v1/notices', body } as const;
      const reply = await scene.link.network.transport(by).request(to, request);
      assert.ok(reply.ok && reply.value.status === 200);
    };
    const phase = (): string | undefined => durable(scene.owner).agreements.ofPartner(by)?.phase;
    const first = noticeAt(node.clock.now());
    await tell(first);
    assert.deepEqual(shards(scene.owner, loser), ['lost']);
    await node.clock.sleep(hourMs);
    assert.deepEqual(shards(scene.owner, loser), ['held']);
    const before = phase();
    await tell(first);
    assert.deepEqual([shards(scene.owner, loser), phase()], [['held'], before]);
    await tell(noticeAt(node.clock.now()));
    assert.deepEqual([shards(scene.owner, loser), phase()], [['lost'], 'suspended']);
  });
});

test('a home whose identity was recovered elsewhere says so, also after a restart', async () => {
  const scene = new Scene('rival', 3);
  let lives = 0;
  let ended = 0;
  const program = async (computer: Computer, node: Parameters<typeof reach>[1]): Promise<void> => {
    lives += 1;
    scene.owner.files.writeFile('/home/more', utf8Bytes(`life ${lives}`));
    if (lives === 3) {
      assert.ok(hindrance(computer, 'identity.superseded'));
      ended = lives;
      return;
    }
    const { snapshot } = await backUp(computer);
    if (lives === 1) await reach(computer, node, { snapshot, phase: 'complete' });
    else await node.clock.sleep(10 * minuteMs);
    assert.equal(hindrance(computer, 'identity.superseded'), lives === 2);
    ended = lives;
  };
  assert.equal(await scene.play(program), 'reached', scene.report());
  scene.world.crash('owner');
  const heir = scene.newPeer('heir', { rootSeed: scene.owner.rootSeed });
  heir.files.makeFolder('/home');
  let recovered = false;
  heir.spawn(async (computer, node) => {
    const address = simAddress(present(scene.partners[0], 'a partner').keys.peerId);
    const report = await computer.recover([{ peer: undefined, address }], {
      floor: undefined,
      ...quiet,
    });
    assert.ok(report.ok, JSON.stringify(report));
    heir.files.writeFile('/home/other', utf8Bytes('of the heir'));
    const { snapshot } = await backUp(computer);
    await reach(computer, node, { snapshot, phase: 'complete' });
    recovered = true;
  });
  assert.equal(await scene.world.run({ untilMs: 12 * hourMs, until: () => recovered }), 'reached');
  scene.world.crash('heir');
  for (const life of [2, 3]) {
    scene.world.restart('owner');
    const end = await scene.world.run({ untilMs: life * dayMs, until: () => ended === life });
    assert.equal(end, 'reached', scene.report());
    scene.world.crash('owner');
  }
});
