/** What every implementation of the layout store does, asked of the twin and of the catalogue alike. */
import assert from 'node:assert/strict';
import { instant } from '../base/units.ts';
import { idOf, type StripeId } from '../core/vocabulary/ids.ts';
import type { NextLayoutRow, RetiredShardRow } from './layout-store.ts';
import {
  contentsOf,
  idBytesFor,
  pack,
  packRow,
  peer,
  type Sentence,
  type StoresUnderTest,
  sentencesAbout,
  shardName,
  shardRow,
} from './stores.conformance.ts';

export function layoutRow(number: number, change: Partial<NextLayoutRow> = {}): NextLayoutRow {
  return {
    pack: pack(number),
    code: { id: 'reed-solomon', dataShards: 2, parityShards: 2 },
    stripe: idOf<StripeId>(idBytesFor(number + 500)),
    reason: 'code',
    begunAt: instant(number),
    ...change,
  };
}

export function retiredRow(number: number, change: Partial<RetiredShardRow> = {}): RetiredShardRow {
  return {
    partner: peer(number),
    name: shardName(number),
    pack: pack(1),
    retiredAt: instant(number),
    reserve: number % 2 === 1,
    ...change,
  };
}

/** Runs every sentence about layouts. */
export function testLayoutStore(name: string, open: () => StoresUnderTest): void {
  const sentence = sentencesAbout(name, open);
  testBeginning(sentence);
  testAdopting(sentence);
  testRetiring(sentence);
}

function testBeginning(sentence: Sentence): void {
  sentence('a next layout is remembered beside the present one', (subject) => {
    for (const number of [1, 2]) subject.stores.packs.add(packRow(number), contentsOf([]));
    subject.stores.shards.put(shardRow(1, 0, { phase: 'held' }));
    const before = subject.stores.shards.standings();
    subject.stores.layouts.begin(layoutRow(2, { reason: 'move', begunAt: instant(9) }), []);
    subject.stores.layouts.begin(layoutRow(1), [shardRow(1, 1), shardRow(1, 0)]);
    subject.stores.layouts.putShard(shardRow(1, 1, { phase: 'held', partner: peer(7) }));
    const { layouts, shards } = subject.reopen();
    assert.deepEqual(layouts.get(pack(1)), layoutRow(1));
    assert.deepEqual(
      layouts.all().map((row) => row.pack),
      [pack(1), pack(2)],
    );
    const moved = shardRow(1, 1, { phase: 'held', partner: peer(7) });
    assert.deepEqual(layouts.shards(pack(1)), [shardRow(1, 0), moved]);
    assert.deepEqual(layouts.shards(pack(2)), []);
    assert.deepEqual(shards.standings(), before);
    assert.deepEqual(shards.ofPack(pack(1)), [shardRow(1, 0, { phase: 'held' })]);
  });

  sentence('a layout that is begun again forgets the shards of the one before', ({ stores }) => {
    stores.packs.add(packRow(1), contentsOf([]));
    stores.layouts.begin(layoutRow(1), [shardRow(1, 0), shardRow(1, 3)]);
    stores.layouts.begin(layoutRow(1, { reason: 'repair' }), [shardRow(1, 1)]);
    assert.equal(stores.layouts.get(pack(1))?.reason, 'repair');
    assert.deepEqual(stores.layouts.shards(pack(1)), [shardRow(1, 1)]);
  });

  sentence('only packs that are there are laid out anew', ({ stores }) => {
    stores.packs.add(packRow(1), contentsOf([]));
    const refused = { name: 'AssertionError' };
    assert.throws(() => stores.layouts.begin(layoutRow(2), []), refused);
    assert.throws(() => stores.layouts.begin(layoutRow(1), [shardRow(2, 0)]), refused);
    assert.throws(() => stores.layouts.putShard(shardRow(1, 0)), refused);
    assert.throws(() => stores.layouts.adopt(pack(1), []), refused);
  });

  sentence('a next layout goes with its pack', ({ stores }) => {
    stores.packs.add(packRow(1), contentsOf([]));
    stores.layouts.begin(layoutRow(1), [shardRow(1, 0)]);
    stores.packs.remove(pack(1));
    assert.deepEqual(stores.layouts.all(), []);
    assert.deepEqual(stores.layouts.shards(pack(1)), []);
  });
}

