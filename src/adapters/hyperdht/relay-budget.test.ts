import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Bytes } from '../../base/bytes.ts';
import { encodeCbor } from '../../base/codec.ts';
import { dayMs, mebi } from '../../base/units.ts';
import { idOf, type PeerId } from '../../core/vocabulary/ids.ts';
import { RelayBudget, type SpentMemory } from './relay-budget.ts';

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

test('what was passed on today is known after a restart, and forgotten the next day', () => {
  let nowMs = 10 * dayMs;
  let kept: Bytes | undefined;
  const memory: SpentMemory = {
    read: () => kept,
    write: (spent) => {
      kept = spent;
    },
  };
  const opened = (): RelayBudget => new RelayBudget(64 * mebi, () => nowMs, memory);
  const first = opened();
  first.spend(one, 3 * mebi);
  assert.equal(kept, undefined, 'not each byte is worth a write');
  first.spend(other, 40 * mebi);
  assert.deepEqual([opened().left(one), opened().left(other)], [61 * mebi, 24 * mebi]);
  first.spend(one, 1);
  first.save();
  assert.equal(opened().left(one), 61 * mebi - 1);
  nowMs += dayMs;
  assert.equal(opened().left(other), 64 * mebi);
});

test('whatever lies in the memory, there is a budget', () => {
  const asked = (bytes: Uint8Array): number => {
    const kept = new Uint8Array(bytes) as Bytes;
    return new RelayBudget(5, () => 0, { read: () => kept, write: () => undefined }).left(one);
  };
  fc.assert(fc.property(fc.uint8Array(), (bytes) => asked(bytes) === 5));
  for (const value of [[0], [0, 1], ['a', []], [0, [[1, 2], 7, [new Uint8Array(3), 1]]]])
    assert.equal(asked(encodeCbor(value)), 5);
});
