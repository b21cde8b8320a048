import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Bytes } from '../../base/bytes.ts';
import { type Instant, instant } from '../../base/units.ts';
import { deriveKeys, type OwnerKeys } from '../sealing/keys.ts';
import type { AgreementId } from '../vocabulary/ids.ts';
import type { Reference } from '../wire/reference.ts';
import { type Conduct, type ConductOutcome, noConduct } from './conduct.ts';
import { fairToSelf, trueToObserver } from './fairness.ts';
import { judgeReferences, type ReferenceAnswer } from './reference-check.ts';
import { signStatement, verifyStatement } from './statement.ts';
import { referencesOf } from './summary.ts';
import {
  countersignReceipt,
  proposeReceipt,
  proposerOf,
  readProposal,
  recordStart,
  type TrackReceipt,
} from './track-receipt.ts';

const now: Instant = instant(1_700_000_000_000);
const candidate = deriveKeys(new Uint8Array(32).fill(200));
const peers = [1, 2, 3, 4].map((fill) => deriveKeys(new Uint8Array(32).fill(fill)));
const agreement = 'c'.repeat(64) as AgreementId;

function conduct(provenDays: number, outcome: ConductOutcome = 'none'): Conduct {
  return { ...noConduct, provenDays, outcome };
}

/** What both signed about the candidate. */
function signed(peer: OwnerKeys, about: Conduct): { receipt: TrackReceipt; document: Bytes } {
  const isProposer = proposerOf(peer.peerId, candidate.peerId) === peer.peerId;
  const [asker, answerer] = isProposer ? [peer, candidate] : [candidate, peer];
  const receipt: TrackReceipt = {
    agreement,
    proposer: asker.peerId,
    countersigner: answerer.peerId,
    sequence: 1,
    previousHash: recordStart(agreement),
    from: instant(now - 1),
    until: now,
    conductOfProposer: isProposer ? noConduct : about,
    conductOfCountersigner: isProposer ? about : noConduct,
  };
  const proposal = readProposal(proposeReceipt(receipt, asker.identitySeed));
  assert.ok(proposal.ok);
  return { receipt, document: countersignReceipt(proposal.value, answerer.identitySeed) };
}

/** What the peer says, and what both signed before. */
function says(peer: OwnerKeys, word: Conduct, receipt: Conduct | undefined): ReferenceAnswer {
  const [by, about] = [peer.peerId, candidate.peerId];
  const document = receipt && signed(peer, receipt).document;
  const statement = { by, about, time: now, since: now, conduct: word, receipt: document };
  const read = verifyStatement(signStatement(statement, peer.identitySeed), { by, about, now });
  assert.ok(read.ok);
  return { type: 'statement', peer: by, statement: read.value };
}

function claims(peer: OwnerKeys, about: Conduct): Reference {
  const newest = signed(peer, about);
  const [reference] = referencesOf(candidate.peerId, [
    { peer: peer.peerId, addresses: [], newest },
  ]);
  assert.ok(reference);
  return reference;
}

function judged(claimed: readonly Reference[], answers: readonly ReferenceAnswer[]) {
  return judgeReferences({ candidate: candidate.peerId, claims: claimed, answers });
}

const [ann, bo, cy, di] = peers as [OwnerKeys, OwnerKeys, OwnerKeys, OwnerKeys];

test('C27: days that both signed are confirmed, each reference once', () => {
  const answer = says(ann, conduct(41), conduct(40));
  const verdict = judged(
    [claims(ann, conduct(40)), claims(bo, conduct(7))],
    [answer, answer, says(bo, conduct(9), conduct(7))],
  );
  assert.deepEqual(
    [verdict.provenDays, verdict.askedCount, verdict.renegedCount, verdict.liar],
    [47, 2, 0, false],
  );
  assert.deepEqual(
    verdict.reasons.map(({ code }) => code),
    ['confirmed', 'confirmed'],
  );
});

test('C27: praise that the candidate did not earn from the reference is not counted', () => {
  const verdict = judged([claims(ann, conduct(900))], [says(ann, conduct(900), undefined)]);
  assert.equal(verdict.provenDays, 0);
  assert.equal(verdict.liar, false, 'one reference alone makes nobody a liar');
});

test('C27: one peer alone makes no blame, however it puts it', () => {
  fc.assert(
    fc.property(
      fc.constantFrom<ConductOutcome>('reneged-by-silence', 'reneged-by-wrong'),
      fc.boolean(),
      fc.nat(100),
      (outcome, hasReceipt, days) => {
        const receipt = hasReceipt ? conduct(days) : undefined;
        const answer = says(ann, conduct(0, outcome), receipt);
        for (const claimed of [[], [claims(ann, conduct(days))]]) {
          const verdict = judged(claimed, [answer, says(bo, conduct(5), conduct(5))]);
          assert.deepEqual([verdict.renegedCount, verdict.liar], [0, false]);
          assert.ok(verdict.reasons.some(({ code }) => code === 'blamed-alone'));
        }
      },
    ),
    { numRuns: 20 },
  );
});