function testAdopting(sentence: Sentence): void {
  sentence('an adopted layout takes the place of the present one in one step', (subject) => {
    const { stores } = subject;
    stores.packs.add(packRow(1, { indexed: true }), contentsOf([1]));
    for (const index of [0, 1, 2]) stores.shards.put(shardRow(1, index, { phase: 'held' }));
    assert.equal(stores.shards.standings()[0]?.held, 3);
    const next = [0, 1].map((index) => shardRow(1, index, { phase: 'held', partner: peer(9) }));
    stores.layouts.begin(layoutRow(1), [...next.slice(1), shardRow(1, 0)]);
    assert.throws(() => stores.layouts.adopt(pack(1), []), { name: 'AssertionError' });
    assert.deepEqual(stores.layouts.retired(), []);
    stores.layouts.putShard(shardRow(1, 0, { phase: 'held', partner: peer(9) }));
    stores.layouts.adopt(pack(1), [retiredRow(2)]);
    const { code, stripe } = layoutRow(1);
    for (const look of [() => stores, () => subject.reopen()]) {
      const { packs, shards, layouts, chunks } = look();
      assert.deepEqual(packs.get(pack(1)), packRow(1, { code, stripe, indexed: false }));
      assert.deepEqual(shards.ofPack(pack(1)), next);
      assert.deepEqual(shards.ofPartner(peer(1)), []);
      const { placed, held, indexed } = { ...shards.standings()[0] };
      assert.deepEqual({ placed, held, indexed }, { placed: 2, held: 2, indexed: false });
      assert.equal(layouts.get(pack(1)), undefined);
      assert.deepEqual(layouts.retired(), [retiredRow(2)]);
      assert.equal(chunks.count(), 1);
    }
  });

  sentence('nothing is adopted by a transaction that throws', ({ stores }) => {
    stores.packs.add(packRow(1, { indexed: true }), contentsOf([]));
    stores.shards.put(shardRow(1, 0));
    const before = stores.shards.standings();
    stores.layouts.begin(layoutRow(1), [shardRow(1, 0, { phase: 'held' })]);
    const work = (): void => {
      stores.layouts.adopt(pack(1), [retiredRow(1)]);
      throw new RangeError('enough');
    };
    assert.throws(() => stores.transact(work), { name: 'RangeError' });
    assert.deepEqual(stores.shards.standings(), before);
    assert.deepEqual(stores.layouts.shards(pack(1)), [shardRow(1, 0, { phase: 'held' })]);
    assert.deepEqual(stores.layouts.retired(), []);
  });

  sentence('a layout that is given up leaves the present one as it is', ({ stores }) => {
    stores.packs.add(packRow(1), contentsOf([]));
    stores.shards.put(shardRow(1, 0));
    stores.layouts.begin(layoutRow(1), [shardRow(1, 0, { phase: 'held' })]);
    stores.layouts.drop(pack(1), [retiredRow(1)]);
    assert.equal(stores.layouts.get(pack(1)), undefined);
    assert.deepEqual(stores.layouts.shards(pack(1)), []);
    assert.deepEqual(stores.shards.ofPack(pack(1)), [shardRow(1, 0)]);
    assert.deepEqual(stores.layouts.retired(), [retiredRow(1)]);
  });
}

function testRetiring(sentence: Sentence): void {
  sentence('retired shards outlive their pack until they are forgotten', (subject) => {
    subject.stores.packs.add(packRow(1), contentsOf([]));
    subject.stores.layouts.retire([retiredRow(2), retiredRow(1), retiredRow(3)]);
    subject.stores.packs.remove(pack(1));
    const { layouts } = subject.reopen();
    assert.deepEqual(
      layouts.retired(),
      [1, 2, 3].map((number) => retiredRow(number)),
    );
    assert.deepEqual(
      layouts.retiredOf(pack(1)),
      [1, 2, 3].map((number) => retiredRow(number)),
    );
    assert.deepEqual(layouts.retiredOf(pack(2)), []);
    layouts.forgetRetired(peer(2), shardName(2));
    layouts.forgetRetired(peer(2), shardName(3));
    assert.deepEqual(layouts.retired(), [retiredRow(1), retiredRow(3)]);
  });
}
