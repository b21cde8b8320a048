import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import type { Bytes } from '../../src/base/bytes.ts';
import { Prng } from '../../src/base/prng.ts';
import { hourMs, instant, mebi, secondMs } from '../../src/base/units.ts';
import {
  type LedgerSubject,
  ledgerStart,
  nextAcknowledgement,
} from '../../src/core/agreements/acknowledgement.ts';
import { idOf, type ShardName } from '../../src/core/vocabulary/ids.ts';
import { blockBytes } from '../../src/core/vocabulary/limits.ts';
import { parseRange } from '../../src/core/wire/block-range.ts';
import { encodeInventory } from '../../src/core/wire/inventory.ts';
import { parsePath } from '../../src/core/wire/resources.ts';
import { parseUpload } from '../../src/core/wire/shard-upload.ts';
import type { IncomingRequest, OutgoingReply } from '../../src/ports/transport.ts';
import type { SimPeer } from '../../src/sim/sim-peer.ts';
import { good, running, SimCircle, treeBelow } from './sim-circle.ts';

const draws = new Prng('hostile partner');

/** What a partner turned hostile answers; it has the identity, and whatever the honest one kept. */
type Hostility = (
  request: IncomingRequest,
  kept: SimPeer,
) => OutgoingReply | Promise<OutgoingReply>;

/** Takes the place of a partner in the network. */
async function turn(circle: SimCircle, partner: SimPeer, answer: Hostility): Promise<void> {
  circle.world.crash(partner.name);
  await circle.during(
    () =>
      new Promise<void>((resolve) => {
        circle.world.spawn(`${partner.name}-turned`, async (node) => {
          const transport = circle.link.transport(node, partner.keys.peerId);
          await transport.serve(
            async (request) => answer(request, partner),
            () => 'partner',
          );
          resolve();
        });
      }),
  );
}

async function* endless(part: Bytes): AsyncGenerator<Bytes> {
  for (;;) yield part;
}

async function* stalling(): AsyncGenerator<Bytes> {
  yield new Uint8Array(1_000);
  await new Promise<void>(() => {});
}

/** The newest manifest of the owner that the honest partner kept, and nothing else. */
function onlyManifest(request: IncomingRequest, kept: SimPeer): OutgoingReply | undefined {
  const resource = parsePath(request.path);
  if (resource?.resource !== 'manifest') return undefined;
  const rows = [...kept.home.image().manifests.values()];
  return { status: 200, body: present(rows.at(-1), 'a manifest').document };
}

function zerosAskedFor({ fields }: IncomingRequest): OutgoingReply {
  const range = parseRange(present(fields['range'], 'a restore reads ranges'));
  const length = present(range, 'a range').count * blockBytes;
  return {
    status: 200,
    fields: { 'content-length': String(length) },
    body: new Uint8Array(length),
  };
}

function inventoryOf(first: number, more: boolean): OutgoingReply {
  const entries = Array.from({ length: 1_000 }, (_, place) => {
    const name = new Uint8Array(16);
    new DataView(name.buffer).setUint32(8, first + place);
    return { name: idOf<ShardName>(name), blockCount: 1, merkleRoot: new Uint8Array(32) };
  });
  return { status: 200, body: encodeInventory({ entries, more }) };
}

const hostilities: readonly (readonly [string, Hostility])[] = [
  ['begins every answer and ends none', () => ({ status: 200, body: stalling() })],
  ['answers without end', () => ({ status: 200, body: endless(new Uint8Array(65_536)) })],
  ['answers everything with nothing', () => ({ status: 200 })],
  ['answers everything with nonsense', () => ({ status: 200, body: draws.bytes(70_000) })],
  ['refuses everything', () => ({ status: 403, body: draws.bytes(30) })],
  [
    'has an inventory of one page that comes again and again',
    (request, kept) => onlyManifest(request, kept) ?? inventoryOf(1, true),
  ],
  [
    'has an inventory that never ends',
    (request, kept) => {
      const resource = parsePath(request.path);
      if (resource?.resource !== 'inventory') return onlyManifest(request, kept) ?? { status: 404 };
      const after = Number.parseInt(resource.after?.slice(16, 24) ?? '0', 16);
      return inventoryOf(after + 1, true);
    },
  ],
  [
    'keeps the manifest and sends zeros for blocks',
    (request, kept) => {
      const resource = parsePath(request.path);
      if (resource?.resource === 'shard') return zerosAskedFor(request);
      return onlyManifest(request, kept) ?? { status: 404 };
    },
  ],
];

for (const [what, answer] of hostilities)
  test(`C14, C41: a partner that ${what} neither stops nor spoils a recovery and its restore`, async () => {
    const circle = await SimCircle.made(`hostile: ${what}`, 5);
    circle.owner.files.writeFile('/home/file', draws.bytes(mebi));
    await circle.backedUp();
    const kept = treeBelow(circle.owner.files, '/home');
    const kit = circle.kitText();
    await turn(circle, present(circle.partners[1], 'a partner'), answer);
    const before = circle.world.nowMs;
    const { peer } = await circle.recoveredFrom(kit);
    const [row] = running(peer).snapshots();
    const report = good(await circle.restore(peer, present(row, 'a snapshot').snapshot));
    assert.deepEqual(report.problems, []);
    assert.deepEqual(treeBelow(peer.files, '/restored/home'), kept);
    assert.ok(circle.world.nowMs - before < hourMs / 10);
  });

