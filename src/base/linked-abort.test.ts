import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { linkedAbort } from './linked-abort.ts';

test('it aborts with the first of those that it follows, or by itself', () => {
  const [left, right] = [new AbortController(), new AbortController()];
  const both = linkedAbort(left.signal, right.signal);
  const alone = linkedAbort(left.signal, right.signal);
  alone.abort();
  assert.deepEqual([both.signal.aborted, alone.signal.aborted], [false, true]);
  right.abort();
  assert.equal(both.signal.aborted, true);
  assert.equal(linkedAbort(left.signal, right.signal).signal.aborted, true);
});

test('once released, or aborted, it leaves nothing behind at those that it followed', () => {
  const { signal } = new AbortController();
  const released = linkedAbort(signal);
  const aborted = linkedAbort(signal);
  assert.equal(getEventListeners(signal, 'abort').length, 2);
  released.release();
  aborted.abort();
  assert.equal(getEventListeners(signal, 'abort').length, 0);
  assert.equal(released.signal.aborted, false);
});
