import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { instant, mebi } from '../../base/units.ts';
import type { PeerId } from '../vocabulary/ids.ts';
import type { Profile } from '../wire/profile.ts';
import type { Candidate } from './criteria.ts';
import { type Traits, traitsOf } from './failure-domain.ts';
import { type RankingView, rankCandidates } from './ranking.ts';
import { weekHours } from './schedule.ts';
import { rankWords } from './selection-words.ts';

const always = new Uint8Array(weekHours).fill(255);

function peerOf(number: number): PeerId {
  return number.toString(16).padStart(64, '0') as PeerId;
}

function candidateOf(
  number: number,
  said: Partial<Profile> = {},
  known: Partial<Candidate> = {},
): Candidate {
  const profile: Profile = {
    peer: peerOf(number),
    name: `peer ${number}`,
    protocols: [1],
    program: '0.1.0',
    system: 'linux',
    osVersion: '6.8',
    architecture: 'x64',
    place: {},
    schedule: always,
    upBytesPerSecond: mebi,
    downBytesPerSecond: mebi,
    offeredBytes: 50e9,
    wantedBytes: 0,
    presets: ['open'],
    references: [],
    time: instant(1),
    ...said,
  };
  return { peer: profile.peer, profile, traits: traitsOf(profile), ...known };
}

const seeker = {
  peer: peerOf(0),
  traits: {
    household: 'ours',
    country: 'CH',
    coordinates: { latitude: 47, longitude: 8 },
    system: 'linux',
    osVersion: '6.8',
    architecture: 'x64',
    program: '0.1.0',
  },
  schedule: always,
};
const alone: RankingView = { seeker, partners: [] };

/** The numbers of the candidates, best first. */
function orderOf(candidates: readonly Candidate[], view = alone): readonly number[] {
  return rankCandidates(candidates, view).map(({ peer }) => Number.parseInt(peer, 16));
}

const somePlace = fc.record(
  {
    household: fc.constantFrom('ours', 'a', 'b', 'c'),
    country: fc.constantFrom('CH', 'NZ', 'FR'),
    coordinates: fc.record({
      latitude: fc.integer({ min: -90, max: 90 }),
      longitude: fc.integer({ min: -180, max: 179 }),
    }),
  },
  { requiredKeys: [] },
);
const said: fc.Arbitrary<Partial<Profile>> = fc.record(
  {
    place: somePlace,
    networkPrefix: fc.constantFrom('192.0.2.0/24', '198.51.100.0/24'),
    system: fc.constantFrom('linux', 'darwin'),
    architecture: fc.constantFrom('x64', 'arm64'),
    upBytesPerSecond: fc.nat(8 * mebi),
  },
  { requiredKeys: [] },
);
const record = fc.record({
  renegedCount: fc.nat(2),
  askedCount: fc.nat(4),
  provenDays: fc.nat(200),
});
const candidates: fc.Arbitrary<readonly Candidate[]> = fc
  .array(fc.tuple(said, fc.option(record, { nil: undefined }), fc.boolean()), { maxLength: 12 })
  .map((all) =>
    all.map(([profile, known, invited], at) =>
      candidateOf(at + 1, profile, { record: known, invited }),
    ),
  );
const partners = fc
  .array(said, { maxLength: 4 })
  .map((all): readonly Traits[] => all.map((profile, at) => candidateOf(100 + at, profile).traits));

test('the ranking is the same whatever order the candidates come in, and loses none', () => {
  fc.assert(
    fc.property(candidates, partners, fc.infiniteStream(fc.nat()), (all, present, dice) => {
      const view = { seeker, partners: present };
      const ranked = rankCandidates(all, view);
      const shuffled = all
        .map((candidate) => ({ candidate, at: dice.next().value }))
        .toSorted((left, right) => left.at - right.at)
        .map(({ candidate }) => candidate);
      assert.deepEqual(rankCandidates(shuffled, view), ranked);
      assert.deepEqual(
        ranked.map(({ peer }) => peer).toSorted(),
        all.map(({ peer }) => peer).toSorted(),
      );
    }),
    { numRuns: 60 },
  );
});

