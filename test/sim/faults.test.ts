/** Whole computers while things go wrong: lost messages, full disks, partners that are gone, clocks that are wrong. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bytes } from '../../src/base/bytes.ts';
import { dayMs, gibi, hourMs, mebi } from '../../src/base/units.ts';
import { durable, violations } from '../../src/sim/checkers.ts';
import { calmNetwork, calmPlan, type FaultPlan } from '../../src/sim/fault-plan.ts';
import { simAddress } from '../../src/sim/network.ts';
import type { SimTree } from '../../src/sim/sim-tree.ts';
import {
  backUp,
  facts,
  mustRestore,
  quiet,
  reach,
  request,
  restored,
  Scene,
  smallFiles,
} from './scene.ts';

/** Enough for several packs. */
function manyFiles(tree: SimTree, bytes: (count: number) => Bytes): void {
  for (let file = 0; file < 12; file += 1) tree.writeFile(`/home/big-${file}`, bytes(3 * mebi));
}

function withNetwork(network: Partial<FaultPlan['network']>): FaultPlan {
  return { ...calmPlan, network: { ...calmNetwork, ...network } };
}

for (const [name, network] of [
  ['a fifth of all requests or replies is lost', { lossShare: 0.2 }],
  ['half of all requests arrive twice', { duplicateShare: 0.5 }],
  ['a third of all bodies breaks off', { breakShare: 0.3 }],
  [
    'everything at once, and slowly',
    { lossShare: 0.1, duplicateShare: 0.2, breakShare: 0.1, delayMs: { least: 1, most: 3_000 } },
  ],
] as const)
  test(`${name}, and the backup becomes complete`, async () => {
    const scene = new Scene(`network ${name}`, 4, {
      plan: withNetwork(network),
      files: smallFiles,
    });
    await scene.mustPlay(async (computer, node) => {
      const { snapshot } = await backUp(computer);
      await reach(computer, node, { snapshot, phase: 'complete' });
      await mustRestore(scene, computer, { snapshot });
    }, 3 * dayMs);
  });

test('a partition comes and goes on one way only, and the backup becomes complete', async () => {
  const way = {
    fromMs: 40,
    untilMs: hourMs,
    senders: ['partner-1', 'partner-2'],
    receivers: ['owner'],
  };
  const scene = new Scene('partition', 4, {
    plan: { ...calmPlan, partitions: [way] },
    files: manyFiles,
  });
  await scene.mustPlay(async (computer, node) => {
    const { snapshot } = await backUp(computer);
    await reach(computer, node, { snapshot, phase: 'complete' });
    assert.ok(scene.world.nowMs > hourMs, 'not before the partition ended');
    await mustRestore(scene, computer, { snapshot });
  }, dayMs);
});

test('a partner that is away keeps a backup from complete, not from protected', async () => {
  const scene = new Scene('away', 8);
  await scene.mustPlay(async (computer, node) => {
    scene.world.crash('partner-7');
    const { snapshot } = await backUp(computer);
    await reach(computer, node, { snapshot, phase: 'protected' });
    assert.equal(await computer.protect(snapshot, 'complete', quiet), 'protected');
    scene.world.restart('partner-7');
    await reach(computer, node, { snapshot, phase: 'complete' });
  });
});

test("a partner's disk is full: nothing is written there, and another partner takes the shard", async () => {
  const scene = new Scene('partner-full', 9);
  const [full] = scene.partners;
  assert.ok(full !== undefined);
  await scene.mustPlay(async (computer, node) => {
    full.home.held.setCapacity(10_000);
    const { snapshot } = await backUp(computer);
    await reach(computer, node, { snapshot, phase: 'complete' });
    assert.equal(full.home.held.usedBytes(), 0);
    const peers = durable(scene.owner).shards.ofPartner(full.keys.peerId);
    assert.deepEqual(peers, []);
  });
});

