import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant, secondMs } from '../../base/units.ts';
import { StorageFull, type Stores } from '../../ports/stores.ts';
import { agreedPair } from '../../sim/agreed-pair.ts';
import { PartnerBook } from './partner-book.ts';

function address(number: number): readonly string[] {
  return [`/ip4/10.0.0.${number}/tcp/1`];
}

test('a partner that moves is followed, and one that moves with every request not each time', () => {
  const { stores, owner, clock } = agreedPair(1_000_000);
  let writes = 0;
  const put: Stores['agreements']['put'] = (row) => {
    writes += 1;
    stores.agreements.put(row);
  };
  const book = new PartnerBook({ ...stores, agreements: { ...stores.agreements, put } });
  for (let number = 1; number <= 200; number += 1)
    book.moved(owner.peerId, address(number), clock.now());
  assert.ok(writes <= 4, `${writes}`);
  const later = instant(clock.now() + 61 * secondMs);
  book.moved(owner.peerId, address(201), later);
  book.moved(owner.peerId, address(201), later);
  assert.deepEqual(book.addressOf(owner.peerId).addresses, address(201));
  assert.ok(writes <= 5, 'the same again is no move');
  book.moved(owner.peerId, address(202), instant(0));
  assert.deepEqual(book.addressOf(owner.peerId).addresses, address(202), 'a clock may go back');
});

test('a catalogue without room does not spoil what a partner asked for', () => {
  const { stores, owner, clock } = agreedPair(1_000_000);
  const put = (): never => {
    throw new StorageFull('no room');
  };
  const book = new PartnerBook({ ...stores, agreements: { ...stores.agreements, put } });
  book.heard(owner.peerId, clock.now());
  book.moved(owner.peerId, address(1), clock.now());
  assert.equal(book.reachable(owner.peerId), true);
});
