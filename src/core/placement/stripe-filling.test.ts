import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { utf8Bytes } from '../../base/bytes.ts';
import { sha256 } from '../../primitives/hash.ts';
import { type Code, shardCount } from '../vocabulary/code.ts';
import { idOf, type PeerId, type StripeId } from '../vocabulary/ids.ts';
import type { PartnerSpace } from './placement.ts';
import { fillStripe } from './stripe-filling.ts';

const code: Code = { id: 'reed-solomon', dataShards: 4, parityShards: 4 };
const stripeId = idOf<StripeId>(sha256(utf8Bytes('stripe')));

function peerOf(number: number): PeerId {
  return idOf<PeerId>(sha256(utf8Bytes(`peer ${number}`)));
}

function partnersOf(count: number, placeOf?: (number: number) => string): PartnerSpace[] {
  return Array.from({ length: count }, (_, number) => ({
    peer: peerOf(number),
    freeBytes: 10,
    ...(placeOf === undefined ? {} : { domains: { place: placeOf(number) } }),
  }));
}

/** Shards 0 … 6 at as many partners; that of the last place is missing. */
const kept = new Map(Array.from({ length: 7 }, (_, index) => [index, peerOf(index)] as const));
const common = { code, shardBytes: 1, stripeId, kept };

test('a shard in reserve fills any place, and nothing is sent', () => {
  const reserves = [
    { index: 12, partner: peerOf(20) },
    { index: 5, partner: peerOf(8) },
    { index: 11, partner: peerOf(6) },
    { index: 9, partner: peerOf(9) },
    { index: 10, partner: peerOf(10) },
  ];
  const filled = fillStripe({ ...common, partners: partnersOf(12), reserves, taken: [7] });
  assert.ok(filled.ok);
  // The first is nobody's who can be counted on, the second is kept already, and the third at a partner that has one.
  assert.deepEqual(filled.value.partners, new Map([...kept, [9, peerOf(9)]]));
});

test('without a reserve a further shard goes to somebody new', () => {
  const filled = fillStripe({ ...common, partners: partnersOf(8), reserves: [], taken: [7] });
  assert.ok(filled.ok);
  assert.deepEqual(filled.value.partners, new Map([...kept, [8, peerOf(7)]]));
  const few = fillStripe({ ...common, partners: partnersOf(7), reserves: [], taken: [7] });
  assert.equal(few.ok, false);
});

test('a reserve in a place that has enough of the stripe is not taken while another place has room', () => {
  const placeOf = (number: number): string => (number < 2 || number === 9 ? 'home' : `${number}`);
  const reserves = [{ index: 9, partner: peerOf(9) }];
  const spread = fillStripe({
    ...{ ...common, reserves, taken: [7] },
    partners: partnersOf(10, placeOf),
  });
  assert.ok(spread.ok);
  assert.equal(spread.value.partners.has(9), false);
  assert.deepEqual(spread.value.crowded, []);
  const others = partnersOf(10, placeOf).filter((_, number) => number < 7 || number === 9);
  const only = fillStripe({ ...common, partners: others, reserves, taken: [7] });
  assert.ok(only.ok);
  assert.equal(only.value.partners.get(9), peerOf(9));
});

test('a stripe is filled with shards of unlike indices at different partners, and what is kept stays', () => {
  const drawn = fc.record({
    reserves: fc.array(fc.record({ index: fc.nat(20), partner: fc.nat(15).map(peerOf) })),
    taken: fc.array(fc.nat(20)),
    keptCount: fc.nat(7),
    count: fc.integer({ min: 8, max: 14 }),
    places: fc.integer({ min: 1, max: 14 }),
  });
  fc.assert(
    fc.property(drawn, ({ reserves, taken, keptCount, count, places }) => {
      const staying = new Map([...kept].slice(0, keptCount));
      const partners = partnersOf(count, (number) => `${number % places}`);
      const filled = fillStripe({ ...common, kept: staying, partners, reserves, taken });
      assert.ok(filled.ok);
      const { partners: byIndex } = filled.value;
      assert.equal(byIndex.size, shardCount(code));
      assert.equal(new Set(byIndex.values()).size, byIndex.size);
      for (const [index, peer] of staying) assert.equal(byIndex.get(index), peer);
    }),
  );
});
