import assert from 'node:assert/strict';
import test from 'node:test';
import { refusalCodes } from '../../core/wire/refusal.ts';
import { agreedPair } from '../../sim/agreed-pair.ts';
import type { StillCommitted } from '../partners/lifecycle-keeper.ts';
import { graver, isRefusal } from './refused-drills.ts';

const partner = agreedPair(1 << 20).owner.peerId;

function refuses(code: string, still: StillCommitted, of: 'old' | 'any'): boolean {
  return isRefusal(code, partner, { keeper: { mayStillCommit: () => still }, of });
}

test('C17: commitment excuses a partner while it may run there, and that of a growth excuses nothing that is older', () => {
  const code = 'request.in-commitment';
  assert.equal(refuses(code, 'everything', 'old'), false);
  assert.equal(refuses(code, 'what-came-later', 'any'), false);
  assert.equal(refuses(code, 'what-came-later', 'old'), true);
  assert.equal(refuses(code, 'nothing', 'any'), true);
  assert.equal(refuses('request.not-partner', 'everything', 'any'), true);
  assert.equal(refuses('peer.unreachable', 'nothing', 'old'), false);
  assert.equal(refuses('', 'nothing', 'old'), false);
});

test('C17: whatever a partner says when it gives nothing is a refusal, unless it may be true', () => {
  const codes = [...refusalCodes, 'quota.denied', 'shard.denied', 'peer.refused', 'peer.silent'];
  const excused = codes.filter((code) => !refuses(code, 'nothing', 'old'));
  assert.deepEqual(excused, ['shard.unknown', 'request.quota']);
});

test('no excuse hides a refusal that came before it', () => {
  for (const excuse of ['peer.unreachable', 'shard.unknown', 'request.in-commitment']) {
    assert.equal(graver('', excuse), excuse);
    assert.equal(graver('request.paused', excuse), 'request.paused');
    assert.equal(graver(excuse, 'request.paused'), 'request.paused');
    assert.equal(graver(excuse, 'request.quota'), 'request.quota');
  }
  assert.equal(graver('request.paused', 'peer.silent'), 'peer.silent');
});
