import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Trace } from './trace.ts';

function traced(count: number, options: { readonly looked?: boolean; readonly other?: number }) {
  const trace = new Trace();
  for (let number = 0; number < count; number += 1) {
    const name = number === options.other ? 'other' : 'event';
    trace.add({ atMs: number, node: 'ada' }, name, { second: number, first: 'a' });
    if (options.looked === true) trace.hash();
  }
  return trace;
}

test('the hash follows from all lines, wherever they stand, and not from when it was asked for', () => {
  for (const count of [0, 1, 255, 256, 257, 700]) {
    const hash = traced(count, {}).hash();
    assert.equal(traced(count, { looked: true }).hash(), hash);
    assert.notEqual(traced(count + 1, {}).hash(), hash);
    for (const other of [0, count >> 1, count - 1])
      if (other >= 0 && other < count) assert.notEqual(traced(count, { other }).hash(), hash);
  }
});

test('the last lines stand by, the newest last', () => {
  const lines = traced(1_000, {}).lines();
  assert.equal(lines.length, 200);
  assert.equal(lines.at(-1), '999 ada event [["first","a"],["second",999]]');
});
