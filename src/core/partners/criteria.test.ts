import assert from 'node:assert/strict';
import test from 'node:test';
import { hourMs, instant, mebi } from '../../base/units.ts';
import type { PeerId } from '../vocabulary/ids.ts';
import type { Profile } from '../wire/profile.ts';
import {
  type Candidate,
  type Criteria,
  circleCriteria,
  type JudgingView,
  judgeCandidate,
  openCriteria,
} from './criteria.ts';
import { traitsOf } from './failure-domain.ts';
import { beginObservation, observeStretch, observeTransfer } from './observation.ts';
import { weekHours } from './schedule.ts';
import { refusalWords } from './selection-words.ts';

const self = '01'.repeat(32) as PeerId;
const other = '02'.repeat(32) as PeerId;
const now = instant(Date.UTC(2026, 0, 5));
const always = new Uint8Array(weekHours).fill(255);

function profileWith(change: Partial<Profile> = {}): Profile {
  return {
    peer: other,
    name: 'other',
    protocols: [1],
    program: '0.1.0',
    system: 'linux',
    architecture: 'x64',
    place: {},
    schedule: always,
    upBytesPerSecond: 2 * mebi,
    downBytesPerSecond: mebi,
    offeredBytes: 50e9,
    wantedBytes: 50e9,
    presets: ['circle', 'open'],
    references: [],
    time: now,
    ...change,
  };
}

function candidateWith(change: Partial<Candidate> = {}, said: Partial<Profile> = {}): Candidate {
  const profile = profileWith(said);
  return { peer: other, profile, traits: traitsOf(profile), ...change };
}

function viewWith(criteria: Partial<Criteria> = {}): JudgingView {
  const seeker = { peer: self, traits: { household: 'ours', atHome: true }, schedule: always };
  return { seeker, criteria: { ...openCriteria, ...criteria }, now };
}

/** The codes of the refusals. */
function refusalsOf(candidate: Candidate, view = viewWith()): readonly string[] {
  const judgement = judgeCandidate(candidate, view);
  if (judgement.accepted) return [];
  for (const refusal of judgement.refusals) assert.ok(refusalWords(refusal).length > 4);
  return judgement.refusals.map(({ code }) => code);
}

test('C2: a candidate that satisfies every criterion is accepted', () => {
  const record = { renegedCount: 1, askedCount: 3, provenDays: 40 };
  assert.deepEqual(judgeCandidate(candidateWith({ record }), viewWith()), {
    accepted: true,
    remarks: [],
  });
});

test('C2: this computer, a partner, and whoever answers for another are no candidates', () => {
  assert.deepEqual(refusalsOf(candidateWith({ peer: self })), ['candidate.self']);
  assert.deepEqual(refusalsOf(candidateWith({ isPartner: true })), ['candidate.already-partner']);
  assert.deepEqual(refusalsOf(candidateWith({ wrongIdentity: true })), [
    'candidate.wrong-identity',
  ]);
  assert.deepEqual(refusalsOf({ peer: other, profile: undefined, traits: {} }), [
    'candidate.unknown',
  ]);
});

test('C27: whoever reneged on this computer is no candidate until a person forgives it', () => {
  const among = viewWith({ renegedMaximum: 100 });
  assert.deepEqual(refusalsOf(candidateWith({ renegedHere: true }), among), [
    'candidate.reneged-here',
  ]);
  assert.deepEqual(refusalsOf(candidateWith({ renegedHere: false }), among), []);
});

test('a refusal holds until its time is over', () => {
  const refused = { code: 'terms.refused', until: instant(now + hourMs) };
  assert.deepEqual(refusalsOf(candidateWith({ refused })), ['candidate.recently-refused']);
  const later = { ...viewWith(), now: refused.until };
  assert.deepEqual(refusalsOf(candidateWith({ refused }), later), []);
});

test('C2: one protocol and one kind of agreement must be common', () => {
  assert.deepEqual(refusalsOf(candidateWith({}, { protocols: [2, 3] })), ['candidate.protocol']);
  assert.deepEqual(refusalsOf(candidateWith({}, { protocols: [1, 2] })), []);
  assert.deepEqual(refusalsOf(candidateWith({}, { presets: ['circle'] })), ['candidate.preset']);
});

