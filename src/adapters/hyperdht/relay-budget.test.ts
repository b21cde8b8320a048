import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dayMs } from '../../base/units.ts';
import { idOf, type PeerId } from '../../core/vocabulary/ids.ts';
import { RelayBudget } from './relay-budget.ts';

const one = idOf<PeerId>(new Uint8Array(32).fill(1));
const other = idOf<PeerId>(new Uint8Array(32).fill(2));

test('each peer has its own share of a day, and a new one the next day', () => {
  let nowMs = 10 * dayMs;
  const budget = new RelayBudget(1_000, () => nowMs);
  assert.equal(budget.left(one), 1_000);
  assert.ok(budget.spend(one, 600));
  assert.ok(!budget.spend(one, 600));
  assert.equal(budget.left(one), 0);
  assert.equal(budget.left(other), 1_000);
  nowMs += dayMs;
  assert.equal(budget.left(one), 1_000);
});

test('a budget of nothing passes nothing on', () => {
  assert.equal(new RelayBudget(0, () => 0).left(one), 0);
});
