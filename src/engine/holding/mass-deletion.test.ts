import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Instant, instant } from '../../base/units.ts';
import type { LedgerAction } from '../../core/agreements/acknowledgement.ts';
import { ShardNamer } from '../../core/sealing/shard-name.ts';
import { idOf, type ShardName, type StripeId } from '../../core/vocabulary/ids.ts';
import { layoutRow } from '../../ports/layout-store.conformance.ts';
import {
  agreement,
  contentsOf,
  idBytesFor,
  pack,
  packRow,
  peer,
  shardRow,
} from '../../ports/stores.conformance.ts';
import { StorageFull } from '../../ports/stores.ts';
import { type TwinStores, twinStores } from '../../sim/twin-stores.ts';
import { ShardLosses } from '../sending/shard-losses.ts';
import { Notifier } from '../work/notifier.ts';
import { deletionsThere, forgetForeignDeletions, noteForeignDeletions } from './mass-deletion.ts';

const partner = peer(7);
const shardNameKey = new Uint8Array(32).fill(5);
const namer = new ShardNamer(shardNameKey, partner);
const now: Instant = instant(1_700_000_000_000);
const log = { write: (): void => undefined };

function stripe(number: number): StripeId {
  return idOf<StripeId>(idBytesFor(number));
}

/** A pack with a shard at the partner, as index 0 of stripe 1; the same pack is to have stripe 2, with index 1 there. */
class Home {
  readonly stores: TwinStores;
  readonly spooled: string[] = [];
  isFull = false;
  readonly #sequence = { last: 0 };

  constructor() {
    this.stores = twinStores(undefined, (_, moment) => {
      if (this.isFull && moment === 'before') throw new StorageFull('no room');
    });
    const code = { id: 'parity', dataShards: 1, parityShards: 0 } as const;
    this.stores.packs.add(packRow(1, { code, stripe: stripe(1) }), contentsOf([1]));
    this.stores.shards.put(shardRow(1, 0, { partner, phase: 'held' }));
    const next = [shardRow(1, 1, { partner, phase: 'held' })];
    this.stores.layouts.begin(layoutRow(1, { stripe: stripe(2) }), next);
  }

  /** Takes over entries of the partner's ledger that this home did not ask for. */
  follow(...said: readonly (readonly [LedgerAction, ShardName])[]): void {
    const { stores } = this;
    const spool = {
      reclaimed: () => void this.spooled.push('work'),
      released: () => void this.spooled.push('cache'),
    };
    const losses = new ShardLosses({ stores, spool, log, changes: new Notifier() });
    const clock = { now: () => now, sleep: async () => undefined };
    const entries = said.map(([action, name]) => {
      this.#sequence.last += 1;
      const place = { agreement: agreement(1), epoch: 0, sequence: this.#sequence.last };
      const hash = new Uint8Array(32);
      return {
        ...{ ...place, previousHash: hash, action, name },
        ...{ blockCount: 1, merkleRoot: hash, time: now },
      };
    });
    const parts = { stores, clock, losses, log, shardNameKey };
    stores.transact(() => noteForeignDeletions(parts, partner, entries))();
  }

  get phases(): readonly string[] {
    const { shards, layouts } = this.stores;
    return [...shards.ofPack(pack(1)), ...layouts.shards(pack(1))].map(({ phase }) => phase);
  }

  get told(): number {
    return deletionsThere(this.stores, now)[0]?.shards ?? 0;
  }
}

const present = namer.nameOf(stripe(1), 0);
const next = namer.nameOf(stripe(2), 1);

test('what was deleted counts as lost, in the stripe that a pack has and in the one that it is to have', () => {
  const home = new Home();
  home.follow(['delete', next]);
  assert.deepEqual([home.phases, home.told, home.spooled], [['held', 'lost'], 1, ['cache']]);
  home.follow(['delete', present], ['delete', namer.nameOf(stripe(3), 0)]);
  assert.deepEqual([home.phases, home.told], [['lost', 'lost'], 2]);
  assert.equal(home.spooled.at(-1), 'work');
  forgetForeignDeletions(home.stores, partner, now);
  assert.equal(home.told, 0);
});

test('the same place in another stripe of the pack is another shard', () => {
  const home = new Home();
  home.follow(['delete', namer.nameOf(stripe(2), 0)], ['delete', namer.nameOf(stripe(1), 1)]);
  assert.deepEqual([home.phases, home.told], [['held', 'held'], 0]);
});

test('what was deleted and stored again is held, whether the same page says so or one after a restart', () => {
  const home = new Home();
  home.follow(['delete', present], ['put', present]);
  assert.deepEqual([home.phases, home.told, home.spooled], [['held', 'held'], 0, []]);
  home.follow(['delete', present], ['delete', next]);
  home.follow(['put', present]);
  assert.deepEqual([home.phases, home.told], [['held', 'lost'], 1]);
  assert.equal(home.spooled.at(-1), 'cache');
});

test('what is lost otherwise does not come back for an entry that may be older than its loss', () => {
  const home = new Home();
  home.stores.shards.put(shardRow(1, 0, { partner, phase: 'lost' }));
  home.follow(['put', present]);
  assert.deepEqual(home.phases, ['lost', 'held']);
  home.follow(['delete', present]);
  assert.equal(home.told, 0, 'it was lost before');
});

test('a disk that is full refuses the whole step, so that the same entries are taken over again', () => {
  const home = new Home();
  home.isFull = true;
  assert.throws(() => home.follow(['delete', present]), StorageFull);
  assert.deepEqual([home.phases, home.told, home.spooled], [['held', 'held'], 0, []]);
  home.isFull = false;
  home.follow(['delete', present]);
  assert.deepEqual([home.phases, home.told], [['lost', 'held'], 1]);
});
