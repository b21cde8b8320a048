import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AgreementDetails, TermsAnswer } from '../daemon/partnership-answers.ts';
import { agreementLines, agreementText, termsLines } from './agreement-text.ts';

const day = 86_400_000;

const terms: TermsAnswer = {
  firstLendsBytes: 1e9,
  secondLendsBytes: 2e9,
  scheduleHours: null,
  bandwidthBytesPerSecond: 0,
  auditIntervalMs: day / 8,
  graceMs: 14 * day,
  commitmentMs: 21 * day,
  deleteLockMs: 30 * day,
  noticeMs: 14 * day,
  termMs: 0,
  readQuota: 3,
  suite: 1,
  code: null,
  trusted: false,
};

const audits = { asked: 4, passed: 4, wrong: 0, unanswered: 0 };
const conduct = {
  heldBytes: 5e8,
  audits,
  onLineMs: day,
  watchedMs: 2 * day,
  provenDays: 1,
  outcome: 'none',
} as const;

const details: AgreementDetails = {
  id: 'ab'.repeat(32),
  partner: 'cd'.repeat(32),
  name: 'attic',
  phase: 'in-commitment',
  paused: false,
  number: 1,
  since: '2026-01-01T00:00:00.000Z',
  start: '2026-01-01T00:00:00.000Z',
  endsAt: null,
  weLendBytes: 1e9,
  lendsUsBytes: 2e9,
  trusted: false,
  commitmentEndsAt: '2026-01-22T12:00:00.000Z',
  graceEndsAt: null,
  leavesAt: null,
  failing: null,
  first: { id: 'ef'.repeat(32), isUs: true, signature: 'valid' },
  second: { id: 'cd'.repeat(32), isUs: false, signature: 'valid' },
  terms,
  standing: {
    since: '2026-01-01T00:00:00.000Z',
    cause: 'silence',
    failingMs: 2 * day,
    provenDays: 3,
    cleanSince: '2026-01-01T00:00:00.000Z',
    relapses: 0,
  },
  receipts: [{ sequence: 1, until: '2026-01-08T00:00:00.000Z', ofUs: conduct, ofPartner: conduct }],
  receiptCount: 1,
  others: [{ id: '12'.repeat(32), phase: 'ended' }],
  document: { sha256: '34'.repeat(32), base64: '' },
};

test('an agreement is a line in the list', () => {
  assert.match(
    agreementLines(details).join('\n'),
    /^abababababab {2}attic \(cdcdcdcdcdcd\) {2}in-commitment {2}since .* it lends 2 GB, you lend 1 GB$/,
  );
});

test('shown whole it has terms, both signatures and its history', () => {
  const text = agreementText(details);
  assert.match(text, /^Stands {7}in commitment until 2026-01-22 .* \(no restores before\)$/m);
  assert.match(text, /until one of you ends it; 1 change since the first$/m);
  assert.match(text, /^Failing {6}it is silent; 2 days count against its grace$/m);
  assert.match(text, /^ {2}You lend 1 GB; it lends you 2 GB\.$/m);
  assert.match(text, /First party {2}efefefefefef \(this computer\): signature valid/);
  assert.match(text, /Second party cdcdcdcdcdcd \(the partner\): signature valid/);
  assert.match(text, /1\. until .*: it held 500 MB, passed 4 of 4 audits, there 50 %; you held/);
  assert.match(text, /another agreement, ended: 121212121212/);
});

test('every term is a sentence', () => {
  const lines = termsLines({
    ...terms,
    commitmentMs: 0,
    scheduleHours: 56,
    bandwidthBytesPerSecond: 125_000,
    code: { id: 'reed-solomon', dataShards: 4, parityShards: 4 },
    trusted: true,
  });
  for (const line of [...lines, ...termsLines(terms)]) assert.match(line, /^[A-Z].*\.$/);
  assert.ok(lines.includes('No commitment period.'));
  assert.ok(!lines.some((line) => line.includes('without limit')));
  assert.ok(lines.includes('On line together 56 hours of the week.'));
  assert.ok(lines.includes('Code: 4+4.'));
});
