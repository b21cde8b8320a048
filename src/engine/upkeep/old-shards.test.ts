/** Deleting what packs left behind, against layouts that count on the same shards meanwhile: with a partner that holds and deletes as all do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import { Prng } from '../../base/prng.ts';
import { dayMs, instant, secondMs } from '../../base/units.ts';
import { stripeIdOf } from '../../core/erasure/layout.ts';
import { encodeManifest, readPublicManifest } from '../../core/manifest/manifest.ts';
import { ShardNamer } from '../../core/sealing/shard-name.ts';
import type { Code } from '../../core/vocabulary/code.ts';
import { blockBytes } from '../../core/vocabulary/limits.ts';
import { suiteAesGcm } from '../../core/vocabulary/suite.ts';
import { encodeRefusal, statusOf } from '../../core/wire/refusal.ts';
import { parsePath } from '../../core/wire/resources.ts';
import { contentsOf, packRow } from '../../ports/stores.conformance.ts';
import type { HeldRow, PackRow } from '../../ports/stores.ts';
import { MerkleBuilder } from '../../primitives/merkle.ts';
import { type AgreedPair, agreedPair, keysOf } from '../../sim/agreed-pair.ts';
import { SimNetwork, simAddress } from '../../sim/network.ts';
import { twinStores } from '../../sim/twin-stores.ts';
import type { VirtualClock } from '../../sim/virtual-clock.ts';
import { onVirtualTime } from '../../sim/virtual-run.ts';
import { ShardIntake } from '../holding/shard-intake.ts';
import { ShardService } from '../holding/shard-service.ts';
import { PartnerBook } from '../partners/partner-book.ts';
import { PartnerClient } from '../partners/partner-client.ts';
import { ShardDelivery } from '../sending/shard-delivery.ts';
import { ShardLosses } from '../sending/shard-losses.ts';
import { Backoff } from '../work/backoff.ts';
import { Notifier } from '../work/notifier.ts';
import { RateLimit } from '../work/rate-limit.ts';
import { LayoutChange } from './layout-change.ts';
import { OldShards } from './old-shards.ts';
import { ReserveShards } from './reserve-shards.ts';

const code: Code = { id: 'reed-solomon', dataShards: 2, parityShards: 2 };
const others = ['a', 'b', 'c', 'd'].map((name) => keysOf(name).peerId);
const never = new AbortController().signal;
const bytes: Bytes = new Uint8Array(2 * blockBytes).fill(5);
/** A further shard of the stripe, which takes the place of the first. */
const index = 4;

type StoresOf = AgreedPair['stores'];

const merkleRoot: Bytes = (() => {
  const merkle = new MerkleBuilder();
  for (let at = 0; at < bytes.length; at += blockBytes)
    merkle.addBlock(bytes.subarray(at, at + blockBytes));
  return merkle.root();
})();

/** Safe and described, with others. */
function addPack(stores: StoresOf): PackRow {
  const plain = packRow(1, { lengthBytes: 4 * blockBytes });
  const stripe = stripeIdOf({ packId: plain.pack, packLength: plain.lengthBytes, code });
  stores.packs.add(plain, contentsOf([1]));
  for (const [place, partner] of others.entries())
    stores.shards.put({ pack: plain.pack, index: place, partner, phase: 'held' });
  stores.packs.update(plain.pack, { code, stripe, indexed: true });
  return present(stores.packs.get(plain.pack), 'the pack');
}

/** The partner has it. */
function publish({ owner, holder }: AgreedPair, stores: StoresOf): void {
  const [time, incarnation, sequence] = [instant(0), 0, 1];
  const document = encodeManifest(
    {
      header: { incarnation, sequence, time, partners: [] },
      body: { ownerName: 'owner', indexPacks: [], snapshots: [], agreements: [] },
    },
    owner,
    { salt: new Uint8Array(32), suite: suiteAesGcm },
  );
  const read = readPublicManifest(document, owner.peerId);
  assert.ok(read.ok);
  const { hash } = read.value;
  const place = { owner: owner.peerId, incarnation, sequence, hash };
  stores.manifests.put({ ...place, document, receivedAt: time });
  stores.manifests.putReceipt(holder.peerId, hash, new Uint8Array(1));
}