/** Answers with the oldest manifest that it was ever given, and has nothing else. */
const turnedBack: Hostility = (request, kept) => {
  if (parsePath(request.path)?.resource !== 'manifest') return { status: 404 };
  const [oldest] = [...kept.home.image().manifests.values()];
  return { status: 200, body: present(oldest, 'a manifest').document };
};

async function backedUpTwice(seed: string): Promise<{ circle: SimCircle; kit: string }> {
  const circle = await SimCircle.made(seed, 5);
  circle.owner.files.writeFile('/home/file', draws.bytes(100_000));
  await circle.backedUp();
  circle.owner.files.writeFile('/home/later', draws.bytes(100_000));
  await circle.backedUp();
  return { circle, kit: circle.kitText() };
}

test('C28, C29: two partners that show an older manifest do not turn a recovery back', async () => {
  const { circle, kit } = await backedUpTwice('some turned back');
  const kept = treeBelow(circle.owner.files, '/home');
  for (const partner of circle.partners.slice(0, 2)) await turn(circle, partner, turnedBack);
  const { peer, report } = await circle.recoveredFrom(kit);
  assert.deepEqual([report.snapshots, report.confirmations, report.partnersAsked], [2, 3, 5]);
  const newest = present(running(peer).snapshots().at(-1), 'a snapshot');
  good(await circle.restore(peer, newest.snapshot));
  assert.deepEqual(treeBelow(peer.files, '/restored/home'), kept);
});

test('C29: when every partner shows a manifest older than the kit, the recovery refuses it', async () => {
  const { circle, kit } = await backedUpTwice('all turned back');
  for (const partner of circle.partners) await turn(circle, partner, turnedBack);
  await assert.rejects(circle.recoveredFrom(kit), /recover\.no-manifest/);
});

async function drained(body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const part of body) assert.ok(part.length > 0);
}

/** The acknowledgement that the partner would sign for an upload, with other words in it. */
function acknowledged(
  request: IncomingRequest,
  kept: SimPeer,
  change: Partial<LedgerSubject>,
): Bytes {
  const { agreement } = present([...kept.home.image().agreements.values()][0], 'an agreement');
  const resource = parsePath(request.path);
  assert.ok(resource?.resource === 'shard');
  const { blockCount } = present(parseUpload(request.fields), 'an upload');
  const merkleRoot = new Uint8Array(32);
  const subject = { action: 'put', name: resource.name, blockCount, merkleRoot } as const;
  const entry = { ...subject, ...change, agreement, time: instant(0) };
  return nextAcknowledgement(ledgerStart(agreement, 0), entry, kept.keys.identitySeed).document;
}

const falseWords: readonly (readonly [string, (r: IncomingRequest, k: SimPeer) => Bytes])[] = [
  ['for other blocks than were sent', (request, kept) => acknowledged(request, kept, {})],
  [
    'for another shard',
    (request, kept) => acknowledged(request, kept, { name: idOf<ShardName>(new Uint8Array(16)) }),
  ],
  [
    'for fewer blocks',
    (request, kept) => acknowledged(request, kept, { blockCount: 1, action: 'delete' }),
  ],
  ['with nothing', () => new Uint8Array(0)],
  ['with nonsense', () => draws.bytes(300)],
];

for (const [what, words] of falseWords)
  test(`C1: a partner that acknowledges an upload ${what} does not count as holding it`, async () => {
    const circle = await SimCircle.made(`acknowledges ${what}`, 5);
    const liar = present(circle.partners[2], 'a partner');
    let uploads = 0;
    await turn(circle, liar, async (request, kept) => {
      if (request.method !== 'PUT' || !request.path.startsWith('/v1/shards/'))
        return { status: 404 };
      uploads += 1;
      await drained(request.body);
      return { status: 200, body: words(request, kept) };
    });
    circle.owner.files.writeFile('/home/file', draws.bytes(mebi));
    const { snapshot } = await circle.backUp();
    assert.equal(await circle.protect(snapshot, 'protected'), 'protected');
    await circle.world.run({ untilMs: circle.world.nowMs + hourMs / 2 });
    assert.ok(uploads > 0);
    const row = running(circle.owner)
      .snapshots()
      .find((one) => one.snapshot === snapshot);
    assert.equal(row?.phase, 'protected');
    assert.equal(running(circle.owner).status().bearableLosses, 1);
    const rows = [...circle.owner.home.image().packs.shards.values()].flat();
    for (const { partner, phase } of rows)
      assert.equal(phase === 'held', partner !== liar.keys.peerId);
  });

test('C14: a partner that falls silent while it answers costs a restore seconds, for others are asked in its place', async () => {
  const circle = await SimCircle.made('silent midway', 5);
  circle.owner.files.writeFile('/home/file', draws.bytes(mebi));
  const { snapshot } = await circle.backedUp();
  const kept = treeBelow(circle.owner.files, '/home');
  const { peer } = await circle.recoveredFrom(circle.kitText());
  for (const partner of circle.partners.slice(0, 2))
    await turn(circle, partner, () => ({ status: 200, body: stalling() }));
  const before = circle.world.nowMs;
  good(await circle.restore(peer, snapshot));
  const tookMs = circle.world.nowMs - before;
  // The connection itself would be given up after 30 seconds without a byte.
  assert.ok(tookMs < 20 * secondMs, `${tookMs} ms`);
  assert.deepEqual(treeBelow(peer.files, '/restored/home'), kept);
});
