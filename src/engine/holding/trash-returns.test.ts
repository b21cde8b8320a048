import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bytes } from '../../base/bytes.ts';
import { dayMs, type Instant, instant } from '../../base/units.ts';
import type { ShardName } from '../../core/vocabulary/ids.ts';
import { blockBytes } from '../../core/vocabulary/limits.ts';
import { MerkleBuilder } from '../../primitives/merkle.ts';
import { type AgreedPair, agreedPair } from '../../sim/agreed-pair.ts';
import { twinStores } from '../../sim/twin-stores.ts';
import { ShardIntake } from './shard-intake.ts';
import { returnsMaximum } from './trash-returns.ts';

const block: Bytes = new Uint8Array(blockBytes).fill(7);

function rootOf(shard: Uint8Array): Bytes {
  const merkle = new MerkleBuilder();
  merkle.addBlock(shard);
  return merkle.root();
}

const merkleRoot = rootOf(block);

function named(number: number): ShardName {
  return number.toString(16).padStart(32, '0') as ShardName;
}

/** A holder of shards of one block. */
class Scene {
  readonly pair: AgreedPair;
  readonly most: number;
  now = 1_700_000_000_000;
  #stores: AgreedPair['stores'];
  #intake: ShardIntake;

  constructor(lentBlocks: number) {
    this.pair = agreedPair(lentBlocks * blockBytes);
    this.most = returnsMaximum(lentBlocks * blockBytes);
    this.#stores = this.pair.stores;
    this.#intake = this.#begin();
  }

  get entries(): number {
    const { agreement } = this.pair.agreement;
    return this.#stores.ledger.head(agreement, 'holder')?.sequence ?? 0;
  }

  /** Nothing but what was durable survives. */
  restart(): void {
    this.#stores = twinStores(this.#stores.image());
    this.#intake = this.#begin();
  }

  async put(number: number): Promise<string> {
    async function* body(): AsyncGenerator<Uint8Array> {
      yield block;
    }
    const upload = { name: named(number), blockCount: 1, firstBlock: 0, merkleRoot };
    const taken = await this.#intake.put(this.pair.agreement, upload, body());
    return taken.ok ? '' : taken.error.code;
  }

  remove(number: number): string {
    const removed = this.#intake.remove(this.pair.agreement, named(number));
    return removed.ok ? '' : removed.error.code;
  }

  /** In and out of the trash, as often as it goes; how often it was deleted. */
  async turn(times: number): Promise<number> {
    let deleted = 0;
    for (let turn = 0; turn < times; turn += 1) {
      if (this.remove(0) === '') deleted += 1;
      assert.equal(await this.put(0), '', 'what lies in the trash can always be taken back');
    }
    return deleted;
  }

  #begin(): ShardIntake {
    const { holder, disk, log } = this.pair;
    const now = (): Instant => instant(this.now);
    const clock = { now, sleep: async () => undefined };
    const parts = { identitySeed: holder.identitySeed, held: disk.attach(), clock, log };
    return new ShardIntake({ ...parts, stores: this.#stores });
  }
}

test('one shard put into the trash and taken out again, on and on, makes so many entries in a day and no more', async () => {
  const scene = new Scene(2);
  assert.equal(await scene.put(0), '');
  const { most } = scene;
  assert.equal(await scene.turn(3 * most), most);
  assert.equal(scene.entries, 1 + 2 * most);
  assert.equal(scene.remove(0), 'request.quota');
  scene.restart();
  scene.now += dayMs - 1;
  assert.equal(await scene.turn(3), 0, 'over restarts');
  scene.now += 1;
  assert.equal(await scene.turn(3), 3, 'until a day has passed');
  assert.equal(scene.entries, 1 + 2 * most + 6);
});

test('a clock that leaps and comes back keeps no owner from deleting', async () => {
  const scene = new Scene(2);
  await scene.put(0);
  scene.now += 400 * dayMs;
  await scene.turn(scene.most);
  assert.equal(scene.remove(0), 'request.quota');
  scene.now -= 400 * dayMs;
  assert.equal(scene.remove(0), '');
});

test('moving everything in and out, in the smallest shards there are, is never too much', async () => {
  const scene = new Scene(3_000);
  assert.ok(scene.most < 1_500);
  for (const half of [0, 1_500]) {
    for (let number = half; number < half + 1_500; number += 1)
      assert.equal(await scene.put(number), '');
    for (let number = half; number < half + 1_500; number += 1)
      assert.equal(scene.remove(number), '');
  }
  assert.equal(await scene.put(3_000), 'agreement.no-space', 'what is in the trash takes room');
  assert.equal(scene.entries, 6_000);
});

test('whoever takes back everything that a thief deleted, more than once, gets it all', async () => {
  const scene = new Scene(3_000);
  for (let number = 0; number < 1_500; number += 1) await scene.put(number);
  for (let theft = 0; theft < 2; theft += 1) {
    for (let number = 0; number < 1_500; number += 1) scene.remove(number);
    for (let number = 0; number < 1_500; number += 1) assert.equal(await scene.put(number), '');
  }
  assert.equal(scene.remove(1), 'request.quota', 'and the thief waits');
});
