import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { present } from '../../base/assert.ts';
import { type Bytes, utf8Bytes } from '../../base/bytes.ts';
import { dayMs, instant } from '../../base/units.ts';
import { sha256 } from '../../primitives/hash.ts';
import {
  comparePlaces,
  type HeldManifest,
  judgeManifest,
  manifestsToKeep,
  newestManifest,
} from './ordering.ts';

function hashOf(name: string): Bytes {
  return sha256(utf8Bytes(name));
}

function heldOf(incarnation: number, sequence: number, day = 0): HeldManifest {
  return {
    incarnation,
    sequence,
    hash: hashOf(`${incarnation}.${sequence}`),
    receivedAt: instant(day * dayMs),
  };
}

const held = [heldOf(0, 1), heldOf(0, 2), heldOf(1, 3)];

function verdictOf(
  incarnation: number,
  sequence: number,
  names: { readonly own?: string; readonly previous?: string } = {},
): string {
  return judgeManifest(held, {
    incarnation,
    sequence,
    hash: hashOf(names.own ?? `${incarnation}.${sequence}`),
    ...(names.previous === undefined ? {} : { previousHash: hashOf(names.previous) }),
  }).verdict;
}

test('the next manifest is accepted when it follows the newest', () => {
  assert.equal(verdictOf(1, 4, { previous: '1.3' }), 'accept');
  assert.equal(
    judgeManifest([], { incarnation: 4, sequence: 9, hash: hashOf('x') }).verdict,
    'accept',
  );
});

test('the next manifest with another past is a fork', () => {
  assert.equal(verdictOf(1, 4, { previous: '0.2' }), 'fork');
  assert.equal(verdictOf(1, 4), 'fork');
});

test('another manifest in the place of a held one is a fork', () => {
  assert.equal(verdictOf(1, 3, { own: 'other' }), 'fork');
  assert.equal(verdictOf(0, 1, { own: 'other' }), 'fork');
});

test('a manifest that is held already is known', () => {
  assert.equal(verdictOf(1, 3), 'known');
  assert.equal(verdictOf(0, 2), 'known');
});

test('gaps are accepted, and so is a higher incarnation from any ancestor', () => {
  assert.equal(verdictOf(1, 7, { previous: 'unseen' }), 'accept');
  assert.equal(verdictOf(2, 1, { previous: 'unseen' }), 'accept');
  assert.equal(verdictOf(2, 2, { previous: '0.1' }), 'accept');
});

test('a manifest of a left branch is stale', () => {
  assert.equal(verdictOf(0, 3, { previous: '0.2' }), 'stale');
});

const history = fc
  .uniqueArray(fc.tuple(fc.nat(3), fc.nat(60), fc.nat(80)), {
    maxLength: 60,
    selector: ([incarnation, sequence]) => `${incarnation}.${sequence}`,
  })
  .map((places) =>
    places.map(([incarnation, sequence, day]) => heldOf(incarnation, sequence, day)),
  );

test('the newest is kept whatever the history, and keeping twice changes nothing', () => {
  fc.assert(
    fc.property(history, fc.nat(80), fc.nat(60), (manifests, today, lockDays) => {
      const now = instant(today * dayMs);
      const kept = manifestsToKeep(manifests, now, lockDays * dayMs);
      const newest = newestManifest(manifests);
      assert.equal(newest === undefined || kept.includes(newest), true);
      assert.ok(kept.length >= Math.min(8, manifests.length));
      assert.deepEqual(manifestsToKeep(kept, now, lockDays * dayMs), kept);
      for (const [index, manifest] of kept.entries())
        assert.ok(index === 0 || comparePlaces(present(kept[index - 1], 'before'), manifest) < 0);
    }),
  );
});

test('one manifest of each of the last thirty days is kept, and eight more at most', () => {
  const manifests = Array.from({ length: 400 }, (_, index) =>
    heldOf(0, index + 1, Math.floor(index / 4)),
  );
  const kept = manifestsToKeep(manifests, instant(100 * dayMs), 14 * dayMs);
  const days = new Set(kept.map(({ receivedAt }) => receivedAt / dayMs));
  assert.deepEqual(
    [...days],
    Array.from({ length: 30 }, (_, index) => 70 + index),
  );
  assert.ok(kept.length <= 30 + 8);
});

test('the last manifest of a left incarnation is kept for as long', () => {
  const left = heldOf(0, 50, 90);
  const later = Array.from({ length: 40 }, (_, index) => heldOf(1, index + 1, 90));
  const kept = manifestsToKeep([left, ...later], instant(95 * dayMs), 0);
  assert.ok(kept.includes(left));
  assert.ok(!manifestsToKeep([left, ...later], instant(125 * dayMs), 0).includes(left));
});

test('an owner that keeps raising its incarnation does not fill the disk', () => {
  const many = Array.from({ length: 1_000 }, (_, index) => heldOf(index, 1, 90));
  assert.ok(manifestsToKeep(many, instant(90 * dayMs), 0).length <= 17);
});
