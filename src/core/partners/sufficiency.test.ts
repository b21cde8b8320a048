import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { PeerId } from '../vocabulary/ids.ts';
import { sufficiencyWords } from './selection-words.ts';
import {
  enoughPartners,
  mostPartners,
  type PresentPartner,
  type WantedPartners,
} from './sufficiency.ts';

function peerOf(number: number): PeerId {
  return number.toString(16).padStart(64, '0') as PeerId;
}

function partnerOf(number: number, change: Partial<PresentPartner> = {}): PresentPartner {
  return {
    peer: peerOf(number),
    phase: 'standing',
    paused: false,
    spareWanted: false,
    availability: 0.9,
    domains: {},
    lentBytes: 10e9,
    freeBytes: 5e9,
    ...change,
  };
}

function partnersOf(
  count: number,
  change: Partial<PresentPartner> = {},
): readonly PresentPartner[] {
  return Array.from({ length: count }, (_, at) => partnerOf(at, change));
}

const want: WantedPartners = {
  count: 8,
  shardsInUse: 0,
  bytes: 8e9,
  perPlaceMaximum: 2,
  availabilityMinimum: 0.3,
};

const partner: fc.Arbitrary<PresentPartner> = fc.record({
  peer: fc.nat(1_000).map(peerOf),
  phase: fc.constantFrom(
    ...([
      'proposed',
      'in-commitment',
      'standing',
      'suspended',
      'leaving',
      'reneged',
      'ended',
    ] as const),
  ),
  paused: fc.boolean(),
  spareWanted: fc.boolean(),
  availability: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
  domains: fc.record(
    { place: fc.constantFrom('a', 'b'), system: fc.constantFrom('linux', 'darwin') },
    { requiredKeys: [], noNullPrototype: true },
  ),
  lentBytes: fc.nat(10),
  freeBytes: fc.nat(10),
});

test('C21: with as many good partners as are wanted there are enough', () => {
  assert.deepEqual(enoughPartners(partnersOf(8), want), {
    enough: true,
    have: 8,
    wanted: 8,
    missing: 0,
    onlySeparate: false,
    reasons: [{ code: 'enough-partners', have: 8, wanted: 8 }],
  });
});

test('C20: with fewer, so many are missing', () => {
  const { enough, missing, reasons } = enoughPartners(partnersOf(5), want);
  assert.deepEqual([enough, missing], [false, 3]);
  assert.deepEqual(reasons, [{ code: 'few-partners', have: 5, wanted: 8 }]);
  assert.equal(enoughPartners([], want).missing, 8);
  assert.equal(enoughPartners([], { ...want, count: 0 }).enough, true);
});

test('C22: one that cannot be counted on does not count, and it is said why', () => {
  const cases: readonly [Partial<PresentPartner>, string][] = [
    [{ phase: 'reneged' }, 'not-in-force'],
    [{ phase: 'ended' }, 'not-in-force'],
    [{ phase: 'proposed' }, 'not-in-force'],
    [{ phase: 'leaving' }, 'leaving'],
    [{ phase: 'suspended', spareWanted: true }, 'silent'],
    [{ phase: 'suspended' }, 'suspended'],
    [{ paused: true }, 'paused'],
    [{ lentBytes: 0 }, 'lends-nothing'],
    [{ availability: 0.1 }, 'seldom-there'],
    [{ freeBytes: 1e6 }, 'no-room'],
  ];
  for (const [change, cause] of cases) {
    const result = enoughPartners([...partnersOf(7), partnerOf(9, change)], want);
    assert.deepEqual([result.enough, result.missing, result.have], [false, 1, 7]);
    const reason = result.reasons.find(({ code }) => code === 'not-counted');
    assert.ok(reason?.code === 'not-counted' && reason.peer === peerOf(9));
    assert.equal(reason.cause.code, cause);
  }
});

test('one in commitment counts, and so does one of which nothing was measured', () => {
  const partners = [
    ...partnersOf(6),
    partnerOf(7),
    partnerOf(8, { phase: 'in-commitment', availability: undefined }),
  ];
  assert.equal(enoughPartners(partners, want).enough, true);
});

test('full partners suffice once everything is placed', () => {
  const full = partnersOf(8, { freeBytes: 0 });
  assert.equal(enoughPartners(full, want).missing, 8);
  assert.equal(enoughPartners(full, { ...want, bytes: 0 }).enough, true);
});

test('C23: a crowded place counts only in part, and then only separate candidates would help', () => {
  const partners = [
    ...partnersOf(5, { domains: { place: 'one house' } }),
    ...[10, 11, 12].map((number) => partnerOf(number)),
  ];
  const result = enoughPartners(partners, want);
  assert.deepEqual([result.enough, result.missing, result.onlySeparate], [false, 3, true]);
  assert.deepEqual(result.reasons.at(-1), {
    code: 'crowded-place',
    place: 'one house',
    partners: 5,
    counted: 2,
  });
});

test('C23: for the sake of separation the partners do not grow without end', () => {
  for (const count of [8, 11, 12, 40]) {
    const { missing } = enoughPartners(partnersOf(count, { domains: { place: 'a' } }), want);
    assert.equal(missing, Math.min(6, Math.max(0, 12 - count)));
  }
});

test('C23: that all run one system is said', () => {
  const domains = { system: 'linux 6.8' };
  const { enough, reasons } = enoughPartners(partnersOf(8, { domains }), want);
  assert.equal(enough, true);
  assert.deepEqual(reasons.at(-1), { code: 'one-system', system: 'linux 6.8', partners: 8 });
});

test('a stripe wider than the partners asked for wants all of its shards held, within reason', () => {
  const asked = { ...want, count: 3, bytes: 0 };
  const missing = (shardsInUse: number): number =>
    enoughPartners(partnersOf(3), { ...asked, shardsInUse }).missing;
  assert.deepEqual([0, 3, 4, 6, 20].map(missing), [0, 0, 1, 3, 3]);
  assert.equal(enoughPartners([], { ...asked, count: 0, shardsInUse: 4 }).enough, true);
});

test('there are enough exactly when none is missing, and the numbers fit, whatever partners there are', () => {
  const numbers = fc.record({ count: fc.nat(12), shardsInUse: fc.nat(30), bytes: fc.nat(40) });
  fc.assert(
    fc.property(fc.array(partner, { maxLength: 30 }), numbers, (all, drawn) => {
      const wanted = { ...want, ...drawn };
      const { count } = drawn;
      const result = enoughPartners(all, wanted);
      assert.equal(result.enough, result.missing === 0);
      assert.ok(result.wanted >= count && result.wanted <= (count && mostPartners(count)));
      assert.ok(result.have <= all.length && result.missing <= result.wanted);
      assert.ok(result.missing >= result.wanted - result.have);
      assert.equal(result.onlySeparate, result.missing > 0 && result.have >= result.wanted);
      for (const reason of result.reasons) assert.ok(sufficiencyWords(reason).length > 8);
      const more = enoughPartners([...all, partnerOf(2_000)], wanted);
      assert.ok(more.missing <= result.missing);
    }),
  );
});
