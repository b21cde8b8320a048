import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CandidateAnswer, SearchAnswer } from '../daemon/partnership-answers.ts';
import { lookingLine, searchText } from './search-text.ts';

const near: CandidateAnswer = {
  id: 'ab'.repeat(32),
  name: 'attic',
  addresses: [],
  source: 'dht',
  rank: 1,
  reasons: [
    { code: 'separate-place', detail: 'in a place of its own' },
    { code: 'diversity', detail: 'the only one with darwin 24.1' },
  ],
  result: null,
};

const answer: SearchAnswer = {
  dryRun: true,
  seeks: true,
  ways: ['network.bootstrap'],
  daemon: true,
  enough: false,
  wantedPartners: 8,
  presentPartners: 1,
  reasons: [{ code: 'few-partners', detail: 'only 1 good partner, 8 wanted' }],
  signed: [],
  candidates: [near],
};

test('every place and every refusal has its reason', () => {
  const far: CandidateAnswer = {
    ...near,
    id: 'cd'.repeat(32),
    name: '',
    source: 'configured',
    rank: null,
    reasons: [{ code: 'candidate.space', detail: 'offers 0 bytes, 1 bytes wanted' }],
  };
  assert.equal(
    searchText({ ...answer, candidates: [near, far] }),
    [
      'Not enough partners: only 1 good partner, 8 wanted.',
      '',
      'Candidates, best first:',
      '  1. abababababab  attic  (announces itself)',
      '       in a place of its own; the only one with darwin 24.1',
      '',
      'Refused:',
      '  -. cdcdcdcdcdcd  no name known  (at a configured address)',
      '       offers 0 bytes, 1 bytes wanted',
    ].join('\n'),
  );
});

test('what came of asking is told', () => {
  const refused: CandidateAnswer = {
    ...near,
    result: {
      outcome: 'refused',
      by: 'peer',
      reason: { code: 'negotiation.space', detail: 'it has no room' },
    },
  };
  const text = searchText({ ...answer, dryRun: false, candidates: [refused] });
  assert.match(text, /→ it refused: it has no room \(negotiation\.space\)/);
});

test('nobody found: the way to others is named', () => {
  const lonely = { ...answer, presentPartners: 0, candidates: [], ways: [] };
  assert.match(searchText(lonely), /no way to meet others yet\. Add one with `covault config set/);
  assert.match(
    searchText({ ...lonely, ways: answer.ways }),
    /Nobody was found by .*named there up/,
  );
  const few = { ...lonely, ways: answer.ways, presentPartners: 1 };
  assert.match(searchText(few), /Nobody else was found by .*goes on looking/);
});

test('a computer that does not look by itself says why nothing was signed', () => {
  assert.match(searchText({ ...answer, dryRun: false, seeks: false }), /partners\.seek true/);
  assert.doesNotMatch(searchText({ ...answer, seeks: false }), /partners\.seek/);
});

test('a daemon that starts says whom it looks for and how, and nothing when nobody is missing', () => {
  const search = { seeks: true, missing: 3, partners: 1, ways: ['network.bootstrap'] };
  assert.equal(
    lookingLine(search),
    'Looking for partners: 3 more wanted, by network.bootstrap. `covault status` says how it goes.',
  );
  assert.match(lookingLine({ ...search, ways: [] }) ?? '', /among those who ask/);
  assert.equal(lookingLine({ ...search, missing: 0 }), undefined);
  assert.equal(lookingLine({ ...search, seeks: false }), undefined);
  assert.match(lookingLine({ ...search, seeks: false, partners: 0 }) ?? '', /covault invite/);
});
