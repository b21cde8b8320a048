import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { present } from '../../base/assert.ts';
import { utf8Bytes } from '../../base/bytes.ts';
import { sha256 } from '../../primitives/hash.ts';
import { codeText, shardCount } from '../vocabulary/code.ts';
import { idOf, type PeerId, type StripeId } from '../vocabulary/ids.ts';
import {
  bearableLosses,
  chooseCode,
  isWeaker,
  type PlanPreset,
  protectionOf,
  safetyShards,
} from './code-choice.ts';
import { domainMaximum } from './failure-domains.ts';
import { type PartnerSpace, type Placement, placeShards } from './placement.ts';

function peerOf(number: number): PeerId {
  return idOf<PeerId>(sha256(utf8Bytes(`peer ${number}`)));
}

function stripeOf(number: number): StripeId {
  return idOf<StripeId>(sha256(utf8Bytes(`stripe ${number}`)));
}

const partners = fc
  .array(fc.nat(100), { minLength: 1, maxLength: 12 })
  .map((free) => free.map((freeBytes, number) => ({ peer: peerOf(number), freeBytes })));

function codesFor(counts: readonly number[], preset?: PlanPreset): readonly string[] {
  return counts.map((count) => {
    const code = chooseCode(count, preset);
    return code === undefined ? '' : codeText(code);
  });
}

test('a few partners carry what a few can: a copy, n+1 parity, then half of it redundancy', () => {
  const expected = ['', '1+0', '1+1', '2+1', '2+2', '3+2', '3+3', '4+3', '4+4'];
  assert.deepEqual(codesFor([0, 1, 2, 3, 4, 5, 6, 7, 8]), expected);
  assert.deepEqual(codesFor([0, 1, 2, 3, 4, 5, 6, 7, 8], { preset: 'open' }), expected);
  for (const count of [2, 3]) assert.equal(chooseCode(count)?.id, 'parity');
});

test('a circle keeps 4+4 until there are twenty; strangers carry more redundancy', () => {
  assert.deepEqual(codesFor([9, 19, 20, 30]), ['4+4', '4+4', '8+12', '8+12']);
  const open = codesFor([9, 10, 14, 15, 19, 20, 30, 100], { preset: 'open' });
  assert.deepEqual(open, ['4+4', '4+6', '4+6', '6+9', '6+9', '8+12', '8+12', '8+12']);
  const hostile = codesFor([8, 20, 29, 30, 100], { preset: 'open', hostile: true });
  assert.deepEqual(hostile, ['4+4', '8+12', '8+12', '10+20', '10+20']);
});

test('more partners never get a code that bears less', () => {
  for (const preset of [
    { preset: 'circle' },
    { preset: 'open' },
    { preset: 'open', hostile: true },
  ] as const)
    for (let count = 1; count < 100; count += 1) {
      const code = present(chooseCode(count, preset), 'a code');
      assert.ok(!isWeaker(present(chooseCode(count + 1, preset), 'a code'), code));
    }
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

const anyStripe = stripeOf(0);
const full = present(chooseCode(8), '4+4');

function placed(able: readonly PartnerSpace[], code = full): Placement {
  const outcome = placeShards({ code, partners: able, shardBytes: 1, stripeId: anyStripe });
  assert.ok(outcome.ok);
  return outcome.value;
}

/** Shards by domain of the layer. */
function countsIn(
  { partners: byIndex }: Placement,
  able: readonly PartnerSpace[],
  layer: 'place' | 'system',
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const peer of byIndex.values()) {
    const domain = able.find((other) => other.peer === peer)?.domains?.[layer] ?? peer;
    counts.set(domain, (counts.get(domain) ?? 0) + 1);
  }
  return counts;
}

/** Partners of these places and systems, all with the same room. */
function inDomains(
  pairs: readonly (readonly [place: string, system: string])[],
): readonly PartnerSpace[] {
  return pairs.map(([place, system], number) => ({
    peer: peerOf(number),
    freeBytes: 10,
    domains: { place, system },
  }));
}

test('no place and no system takes more than half of the redundancy while there is a choice', () => {
  const pairs = Array.from({ length: 24 }, (_, number): readonly [string, string] => [
    number < 16 ? 'campus' : `home ${number % 4}`,
    number % 3 === 0 ? 'rare' : `system ${number % 5}`,
  ]);
  const able = inDomains(pairs);
  const placement = placed(able);
  assert.deepEqual(placement.crowded, []);
  for (const layer of ['place', 'system'] as const)
    for (const count of countsIn(placement, able, layer).values()) assert.ok(count <= 2);
});

test('a second shard goes to one place only when no other place is left, whoever is preferred', () => {
  const able = Array.from({ length: 10 }, (_, number) => ({
    peer: peerOf(number),
    // Those that share a place would come first.
    ...{ freeBytes: 1_000 - number, usedBytes: 1_000 - number },
    domains: { place: `place ${number < 4 ? 0 : number}` },
  }));
  const chosen = new Set(placed(able).partners.values());
  assert.equal(able.slice(0, 4).filter(({ peer }) => chosen.has(peer)).length, 2);
  const more = [10, 11].map((number) => ({
    ...{ peer: peerOf(number), freeBytes: 1_000, domains: { place: `place ${number}` } },
  }));
  const spread = new Set(placed([...able, ...more]).partners.values());
  assert.equal(able.slice(0, 4).filter(({ peer }) => spread.has(peer)).length, 1);
});

test('without a choice the limit gives way evenly, and it is said where', () => {
  const able = inDomains(Array.from({ length: 8 }, (_, number) => [`${number % 2}`, `${number}`]));
  assert.deepEqual(placed(able).crowded, [
    { domain: 'place 0', shards: 4, maximum: 2 },
    { domain: 'place 1', shards: 4, maximum: 2 },
  ]);
  const lopsided = [...able, ...inDomains(Array.from({ length: 20 }, () => ['0', 'same']))].map(
    (partner, number) => ({ ...partner, peer: peerOf(number) }),
  );
  const counts = countsIn(placed(lopsided), lopsided, 'place');
  assert.deepEqual([...counts].sort(), [
    ['0', 4],
    ['1', 4],
  ]);
});

/** Least sum over domains and layers of the squares of what is beyond the maximum, by trying all choices. */
function leastCrowding(able: readonly PartnerSpace[], needed: number, maximum: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let choice = 0; choice < 1 << able.length; choice += 1) {
    const chosen = able.filter((_, at) => (choice & (1 << at)) !== 0);
    if (chosen.length === needed) least = Math.min(least, crowding(chosen, maximum));
  }
  return least;
}

