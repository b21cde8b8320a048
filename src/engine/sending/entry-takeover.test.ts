import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bytes } from '../../base/bytes.ts';
import { dayMs, hourMs, type Instant, instant, mebi } from '../../base/units.ts';
import {
  type LedgerHead,
  type LedgerSubject,
  ledgerStart,
  nextAcknowledgement,
} from '../../core/agreements/acknowledgement.ts';
import type { AgreementId, PackId, ShardName } from '../../core/vocabulary/ids.ts';
import { suiteAesGcm } from '../../core/vocabulary/suite.ts';
import { ledgerPageEntries } from '../../core/wire/ledger-page.ts';
import { contentsOf } from '../../ports/stores.conformance.ts';
import type { AgreementRow } from '../../ports/stores.ts';
import { agreedPair } from '../../sim/agreed-pair.ts';
import { type TwinStores, twinStores } from '../../sim/twin-stores.ts';
import { facts } from '../facts.ts';
import { Notifier } from '../work/notifier.ts';
import { EntryTakeover } from './entry-takeover.ts';
import { ShardLosses } from './shard-losses.ts';

const begin = 1_700_000_000_000;
const limits = { atOnce: 200, inherited: 1_000 };
/** Twice as many shards as fit in besides; and in each day 2 × (1,024 + 1). */
const [atOnce, perDay] = [200 + 2 * 64, 2_050];

function named(number: number): ShardName {
  return number.toString(16).padStart(32, '0') as ShardName;
}

/** The owner's side of a ledger that its partner signs as it likes, with 64 MiB lent. */
class Scene {
  readonly agreement: AgreementRow;
  stores: TwinStores = twinStores();
  now = begin;
  readonly refused: unknown[] = [];
  readonly #pair = agreedPair(64 * mebi);
  #head: LedgerHead;
  readonly #signed: Bytes[] = [];

  constructor(life = 0) {
    const { agreement, holder } = this.#pair;
    this.agreement = { ...agreement, partner: holder.peerId };
    this.stores.agreements.put(this.agreement);
    this.#head = ledgerStart(agreement.agreement, life);
  }

  get taken(): number {
    return this.stores.ledger.head(this.agreement.agreement, 'owner')?.sequence ?? 0;
  }

  sign(action: LedgerSubject['action'], first: number, count = 1): void {
    const { agreement } = this.agreement;
    for (let number = first; number < first + count; number += 1) {
      const subject = { action, name: named(number), blockCount: 1 };
      const entry = nextAcknowledgement(
        this.#head,
        { ...subject, merkleRoot: new Uint8Array(32), agreement, time: instant(begin) },
        this.#pair.holder.identitySeed,
      );
      this.#head = entry.head;
      this.#signed.push(entry.document);
    }
  }

  /** Asks for pages until there are no more to take over; gives how many entries were. */
  catchUp(): number {
    const now = (): Instant => instant(this.now);
    const clock = { now, sleep: async () => undefined };
    const log = { write: (...told: readonly unknown[]): void => void this.refused.push(told[2]) };
    const { stores } = this;
    const spool = { reclaimed: () => undefined, released: () => undefined };
    const losses = new ShardLosses({ stores, spool, log, changes: new Notifier() });
    const { shardNameKey } = this.#pair.owner;
    const parts = { stores, clock, log, losses, shardNameKey };
    const takeover = new EntryTakeover(parts, this.agreement, limits);
    const before = this.taken;
    for (;;) {
      const page = this.#signed.slice(this.taken, this.taken + ledgerPageEntries);
      const taken = takeover.take(page);
      if (taken === 0 || taken < page.length) return this.taken - before;
    }
  }
}

