import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dayMs, instant } from '../../base/units.ts';
import { type AgreementId, idOf } from '../../core/vocabulary/ids.ts';
import { twinStores } from '../../sim/twin-stores.ts';
import { staysWithin } from './admitted-losses.ts';

const agreement = idOf<AgreementId>(new Uint8Array(32).fill(7));
const graceMs: number = 30 * dayMs;

test('a few losses told in a grace period are forgiven, more are not, over restarts', () => {
  let stores = twinStores();
  const tell = (count: number, day: number): boolean => {
    stores = twinStores(stores.image());
    const now = instant(1_000_000 + day * dayMs);
    return staysWithin(stores, agreement, { count, held: 20, graceMs, now });
  };
  assert.ok(tell(3, 0));
  assert.ok(tell(1, 10));
  assert.ok(!tell(1, 20));
  assert.ok(tell(4, 31), 'the next period begins anew');
});

test('whoever holds much may lose more: a tenth of it', () => {
  const stores = twinStores();
  const loss = { held: 1_000, graceMs, now: instant(0) };
  assert.ok(staysWithin(stores, agreement, { ...loss, count: 100 }));
  assert.ok(!staysWithin(stores, agreement, { ...loss, count: 1 }));
});

test('what was read counts with what was told, and what is told counts by itself', () => {
  const stores = twinStores();
  const loss = { held: 20, graceMs, now: instant(0) };
  assert.ok(staysWithin(stores, agreement, { ...loss, count: 2 }));
  assert.ok(staysWithin(stores, agreement, { ...loss, count: 2, isDenied: true }));
  assert.ok(!staysWithin(stores, agreement, { ...loss, count: 1, isDenied: true }));
  assert.ok(staysWithin(stores, agreement, { ...loss, count: 2 }));
  assert.ok(!staysWithin(stores, agreement, { ...loss, count: 1 }));
});
