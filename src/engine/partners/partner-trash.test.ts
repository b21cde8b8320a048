import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dayMs, hourMs, type Instant, instant } from '../../base/units.ts';
import type { PeerId, ShardName } from '../../core/vocabulary/ids.ts';
import { twinStores } from '../../sim/twin-stores.ts';
import { partnerTrash } from './partner-trash.ts';

const partner = 'ab'.repeat(32) as PeerId;
const began: Instant = instant(1_700_000_000_000);

function shard(number: number): { partner: PeerId; name: ShardName; bytes: number } {
  return { partner, name: number.toString(16).padStart(32, '0') as ShardName, bytes: number };
}

function later(ms: number): Instant {
  return instant(began + ms);
}

test('what is let go of within a day makes one lot, and counts until the partner has let go of it', () => {
  const stores = twinStores();
  partnerTrash.add(stores, [shard(1), shard(2)], began);
  partnerTrash.add(stores, [shard(4)], later(hourMs));
  partnerTrash.add(stores, [shard(8)], later(2 * dayMs));
  const lots = partnerTrash.all(stores);
  assert.deepEqual(
    lots.map(({ bytes, name }) => [bytes, name]),
    [
      [7, shard(4).name],
      [8, shard(8).name],
    ],
  );
  partnerTrash.remove(stores, lots.slice(0, 1));
  assert.equal(partnerTrash.bytesAt(stores, partner), 8);
  partnerTrash.takeBack(stores, [{ partner, bytes: 8 }]);
  assert.deepEqual(partnerTrash.all(stores), []);
});

test('a lot that grows while its partner is asked goes on to count', () => {
  const stores = twinStores();
  partnerTrash.add(stores, [shard(1)], began);
  const asked = partnerTrash.all(stores);
  partnerTrash.add(stores, [shard(2)], later(hourMs));
  partnerTrash.remove(stores, asked);
  assert.equal(partnerTrash.bytesAt(stores, partner), 3);
});