test('C2: every place has its reasons, whose points are its score, in words a person can read', () => {
  fc.assert(
    fc.property(candidates, partners, (all, present) => {
      for (const [at, ranked] of rankCandidates(all, { seeker, partners: present }).entries()) {
        assert.equal(ranked.place, at + 1);
        assert.equal(
          ranked.reasons.reduce((sum, { points }) => sum + points, 0),
          ranked.score,
        );
        for (const reason of ranked.reasons) assert.match(rankWords(reason), /^[^.\n]{3,80}|\d/);
        assert.equal(
          ranked.separate,
          ranked.reasons.some(({ code }) => code === 'separate-place'),
        );
      }
    }),
    { numRuns: 40 },
  );
});

test('C21, C23: a candidate of a shared place never comes before its equal that stands apart', () => {
  const crowd = fc.constantFrom<Partial<Profile>>(
    { place: { household: 'ours' } },
    { place: { household: 'partner' } },
    { networkPrefix: '203.0.113.0/24' },
  );
  fc.assert(
    fc.property(candidates, crowd, fc.boolean(), (others, shared, sharedFirst) => {
      const apart = { place: { household: 'apart' }, networkPrefix: '233.252.0.0/24' };
      const [one, two] = sharedFirst ? [300, 301] : [301, 300];
      const view = {
        seeker,
        partners: [{ household: 'partner', networkPrefix: '203.0.113.0/24' }],
      };
      const order = orderOf([...others, candidateOf(one, shared), candidateOf(two, apart)], view);
      assert.ok(order.indexOf(two) < order.indexOf(one));
    }),
    { numRuns: 60 },
  );
});

test('C23: of two good candidates of one household the second comes after others that stand apart', () => {
  const home = {
    place: { household: 'a' },
    upBytesPerSecond: 4 * mebi,
    downBytesPerSecond: 4 * mebi,
  };
  const order = orderOf([
    candidateOf(1, home),
    candidateOf(2, home),
    candidateOf(3, { place: { household: 'b' } }),
    candidateOf(4, { place: { household: 'c' } }),
  ]);
  assert.deepEqual(order, [1, 3, 4, 2]);
});

test('C23: far and foreign come before near', () => {
  const near = candidateOf(1, {
    place: { country: 'CH', coordinates: { latitude: 47, longitude: 9 } },
  });
  const far = candidateOf(2, {
    place: { country: 'NZ', coordinates: { latitude: -41, longitude: 175 } },
  });
  assert.deepEqual(orderOf([near, far]), [2, 1]);
});

test('C23: other systems, architectures and versions come before the same', () => {
  const changes: readonly Partial<Profile>[] = [
    { system: 'darwin', osVersion: '24.1' },
    { osVersion: '6.1' },
    { architecture: 'arm64' },
    { program: '0.2.0' },
  ];
  for (const change of changes)
    assert.deepEqual(orderOf([candidateOf(1), candidateOf(2, change)]), [2, 1]);
});

test('C25: candidates that serve better are preferred, and unknown ones come last', () => {
  const half = new Uint8Array(weekHours).fill(255, 0, 84);
  const { schedule: _schedule, ...unknownHours } = candidateOf(3).profile ?? {};
  const byHours = [
    { ...candidateOf(3), profile: unknownHours as Profile },
    candidateOf(2, { schedule: half }),
    candidateOf(1),
  ];
  assert.deepEqual(orderOf(byHours), [1, 2, 3]);
  const {
    upBytesPerSecond: _up,
    downBytesPerSecond: _down,
    ...unknownPace
  } = candidateOf(3).profile ?? {};
  const byPace = [
    { ...candidateOf(3), profile: unknownPace as Profile },
    candidateOf(2, { upBytesPerSecond: 1 }),
    candidateOf(1),
  ];
  assert.deepEqual(orderOf(byPace), [1, 2, 3]);
});

test('C27: a proven record comes before none, and none before a broken one', () => {
  const known = (provenDays: number, renegedCount: number) => ({
    record: { provenDays, renegedCount, askedCount: 2 },
  });
  const order = orderOf([
    candidateOf(3, {}, known(90, 1)),
    candidateOf(2),
    candidateOf(1, {}, known(90, 0)),
  ]);
  assert.deepEqual(order, [1, 2, 3]);
});

test('equals are ordered by their ids', () => {
  const order = orderOf([7, 3, 5].map((number) => candidateOf(number)));
  assert.deepEqual(order, [3, 5, 7]);
});