test('a partner without room and nobody to take its place: the backup waits, and goes on when there is room', async () => {
  const scene = new Scene('no-place', 4);
  const [full] = scene.partners;
  assert.ok(full !== undefined);
  await scene.mustPlay(async (computer, node) => {
    full.home.held.setCapacity(10_000);
    const { snapshot } = await backUp(computer);
    const phase = await computer.protect(snapshot, 'complete', quiet);
    assert.equal(phase, 'protected', 'k + safety shards of 2+2 are held by the three others');
    assert.equal(full.home.held.usedBytes(), 0, 'refused before anything was written');
    full.home.held.setCapacity(gibi);
    await reach(computer, node, { snapshot, phase: 'complete' });
  });
});

test('more than partners lend does not go out, and a full spool says so instead of waiting for ever', async () => {
  const scene = new Scene('lent-out', 2, {
    files: manyFiles,
    lendsBytes: 10 * mebi,
    owner: { spoolCapBytes: 20 * mebi },
  });
  let code = '';
  await scene.mustPlay(async (computer) => {
    const outcome = await computer.backup(request, quiet);
    code = outcome.ok ? 'captured' : outcome.error.code;
  }, dayMs);
  assert.equal(code, 'spool.full');
});

test('a spool over its cap holds the backup back until partners took something', async () => {
  const scene = new Scene('back-pressure', 2, {
    files: manyFiles,
    owner: { spoolCapBytes: 17 * mebi },
  });
  let most = 0;
  await scene.mustPlay(async (computer, node) => {
    const watch = setWatch(scene, () => {
      most = Math.max(most, computer.status().spooledBytes);
    });
    const { snapshot } = await backUp(computer);
    watch();
    await reach(computer, node, { snapshot, phase: 'complete' });
    await mustRestore(scene, computer, { snapshot });
  });
  assert.ok(most > 0 && most <= 2 * 17 * mebi, `${most}`);
});

function setWatch({ world }: Scene, look: () => void): () => void {
  let isOn = true;
  const again = (): void => {
    if (!isOn) return;
    look();
    world.at(world.nowMs + 50, again);
  };
  again();
  return () => {
    isOn = false;
  };
}

test('with partners that do not come back a full spool ends the backup in the end', async () => {
  const scene = new Scene('gone', 2, { files: manyFiles, owner: { spoolCapBytes: 17 * mebi } });
  let code = '';
  const end = await scene.play(async (computer) => {
    scene.world.crash('partner-0');
    scene.world.crash('partner-1');
    const outcome = await computer.backup(request, quiet);
    code = outcome.ok ? 'captured' : outcome.error.code;
  }, hourMs);
  assert.equal(end, 'reached', scene.report());
  assert.equal(code, 'spool.full');
});

test("the owner's disk is full: the backup says so, keeps what it has, and the next one goes on", async () => {
  const scene = new Scene('owner-full', 2, { files: manyFiles });
  await scene.mustPlay(async (computer, node) => {
    scene.owner.home.spool.setCapacity(18 * mebi);
    const outcome = await computer.backup(request, quiet);
    assert.equal(outcome.ok ? '' : outcome.error.code, 'spool.no-space');
    assert.deepEqual(violations(scene.owner, scene.partners), []);
    assert.deepEqual(computer.snapshots(), []);
    scene.owner.home.spool.setCapacity(gibi);
    const { snapshot } = await backUp(computer);
    await reach(computer, node, { snapshot, phase: 'complete' });
    await mustRestore(scene, computer, { snapshot });
  });
});

test('what a crash left in the spool without an entry is removed at the next start', async () => {
  const scene = new Scene('orphans', 1);
  const orphan = 'ab'.repeat(32);
  await scene.mustPlay(async (computer, node) => {
    if (scene.owner.home.spool.whole(orphan) === undefined && computer.snapshots().length === 0) {
      const { snapshot } = await backUp(computer);
      await reach(computer, node, { snapshot, phase: 'complete' });
      scene.owner.home.spool.setWhole(orphan, new Uint8Array(100));
      scene.world.restart('owner');
      await new Promise(() => {});
    }
    assert.equal(scene.owner.home.spool.whole(orphan), undefined);
    const last = computer.snapshots()[0]?.snapshot;
    assert.ok(last !== undefined);
    await mustRestore(scene, computer, { snapshot: last });
  });
});

