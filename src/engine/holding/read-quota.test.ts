import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dayMs, gibi, hourMs, instant, mebi } from '../../base/units.ts';
import { dailyNeedBytes, drillBytes, drillLeastBytes } from '../../core/agreements/daily-need.ts';
import { idOf, type ShardName } from '../../core/vocabulary/ids.ts';
import { blockBytes } from '../../core/vocabulary/limits.ts';
import { StorageFull } from '../../ports/stores.ts';
import { type AgreedPair, agreedPair } from '../../sim/agreed-pair.ts';
import { twinStores } from '../../sim/twin-stores.ts';
import { agreementOf } from '../partners/partner-space.ts';
import { ReadQuota, restoreFactor, restoreMs } from './read-quota.ts';

const partBytes: number = 4 * mebi;

class Scene {
  readonly pair: AgreedPair = agreedPair(gibi);
  now: number = this.pair.clock.now();
  quota: ReadQuota;
  readonly heldBytes: number;
  stores = this.pair.stores;

  constructor(heldBlocks: number) {
    this.heldBytes = heldBlocks * blockBytes;
    const { stores, owner } = this.pair;
    const hash = new Uint8Array(32);
    for (let left = heldBlocks; left > 0; left -= 512)
      stores.held.put({
        owner: owner.peerId,
        name: idOf<ShardName>(new Uint8Array(16).fill(left / 512)),
        blockCount: Math.min(512, left),
        ...{ merkleRoot: hash, sha256: hash, epoch: 0, sequence: left, trashedAt: undefined },
      });
    this.quota = this.#fresh();
  }

  get quotaBytes(): number {
    const { terms } = agreementOf(this.pair.agreement);
    const ageMs = this.now - this.pair.agreement.since;
    return terms.readQuota * dailyNeedBytes(terms, { ageMs, heldBytes: this.heldBytes });
  }

  restart(): void {
    this.stores = twinStores(this.stores.image());
    this.quota = this.#fresh();
  }

  /** Reads part by part until refused, at most so much; gives how much was given out. */
  read(mostBytes = 64 * gibi): number {
    let bytes = 0;
    while (bytes < mostBytes) {
      const taken = this.quota.take(this.pair.agreement, partBytes);
      if (!taken.ok) {
        assert.equal(taken.error.code, 'request.quota');
        break;
      }
      bytes += partBytes;
    }
    return bytes;
  }

  #fresh(): ReadQuota {
    const { log } = this.pair;
    const clock = { now: () => instant(this.now), sleep: async () => undefined };
    return new ReadQuota({ stores: this.stores, clock, log });
  }
}

test('a thief gets the quota of a day and no more, whatever it tries', () => {
  const scene = new Scene(16_384);
  const first = scene.read();
  assert.ok(first <= scene.quotaBytes && first > scene.quotaBytes - 2 * partBytes);
  assert.equal(scene.read(), 0);
  scene.now += 23 * hourMs;
  assert.equal(scene.read(), 0);
  scene.now += 2 * hourMs;
  assert.equal(scene.read(), first);
});

test('restarts of the holder give nothing back, and cost a step at most', () => {
  const scene = new Scene(16_384);
  let bytes = 0;
  for (;;) {
    const got = scene.read(20 * mebi);
    bytes += got;
    if (got === 0) break;
    scene.restart();
  }
  assert.ok(bytes <= scene.quotaBytes);
  const calm = new Scene(16_384);
  calm.read(20 * mebi);
  calm.restart();
  const left = calm.quota.allowance(calm.pair.agreement).leftBytes;
  assert.ok(left >= scene.quotaBytes * (1 - 1 / 8) - 20 * mebi);
});

test('whoever says that it restores gets everything, more than once over', () => {
  const scene = new Scene(16_384);
  scene.read();
  assert.ok(scene.quota.restoring(scene.pair.agreement).ok);
  const bytes = scene.read();
  assert.ok(bytes >= restoreFactor * scene.heldBytes);
  assert.ok(bytes <= restoreFactor * scene.heldBytes + 512 * mebi);
});

test('a restore that takes a fortnight goes on; two begin in thirty days, a third does not', () => {
  const scene = new Scene(16_384);
  const { agreement } = scene.pair;
  assert.ok(scene.quota.restoring(agreement).ok);
  assert.equal(scene.read(100 * mebi), 100 * mebi);
  scene.now += 14 * dayMs;
  assert.ok(scene.quota.restoring(agreement).ok, 'said again, it is the same restore');
  assert.equal(scene.read(100 * mebi), 100 * mebi);
  scene.now += restoreMs - 14 * dayMs + 1;
  assert.equal(scene.quota.allowance(agreement).restoring, undefined);
  assert.ok(scene.quota.restoring(agreement).ok, 'the second');
  scene.read();
  scene.restart();
  const third = scene.quota.restoring(agreement);
  assert.equal(third.ok ? '' : third.error.code, 'request.quota');
  scene.now += dayMs;
  assert.ok(scene.read() <= scene.quotaBytes);
  scene.now += 16 * dayMs;
  assert.ok(scene.quota.restoring(agreement).ok, 'the first is thirty days ago');
});

test('blocks that answered seals count', () => {
  const scene = new Scene(16_384);
  const { agreement } = scene.pair;
  const before = scene.quota.allowance(agreement).leftBytes;
  scene.stores.audits.putAccount({
    ...{ agreement: agreement.agreement, side: 'answerer', epoch: 0, sequence: 0 },
    ...{ hash: new Uint8Array(32), round: 0, roundStart: 0, lastAt: undefined },
    ...{ dayStart: instant(scene.now), drawnBlocks: 7, passed: 0, wrong: 0, unanswered: 0 },
  });
  assert.equal(scene.quota.allowance(agreement).leftBytes, before - 7 * blockBytes);
});

test('a drill a day comes round in ninety days, and is well within the quota', () => {
  for (const heldBytes of [0, mebi, gibi, 100 * gibi]) {
    assert.ok(drillBytes(heldBytes) >= drillLeastBytes);
    assert.ok(90 * drillBytes(heldBytes) >= heldBytes);
    const terms = { auditIntervalMs: 6 * hourMs, trusted: true, readQuota: 3 };
    assert.ok(3 * dailyNeedBytes(terms, { ageMs: 0, heldBytes }) >= 3 * drillBytes(heldBytes));
  }
});

test('a full disk keeps no owner from restoring, and its account goes on', () => {
  const scene = new Scene(16_384);
  const { facts } = scene.stores;
  const put = facts.put.bind(facts);
  facts.put = () => {
    throw new StorageFull('no room');
  };
  const day = scene.read();
  assert.ok(day > 0, 'the first read is not refused');
  assert.ok(scene.quota.restoring(scene.pair.agreement).ok);
  assert.equal(scene.read(partBytes), partBytes);
  facts.put = put;
  scene.quota.settle();
  scene.restart();
  const { restoring, leftBytes } = scene.quota.allowance(scene.pair.agreement);
  assert.ok(restoring !== undefined);
  assert.ok(leftBytes < 2 * partBytes);
});
