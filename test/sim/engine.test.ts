/** Whole computers at work in a world in which nothing goes wrong by chance: what goes out, what comes back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8Bytes } from '../../src/base/bytes.ts';
import { hourMs, mebi } from '../../src/base/units.ts';
import type { FileToCut } from '../../src/core/chunking/file-cutter.ts';
import { durable } from '../../src/sim/checkers.ts';
import { simAddress } from '../../src/sim/network.ts';
import type { SimPeer } from '../../src/sim/sim-peer.ts';
import {
  backUp,
  facts,
  mustRestore,
  quiet,
  reach,
  request,
  restored,
  Scene,
  someFiles,
} from './scene.ts';

/** The owner's packs are gone from its own disk: whatever is read comes from partners. */
function emptySpool({ home }: SimPeer): void {
  for (const name of home.spool.wholeNames()) home.spool.lose(name);
}

test('C1: a backup goes out to all partners until it is complete', async () => {
  const scene = new Scene('complete', 8);
  await scene.mustPlay(async (computer, node) => {
    const { snapshot, files } = await backUp(computer);
    assert.equal(files, 33);
    await reach(computer, node, { snapshot, phase: 'complete' });
    const status = computer.status();
    assert.equal(status.bearableLosses, 4);
    assert.equal(status.manifest?.receipts, 8);
    assert.equal(status.protection.packsComplete, status.protection.packs);
  });
});

test('the same seed gives the same run, event by event', async () => {
  const hashes: string[] = [];
  for (let run = 0; run < 2; run += 1) {
    const scene = new Scene('again', 5);
    await scene.mustPlay(async (computer, node) => {
      const { snapshot } = await backUp(computer);
      await reach(computer, node, { snapshot, phase: 'complete' });
    });
    hashes.push(scene.world.trace.hash());
  }
  assert.equal(hashes[0], hashes[1]);
});

test('C15: the next backup reads changed and new files only, and is whole', async () => {
  const cut: string[] = [];
  const scene = new Scene('incremental', 2, {
    owner: {
      pipeline: (inner) => ({
        width: inner.width,
        renew: () => inner.renew(),
        ownerNames: () => inner.ownerNames(),
        scan: (wanted, signal) => inner.scan(wanted, signal),
        cut: (files: readonly FileToCut[]) => {
          cut.push(...files.map(({ path }) => new TextDecoder().decode(path)));
          return inner.cut(files);
        },
        seal: (ticket, wanted) => inner.seal(ticket, wanted),
        sealChunks: (kind, chunks) => inner.sealChunks(kind, chunks),
        flush: () => inner.flush(),
        close: () => inner.close(),
      }),
    },
  });
  const { files } = scene.owner;
  await scene
    .mustPlay(async (computer, node) => {
      await node.clock.sleep(hourMs);
      const first = await backUp(computer);
      assert.equal(first.filesUnchanged, 0);
      const before = facts(files, '/home');
      await node.clock.sleep(hourMs);

      files.writeFile('/home/folder-0/file-3', utf8Bytes('other'));
      files.writeFile('/home/folder-1/new', utf8Bytes('new'));
      files.remove('/home/folder-2/file-0');
      await node.clock.sleep(hourMs);
      cut.length = 0;
      const second = await backUp(computer);
      assert.deepEqual(cut.sort(), ['/home/folder-0/file-3', '/home/folder-1/new']);
      assert.equal(second.filesUnchanged, second.files - 3);
      assert.ok(second.newBytes < 50_000, `${second.newBytes}`);

      await node.clock.sleep(hourMs);
      cut.length = 0;
      const third = await backUp(computer);
      assert.deepEqual(cut, []);
      assert.ok(third.newBytes < 1_000, 'the snapshot itself');

      await reach(computer, node, { snapshot: third.snapshot, phase: 'complete' });
      emptySpool(scene.owner);
      await mustRestore(scene, computer, { snapshot: first.snapshot, files: before });
      await mustRestore(scene, computer, { snapshot: third.snapshot });
      // What the checkers ask of the spool was taken away on purpose.
      for (const { pack } of durable(scene.owner).packs.spooled()) assert.ok(pack);
    })
    .catch(notTheSpool);
});

/** Checks that failed only because the test emptied the spool. */
function notTheSpool(reason: unknown): void {
  if (!(reason instanceof assert.AssertionError) || !Array.isArray(reason.actual)) throw reason;
  assert.ok(reason.actual.every((line) => /is not in the spool/.test(String(line))));
}