test('a clock that jumps back and forth between backups does not mix up which packs a snapshot needs', async () => {
  const scene = new Scene('clock', 2);
  await scene.mustPlay(async (computer, node) => {
    const ids: string[] = [];
    for (const [round, jump] of [-2 * dayMs, 3 * dayMs, -dayMs, 0].entries()) {
      scene.owner.files.writeFile(`/home/round-${round}`, new Uint8Array(100_000).fill(round));
      const { snapshot } = await backUp(computer);
      ids.push(snapshot);
      node.clock.jump(jump);
      scene.world.crash('partner-1');
      const early = await computer.protect(snapshot, 'complete', quiet);
      assert.notEqual(early, 'complete', 'a partner has nothing of it yet');
      scene.world.restart('partner-1');
      await reach(computer, node, { snapshot, phase: 'complete' });
    }
    const listed = computer.snapshots();
    assert.deepEqual(
      listed.map(({ snapshot }) => snapshot),
      ids,
    );
  }, 3 * dayMs);
});

test('one disk lost its tail and one life its end: a recovery that is cut off begins again', async () => {
  const scene = new Scene('cut-recovery', 4);
  let listed: readonly string[] = [];
  await scene.mustPlay(async (computer, node) => {
    const { snapshot } = await backUp(computer);
    await reach(computer, node, { snapshot, phase: 'complete' });
    listed = facts(scene.owner.files, '/home');
  });
  scene.world.crash('owner');
  const heirs = [];
  for (let step = 1; step < 12; step += 1) {
    const heir = scene.newPeer(`heir-${step}`, { rootSeed: scene.owner.rootSeed });
    let done = false;
    let lives = 0;
    heir.spawn(async (computer) => {
      lives += 1;
      const [known] = scene.partners;
      assert.ok(known !== undefined);
      const address = { peer: undefined, address: simAddress(known.keys.peerId) };
      if (computer.snapshots().length === 0) {
        const report = await computer.recover([address], { floor: undefined, ...quiet });
        assert.ok(report.ok, JSON.stringify(report));
      }
      const last = computer.snapshots().at(-1)?.snapshot;
      assert.ok(last !== undefined);
      await mustRestore({ owner: heir }, computer, { snapshot: last, files: listed });
      await computer.stop();
      done = true;
    });
    let crashed = false;
    const crash = (): boolean => {
      if (lives === 1 && !crashed && scene.world.durableSteps(heir.name) >= step) {
        crashed = true;
        scene.world.restart(heir.name);
      }
      return done;
    };
    const end = await scene.world.run({ untilMs: scene.world.nowMs + hourMs, until: crash });
    assert.equal(end, 'reached', `step ${step}\n${scene.report()}`);
    heirs.push(lives);
    scene.world.crash(heir.name);
  }
  assert.ok(heirs.some((lives) => lives > 1));
});

test('a lost catalogue closes the gap in its ledgers before it goes on', async () => {
  const scene = new Scene('gap', 2);
  await scene.mustPlay(async (computer, node) => {
    const { snapshot } = await backUp(computer);
    await reach(computer, node, { snapshot, phase: 'complete' });
  });
  scene.world.crash('owner');
  const heir = scene.newPeer('heir', { rootSeed: scene.owner.rootSeed });
  scene.owner.files.find('/home')?.children.forEach((child, name) => {
    heir.files.makeFolder('/home');
    if (child.kind === 'file' && child.linkCount === 1)
      heir.files.writeFile(`/home/${name}`, child.bytes);
  });
  let done = false;
  heir.spawn(async (computer, node) => {
    const [known] = scene.partners;
    assert.ok(known !== undefined);
    const address = { peer: known.keys.peerId, address: simAddress(known.keys.peerId) };
    const report = await computer.recover([address], { floor: undefined, ...quiet });
    assert.ok(report.ok, JSON.stringify(report));
    heir.files.writeFile('/home/new', new Uint8Array(90_000).fill(3));
    const { snapshot } = await backUp(computer);
    await reach(computer, node, { snapshot, phase: 'complete' });
    await restored(heir, computer, snapshot);
    done = true;
  });
  const end = await scene.world.run({ untilMs: scene.world.nowMs + hourMs, until: () => done });
  assert.equal(end, 'reached', scene.report());
  assert.deepEqual(violations(heir, scene.partners), []);
});
