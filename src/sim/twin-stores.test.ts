import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testAuditStore } from '../ports/audit-store.conformance.ts';
import { testLayoutStore } from '../ports/layout-store.conformance.ts';
import { testPeerStores } from '../ports/peer-stores.conformance.ts';
import { type StoresUnderTest, testStores } from '../ports/stores.conformance.ts';
import { type TwinStores, twinStores } from './twin-stores.ts';

function emptyStores(): StoresUnderTest {
  let current: TwinStores = twinStores();
  return {
    stores: current,
    reopen: () => {
      current = twinStores(current.image());
      return current;
    },
    close: () => undefined,
  };
}

testStores('twin stores', emptyStores);
testPeerStores('twin stores', emptyStores);
testLayoutStore('twin stores', emptyStores);
testAuditStore('twin stores', emptyStores);

test('a crash just before a commit leaves the state before it, one just after keeps it', () => {
  for (const moment of ['before', 'after'] as const) {
    const stores = twinStores(undefined, (label, reached) => {
      if (label === 'transact' && reached === moment) throw new RangeError('crash');
    });
    const work = (): void => {
      stores.facts.put('first', Uint8Array.of(1));
      stores.facts.put('second', Uint8Array.of(2));
    };
    assert.throws(() => stores.transact(work), { message: 'crash' });
    const restarted = twinStores(stores.image());
    const expected = moment === 'after' ? Uint8Array.of(2) : undefined;
    assert.deepEqual(restarted.facts.get('second'), expected);
  }
});

test('an image does not follow the stores that it was taken from', () => {
  const stores = twinStores();
  stores.facts.put('fact', Uint8Array.of(1));
  const image = stores.image();
  stores.facts.put('fact', Uint8Array.of(2));
  assert.deepEqual(twinStores(image).facts.get('fact'), Uint8Array.of(1));
});