test('a file that changed as the scan began is read again, whatever its times say', async () => {
  const scene = new Scene('racy', 1);
  const { files } = scene.owner;
  await scene.mustPlay(async (computer) => {
    files.writeFile('/home/folder-0/file-1', utf8Bytes('one'));
    await backUp(computer);
    const node = files.find('/home/folder-0/file-1');
    assert.ok(node !== undefined);
    // The same length and the same times: a change within one tick of the file system's clock.
    node.bytes = utf8Bytes('two');
    const { snapshot } = await backUp(computer);
    await mustRestore(scene, computer, { snapshot });
  });
});

test('what cannot be read is left out and told, and everything else comes back', async () => {
  const scene = new Scene('denied', 1);
  const { files } = scene.owner;
  files.makeFolder('/home/closed');
  files.writeFile('/home/closed/inside', utf8Bytes('secret'));
  files.change('/home/closed', { isDenied: true });
  files.change('/home/folder-1/file-5', { isDenied: true });
  files.remove('/home/empty-folder');
  await scene.mustPlay(async (computer) => {
    const report = await backUp(computer);
    const told = report.problems.map(
      ({ path, problem }) => `${new TextDecoder().decode(path)} ${problem}`,
    );
    assert.deepEqual(told.sort(), ['/home/closed unreadable', '/home/folder-1/file-5 unreadable']);
    const { tree } = await restored(scene.owner, computer, report.snapshot);
    assert.equal(tree.find('/restore/home/folder-1/file-5'), undefined);
    assert.equal(tree.find('/restore/home/closed')?.kind, 'directory');
    assert.deepEqual(tree.find('/restore/home/link')?.target, utf8Bytes('folder-0/file-0'));
  });
});

test('C14: with m partners down and a wrong block at another, no byte differs', async () => {
  const scene = new Scene('partners-only', 8);
  await scene
    .mustPlay(async (computer, node) => {
      const { snapshot } = await backUp(computer);
      await reach(computer, node, { snapshot, phase: 'complete' });
      const whole = await mustRestoreFromPartners(scene, computer, snapshot);
      assert.equal(whole.decodedCodewords, 0, 'data shards first: nothing to decode');
      for (const name of ['partner-1', 'partner-4', 'partner-6']) scene.world.crash(name);
      const [, , liar] = scene.partners;
      assert.ok(liar !== undefined);
      for (const name of liar.home.held.wholeNames()) liar.home.held.rot(name);
      const report = await mustRestoreFromPartners(scene, computer, snapshot);
      const wrong = report.wrongBlocks.map(({ partner }) => partner);
      assert.deepEqual(wrong, [liar.keys.peerId]);
      assert.ok(report.decodedCodewords > 0);
    })
    .catch(notWhatWasDone);
});

async function mustRestoreFromPartners(
  scene: Scene,
  computer: Parameters<typeof mustRestore>[1],
  snapshot: Parameters<typeof mustRestore>[2]['snapshot'],
): ReturnType<typeof mustRestore> {
  emptySpool(scene.owner);
  return await mustRestore(scene, computer, { snapshot });
}

/** Checks that failed only because the test spoiled what they look at. */
function notWhatWasDone(reason: unknown): void {
  if (!(reason instanceof assert.AssertionError) || !Array.isArray(reason.actual)) throw reason;
  for (const line of reason.actual)
    assert.match(String(line), /is not in the spool|is not what it was|is gone/);
}

test('with too few partners left a restore says so, and makes nothing up', async () => {
  const scene = new Scene('too-few', 4);
  let code = '';
  await scene.play(async (computer, node) => {
    const { snapshot } = await backUp(computer);
    await reach(computer, node, { snapshot, phase: 'complete' });
    emptySpool(scene.owner);
    for (const name of ['partner-0', 'partner-1', 'partner-2']) scene.world.crash(name);
    const read = await computer.read(snapshot, utf8Bytes('/home/folder-0/file-1'));
    if (!read.ok) code = read.error.code;
    else
      try {
        for await (const part of read.value) assert.ok(part.length === 0, 'no bytes at all');
      } catch (reason) {
        code = reason instanceof Error ? reason.message : '';
      }
  });
  assert.equal(code, 'restore.too-few-partners');
});

