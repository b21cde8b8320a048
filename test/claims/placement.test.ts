import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { Prng } from '../../src/base/prng.ts';
import { mebi } from '../../src/base/units.ts';
import { shardCount } from '../../src/core/vocabulary/code.ts';
import type { PeerId } from '../../src/core/vocabulary/ids.ts';
import { running, type ShardOnDisk, SimCircle } from './sim-circle.ts';

const draws = new Prng('placement');

async function backedUp(seed: string, partnerCount: number, megabytes: number): Promise<SimCircle> {
  const circle = await SimCircle.made(seed, partnerCount);
  circle.owner.files.writeFile('/home/file', draws.bytes(megabytes * mebi));
  await circle.backedUp();
  return circle;
}

function stripesOf(circle: SimCircle): (readonly ShardOnDisk[])[] {
  return [...Map.groupBy(circle.shards(), ({ stripe }) => stripe).values()];
}

/** Every shard of every stripe lies on one disk, each on another one. */
function assertDistinct(circle: SimCircle): void {
  const stripes = stripesOf(circle);
  assert.equal(stripes.length, circle.packs().length);
  for (const stripe of stripes) {
    const { code } = present(stripe[0], 'a shard');
    const indices = stripe.map(({ index }) => index).sort((left, right) => left - right);
    assert.deepEqual(indices, [...Array(shardCount(code)).keys()]);
    assert.equal(new Set(stripe.map(({ partner }) => partner)).size, shardCount(code));
  }
}

for (const partnerCount of [2, 3, 5, 8])
  test(`C36: with ${partnerCount} partners each holds one shard of every stripe, data or parity`, async () => {
    const circle = await backedUp(`${partnerCount} partners`, partnerCount, 2);
    assertDistinct(circle);
    for (const partner of circle.partners)
      assert.equal(circle.shardsAt(partner).length, circle.packs().length);
  });

test('C36: with more partners than shards every stripe has a partner for each shard, and all share one set of them', async () => {
  const circle = await backedUp('ten partners', 10, 1);
  for (let round = 0; round < 4; round += 1) {
    circle.owner.files.writeFile(`/home/file-${round}`, draws.bytes(mebi));
    await circle.backedUp();
  }
  assertDistinct(circle);
  const holders = circle.partners.filter((partner) => circle.shardsAt(partner).length > 0);
  assert.equal(holders.length, 8);
  const told = running(circle.owner)
    .partners()
    .map(({ agreement, holdsBytes }) => [agreement.partner, holdsBytes] as const);
  const bytesAt = new Map<PeerId, number>(told);
  for (const partner of circle.partners) {
    const bytes = circle.shardsAt(partner).reduce((sum, shard) => sum + shard.bytes.length, 0);
    assert.equal(bytesAt.get(partner.keys.peerId), bytes, 'the owner knows what lies where');
  }
});

test('C36: stripes of other times, when other partners were there, keep to it as well', async () => {
  const circle = await backedUp('partners come', 2, 1);
  for (let round = 0; round < 4; round += 1) {
    await circle.joined();
    circle.owner.files.writeFile(`/home/file-${round}`, draws.bytes(mebi));
    await circle.backedUp();
  }
  assertDistinct(circle);
  const codes = new Set(circle.packs().map(({ code }) => code && shardCount(code)));
  assert.ok(codes.has(6), 'new packs take all partners');
  assert.ok([...codes].every((shards) => shards !== undefined && shards >= 2 && shards <= 6));
});

test('C36: while a partner is away its shard waits for it, and no other partner gets a second one', async () => {
  const circle = await SimCircle.made('one is away', 5);
  const away = present(circle.partners[3], 'a partner');
  circle.world.crash(away.name);
  circle.owner.files.writeFile('/home/file', draws.bytes(2 * mebi));
  const { snapshot } = await circle.backUp();
  assert.equal(await circle.protect(snapshot, 'protected'), 'protected');
  for (const stripe of stripesOf(circle)) {
    assert.equal(new Set(stripe.map(({ partner }) => partner)).size, stripe.length);
    assert.ok(stripe.every(({ partner }) => partner !== away));
  }
  circle.world.restart(away.name);
  assert.equal(await circle.protect(snapshot, 'complete'), 'complete');
  assertDistinct(circle);
});