function crowding(chosen: readonly PartnerSpace[], maximum: number): number {
  let sum = 0;
  for (const layer of ['place', 'system'] as const) {
    const groups = Map.groupBy(chosen, ({ peer, domains }) => domains?.[layer] ?? peer);
    for (const group of groups.values()) sum += Math.max(0, group.length - maximum) ** 2;
  }
  return sum;
}

test('C36: what is placed is crowded no more than the best of all choices', () => {
  const word = fc.constantFrom('a', 'b', 'c', undefined);
  const crowd = fc.array(fc.tuple(word, word, fc.nat(3)), { minLength: 1, maxLength: 9 });
  fc.assert(
    fc.property(crowd, fc.integer({ min: 1, max: 9 }), (drawn, wanted) => {
      const able = drawn.map(([place, system, usedBytes], number) => ({
        peer: peerOf(number),
        freeBytes: 10,
        usedBytes,
        domains: { ...(place && { place }), ...(system && { system }) },
      }));
      const code = present(chooseCode(Math.min(wanted, able.length)), 'a code');
      const placement = placed(able, code);
      const peers = new Set(placement.partners.values());
      assert.equal(peers.size, shardCount(code));
      const chosen = able.filter(({ peer }) => peers.has(peer));
      const maximum = domainMaximum(code.parityShards);
      assert.equal(crowding(chosen, maximum), leastCrowding(able, shardCount(code), maximum));
    }),
  );
});

test('stripes of one owner share one set of partners', () => {
  let able: readonly (PartnerSpace & { readonly usedBytes: number })[] = Array.from(
    { length: 19 },
    (_, number) => ({ peer: peerOf(number), freeBytes: 100, usedBytes: 0 }),
  );
  const used = new Set<PeerId>();
  for (let stripe = 0; stripe < 50; stripe += 1) {
    const outcome = placeShards({
      code: full,
      partners: able,
      shardBytes: 1,
      stripeId: stripeOf(stripe),
    });
    assert.ok(outcome.ok);
    const taken = new Set(outcome.value.partners.values());
    for (const peer of taken) used.add(peer);
    able = able.map((partner) =>
      taken.has(partner.peer)
        ? { ...partner, freeBytes: partner.freeBytes - 1, usedBytes: partner.usedBytes + 1 }
        : partner,
    );
  }
  assert.equal(used.size, 8);
});

test('of new partners, those that give data back faster are taken first', () => {
  const able = Array.from({ length: 12 }, (_, number) => ({
    peer: peerOf(number),
    freeBytes: 100 - number,
    bandwidth: number,
  }));
  const expected = able.slice(4).map(({ peer }) => peer);
  assert.deepEqual([...placed(able).partners.values()].sort(), expected.sort());
});

test('shards that stay keep their places, count in their domains, and their partners take no other', () => {
  const able = inDomains([
    ['home', 'a'],
    ['home', 'b'],
    ...Array.from({ length: 9 }, (_, number): [string, string] => [
      number < 3 ? 'home' : `${number}`,
      `system ${number}`,
    ]),
  ]);
  const kept = new Map([
    [6, peerOf(0)],
    [1, peerOf(1)],
  ]);
  const request = { code: full, partners: able, shardBytes: 1, stripeId: anyStripe, kept };
  const outcome = placeShards(request);
  assert.ok(outcome.ok);
  const { partners: byIndex, crowded } = outcome.value;
  assert.deepEqual([...byIndex.keys()], [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.deepEqual([byIndex.get(6), byIndex.get(1)], [peerOf(0), peerOf(1)]);
  assert.equal(new Set(byIndex.values()).size, 8);
  assert.deepEqual(crowded, []);
  const further = new Map([...kept, [9, peerOf(2)] as const]);
  const spares = placeShards({ ...request, kept: further, open: [8, 10] });
  assert.ok(spares.ok);
  assert.deepEqual([...spares.value.partners.keys()], [1, 6, 8, 9, 10]);
  assert.equal(new Set(spares.value.partners.values()).size, 5);
  assert.throws(() => placeShards({ ...request, kept: further, open: [9] }));
  const gone = new Map([[2, idOf<PeerId>(sha256(utf8Bytes('gone')))]]);
  assert.ok(placeShards({ ...request, kept: gone }).ok);
});
