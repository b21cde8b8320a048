import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import { UnreachedPeers } from './unreached-peers.ts';

const peer = 'ab'.repeat(32) as PeerId;
const other = 'cd'.repeat(32) as PeerId;

test('a peer that is called in vain rests for twice as long each time, up to a limit', () => {
  const unreached = new UnreachedPeers({ firstMs: 20, mostMs: 100 });
  let nowMs = 0;
  const rests: number[] = [];
  for (let time = 0; time < 5; time += 1) {
    unreached.missed(peer, nowMs);
    const sinceMs = nowMs;
    while (unreached.rests(peer, nowMs)) nowMs += 1;
    rests.push(nowMs - sinceMs);
  }
  assert.deepEqual(rests, [20, 40, 80, 100, 100]);
  assert.equal(unreached.rests(other, 0), false);
});

test('once it was reached it is called at once, and a later failure counts as the first', () => {
  const unreached = new UnreachedPeers({ firstMs: 20, mostMs: 100 });
  for (let time = 0; time < 4; time += 1) unreached.missed(peer, 0);
  unreached.reached(peer);
  assert.equal(unreached.rests(peer, 0), false);
  unreached.missed(peer, 0);
  assert.deepEqual([unreached.rests(peer, 19), unreached.rests(peer, 20)], [true, false]);
});
