import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dayMs, type Instant, instant } from '../../base/units.ts';
import { encodeLifecycle } from '../../core/partners/lifecycle-codec.ts';
import { lifecycleStart } from '../../core/partners/lifecycle-state.ts';
import type { Code } from '../../core/vocabulary/code.ts';
import { idBytes, type ShardName, type StripeId } from '../../core/vocabulary/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import { contentsOf, packRow } from '../../ports/stores.conformance.ts';
import { StorageFull } from '../../ports/stores.ts';
import { agreedPair } from '../../sim/agreed-pair.ts';
import { facts } from '../facts.ts';
import { LifecycleKeeper } from '../partners/lifecycle-keeper.ts';
import { PartnerBook } from '../partners/partner-book.ts';
import type { LostShard } from '../sending/shard-losses.ts';
import { Notifier } from '../work/notifier.ts';
import { DeniedShards } from './denied-shards.ts';

const code: Code = { id: 'reed-solomon', dataShards: 1, parityShards: 0 };
const forgiven = 4;

/** An owner whose partner has shards of it, and restores from it. */
class Scene {
  readonly #pair = agreedPair(1 << 20);
  readonly stores = this.#pair.stores;
  readonly partner = this.#pair.agreement.partner;
  now: Instant = this.#pair.clock.now();
  readonly #clock: Clock = { now: () => this.now, sleep: async () => undefined };
  readonly keeper: LifecycleKeeper = new LifecycleKeeper({
    ...{ stores: this.stores, clock: this.#clock, log: this.#pair.log, changes: new Notifier() },
    ...{ spareAfterMs: 3 * dayMs, proves: () => true, onEffect: () => undefined },
  });
  readonly denied: DeniedShards = new DeniedShards({
    ...{ stores: this.stores, clock: this.#clock, keeper: this.keeper },
    book: new PartnerBook(this.stores),
  });
  readonly shards: readonly (LostShard & { readonly name: ShardName })[];

  constructor(count: number) {
    const { agreement } = this.#pair;
    const periods = this.keeper.periodsOf(agreement);
    const begun = lifecycleStart(periods, this.now);
    const served = { committedMs: periods.commitmentMs, committedAt: this.now };
    const lifecycle = encodeLifecycle({ ...begun, ...served, phase: 'standing' });
    this.stores.agreements.put({ ...agreement, lifecycle });
    this.shards = Array.from({ length: count }, (_, number) => this.#held(number + 1));
  }

  #held(number: number): LostShard & { readonly name: ShardName } {
    const stripe = `${number}`.padStart(2 * idBytes, '0') as StripeId;
    const { pack, lengthBytes } = packRow(number, { code, stripe, lengthBytes: 1_000 });
    this.stores.packs.add(packRow(number, { code, stripe, lengthBytes }), contentsOf([number]));
    const shard = { pack, index: 0, partner: this.partner };
    this.stores.shards.put({ ...shard, phase: 'held' });
    return { ...shard, name: `${number}`.padStart(32, '0') as ShardName };
  }

  /** The partner is asked for a shard, `meanwhile` something happens, and it says that it does not have it. */
  deny(at: number, meanwhile: () => void = () => undefined): string {
    const { name, ...shard } = this.shard(at);
    const owed = this.denied.owed(shard, name);
    meanwhile();
    return this.denied.judge(shard, name, owed);
  }

  shard(at: number): LostShard & { readonly name: ShardName } {
    const shard = this.shards[at];
    assert.ok(shard !== undefined);
    return shard;
  }

  retire(at: number, reserve: boolean): void {
    const { partner, name, pack } = this.shard(at);
    this.stores.layouts.retire([{ partner, name, pack, retiredAt: this.now, reserve }]);
  }

  get refuses(): boolean {
    const row = this.stores.agreements.ofPartner(this.partner);
    assert.ok(row !== undefined);
    return this.keeper.stateOf(row).refusedMs !== undefined;
  }
}

test('C17: a few shards that a partner does not know are losses, more are a refusal', () => {
  const scene = new Scene(forgiven + 1);
  for (let at = 0; at < forgiven; at += 1) assert.equal(scene.deny(at), 'shard.unknown');
  assert.equal(scene.refuses, false);
  assert.equal(scene.deny(forgiven), 'shard.denied');
  assert.equal(scene.refuses, true);
});

test('whoever takes a shard again and denies it again has lost another', () => {
  const scene = new Scene(1);
  const said = Array.from({ length: forgiven + 1 }, () => scene.deny(0));
  assert.deepEqual(new Set(said.slice(0, -1)), new Set(['shard.unknown']));
  assert.equal(said.at(-1), 'shard.denied');
});

test('a few in each grace period are forgiven for ever', () => {
  const scene = new Scene(1);
  for (let round = 0; round < 10; round += 1) {
    for (let at = 0; at < forgiven; at += 1) assert.equal(scene.deny(0), 'shard.unknown');
    scene.now = instant(scene.now + 31 * dayMs);
  }
  assert.equal(scene.refuses, false);
});

test('whoever refuses already does not get out of it by losses, until it gives something', () => {
  const scene = new Scene(2);
  scene.keeper.happened(scene.partner, { type: 'drill-refused' });
  assert.equal(scene.deny(0), 'shard.denied');
  scene.keeper.happened(scene.partner, { type: 'drill-served' });
  assert.equal(scene.deny(1), 'shard.unknown');
});

test('what this computer let go of, moved, keeps in reserve or only guesses accuses nobody', () => {
  for (const change of [
    (scene: Scene) => scene.retire(0, true),
    (scene: Scene) => scene.retire(0, false),
    (scene: Scene) => scene.stores.shards.put({ ...scene.shard(0), phase: 'lost' }),
    (scene: Scene) => facts.setRecovering(scene.stores, true),
    (scene: Scene) => facts.setUnconfirmed(scene.stores, [scene.partner]),
  ]) {
    const [before, meanwhile] = [new Scene(1), new Scene(1)];
    change(before);
    for (let round = 0; round < 20; round += 1) assert.equal(before.deny(0), 'shard.unknown');
    assert.equal(before.refuses, false);
    for (let round = 0; round < 20; round += 1)
      assert.equal(
        meanwhile.deny(0, () => change(meanwhile)),
        'shard.unknown',
      );
    assert.equal(meanwhile.refuses, false);
  }
});

test('a disk that is full accuses nobody', () => {
  const scene = new Scene(1);
  scene.stores.facts.put = () => {
    throw new StorageFull('no room');
  };
  for (let round = 0; round < 20; round += 1) assert.equal(scene.deny(0), 'shard.unknown');
});
