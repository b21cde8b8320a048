import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bytes } from '../../base/bytes.ts';
import { readEntry } from '../../core/agreements/acknowledgement.ts';
import type { ShardName } from '../../core/vocabulary/ids.ts';
import { blockBytes } from '../../core/vocabulary/limits.ts';
import { StorageFull, type Stores } from '../../ports/stores.ts';
import { BodyBroken } from '../../ports/transport.ts';
import { MerkleBuilder } from '../../primitives/merkle.ts';
import { type AgreedPair, agreedPair } from '../../sim/agreed-pair.ts';
import type { TwinDisk } from '../../sim/twin-disk.ts';
import { facts } from '../facts.ts';
import { ShardIntake } from './shard-intake.ts';

const name = 'a1'.repeat(16) as ShardName;

function named(number: number): ShardName {
  return number.toString(16).padStart(32, '0') as ShardName;
}

function shardOf(blocks: number, fill = 1): Bytes {
  return new Uint8Array(blocks * blockBytes).map((_, index) => fill + (index >> 16) + (index % 7));
}

function rootOf(shard: Bytes): Bytes {
  const merkle = new MerkleBuilder();
  for (let at = 0; at < shard.length; at += blockBytes)
    merkle.addBlock(shard.subarray(at, at + blockBytes));
  return merkle.root();
}

/** In pieces that keep to no block's border. */
async function* bodyOf(shard: Uint8Array, breaksAfter = shard.length): AsyncGenerator<Uint8Array> {
  const piece = 50_001;
  for (let at = 0; at < breaksAfter; at += piece)
    yield shard.subarray(at, Math.min(at + piece, breaksAfter));
  if (breaksAfter < shard.length) throw new BodyBroken('the wire was cut');
}

interface Desk extends AgreedPair {
  readonly intake: ShardIntake;
  readonly put: (
    shard: Uint8Array,
    options?: {
      readonly name?: ShardName;
      readonly blocks?: number;
      readonly first?: number;
      readonly breaksAfter?: number;
      /** Of the whole shard; that of what is sent unless given. */
      readonly root?: Bytes;
    },
  ) => Promise<string | Bytes>;
}

function desk(lentBlocks = 100, stores: (stores: Stores) => Stores = (own) => own): Desk {
  const pair = agreedPair(lentBlocks * blockBytes);
  const intake = new ShardIntake({
    identitySeed: pair.holder.identitySeed,
    stores: stores(pair.stores),
    held: pair.disk.attach(),
    clock: pair.clock,
    log: pair.log,
  });
  return {
    ...pair,
    intake,
    put: async (shard, options = {}) => {
      const firstBlock = options.first ?? 0;
      const blockCount = options.blocks ?? firstBlock + shard.length / blockBytes;
      const merkleRoot = options.root ?? rootOf(new Uint8Array(shard));
      const upload = { name: options.name ?? name, blockCount, firstBlock, merkleRoot };
      const body = bodyOf(shard, options.breaksAfter);
      const taken = await intake.put(pair.agreement, upload, body);
      return taken.ok ? taken.value : taken.error.code;
    },
  };
}

function documentOf(answer: string | Bytes): Bytes {
  assert.ok(typeof answer !== 'string', String(answer));
  return answer;
}

test('C36: a shard is whole on the disk, in the catalogue and in the ledger before it is acknowledged', async () => {
  const { put, agreement, owner, holder, stores, disk } = desk();
  const shard = shardOf(20);
  const document = documentOf(await put(shard));
  const view = { agreement: agreement.agreement, holder: holder.peerId };
  const entry = readEntry(view, document);
  assert.ok(entry.ok);
  const { sequence, blockCount, merkleRoot } = entry.value.acknowledgement;
  assert.deepEqual([sequence, blockCount], [1, 20]);
  assert.deepEqual(merkleRoot, rootOf(shard));
  assert.deepEqual(disk.whole(`${owner.peerId}/${name}`), shard);
  assert.equal(stores.held.get(owner.peerId, name)?.sequence, 1);
  assert.deepEqual(stores.ledger.head(agreement.agreement, 'holder')?.document, document);
});

test('the same shard again is answered with the same acknowledgement, and takes no room', async () => {
  const { put, stores, owner, agreement } = desk(20);
  const first = await put(shardOf(20));
  assert.deepEqual(await put(shardOf(20)), first);
  assert.deepEqual(
    await put(shardOf(20, 9), { root: rootOf(shardOf(20)) }),
    first,
    'whatever the body holds',
  );
  assert.equal(stores.ledger.head(agreement.agreement, 'holder')?.sequence, 1);
  assert.equal(stores.held.blockCount(owner.peerId), 20);
  assert.equal(await put(shardOf(3)), 'shard.conflict');
});

