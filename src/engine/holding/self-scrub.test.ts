import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../base/prng.ts';
import { dayMs, hourMs } from '../../base/units.ts';
import { idOf, type ShardName } from '../../core/vocabulary/ids.ts';
import { blockBytes } from '../../core/vocabulary/limits.ts';
import type { NoticeSubject } from '../../core/wire/notice.ts';
import type { HeldRow } from '../../ports/stores.ts';
import { sha256 } from '../../primitives/hash.ts';
import { MerkleBuilder } from '../../primitives/merkle.ts';
import { type AgreedPair, agreedPair } from '../../sim/agreed-pair.ts';
import { twinStores } from '../../sim/twin-stores.ts';
import { onVirtualTime } from '../../sim/virtual-run.ts';
import { damagedBlobs } from './damaged-shards.ts';
import { SelfScrub, type SelfScrubParts } from './self-scrub.ts';
import { ShardIntake } from './shard-intake.ts';

interface Scrubbed extends AgreedPair {
  readonly intake: ShardIntake;
  readonly told: NoticeSubject[];
  readonly names: readonly ShardName[];
  readonly scrub: (change?: Partial<SelfScrubParts>) => SelfScrub;
}

async function scrubbed(shardCount: number): Promise<Scrubbed> {
  const pair = agreedPair(1_000 * blockBytes);
  const { stores, holder, agreement, clock, log } = pair;
  const held = pair.disk.attach();
  const intake = new ShardIntake({ identitySeed: holder.identitySeed, stores, held, clock, log });
  const names: ShardName[] = [];
  for (let index = 0; index < shardCount; index += 1) {
    const name = idOf<ShardName>(new Uint8Array(16).fill(index + 1));
    const taken = await intake.put(agreement, uploadOf(name), bodyOf(name));
    assert.ok(taken.ok);
    names.push(name);
  }
  const told: NoticeSubject[] = [];
  const scrub = (change: Partial<SelfScrubParts> = {}): SelfScrub =>
    new SelfScrub({
      ...{ stores, held, clock, log, intake, random: new Prng('scrub') },
      tell: (_, subject) => told.push(subject),
      told: () => undefined,
      periodMs: 30 * dayMs,
      ...change,
    });
  return { ...pair, intake, told, names, scrub };
}

function bytesNamed(name: ShardName): Uint8Array<ArrayBuffer> {
  return new Uint8Array(2 * blockBytes).fill(Number.parseInt(name.slice(0, 2), 16));
}

function uploadOf(name: ShardName): Parameters<ShardIntake['put']>[1] {
  const merkle = new MerkleBuilder();
  const bytes = bytesNamed(name);
  for (let at = 0; at < bytes.length; at += blockBytes)
    merkle.addBlock(bytes.subarray(at, at + blockBytes));
  return { name, blockCount: 2, firstBlock: 0, merkleRoot: merkle.root() };
}

async function* bodyOf(name: ShardName): AsyncGenerator<Uint8Array> {
  yield bytesNamed(name);
}

function blob({ owner }: AgreedPair, name: ShardName | undefined): string {
  return `${owner.peerId}/${name}`;
}

test('step by step every shard is looked at once before any is looked at twice', async () => {
  const scene = await scrubbed(7);
  const scrub = scene.scrub();
  const seen: HeldRow[] = [];
  for (let step = 0; step < 7; step += 1) {
    const row = await scrub.step();
    if (row !== undefined) seen.push(row);
  }
  assert.deepEqual(seen.map(({ name }) => name).toSorted(), [...scene.names].toSorted());
  assert.equal((await scrub.step())?.name, seen[0]?.name);
  assert.deepEqual(scene.told, []);
});

test('the place is kept over restarts', async () => {
  const scene = await scrubbed(3);
  const first = await scene.scrub().step();
  const image = scene.stores.image();
  const second = await scene.scrub({ stores: twinStores(image) }).step();
  assert.notEqual(first?.name, second?.name);
});

