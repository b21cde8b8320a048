import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { hexText, utf8Bytes } from '../../src/base/bytes.ts';
import { Prng } from '../../src/base/prng.ts';
import { hourMs, kibi, mebi } from '../../src/base/units.ts';
import {
  bytesLentBy,
  decodeSignedAgreement,
  verifyAgreement,
} from '../../src/core/agreements/agreement.ts';
import { textOfBytes } from '../../src/core/scan/stat-columns.ts';
import { idOf, type ShardName } from '../../src/core/vocabulary/ids.ts';
import { blockBytes } from '../../src/core/vocabulary/limits.ts';
import { pathOf } from '../../src/core/wire/resources.ts';
import { uploadFields } from '../../src/core/wire/shard-upload.ts';
import type { Transport } from '../../src/ports/transport.ts';
import { MerkleBuilder } from '../../src/primitives/merkle.ts';
import type { SimPeer } from '../../src/sim/sim-peer.ts';
import { good, running, SimCircle, treeBelow } from './sim-circle.ts';

const draws = new Prng('whole');

test('C1: two computers become partners under one agreement, and each holds the backup of the other', async () => {
  const circle = await SimCircle.made('both ways', 1, 8 * mebi);
  const { owner } = circle;
  const other = present(circle.partners[0], 'the partner');
  other.files.makeFolder('/home');
  owner.files.writeFile('/home/mine', draws.bytes(700 * kibi));
  other.files.writeFile('/home/theirs', draws.bytes(900 * kibi));
  const mine = await circle.backedUp(owner);
  const theirs = await circle.backedUp(other);
  await agree(owner, other);
  assert.ok(bytesHeld(other, owner) > 700 * kibi);
  assert.ok(bytesHeld(owner, other) > 900 * kibi);
  for (const [peer, snapshot] of [
    [owner, mine.snapshot],
    [other, theirs.snapshot],
  ] as const) {
    forgetSpool(peer);
    const report = good(await circle.restore(peer, snapshot));
    assert.deepEqual(report.problems, []);
    assert.ok(report.fetchedBytes > 0);
    assert.deepEqual(treeBelow(peer.files, '/restored/home'), treeBelow(peer.files, '/home'));
  }
});

/** Both keep the same document, signed by both, in which each lends what it said. */
async function agree(left: SimPeer, right: SimPeer): Promise<void> {
  const [ours, theirs] = [left, right].map((peer) =>
    present(running(peer).partners()[0], 'one partner'),
  );
  const document = present(ours, 'ours').agreement.document;
  assert.deepEqual(document, present(theirs, 'theirs').agreement.document);
  const agreement = good(verifyAgreement(good(decodeSignedAgreement(document))));
  assert.deepEqual(
    [agreement.first, agreement.second].sort(),
    [left.keys.peerId, right.keys.peerId].sort(),
  );
  for (const { keys } of [left, right]) assert.equal(bytesLentBy(agreement, keys.peerId), 8 * mebi);
}

function bytesHeld(holder: SimPeer, owner: SimPeer): number {
  const { held } = holder.home;
  return held
    .wholeNames()
    .filter((blob) => blob.startsWith(`${owner.keys.peerId}/`))
    .reduce((sum, blob) => sum + present(held.whole(blob), 'listed').length, 0);
}

function forgetSpool({ home }: SimPeer): void {
  for (const blob of home.spool.wholeNames()) home.spool.lose(blob);
}

test('C1: a partner holds no more than the agreement says, and a backup beyond it does not count as protected', async () => {
  const lentBytes = 2 * mebi;
  const circle = await SimCircle.made('quota', 2, lentBytes);
  circle.owner.files.writeFile('/home/small', draws.bytes(500 * kibi));
  await circle.backedUp();
  circle.owner.files.writeFile('/home/too-large', draws.bytes(8 * mebi));
  const { snapshot } = await circle.backUp();
  assert.equal(await circle.protect(snapshot, 'protected'), 'captured');
  for (const partner of circle.partners) {
    assert.ok(bytesHeld(partner, circle.owner) <= lentBytes);
    assert.ok(bytesHeld(partner, circle.owner) > 0);
    assert.equal(bytesHeld(partner, circle.owner) % blockBytes, 0);
  }
});