test('a partner that signs without end has so many entries taken over at once, and so many in each day', () => {
  const scene = new Scene();
  scene.sign('put', 0, 1_000);
  assert.equal(scene.catchUp(), atOnce);
  assert.equal(scene.catchUp(), 0);
  assert.deepEqual((scene.refused.at(-1) as { code: string }).code, 'ledger.too-many');
  scene.stores = twinStores(scene.stores.image());
  for (let hour = 0; hour < 3; hour += 1) {
    scene.now += hourMs;
    const taken = scene.catchUp();
    assert.ok(Math.abs(taken - perDay / 24) <= 1, `${taken} an hour, over restarts`);
  }
  scene.now += 30 * dayMs;
  assert.equal(scene.catchUp(), atOnce, 'and never more');
});

test('a clock that is set back neither gives anything nor keeps anything', () => {
  const scene = new Scene();
  scene.sign('put', 0, 1_000);
  scene.now += 400 * dayMs;
  assert.equal(scene.catchUp(), atOnce);
  scene.now = begin;
  assert.equal(scene.catchUp(), 0);
  scene.now += hourMs;
  assert.equal(scene.catchUp(), Math.floor(perDay / 24));
});

test('who lost everything but its keys takes over a ledger of years, once, and that has an end as well', () => {
  for (const years of [700, 1_200]) {
    const scene = new Scene(3);
    facts.setIncarnation(scene.stores, 1);
    scene.sign('put', 0, years);
    assert.equal(scene.catchUp(), Math.min(years, limits.inherited));
    scene.sign('put', 2_000, 500);
    if (years < limits.inherited) assert.equal(scene.catchUp(), atOnce);
  }
});

test('the more shards a partner has of ours, the more it may sign again', () => {
  const scene = new Scene();
  const { partner } = scene.agreement;
  for (let number = 0; number < 50; number += 1) {
    const pack = number.toString(16).padStart(64, '0') as PackId;
    scene.stores.packs.add(
      {
        ...{ pack, kind: 'data', suite: suiteAesGcm, salt: new Uint8Array(32) },
        ...{ lengthBytes: 1, storedAt: instant(begin), indexed: true, spooled: false },
        ...{ code: undefined, stripe: undefined },
      },
      contentsOf([number]),
    );
    scene.stores.shards.put({ pack, index: 0, partner, phase: 'held' });
  }
  scene.sign('put', 0, 1_000);
  assert.equal(scene.catchUp(), atOnce + 100);
});

test('a partner that deletes what it never took, or took no more, is not believed', () => {
  for (const claim of ['never', 'twice'] as const) {
    const scene = new Scene();
    scene.sign('put', 0, 150);
    scene.sign('delete', 7);
    scene.sign('delete', claim === 'never' ? 1_000 : 7);
    scene.sign('put', 2_000, 100);
    assert.equal(scene.catchUp(), 151);
    assert.equal(scene.catchUp(), 0, 'nor is what follows it');
    assert.deepEqual((scene.refused.at(-1) as { code: string }).code, 'ledger.unfounded');
  }
});

test('a partner may delete what it took and what it kept from before, and whatever it was asked to', () => {
  const [kept, own] = [new Scene(1), new Scene()];
  kept.sign('delete', 7);
  assert.equal(kept.catchUp(), 1, 'in a later life');
  const { agreement } = own;
  const ended = {
    ...agreement,
    agreement: 'ab'.repeat(32) as AgreementId,
    phase: 'ended' as const,
  };
  own.sign('put', 1);
  own.sign('delete', 1);
  own.sign('put', 1);
  own.sign('delete', 1);
  assert.equal(own.catchUp(), 4);
  own.sign('delete', 7);
  assert.equal(own.catchUp(), 0);
  const { partner } = agreement;
  const pack = 'cd'.repeat(32) as PackId;
  const retired = { partner, name: named(7), pack, retiredAt: instant(begin), reserve: false };
  own.stores.layouts.retire([retired]);
  assert.equal(own.catchUp(), 1, 'we asked it to, and its reply was lost');
  own.sign('delete', 8);
  assert.equal(own.catchUp(), 0);
  own.stores.agreements.put({ ...ended, phase: 'proposed' });
  assert.equal(own.catchUp(), 0, 'what was only proposed had nothing taken');
  own.stores.agreements.put(ended);
  assert.equal(own.catchUp(), 1, 'from an earlier agreement');
});
