import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { type Bytes, utf8Bytes } from '../../src/base/bytes.ts';
import { Prng } from '../../src/base/prng.ts';
import { minuteMs } from '../../src/base/units.ts';
import { openManifest, readPublicManifest } from '../../src/core/manifest/manifest.ts';
import { newestManifest } from '../../src/core/manifest/ordering.ts';
import { parseKit } from '../../src/core/recovery/kit.ts';
import { deriveKeys } from '../../src/core/sealing/keys.ts';
import { bytesOf } from '../../src/core/vocabulary/ids.ts';
import type { ManifestRow } from '../../src/ports/stores.ts';
import { simAddress } from '../../src/sim/network.ts';
import type { SimPeer } from '../../src/sim/sim-peer.ts';
import { good, running, SimCircle, treeBelow } from './sim-circle.ts';

const draws = new Prng('manifest and kit');

async function backedUp(seed: string, partnerCount: number): Promise<SimCircle> {
  const circle = await SimCircle.made(seed, partnerCount);
  circle.owner.files.writeFile('/home/diary', draws.bytes(500_000));
  await circle.backedUp();
  return circle;
}

/** The newest manifest of the owner that a partner keeps. */
function keptBy(partner: SimPeer, { owner }: SimCircle): ManifestRow {
  const rows = [...partner.home.image().manifests.values()];
  const theirs = rows.filter((row) => row.owner === owner.keys.peerId);
  return present(newestManifest(theirs), `a manifest at ${partner.name}`);
}

/** What each partner reads in its manifest, with no key at all. */
function listsOf(circle: SimCircle): readonly (readonly [string, readonly string[]])[][] {
  return circle.partners.map((partner) => {
    const { document } = keptBy(partner, circle);
    const { header } = good(readPublicManifest(document, circle.owner.keys.peerId));
    return header.partners.map(({ peer, addresses }) => [peer, addresses] as const).sort();
  });
}

function allPartners({ partners }: SimCircle): (readonly [string, readonly string[]])[] {
  return partners.map(({ keys }) => [keys.peerId, [simAddress(keys.peerId)]] as const).toSorted();
}

test('C28: every partner holds the list of all partners of its partner with their addresses, readable without a key', async () => {
  const circle = await backedUp('lists', 5);
  for (const list of listsOf(circle)) assert.deepEqual(list, allPartners(circle));
});

test('C28: the list that partners hold is a recent one: it follows when a partner is added', async () => {
  const circle = await backedUp('recent', 3);
  const before = circle.partners.map((partner) => keptBy(partner, circle).sequence);
  await circle.joined();
  const until = (): boolean =>
    circle.partners.every((partner) =>
      [...partner.home.image().manifests.values()].some(({ sequence }) => sequence > 1),
    );
  const end = await circle.world.run({ untilMs: circle.world.nowMs + 10 * minuteMs, until });
  assert.equal(end, 'reached');
  for (const list of listsOf(circle)) assert.deepEqual(list, allPartners(circle));
  const after = circle.partners.map((partner) => keptBy(partner, circle).sequence);
  assert.ok(Math.min(...after) > Math.max(...before));
});

test('C28: each backup leaves a newer manifest with everyone, also with a partner that was away', async () => {
  const circle = await backedUp('newer', 4);
  const away = present(circle.partners[2], 'one partner');
  circle.world.crash(away.name);
  circle.owner.files.writeFile('/home/letter', draws.bytes(100_000));
  const { snapshot } = await circle.backUp();
  assert.equal(await circle.protect(snapshot, 'protected'), 'protected');
  circle.world.restart(away.name);
  assert.equal(await circle.protect(snapshot, 'complete'), 'complete');
  for (const partner of circle.partners) {
    const { document } = keptBy(partner, circle);
    const { snapshots } = good(openManifest(document, circle.owner.keys)).body;
    assert.equal(snapshots.at(-1)?.snapshot, snapshot);
  }
});