test('what is beyond the lent space is refused before a byte is written', async () => {
  const { put, disk } = desk(10);
  documentOf(await put(shardOf(6)));
  const used = disk.usedBytes();
  assert.equal(await put(shardOf(5), { name: named(2) }), 'agreement.no-space');
  assert.equal(disk.usedBytes(), used);
  documentOf(await put(shardOf(4), { name: named(3) }));
});

test('C46: after notice was given nothing new is taken, not even what was on its way; what is here is acknowledged', async () => {
  const { put, stores, agreement, disk } = desk();
  const before = documentOf(await put(shardOf(1)));
  const late = put(shardOf(3), { name: named(2) });
  stores.agreements.put({ ...agreement, phase: 'leaving' });
  assert.equal(await late, 'request.paused');
  assert.equal(stores.held.get(agreement.partner, named(2)), undefined);
  assert.equal(disk.wholeNames().length, 1);
  assert.deepEqual(await put(shardOf(1)), before);
});

test('uploads that arrive together cannot share one room', async () => {
  const { put, stores, owner } = desk(10);
  const answers = await Promise.all(
    [1, 2, 3].map((number) => put(shardOf(4), { name: named(number) })),
  );
  const refused = answers.filter((answer) => typeof answer === 'string');
  assert.deepEqual(refused, ['agreement.no-space']);
  assert.equal(stores.held.blockCount(owner.peerId), 8);
});

test('two uploads of one shard at once do not mix', async () => {
  const { put, disk, owner } = desk();
  const shard = shardOf(5);
  const answers = await Promise.all([put(shard), put(shardOf(5, 60))]);
  assert.equal(answers.filter((answer) => answer === 'shard.busy').length, 1);
  assert.deepEqual(disk.whole(`${owner.peerId}/${name}`), shard);
});

test('a full disk refuses, before it writes where it can tell', async () => {
  const { put, disk } = desk();
  disk.setCapacity(10 * blockBytes);
  assert.equal(await put(shardOf(11)), 'shard.no-space');
  assert.equal(disk.usedBytes(), 0);
  documentOf(await put(shardOf(9)));
});

test('a catalogue without room refuses, and leaves no shard behind that nobody knows', async () => {
  const { put, disk } = desk(100, (stores) => ({
    ...stores,
    transact: () => {
      throw new StorageFull('no room');
    },
  }));
  assert.equal(await put(shardOf(2)), 'shard.no-space');
  assert.equal(disk.usedBytes(), 0);
});

test('an upload that broke off goes on at a block, after a crash too', async () => {
  const { put, intake, agreement, disk, owner, holder, stores, clock, log } = desk();
  const shard = shardOf(40);
  assert.equal(await put(shard, { breaksAfter: 33 * blockBytes + 5 }), 'request.malformed');
  assert.equal(await intake.grown(agreement, name), 33);
  disk.crash();
  const next = new ShardIntake({
    identitySeed: holder.identitySeed,
    stores,
    held: disk.attach(),
    clock,
    log,
  });
  const grown = await next.grown(agreement, name);
  assert.equal(grown, 33);
  const late = { name, blockCount: 40, firstBlock: 35, merkleRoot: rootOf(shard) };
  const ahead = await next.put(agreement, late, bodyOf(shard.subarray(35 * blockBytes)));
  assert.equal(ahead.ok ? '' : ahead.error.code, 'shard.offset');
  const upload = { name, blockCount: 40, firstBlock: grown, merkleRoot: rootOf(shard) };
  const taken = await next.put(agreement, upload, bodyOf(shard.subarray(grown * blockBytes)));
  assert.ok(taken.ok);
  assert.deepEqual(disk.whole(`${owner.peerId}/${name}`), shard);
});

test('bodies longer or shorter than announced are refused, and the next upload is taken', async () => {
  const { put } = desk();
  assert.equal(await put(shardOf(3), { blocks: 2 }), 'request.too-long');
  assert.equal(await put(shardOf(3), { blocks: 4 }), 'request.malformed');
  assert.equal(
    await put(shardOf(3).subarray(0, 100), { blocks: 1, root: rootOf(shardOf(1)) }),
    'request.malformed',
  );
  documentOf(await put(shardOf(3)));
});

test('an owner that begins and never finishes does not fill the disk beside its quota', async () => {
  const { put, disk } = desk(10);
  for (let number = 0; number < 50; number += 1)
    await put(shardOf(8), { name: named(number), breaksAfter: 7 * blockBytes });
  assert.ok(disk.usedBytes() <= 6 * 8 * blockBytes, `${disk.usedBytes() / blockBytes} blocks`);
  documentOf(await put(shardOf(8), { name: named(1_000) }));
});

