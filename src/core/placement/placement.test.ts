import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { present } from '../../base/assert.ts';
import { utf8Bytes } from '../../base/bytes.ts';
import { sha256 } from '../../primitives/hash.ts';
import { codeText, shardCount } from '../vocabulary/code.ts';
import { idOf, type PeerId, type StripeId } from '../vocabulary/ids.ts';
import { bearableLosses, chooseCode, protectionOf, safetyShards } from './code-choice.ts';
import { placeShards } from './placement.ts';

function peerOf(number: number): PeerId {
  return idOf<PeerId>(sha256(utf8Bytes(`peer ${number}`)));
}

function stripeOf(number: number): StripeId {
  return idOf<StripeId>(sha256(utf8Bytes(`stripe ${number}`)));
}

const partners = fc
  .array(fc.nat(100), { minLength: 1, maxLength: 12 })
  .map((free) => free.map((freeBytes, number) => ({ peer: peerOf(number), freeBytes })));

test('the code of a circle grows with the partners', () => {
  const texts = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 100].map((count) => {
    const code = chooseCode(count);
    return code === undefined ? '' : codeText(code);
  });
  const expected = ['', '1+0', '1+1', '2+1', '2+2', '3+2', '3+3', '4+3', '4+4', '4+4', '8+12'];
  assert.deepEqual(texts, expected);
});

test('a code never needs more partners than there are', () => {
  for (let count = 1; count < 300; count += 1)
    assert.ok(shardCount(present(chooseCode(count), 'a code')) <= count);
});

test('C36: each shard goes to a distinct partner that has room for it', () => {
  fc.assert(
    fc.property(partners, fc.nat(100), fc.nat(), (able, shardBytes, stripe) => {
      const code = present(chooseCode(able.length), 'a code');
      const request = { code, partners: able, shardBytes, stripeId: stripeOf(stripe) };
      const outcome = placeShards(request);
      const roomy = able.filter(({ freeBytes }) => freeBytes >= shardBytes);
      assert.equal(outcome.ok, roomy.length >= shardCount(code));
      if (!outcome.ok) {
        assert.deepEqual(outcome.error, {
          code: 'placement.too-few-partners',
          able: roomy.length,
          needed: shardCount(code),
        });
        return;
      }
      const peers = [...outcome.value.partners.values()];
      assert.deepEqual([...outcome.value.partners.keys()], [...Array(shardCount(code)).keys()]);
      assert.equal(new Set(peers).size, shardCount(code));
      const roomyPeers = new Set(roomy.map(({ peer }) => peer));
      assert.ok(peers.every((peer) => roomyPeers.has(peer)));
      const again = placeShards({ ...request, partners: [...able].reverse() });
      assert.deepEqual(again, outcome);
    }),
  );
});

test('partners with more free space come first', () => {
  const able = Array.from({ length: 12 }, (_, number) => ({
    peer: peerOf(number),
    freeBytes: 100 + number,
  }));
  const code = present(chooseCode(8), 'a code');
  const outcome = placeShards({ code, partners: able, shardBytes: 1, stripeId: stripeOf(0) });
  assert.ok(outcome.ok);
  const expected = able.slice(4).map(({ peer }) => peer);
  assert.deepEqual([...outcome.value.partners.values()].sort(), expected.sort());
});

test('data and parity change places from stripe to stripe', () => {
  const able = Array.from({ length: 8 }, (_, number) => ({ peer: peerOf(number), freeBytes: 9 }));
  const code = present(chooseCode(8), 'a code');
  const dataShards = new Map<PeerId, number>();
  for (let stripe = 0; stripe < 400; stripe += 1) {
    const outcome = placeShards({
      code,
      partners: able,
      shardBytes: 1,
      stripeId: stripeOf(stripe),
    });
    assert.ok(outcome.ok);
    for (const [index, peer] of outcome.value.partners)
      if (index < code.dataShards) dataShards.set(peer, (dataShards.get(peer) ?? 0) + 1);
  }
  for (const count of dataShards.values()) assert.ok(count > 140 && count < 260, `${count}`);
  assert.equal(dataShards.size, 8);
});

test('a stripe is protected with half of its redundancy, and complete with all of it', () => {
  const code = present(chooseCode(8), 'a code');
  assert.equal(safetyShards(code), 2);
  const states = [0, 4, 5, 6, 7, 8].map((held) => protectionOf(held, code));
  assert.deepEqual(states, [
    'unprotected',
    'unprotected',
    'unprotected',
    'protected',
    'protected',
    'complete',
  ]);
  assert.equal(bearableLosses(6, code), 2);
  assert.equal(protectionOf(1, present(chooseCode(1), 'a copy')), 'complete');
});