test('C28: a partner can read the list and nothing else of a manifest, and change nothing in it', async () => {
  const circle = await backedUp('sealed', 3);
  const { keys: ownerKeys } = circle.owner;
  for (const partner of circle.partners) {
    const { document, hash } = keptBy(partner, circle);
    const { body } = good(openManifest(document, ownerKeys));
    const snapshot = present(body.snapshots[0], 'a listed snapshot');
    const pack = present(body.indexPacks[0], 'a listed pack');
    for (const word of [bytesOf(snapshot.snapshot), bytesOf(pack.pack), utf8Bytes('owner')])
      assert.equal(indexOf(document, word), -1);
    const { manifestKey } = partner.keys;
    const opened = openManifest(document, { manifestKey, peerId: ownerKeys.peerId });
    assert.deepEqual(opened, { ok: false, error: { code: 'manifest.bad-seal' } });
    for (let position = 0; position < document.length; position += 1) {
      const changed = new Uint8Array(document);
      changed[position] = present(changed[position], 'a byte') ^ (1 << (position % 8));
      assert.ok(!readPublicManifest(changed, ownerKeys.peerId).ok, `byte ${position}`);
    }
    assert.deepEqual(good(readPublicManifest(document, ownerKeys.peerId)).hash, hash);
  }
});

function indexOf(bytes: Bytes, part: Bytes): number {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(part);
}

test('C29: the recovery kit holds the list of partners and the key', async () => {
  const circle = await backedUp('kit', 4);
  const { kit, rootSeed } = good(parseKit(circle.kitText()));
  assert.deepEqual(rootSeed, circle.owner.rootSeed);
  assert.deepEqual(deriveKeys(rootSeed), circle.owner.keys);
  const listed = kit.partners.map(({ peer, addresses }) => [peer, addresses] as const);
  assert.deepEqual(listed.toSorted(), allPartners(circle));
  assert.equal(kit.owner, circle.owner.keys.peerId);
  const { incarnation, sequence } = keptBy(present(circle.partners[0], 'one'), circle);
  assert.deepEqual(kit.floor, { incarnation, sequence });
});

test('C29: from the kit alone an empty home becomes the lost computer again, and goes on backing up', async () => {
  const circle = await backedUp('from the kit', 4);
  const first = treeBelow(circle.owner.files, '/home');
  const kit = circle.kitText();
  circle.owner.files.writeFile('/home/later', draws.bytes(200_000));
  const second = treeBelow(circle.owner.files, '/home');
  await circle.backedUp();
  const { peer, report } = await circle.recoveredFrom(kit);
  assert.equal(peer.keys.peerId, circle.owner.keys.peerId);
  assert.equal(report.confirmations, 4);
  const snapshots = running(peer).snapshots();
  assert.equal(snapshots.length, 2, 'also what was backed up after the kit was made');
  for (const [place, kept] of [first, second].entries()) {
    good(await circle.restore(peer, present(snapshots[place], 'a snapshot').snapshot));
    assert.deepEqual(treeBelow(peer.files, '/restored/home'), kept);
    peer.files.remove('/restored');
  }
  peer.files.makeFolder('/home');
  peer.files.writeFile('/home/new', draws.bytes(300_000));
  const { snapshot } = await circle.backedUp(peer);
  for (const partner of circle.partners) {
    const row = keptBy(partner, circle);
    assert.ok(row.incarnation > report.incarnation);
    const { body } = good(openManifest(row.document, peer.keys));
    assert.deepEqual(body.snapshots.at(-1)?.snapshot, snapshot);
    assert.equal(body.snapshots.length, 3);
  }
});

test('C29: the kit helps as long as enough of the partners that it lists are there', async () => {
  const circle = await backedUp('half of the kit', 4);
  const kept = treeBelow(circle.owner.files, '/home');
  for (const gone of circle.partners.slice(0, 2)) circle.world.crash(gone.name);
  const { peer, report } = await circle.recoveredFrom(circle.kitText());
  assert.equal(report.confirmations, 2);
  const [row] = running(peer).snapshots();
  good(await circle.restore(peer, present(row, 'a snapshot').snapshot));
  assert.deepEqual(treeBelow(peer.files, '/restored/home'), kept);
});