test('C24: schedules must overlap for hours enough, by what was observed before what is said', () => {
  const seldom = new Uint8Array(weekHours).fill(255, 0, 13);
  assert.deepEqual(judgeCandidate(candidateWith({}, { schedule: seldom }), viewWith()), {
    accepted: false,
    refusals: [{ code: 'candidate.schedule', hours: 13, needed: 14 }],
  });
  const observation = observeStretch(beginObservation(now), {
    from: now,
    until: now + weekHours * hourMs,
    online: false,
  });
  assert.deepEqual(refusalsOf(candidateWith({ observation })), ['candidate.schedule']);
});

test('C26: average bandwidth below the threshold is refused, by what was measured before what is said', () => {
  assert.deepEqual(refusalsOf(candidateWith({}, { upBytesPerSecond: 100 })), [
    'candidate.bandwidth',
  ]);
  const slow = { direction: 'up', bytes: mebi, durationMs: hourMs } as const;
  const observation = observeTransfer(beginObservation(now), slow);
  assert.deepEqual(judgeCandidate(candidateWith({ observation }), viewWith()), {
    accepted: false,
    refusals: [
      {
        code: 'candidate.bandwidth',
        direction: 'up',
        bytesPerSecond: 291,
        needed: openCriteria.bandwidthMinimum,
      },
    ],
  });
});

test('what nobody knows refuses nobody, and is remarked', () => {
  const { schedule, upBytesPerSecond, downBytesPerSecond, ...said } = profileWith();
  assert.ok(schedule !== undefined && upBytesPerSecond !== downBytesPerSecond);
  const candidate = { peer: other, profile: said, traits: {} };
  assert.deepEqual(judgeCandidate(candidate, viewWith()), {
    accepted: true,
    remarks: ['schedule-unknown', 'bandwidth-unknown', 'record-unknown'],
  });
});

test('C24: too little space is refused', () => {
  assert.deepEqual(refusalsOf(candidateWith({}, { offeredBytes: 1e9 })), ['candidate.space']);
  const view = viewWith({ spaceMinimumBytes: 1e9 });
  assert.deepEqual(refusalsOf(candidateWith({}, { offeredBytes: 1e9 }), view), []);
});

test('C27: one that reneged on more than N others is refused, whether they say so or it admits it', () => {
  const record = (renegedCount: number) => ({ renegedCount, askedCount: 4, provenDays: 0 });
  assert.deepEqual(refusalsOf(candidateWith({ record: record(1) })), []);
  assert.deepEqual(refusalsOf(candidateWith({ record: record(2) })), ['candidate.record']);
  const reference = (byte: string) => ({
    peer: byte.repeat(32) as PeerId,
    addresses: [],
    sequence: 1,
    receiptHash: new Uint8Array(32),
    provenDays: 3,
    renegedCount: 1,
  });
  const references = [reference('0a'), reference('0b')];
  assert.deepEqual(refusalsOf(candidateWith({}, { references })), ['candidate.record']);
  assert.deepEqual(
    refusalsOf(candidateWith({}, { references }), viewWith({ renegedMaximum: 2 })),
    [],
  );
});

test('C23: strangers of the same household are refused, friends are not', () => {
  const candidate = candidateWith({ traits: { household: 'ours' } });
  assert.deepEqual(refusalsOf(candidate), ['candidate.same-household']);
  const circle = { ...viewWith(), criteria: circleCriteria };
  assert.deepEqual(refusalsOf(candidate, circle), []);
});

test('every criterion that is missed is named, in one order', () => {
  const candidate = candidateWith(
    { isPartner: true, traits: { atHome: true } },
    { protocols: [], presets: [], offeredBytes: 0, schedule: new Uint8Array(weekHours) },
  );
  assert.deepEqual(refusalsOf(candidate), [
    'candidate.already-partner',
    'candidate.protocol',
    'candidate.preset',
    'candidate.space',
    'candidate.same-household',
    'candidate.schedule',
  ]);
});
