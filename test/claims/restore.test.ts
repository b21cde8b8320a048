import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { equalBytes } from '../../src/base/bytes.ts';
import { Prng } from '../../src/base/prng.ts';
import { kibi, mebi } from '../../src/base/units.ts';
import type { SnapshotId } from '../../src/core/vocabulary/ids.ts';
import type { SimPeer } from '../../src/sim/sim-peer.ts';
import { blocksOf, good, running, SimCircle, treeBelow } from './sim-circle.ts';

const draws = new Prng('restore');

interface Loss {
  readonly circle: SimCircle;
  readonly kept: ReturnType<typeof treeBelow>;
  readonly kit: string;
  readonly snapshot: SnapshotId;
}

/** A backup of many small files and a large one, at so many partners; nothing is lost yet. */
async function backedUp(seed: string, partnerCount: number): Promise<Loss> {
  const circle = await SimCircle.made(seed, partnerCount);
  const { files } = circle.owner;
  for (let file = 0; file < 60; file += 1)
    files.writeFile(`/home/small-${file}`, draws.bytes(draws.below(30 * kibi)));
  files.writeFile('/home/large', draws.bytes(3 * mebi));
  const { snapshot } = await circle.backedUp();
  const kept = treeBelow(files, '/home');
  return { circle, kept, kit: circle.kitText(), snapshot };
}

/** The partner returns every block with something in it changed, and keeps silent about it. */
function lies(circle: SimCircle, partner: SimPeer): void {
  for (const shard of circle.shardsAt(partner)) {
    const bytes = new Uint8Array(shard.bytes);
    for (const block of blocksOf(bytes)) block[1_000] = present(block[1_000], 'a byte') ^ 1;
    partner.home.held.setWhole(shard.blob, bytes);
  }
}

function partnersOf({ circle }: Loss, ...numbers: readonly number[]): SimPeer[] {
  return numbers.map((number) => present(circle.partners[number], 'a partner'));
}

test('C14, C41, C42, C43: with three of eight partners gone and one lying all comes back byte for byte, and the liar is named', async () => {
  const loss = await backedUp('three gone, one lies', 8);
  const { circle, kept, kit, snapshot } = loss;
  const [liar] = partnersOf(loss, 6);
  lies(circle, present(liar, 'the liar'));
  for (const gone of partnersOf(loss, 0, 3, 5)) circle.world.crash(gone.name);
  const { peer, report: recovered } = await circle.recoveredFrom(kit);
  assert.equal(recovered.partnersAsked, 8);
  const report = good(await circle.restore(peer, snapshot));
  assert.deepEqual(report.problems, []);
  assert.equal(report.files, 61);
  assert.equal(report.verifiedFiles, 61);
  assert.ok(report.decodedCodewords > 0);
  assert.deepEqual(
    report.wrongBlocks.map(({ partner }) => partner),
    [liar?.keys.peerId],
  );
  assert.deepEqual(treeBelow(peer.files, '/restored/home'), kept);
});

test('C14: whichever four of eight partners vanish after the computer came back, it restores everything', async () => {
  const loss = await backedUp('any four vanish', 8);
  const { circle, kept, kit, snapshot } = loss;
  const { peer } = await circle.recoveredFrom(kit);
  for (let round = 0; round < 6; round += 1) {
    const gone = draws.shuffled(circle.partners).slice(0, 4);
    for (const { name } of gone) circle.world.crash(name);
    const report = good(await circle.restore(peer, snapshot));
    assert.deepEqual([report.problems, report.wrongBlocks], [[], []]);
    assert.deepEqual(treeBelow(peer.files, '/restored/home'), kept);
    peer.files.remove('/restored');
    for (const { name } of gone) circle.world.restart(name);
  }
});

test('C41: with one partner too few a restore fails as such, and no file stands there with wrong contents', async () => {
  const loss = await backedUp('one too few', 8);
  const { circle, kept, kit, snapshot } = loss;
  const { peer } = await circle.recoveredFrom(kit);
  const gone = partnersOf(loss, 0, 1, 2, 3, 4);
  for (const { name } of gone) circle.world.crash(name);
  const outcome = await circle.restore(peer, snapshot);
  assert.ok(!outcome.ok);
  assert.equal(outcome.error.code, 'restore.too-few-partners');
  const restored = peer.files.find('/restored/home')?.children ?? new Map();
  for (const [name, node] of restored) {
    const original = present(circle.owner.files.find(`/home/${name}`), 'a file that was kept');
    assert.ok(equalBytes(node.bytes, original.bytes));
  }
  circle.world.restart(present(gone[0], 'one that comes back').name);
  await circle.world.run({ untilMs: circle.world.nowMs + 1_000 });
  const again = good(await circle.restore(peer, snapshot));
  assert.deepEqual(again.problems, []);
  assert.deepEqual(treeBelow(peer.files, '/restored/home'), kept);
});

test('C42: when more partners lie than the code bears, nothing wrong is restored and every liar is named', async () => {
  const loss = await backedUp('five lie', 8);
  const { circle, kit, snapshot } = loss;
  const { peer } = await circle.recoveredFrom(kit);
  const liars = partnersOf(loss, 0, 2, 4, 6, 7);
  for (const liar of liars) lies(circle, liar);
  const outcome = await circle.restore(peer, snapshot);
  assert.ok(!outcome.ok);
  assert.equal(outcome.error.code, 'restore.integrity');
  const named = running(peer)
    .partners()
    .filter(({ lacks }) => lacks.wrong > 0)
    .map(({ agreement }) => agreement.partner);
  assert.deepEqual(named.sort(), liars.map(({ keys }) => keys.peerId).sort());
  assert.deepEqual(peer.files.find('/restored/home')?.children.size ?? 0, 0);
});

test('C41: partners whose shards are lost or cut short are worked around', async () => {
  const loss = await backedUp('lost and short', 8);
  const { circle, kept, kit, snapshot } = loss;
  const [forgetful, cutting] = partnersOf(loss, 1, 2);
  const { held } = present(forgetful, 'the forgetful').home;
  for (const blob of held.wholeNames()) held.lose(blob);
  for (const { partner, blob, bytes } of circle.shardsAt(present(cutting, 'the other')))
    partner.home.held.setWhole(blob, bytes.slice(0, bytes.length / 2 - 7));
  const { peer } = await circle.recoveredFrom(kit);
  const report = good(await circle.restore(peer, snapshot));
  assert.deepEqual(report.problems, []);
  assert.deepEqual(treeBelow(peer.files, '/restored/home'), kept);
});
