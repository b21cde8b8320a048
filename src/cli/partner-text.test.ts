import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PartnerAnswer } from '../daemon/answers.ts';
import { partnerText, phaseText, presenceText } from './partner-text.ts';

const partner: PartnerAnswer = {
  id: 'ab'.repeat(32),
  name: 'attic',
  agreement: 'cd'.repeat(32),
  phase: 'standing',
  addresses: ['/ip4/192.0.2.7/tcp/4747'],
  since: '2026-01-01T00:00:00.000Z',
  lastSeenAt: null,
  reachable: true,
  holdsBytes: 5e9,
  lendsUsBytes: 20e9,
  weHoldBytes: 0,
  weLendBytes: 20e9,
  lacks: { lost: 0, wrong: 0 },
  failing: null,
  availability: 0.666,
  bandwidthTo: 2e6,
  bandwidthFrom: null,
  route: 'punched',
  place: '192.0.2.0/24',
  system: 'linux 6.8',
  commitmentEndsAt: null,
  graceEndsAt: null,
  leavesAt: null,
  provenDays: 1,
};

test('a partner is shown with its route, what was measured, and what nobody measured yet', () => {
  const text = partnerText(partner);
  assert.match(text, /^State {9}reachable, punched$/m);
  assert.match(text, /^Connected {5}through the NAT, by hole punching$/m);
  assert.match(text, /^There {9}66 % of the time$/m);
  assert.match(text, /^Transfers {5}2\.00 MB\/s to it, not measured from it, on average$/m);
  assert.match(text, /^Proven {8}1 day$/m);
});

test('presence is a word or two', () => {
  assert.equal(presenceText({ ...partner, reachable: null }), 'not asked');
  assert.equal(presenceText({ ...partner, reachable: false, route: null }), 'away');
  assert.equal(presenceText({ ...partner, route: null }), 'reachable');
  assert.equal(
    presenceText({ ...partner, phase: 'in-commitment', route: 'lan' }),
    'reachable, lan',
  );
  assert.equal(presenceText({ ...partner, phase: 'leaving' }), 'leaving');
});

test('every phase has plain words, with its date where it has one', () => {
  const at = '2026-03-04T05:06:00.000Z';
  const said = (change: Partial<PartnerAnswer>): string => phaseText({ ...partner, ...change });
  assert.equal(said({}), 'standing');
  assert.match(said({ phase: 'leaving', leavesAt: at }), /^leaving, until 2026-03-0\d /);
  assert.match(
    said({ phase: 'suspended', graceEndsAt: at }),
    /^suspended: never seen since, grace ends 2026-03-0\d .* at the earliest$/,
  );
  assert.match(said({ phase: 'paused' }), /nothing new until it is resumed/);
  assert.match(said({ phase: 'reneged' }), /^reneged: /);
  assert.equal(said({ phase: 'ended' }), 'ended');
  assert.match(said({ phase: 'proposed' }), /not signed yet/);
});

test('a partner that was found out is not called silent, and what it lacks is what the catalogue says', () => {
  const at = '2026-03-04T05:06:00.000Z';
  const since = '2026-01-04T05:06:00.000Z';
  const seen = { phase: 'suspended', graceEndsAt: at, lastSeenAt: since } as const;
  const said = (failing: PartnerAnswer['failing']): string =>
    phaseText({ ...partner, ...seen, failing });
  const wrong = said({ cause: 'wrong', since, answers: true });
  assert.match(wrong, /^suspended: found with wrong or missing shards 2026-01-0\d .*grace ends/);
  assert.doesNotMatch(wrong, /silent/);
  assert.match(said({ cause: 'losses', since, answers: true }), /: lost everything again 2026-01-/);
  assert.match(
    said({ cause: 'silence', since, answers: true }),
    /^suspended: answers, but has not/,
  );
  assert.match(said({ cause: 'silence', since, answers: false }), /^suspended: silent since 2026-/);
  const lacks = (counts: PartnerAnswer['lacks']): string =>
    partnerText({ ...partner, lacks: counts });
  assert.match(lacks({ lost: 0, wrong: 0 }), /^It lacks {6}no shard of ours/m);
  assert.match(lacks({ lost: 1, wrong: 2 }), /^It lacks {6}3 shards of ours \(1 lost, 2 wrong\)$/m);
});

test('a hostile name cannot reach the terminal', () => {
  const text = partnerText({ ...partner, name: '\u001b[2J', system: '\u001b]0;x' });
  assert.ok(!text.includes('\u001b'));
});