test('what is not what was announced is thrown away, and the next upload begins anew', async () => {
  const { put, intake, agreement, disk, stores, owner } = desk();
  const shard = shardOf(40);
  const root = rootOf(shard);
  assert.equal(await put(shard, { breaksAfter: 33 * blockBytes }), 'request.malformed');
  // A power cut made zeros of the end of what had come.
  await disk
    .attach()
    .grow(`${owner.peerId}/${name}`, 30 * blockBytes, new Uint8Array(3 * blockBytes));
  await disk.attach().sync(`${owner.peerId}/${name}`);
  const first = await intake.grown(agreement, name);
  assert.equal(first, 33);
  const rest = shard.subarray(first * blockBytes);
  assert.equal(await put(rest, { first, root }), 'shard.wrong-root');
  assert.equal(await intake.grown(agreement, name), 0);
  assert.equal(disk.usedBytes(), 0);
  assert.equal(stores.held.get(owner.peerId, name), undefined);
  documentOf(await put(shard));
  assert.deepEqual(disk.whole(`${owner.peerId}/${name}`), shard);
});

for (const [what, harm] of [
  ['gone', (disk, blob) => disk.lose(blob)],
  ['rotten', (disk, blob) => disk.rot(blob)],
  ['too short', (disk, blob) => disk.setWhole(blob, shardOf(3))],
] as readonly (readonly [string, (disk: TwinDisk, blob: string) => void])[])
  test(`a held shard whose file is ${what} is taken anew before it is acknowledged again`, async () => {
    const { put, disk, owner, stores } = desk(20);
    const shard = shardOf(20);
    const blob = `${owner.peerId}/${name}`;
    const first = documentOf(await put(shard));
    harm(disk, blob);
    assert.equal(await put(shard, { breaksAfter: 5 * blockBytes }), 'request.malformed');
    assert.notDeepEqual(disk.whole(blob), shard, 'nothing is acknowledged that is not there');
    assert.deepEqual(documentOf(await put(shard)), first, 'it is the same shard');
    assert.deepEqual(disk.whole(blob), shard);
    assert.equal(stores.held.blockCount(owner.peerId), 20, 'it counts once');
  });

test('uploads that broke off count, and are few, over restarts too', async () => {
  const { agreement, disk, owner, holder, stores, clock, log } = desk(30);
  let started = 0;
  const restarted = (): ShardIntake => {
    const held = disk.attach();
    return new ShardIntake({ identitySeed: holder.identitySeed, stores, held, clock, log });
  };
  const begin = async (intake: ShardIntake, blocks: number): Promise<string> => {
    started += 1;
    const upload = { name: named(started), blockCount: blocks, firstBlock: 0 };
    const shard = shardOf(blocks);
    const body = bodyOf(shard, (blocks - 1) * blockBytes);
    const taken = await intake.put(agreement, { ...upload, merkleRoot: rootOf(shard) }, body);
    return taken.ok ? '' : taken.error.code;
  };
  for (let life = 0; life < 5; life += 1) {
    const intake = restarted();
    for (let upload = 0; upload < 3; upload += 1) await begin(intake, 3);
    assert.ok(disk.growingNames().length <= 5, `life ${life}: ${disk.growingNames().length}`);
    disk.crash();
  }
  assert.equal(await begin(restarted(), 28), 'request.malformed');
  assert.ok(disk.usedBytes() <= 30 * blockBytes, 'older ones gave way');
  const document = new Uint8Array(3 * blockBytes);
  const place = { incarnation: 0, sequence: 1, hash: new Uint8Array(32) };
  stores.manifests.put({ owner: owner.peerId, ...place, document, receivedAt: clock.now() });
  assert.equal(await begin(restarted(), 28), 'agreement.no-space', 'manifests count');
});

test('after a recovery the ledger begins anew, and what was signed before is signed again', async () => {
  const { put, agreement, holder, stores } = desk();
  const first = documentOf(await put(shardOf(3)));
  facts.setIncarnation(stores, 2);
  const view = { agreement: agreement.agreement, holder: holder.peerId };
  for (const [sequence, document] of [
    documentOf(await put(shardOf(3))),
    documentOf(await put(shardOf(4), { name: named(7) })),
  ].entries()) {
    assert.notDeepEqual(document, first);
    const entry = readEntry(view, document);
    assert.ok(entry.ok);
    assert.deepEqual([entry.value.head.epoch, entry.value.head.sequence], [2, sequence + 1]);
  }
  assert.equal(stores.ledger.head(agreement.agreement, 'holder')?.epoch, 2);
});