test('a rotten shard is marked and its owner told in one step; sent again, it is whole', async () => {
  const scene = await scrubbed(3);
  const [, name] = scene.names;
  assert.ok(name !== undefined);
  scene.disk.rot(blob(scene, name));
  const scrub = scene.scrub();
  for (let step = 0; step < 3; step += 1) await scrub.step();
  assert.deepEqual(scene.told, [{ type: 'lost-data', shards: [name] }]);
  assert.deepEqual([...damagedBlobs(scene.stores)], [blob(scene, name)]);
  const before = scene.stores.held.get(scene.owner.peerId, name);
  const again = await scene.intake.put(scene.agreement, uploadOf(name), bodyOf(name));
  assert.ok(again.ok);
  assert.deepEqual([...damagedBlobs(scene.stores)], []);
  assert.deepEqual(scene.stores.held.get(scene.owner.peerId, name), before);
  const row = scene.stores.held.get(scene.owner.peerId, name);
  assert.ok(row !== undefined);
  assert.equal(await scrub.look(row), 'whole');
  assert.deepEqual(sha256(bytesNamed(name)), row.sha256);
});

test('one file that is gone is named; when all are gone all is said to be lost', async () => {
  const scene = await scrubbed(3);
  scene.disk.lose(blob(scene, scene.names[0]));
  const scrub = scene.scrub();
  assert.equal(await scrub.rollCall(), 1);
  assert.deepEqual(scene.told, [{ type: 'lost-data', shards: [scene.names[0]] }]);
  await scrub.rollCall();
  assert.equal(scene.told.length, 1, 'the same loss is told once in a life');
  for (const name of scene.names.slice(1)) scene.disk.lose(blob(scene, name));
  assert.equal(await scrub.rollCall(), 3);
  assert.deepEqual(scene.told.at(-1), { type: 'lost-data', shards: [] });
});

test('what its owner brings while files are compared is not said to be lost', async () => {
  const scene = await scrubbed(3);
  const [first] = scene.names;
  const late = idOf<ShardName>(new Uint8Array(16).fill(9));
  assert.ok(first !== undefined);
  for (const name of scene.names) scene.disk.lose(blob(scene, name));
  const disk = scene.disk.attach();
  let lookedAt = 0;
  const size = async (name: string): Promise<number | undefined> => {
    const found = await scene.disk.attach().size(name);
    lookedAt += 1;
    // The first was looked at, the second is: now nobody can say any more that all is lost.
    if (lookedAt === 2)
      for (const sent of [first, late])
        await scene.intake.put(scene.agreement, uploadOf(sent), bodyOf(sent));
    return found;
  };
  const scrub = scene.scrub({
    held: Object.assign(disk, { size }),
    tell: (_, subject) => {
      scene.told.push(subject);
      for (const name of subject.type === 'lost-data' ? subject.shards : [])
        assert.equal(scene.disk.whole(blob(scene, name)), undefined, 'it is here');
    },
  });
  await scrub.rollCall();
  assert.deepEqual(scene.told, [{ type: 'lost-data', shards: scene.names }]);
  assert.ok((await scene.intake.put(scene.agreement, uploadOf(first), bodyOf(first))).ok);
});

test('a shard that an upload is writing is left alone', async () => {
  const scene = await scrubbed(1);
  const release = scene.intake.claim(blob(scene, scene.names[0]));
  scene.disk.rot(blob(scene, scene.names[0]));
  const row = scene.stores.held.page(scene.owner.peerId, undefined, 1)[0];
  assert.ok(row !== undefined);
  assert.equal(await scene.scrub().look(row), 'in-use');
  release?.();
  assert.equal(await scene.scrub().look(row), 'rotten');
});

test('running, it reads everything once in a period, and never while others are served', async () => {
  await onVirtualTime(async (clock) => {
    const scene = await scrubbed(5);
    let busy = true;
    const reads: number[] = [];
    const intake = {
      isBusy: () => busy,
      claim: () => {
        reads.push(clock.now());
        return () => undefined;
      },
    };
    const scrub = scene.scrub({ clock, intake, periodMs: 10 * hourMs });
    const stop = new AbortController();
    const running = scrub.run(stop.signal);
    await clock.sleep(30 * 60_000);
    assert.equal(reads.length, 0);
    busy = false;
    const began = clock.now();
    await clock.sleep(13 * hourMs);
    stop.abort();
    await running;
    assert.ok(reads.filter((at) => at - began <= 12.5 * hourMs).length >= 5, `${reads.length}`);
    assert.ok(reads.length <= 9, `${reads.length} reads are no more than the pace`);
  });
});
