import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '../../base/units.ts';
import { stripeIdOf } from '../../core/erasure/layout.ts';
import type { Code } from '../../core/vocabulary/code.ts';
import { bytesOf, type PackId, type PeerId, type ShardName } from '../../core/vocabulary/ids.ts';
import type { PackRow, ShardRow } from '../../ports/stores.ts';
import { type TwinStores, twinStores } from '../../sim/twin-stores.ts';
import { StripeHistory } from './stripe-history.ts';

const pack = 'ab'.repeat(32) as PackId;
const now = instant(1_000);
const small: Code = { id: 'reed-solomon', dataShards: 2, parityShards: 2 };
const large: Code = { id: 'reed-solomon', dataShards: 4, parityShards: 4 };

function partner(number: number): PeerId {
  return number.toString(16).padStart(64, '0') as PeerId;
}

function nameOf(number: number): ShardName {
  return number.toString(16).padStart(32, '0') as ShardName;
}

function rowOf(code: Code): PackRow {
  return {
    pack,
    kind: 'data',
    suite: 1,
    salt: new Uint8Array(32),
    lengthBytes: 1_000_000,
    storedAt: instant(0),
    code,
    stripe: stripeIdOf({ packId: pack, packLength: 1_000_000, code }),
    indexed: true,
    spooled: false,
  };
}

function planned(count: number): readonly ShardRow[] {
  return Array.from(
    { length: count },
    (_, index): ShardRow => ({ pack, index, partner: partner(index), phase: 'planned' }),
  );
}

/** A pack first described in `before`, then in `after`; so many shards of the later stripe are there, and these of the earlier. */
function described(
  [before, after]: readonly [Code, Code],
  there: { readonly later: number; readonly earlier: readonly number[] },
): TwinStores {
  const stores = twinStores();
  const first = rowOf(before);
  stores.packs.add(first, {
    frames: [],
    chunkIds: new Uint8Array(0),
    chunkFrames: new Uint32Array(0),
    chunkOffsets: new Uint32Array(0),
    chunkLengths: new Uint32Array(0),
  });
  for (const shard of planned(before.dataShards + before.parityShards)) stores.shards.put(shard);
  const history = new StripeHistory(stores);
  const shards = planned(after.dataShards + after.parityShards);
  history.replace(now, first, { row: rowOf(after), shards });
  for (const shard of shards)
    stores.shards.put({ ...shard, phase: shard.index < there.later ? 'held' : 'lost' });
  const prefix = bytesOf(first.stripe ?? rowOf(before).pack).subarray(0, 14);
  for (const index of there.earlier)
    history.found(prefix, { partner: partner(index), index, name: nameOf(index) });
  history.settle(now);
  return stores;
}

function codeOf(stores: TwinStores): number | undefined {
  return stores.packs.get(pack)?.code?.dataShards;
}

for (const codes of [
  [small, large],
  [large, small],
] as const)
  test(`the later description is taken when enough of it is there, and what is left of the earlier is let go, ${codes[0].dataShards} to ${codes[1].dataShards}`, () => {
    const stores = described(codes, { later: codes[1].dataShards, earlier: [0, 1, 3] });
    assert.equal(codeOf(stores), codes[1].dataShards);
    assert.equal(stores.packs.get(pack)?.indexed, true);
    assert.equal(
      stores.shards.ofPack(pack).length,
      codes[1].dataShards + codes[1].parityShards,
      'no row of the earlier stripe is left',
    );
    const retired = stores.layouts.retired().map(({ name }) => name);
    assert.deepEqual(retired, [nameOf(0), nameOf(1), nameOf(3)]);
  });

test('an earlier description is taken when too little of the later is there and enough of it, and is described anew', () => {
  const stores = described([small, large], { later: 3, earlier: [0, 3] });
  assert.equal(codeOf(stores), 2);
  assert.equal(stores.packs.get(pack)?.indexed, false);
  const shards = stores.shards.ofPack(pack).map(({ index, phase }) => `${index} ${phase}`);
  assert.deepEqual(shards, ['0 held', '3 held']);
});

test('of an earlier stripe no more is taken than it has places; a spare beside them is in reserve', () => {
  const stores = described([small, large], { later: 3, earlier: [5, 3, 2, 1, 0] });
  const shards = stores.shards.ofPack(pack).map(({ index, phase }) => `${index} ${phase}`);
  assert.deepEqual(shards, ['0 held', '1 held', '2 held', '3 held']);
  const retired = stores.layouts.retired().map(({ name, reserve }) => ({ name, reserve }));
  assert.deepEqual(retired, [{ name: nameOf(5), reserve: true }]);
});

test('when too little of both is there the later stays, and nothing is let go', () => {
  const stores = described([small, large], { later: 3, earlier: [2] });
  assert.equal(codeOf(stores), 4);
  assert.deepEqual(stores.layouts.retired(), []);
});
