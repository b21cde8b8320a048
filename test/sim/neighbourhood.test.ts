/** Two hundred different computers find partners by themselves, while messages are lost and computers crash (C2, C3, C20–C27, C36). */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';

test('everybody who can be served is, whatever gets lost, and stripes keep to separate places', async () => {
  const run = new Worker(new URL('./neighbourhood-run.ts', import.meta.url));
  const [problems] = await once(run, 'message');
  assert.deepEqual(problems, []);
});