test('C27: blame counts when the candidate signed it, or two observers say that it fell silent', () => {
  const confessed = conduct(3, 'reneged-by-wrong');
  assert.equal(judged([], [says(ann, conduct(3), confessed)]).renegedCount, 1);
  const silent = conduct(3, 'reneged-by-silence');
  const observers = [says(ann, silent, conduct(3)), says(bo, silent, conduct(2))];
  assert.equal(judged([], observers).renegedCount, 2);
  const unfounded = [says(ann, silent, undefined), says(bo, silent, undefined)];
  assert.equal(judged([], unfounded).renegedCount, 0, 'nothing that the candidate signed');
  const wrong = conduct(3, 'reneged-by-wrong');
  const uncountersigned = [says(ann, wrong, conduct(3)), says(bo, wrong, conduct(3))];
  assert.equal(judged([], uncountersigned).renegedCount, 0);
});

test('C27: who says more than the receipt it names, or hides what stands there, lies', () => {
  const honest = claims(ann, conduct(10));
  const answer = says(ann, conduct(10), conduct(10));
  assert.equal(judged([honest], [answer]).liar, false);
  assert.equal(judged([{ ...honest, provenDays: 11 }], [answer]).liar, true);
  const reneged = conduct(10, 'reneged-by-silence');
  const hidden = { ...claims(ann, reneged), renegedCount: 0 };
  assert.equal(judged([hidden], [says(ann, reneged, reneged)]).liar, true);
  assert.equal(judged([claims(ann, reneged)], [says(ann, reneged, reneged)]).liar, false);
});

test('C27: two references that deny or contradict the candidate show a liar, one does not', () => {
  const claimed = [ann, bo, cy].map((peer) => claims(peer, conduct(500)));
  const denied = (peer: OwnerKeys): ReferenceAnswer => ({ type: 'denied', peer: peer.peerId });
  const other = says(bo, conduct(5), conduct(5));
  assert.equal(judged(claimed, [denied(ann)]).liar, false);
  assert.equal(judged(claimed, [denied(ann), denied(ann)]).liar, false);
  assert.equal(judged(claimed, [denied(ann), other]).liar, true);
  assert.equal(judged(claimed, [denied(ann), denied(di)]).liar, false, 'di was not named');
  const silent = peers.map(({ peerId }): ReferenceAnswer => ({ type: 'silent', peer: peerId }));
  assert.equal(judged(claimed, silent).liar, false);
});

const own: Conduct = {
  heldBytes: 10_000_000_000,
  audits: { asked: 400, passed: 380, wrong: 1, unanswered: 19 },
  onLineMs: 900_000_000,
  watchedMs: 1_000_000_000,
  provenDays: 60,
  outcome: 'none',
};

test('C27: what both saw is signed by both', () => {
  assert.ok(fairToSelf(own, own).ok);
  assert.ok(trueToObserver(own, own).ok);
  const late: Conduct = {
    ...own,
    heldBytes: own.heldBytes + 50_000_000,
    audits: { ...own.audits, asked: 401, passed: 381 },
    provenDays: 61,
  };
  assert.ok(fairToSelf(own, late).ok);
  assert.ok(trueToObserver(own, late).ok);
});

test('C27: nobody signs blame of itself that it does not know of', () => {
  const blames: readonly Partial<Conduct>[] = [
    { heldBytes: 0 },
    { audits: { ...own.audits, wrong: 2 } },
    { audits: { ...own.audits, passed: 200 } },
    { audits: { ...own.audits, unanswered: 300, passed: 99 } },
    { onLineMs: 0 },
    { watchedMs: 9_000_000_000 },
    { provenDays: 3 },
    { outcome: 'left' },
    { outcome: 'reneged-by-silence' },
    { outcome: 'reneged-by-wrong' },
  ];
  for (const blame of blames)
    assert.ok(!fairToSelf({ ...own, ...blame }, own).ok, JSON.stringify(blame));
  assert.ok(fairToSelf({ ...own, audits: { ...own.audits, wrong: 0 } }, own).ok, 'let off');
  const leaving: Conduct = { ...own, outcome: 'left' };
  assert.ok(fairToSelf(leaving, leaving).ok);
});

test('C27: nobody signs praise that it did not observe, nor drops blame that it did', () => {
  const inflated: readonly Partial<Conduct>[] = [
    { heldBytes: 2 * own.heldBytes },
    { audits: { ...own.audits, passed: 381, unanswered: 18 } },
    { audits: { ...own.audits, wrong: 0 } },
    { onLineMs: own.onLineMs + 1 },
    { watchedMs: own.watchedMs + 1 },
    { provenDays: own.provenDays + 1 },
    { outcome: 'left' },
  ];
  for (const praise of inflated)
    assert.ok(!trueToObserver({ ...own, ...praise }, own).ok, JSON.stringify(praise));
});