test('C1: an owner that sends more than the agreement allows, all at once, gets no more than that', async () => {
  const lentBlocks = 20;
  const circle = await SimCircle.made('greedy', 1, lentBlocks * blockBytes);
  const partner = present(circle.partners[0], 'the partner');
  const { keys } = circle.owner;
  circle.world.crash(circle.owner.name);
  const statuses: number[] = [];
  const upload = async (transport: Transport, number: number): Promise<void> => {
    const path = pathOf({ resource: 'shard', name: idOf<ShardName>(draws.bytes(16)) });
    const body = draws.bytes(3 * blockBytes);
    const merkle = new MerkleBuilder();
    for (const at of [0, 1, 2])
      merkle.addBlock(body.subarray(at * blockBytes, (at + 1) * blockBytes));
    const fields = uploadFields({ blockCount: 3, firstBlock: 0, merkleRoot: merkle.root() });
    const to = circle.link.address(partner.keys.peerId);
    const reply = good(await transport.request(to, { method: 'PUT', path, fields, body }));
    for await (const part of reply.body) assert.ok(part.length > 0, `upload ${number}`);
    statuses.push(reply.status);
  };
  circle.world.spawn('greedy', async (node) => {
    const transport = circle.link.transport(node, keys.peerId);
    await Promise.all(Array.from({ length: 12 }, (_, number) => upload(transport, number)));
  });
  const until = (): boolean => statuses.length === 12;
  assert.equal(await circle.world.run({ untilMs: circle.world.nowMs + hourMs, until }), 'reached');
  assert.deepEqual([...new Set(statuses)].sort(), [200, 507]);
  assert.equal(statuses.filter((status) => status === 200).length, 6);
  assert.equal(bytesHeld(partner, circle.owner), 18 * blockBytes);
});

test('C44: contents come back, and with them modes, owners, times, links and names that are no text', async () => {
  const circle = await SimCircle.made('metadata', 4);
  const { files } = circle.owner;
  const oddName = textOfBytes(Uint8Array.of(0xff, 0xfe, 0x20, 0x0a, 0x41));
  files.makeFolder('/home/folder');
  files.makeFolder('/home/folder/empty');
  files.writeFile('/home/folder/empty-file', new Uint8Array(0));
  files.writeFile(`/home/${oddName}`, utf8Bytes('odd'));
  files.writeFile('/home/program', draws.bytes(3_000_000));
  files.link('/home/program', '/home/folder/program-too');
  files.makeSymlink('/home/broken', utf8Bytes('../no/such place'));
  files.change('/home/program', { mode: 0o4755, uid: 0, gid: 4_000_000_000 });
  files.change('/home/folder/empty-file', { mode: 0o000, mtimeNs: -1_000_000_001n });
  files.change('/home/folder/empty', { mode: 0o1777, mtimeNs: 1_234_567_890_123_456_789n });
  files.change(`/home/${oddName}`, { mtimeNs: 4_102_444_800_000_000_001n });
  files.change('/home/folder', { mtimeNs: 987_654_321n });
  const kept = treeBelow(files, '/home');
  const { snapshot, problems } = await circle.backedUp();
  assert.deepEqual(problems, []);
  const { peer } = await circle.recoveredFrom(circle.kitText());
  const report = good(await circle.restore(peer, snapshot));
  assert.deepEqual(report.problems, []);
  assert.deepEqual(treeBelow(peer.files, '/restored/home'), kept);
});

test('C44: of a file that changes between backups, each snapshot brings back the contents of its time', async () => {
  const circle = await SimCircle.made('versions', 3);
  const first = draws.bytes(400 * kibi);
  const second = draws.bytes(500 * kibi);
  circle.owner.files.writeFile('/home/file', first);
  const before = await circle.backedUp();
  await circle.world.run({ untilMs: circle.world.nowMs + 5_000 });
  circle.owner.files.writeFile('/home/file', second);
  const after = await circle.backedUp();
  const { peer } = await circle.recoveredFrom(circle.kitText());
  for (const [snapshot, bytes] of [
    [before.snapshot, first],
    [after.snapshot, second],
  ] as const) {
    good(await circle.restore(peer, snapshot));
    const restored = present(peer.files.find('/restored/home/file'), 'the file');
    assert.equal(hexText(restored.bytes), hexText(bytes));
  }
});