/** The computer of an owner, and that of its only partner. */
class Scene {
  readonly pair: AgreedPair = agreedPair(100 * blockBytes);
  readonly stores: StoresOf = twinStores();
  readonly row: PackRow;
  readonly change: LayoutChange;
  readonly old: OldShards;
  readonly reserves: ReserveShards;
  /** What happens while the partner takes a shard in, and before it deletes one. */
  whilePutting: () => Promise<void> = async () => undefined;
  beforeDeleting: () => void = () => undefined;
  readonly #clock: VirtualClock;
  readonly #delivery: ShardDelivery;
  readonly #network: SimNetwork;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
    const { pair, stores } = this;
    const { owner, holder, log } = pair;
    const partner = holder.peerId;
    stores.agreements.put({ ...pair.agreement, partner, addresses: [simAddress(partner)] });
    this.row = addPack(stores);
    publish(pair, stores);
    this.#network = new SimNetwork({ clock, prng: new Prng('old shards') });
    const self = { clock, addresses: () => [], heard: () => undefined };
    const client = new PartnerClient(this.#network.transport(owner.peerId), self);
    const book = new PartnerBook(stores);
    const { shardNameKey } = owner;
    const shared = { keys: owner, stores, clock, log, book, client, shardNameKey };
    const spool = { reclaimed: () => undefined, released: () => undefined };
    const losses = new ShardLosses({ stores, spool, log, changes: new Notifier() });
    const limit = new RateLimit(clock, undefined);
    this.#delivery = new ShardDelivery({ ...shared, limit, losses });
    this.change = new LayoutChange(stores, clock, shardNameKey);
    this.reserves = new ReserveShards(shared);
    this.old = new OldShards({
      ...{ ...shared, delivery: this.#delivery, change: this.change, reserves: this.reserves },
      ...{ backoff: new Backoff(clock), changes: new Notifier() },
      outbox: { recount: () => undefined },
    });
  }

  async serve(): Promise<void> {
    const { holder, stores, disk, log, agreement } = this.pair;
    const held = disk.attach();
    const own = { identitySeed: holder.identitySeed, stores, held, clock: this.#clock, log };
    const service = new ShardService({ stores, held, intake: new ShardIntake(own) });
    await this.#network.transport(holder.peerId).serve(
      async (request) => {
        if (request.method === 'PUT') await this.whilePutting();
        if (request.method === 'DELETE') this.beforeDeleting();
        const resource = parsePath(request.path);
        assert.equal(resource?.resource, 'shard');
        const answer = await service.answer(request, agreement, resource);
        return answer.ok
          ? { status: 200, ...answer.value }
          : { status: statusOf(answer.error.code), body: encodeRefusal(answer.error) };
      },
      () => 'partner',
    );
  }

  /** A layout in which the partner has the further shard. */
  begin(): void {
    const [, ...staying] = others.entries();
    const shards = new Map([...staying, [index, this.pair.holder.peerId] as const]);
    const stripe = present(this.row.stripe, 'a stripe');
    this.change.begin(this.row, { code, stripe, reason: 'repair', shards });
  }

  async deliver(): Promise<void> {
    const partner = this.pair.holder.peerId;
    const shard = { index, partner, bytes, merkleRoot };
    const sent = await this.#delivery.deliver({ pack: this.row, shard, signal: never });
    assert.ok(sent.ok);
  }

  /** Whether the next layout takes the partner's shard for held; undefined: it has none there. */
  get counts(): boolean | undefined {
    const rows = this.stores.layouts.shards(this.row.pack);
    const row = rows.find((shard) => shard.index === index);
    return row && row.phase === 'held';
  }

  /** As the partner has it. */
  get held(): HeldRow | undefined {
    const { holder, owner, stores } = this.pair;
    const stripe = present(this.row.stripe, 'a stripe');
    const name = new ShardNamer(owner.shardNameKey, holder.peerId).nameOf(stripe, index);
    return stores.held.get(owner.peerId, name);
  }

  /** It lies in reserve for so long. */
  async keep(ageMs: number): Promise<void> {
    this.begin();
    await this.deliver();
    this.change.drop(this.row);
    await this.#clock.sleep(ageMs);
  }
}

async function played(work: (scene: Scene, clock: VirtualClock) => Promise<void>): Promise<void> {
  await onVirtualTime(async (clock) => {
    const scene = new Scene(clock);
    await scene.serve();
    await work(scene, clock);
  });
}

test('a shard whose upload outlasts its layout is not deleted behind it: it lies in reserve', async () => {
  await played(async (scene, clock) => {
    scene.begin();
    scene.whilePutting = () => clock.sleep(secondMs);
    // Another layout, which counts on whatever is in reserve.
    scene.beforeDeleting = () => scene.begin();
    const delivered = scene.deliver();
    await clock.sleep(secondMs / 2);
    // Another partner of the layout had no room.
    scene.change.drop(scene.row);
    await Promise.all([delivered, scene.old.round(never)]);
    assert.ok(scene.held !== undefined && scene.held.trashedAt === undefined);
    scene.begin();
    assert.equal(scene.counts, true);
    assert.equal(await scene.old.round(never), false);
    assert.equal(scene.held.trashedAt, undefined);
  });
});

test('a layout that is begun before the request goes out still counts on what lies in reserve', async () => {
  await played(async (scene, clock) => {
    await scene.keep(200 * dayMs);
    scene.whilePutting = () => clock.sleep(secondMs);
    const again = scene.deliver();
    const round = scene.old.round(never);
    await clock.sleep(secondMs / 2);
    scene.begin();
    assert.equal(scene.counts, true);
    await Promise.all([again, round]);
    assert.equal(scene.held?.trashedAt, undefined);
  });
});

test('a layout that is begun while the request is on its way has the shard sent again', async () => {
  await played(async (scene) => {
    await scene.keep(200 * dayMs);
    scene.beforeDeleting = () => scene.begin();
    assert.equal(await scene.old.round(never), true);
    assert.notEqual(scene.held?.trashedAt, undefined);
    assert.equal(scene.counts, false);
    await scene.deliver();
    assert.equal(scene.held?.trashedAt, undefined);
    assert.equal(scene.counts, true);
  });
});