test('C14, C29: seed and one address bring a lost computer back, and its next backup goes on', async () => {
  const scene = new Scene('recovery', 8);
  let listed: readonly string[] = [];
  await scene.mustPlay(async (computer, node) => {
    await node.clock.sleep(hourMs);
    await backUp(computer);
    await node.clock.sleep(hourMs);
    scene.owner.files.writeFile('/home/folder-1/late', utf8Bytes('late'));
    const { snapshot } = await backUp(computer);
    await reach(computer, node, { snapshot, phase: 'complete' });
    listed = facts(scene.owner.files, '/home');
  });
  scene.world.crash('owner');
  const away = ['partner-2', 'partner-3', 'partner-5'];
  for (const name of away) scene.world.crash(name);
  const heir = scene.newPeer('heir', { rootSeed: scene.owner.rootSeed });
  heir.files.makeFolder('/home');
  someFiles(heir.files, (count) => new Uint8Array(count).fill(7));
  let done = false;
  heir.spawn(async (computer, node) => {
    const [known] = scene.partners;
    assert.ok(known !== undefined);
    const address = { peer: undefined, address: simAddress(known.keys.peerId) };
    const report = await computer.recover([address], { floor: undefined, ...quiet });
    assert.ok(report.ok, JSON.stringify(report));
    assert.equal(report.value.snapshots, 2);
    assert.equal(report.value.confirmations, 5);
    assert.equal(report.value.partnersAsked, 8);
    const { shardsHeld, shardsWanted } = computer.status().protection;
    assert.equal(shardsHeld * 8, shardsWanted * 5, 'only what partners tell counts as held');
    const last = computer.snapshots().at(-1)?.snapshot;
    assert.ok(last !== undefined);
    await mustRestore({ owner: heir }, computer, { snapshot: last, files: listed });

    const again = await computer.recover([address], { floor: undefined, ...quiet });
    assert.equal(again.ok ? '' : again.error.code, 'recover.home-not-empty');
    for (const name of away) scene.world.restart(name);
    const { snapshot } = await backUp(computer);
    await reach(computer, node, { snapshot, phase: 'complete' });
    const { manifest } = computer.status();
    assert.equal(manifest?.incarnation, 1);
    await mustRestore({ owner: heir }, computer, { snapshot });
    await mustRestore({ owner: heir }, computer, { snapshot: last, files: listed });
    done = true;
  });
  assert.equal(await scene.world.run({ untilMs: 24 * hourMs, until: () => done }), 'reached');
});

test('a floor that no manifest reaches, or nobody at the address, ends a recovery with its reason', async () => {
  const scene = new Scene('floor', 3);
  await scene.mustPlay(async (computer, node) => {
    const { snapshot } = await backUp(computer);
    await reach(computer, node, { snapshot, phase: 'complete' });
  });
  scene.world.crash('owner');
  const heir = scene.newPeer('heir', { rootSeed: scene.owner.rootSeed });
  const codes: string[] = [];
  heir.spawn(async (computer) => {
    const [known] = scene.partners;
    assert.ok(known !== undefined);
    const address = simAddress(known.keys.peerId);
    const floor = { incarnation: 0, sequence: 1_000 };
    for (const [options, place] of [
      [
        { floor, ...quiet },
        { peer: undefined, address },
      ],
      [
        { floor: undefined, ...quiet },
        { peer: undefined, address: '/dns/nobody.sim/tcp/1' },
      ],
      [
        { floor: undefined, ...quiet },
        { peer: known.keys.peerId, address: '/dns/no.sim/tcp/1' },
      ],
    ] as const) {
      const report = await computer.recover([place], options);
      codes.push(report.ok ? '' : report.error.code);
    }
    assert.equal(durable(heir).agreements.all().length, 0, 'nothing is left behind');
  });
  await scene.world.run({ untilMs: 24 * hourMs, until: () => codes.length === 3 });
  assert.deepEqual(codes, ['recover.no-manifest', 'recover.no-partner', 'recover.no-partner']);
});

test('a backup is cancelled in the middle, and the next one is whole', async () => {
  const scene = new Scene('cancelled', 2, {
    files: (tree, bytes) => {
      someFiles(tree, bytes);
      for (let file = 0; file < 8; file += 1) tree.writeFile(`/home/big-${file}`, bytes(3 * mebi));
    },
  });
  await scene.mustPlay(async (computer, node) => {
    const cancel = new AbortController();
    const outcome = await computer.backup(request, {
      signal: cancel.signal,
      progress: ({ packsStored }) => {
        if (packsStored > 0) cancel.abort();
      },
    });
    assert.equal(outcome.ok ? '' : outcome.error.code, 'backup.cancelled');
    const { snapshot } = await backUp(computer);
    await reach(computer, node, { snapshot, phase: 'complete' });
    await mustRestore(scene, computer, { snapshot });
  });
});

test('stop ends a backup that is under way, and waits for it', async () => {
  const scene = new Scene('stop', 1);
  const ended: string[] = [];
  await scene.play(async (computer) => {
    const backup = computer.backup(request, quiet).then((outcome) => {
      ended.push(outcome.ok ? 'captured' : outcome.error.code);
    });
    await computer.stop();
    ended.push('stopped');
    await backup;
  });
  assert.deepEqual(ended, ['backup.cancelled', 'stopped']);
});
