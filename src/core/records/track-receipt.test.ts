import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Bytes } from '../../base/bytes.ts';
import { type Instant, instant } from '../../base/units.ts';
import { deriveKeys, type OwnerKeys } from '../sealing/keys.ts';
import type { AgreementId } from '../vocabulary/ids.ts';
import { decodeRecordMessage, encodeRecordMessage } from '../wire/record.ts';
import { type Conduct, conductOutcomes, continuedConduct, neverFalls } from './conduct.ts';
import { verifyChain } from './record-chain.ts';
import { type Statement, signStatement, verifyStatement } from './statement.ts';
import {
  conductIn,
  countersignReceipt,
  proposeReceipt,
  proposerOf,
  readProposal,
  receiptHash,
  recordStart,
  type TrackReceipt,
  verifyReceipt,
} from './track-receipt.ts';

const keysOf = (fill: number): OwnerKeys => deriveKeys(new Uint8Array(32).fill(fill));
const [one, two, stranger] = [keysOf(1), keysOf(2), keysOf(3)];
const isOneProposer = proposerOf(one.peerId, two.peerId) === one.peerId;
const [asker, answerer] = isOneProposer ? [one, two] : [two, one];
const agreement = 'a'.repeat(64) as AgreementId;
const begin: Instant = instant(1_700_000_000_000);

const count = fc.nat(1_000_000);
const conducts: fc.Arbitrary<Conduct> = fc
  .record({
    heldBytes: fc.maxSafeNat(),
    passed: count,
    wrong: count,
    unanswered: count,
    open: count,
    onLineMs: count,
    awayMs: count,
    provenDays: count,
    outcome: fc.constantFrom(...conductOutcomes),
  })
  .map(({ heldBytes, passed, wrong, unanswered, open, onLineMs, awayMs, provenDays, outcome }) => ({
    heldBytes,
    audits: { asked: passed + wrong + unanswered + open, passed, wrong, unanswered },
    onLineMs,
    watchedMs: onLineMs + awayMs,
    provenDays,
    outcome,
  }));

const receipts: fc.Arbitrary<TrackReceipt> = fc
  .record({ conductOfProposer: conducts, conductOfCountersigner: conducts, length: count })
  .map(({ length, ...both }) => ({
    agreement,
    proposer: asker.peerId,
    countersigner: answerer.peerId,
    sequence: 1,
    previousHash: recordStart(agreement),
    from: begin,
    until: instant(begin + length),
    ...both,
  }));

function signedByBoth(receipt: TrackReceipt): Bytes {
  const proposal = readProposal(proposeReceipt(receipt, asker.identitySeed));
  assert.ok(proposal.ok);
  return countersignReceipt(proposal.value, answerer.identitySeed);
}

/** Receipts that follow each other, with these conducts added up. */
function chainOf(parts: readonly Conduct[]): readonly Bytes[] {
  const documents: Bytes[] = [];
  let last: TrackReceipt | undefined;
  for (const part of parts) {
    const total: Conduct =
      last === undefined ? part : continuedConduct(last.conductOfProposer, part);
    const previous = documents.at(-1);
    const receipt: TrackReceipt = {
      agreement,
      proposer: asker.peerId,
      countersigner: answerer.peerId,
      sequence: documents.length + 1,
      previousHash: previous === undefined ? recordStart(agreement) : receiptHash(previous),
      from: last?.until ?? begin,
      until: instant((last?.until ?? begin) + 1),
      conductOfProposer: total,
      conductOfCountersigner: total,
    };
    documents.push(signedByBoth(receipt));
    last = receipt;
  }
  return documents;
}

function mutated(bytes: Bytes, at: number, change: number): Bytes {
  const copy = bytes.slice();
  const index = at % copy.length;
  copy[index] = (copy[index] ?? 0) ^ change;
  return copy;
}

test('C27: a receipt with both signatures is read by anybody as it was written', () => {
  fc.assert(
    fc.property(receipts, (receipt) => {
      const read = verifyReceipt(signedByBoth(receipt));
      assert.ok(read.ok);
      assert.deepEqual(read.value, receipt);
      assert.deepEqual(conductIn(read.value, asker.peerId), receipt.conductOfProposer);
    }),
    { numRuns: 40 },
  );
});

test('C27: no byte of a receipt can be changed', () => {
  fc.assert(
    fc.property(receipts, fc.nat(), fc.integer({ min: 1, max: 255 }), (receipt, at, change) => {
      assert.ok(!verifyReceipt(mutated(signedByBoth(receipt), at, change)).ok);
    }),
    { numRuns: 150 },
  );
});

test('C27: neither side alone, nor a stranger, makes a receipt', () => {
  fc.assert(
    fc.property(receipts, (receipt) => {
      const half = proposeReceipt(receipt, asker.identitySeed);
      assert.deepEqual(codeOf(half), ['record.missing-signature', 'countersigner']);
      const proposal = readProposal(half);
      assert.ok(proposal.ok);
      for (const forger of [asker, stranger]) {
        const forged = countersignReceipt(proposal.value, forger.identitySeed);
        assert.deepEqual(codeOf(forged), ['record.bad-signature', 'countersigner']);
      }
      const blamed = proposeReceipt(receipt, answerer.identitySeed);
      assert.deepEqual(codeOf(blamed), ['record.bad-signature', 'proposer']);
    }),
    { numRuns: 20 },
  );
});

function codeOf(document: Bytes): readonly (string | undefined)[] {
  const read = verifyReceipt(document);
  if (read.ok) return [];
  return [read.error.code, 'by' in read.error ? read.error.by : undefined];
}

test('C27: signatures of one receipt are good for no other', () => {
  fc.assert(
    fc.property(receipts, receipts, (first, second) => {
      fc.pre(first.until !== second.until);
      const [left, right] = [first, second].map((receipt) => readProposal(signedByBoth(receipt)));
      assert.ok(left?.ok && right?.ok);
      const { proposer } = right.value.signatures;
      const signatures = { ...left.value.signatures, proposer };
      const mixed = countersignReceipt({ ...left.value, signatures }, answerer.identitySeed);
      assert.deepEqual(codeOf(mixed), ['record.bad-signature', 'proposer']);
    }),
    { numRuns: 20 },
  );
});

test('C27: a chain is whole or refused: nothing is left out, moved, repeated or put in', () => {
  fc.assert(
    fc.property(
      fc.array(conducts, { minLength: 3, maxLength: 5 }),
      fc.nat(),
      fc.nat(),
      (parts, from, to) => {
        const chain = chainOf(parts);
        const whole = verifyChain(agreement, chain);
        assert.ok(whole.ok && whole.value?.receipt.sequence === chain.length);
        const [left, right] = [from % (chain.length - 1), to % chain.length];
        const without = chain.filter((_, index) => index !== left);
        assert.ok(!verifyChain(agreement, without).ok);
        assert.ok(!verifyChain(agreement, chain.toReversed()).ok);
        const again = chain.toSpliced(right, 0, ...chain.slice(right, right + 1));
        assert.ok(!verifyChain(agreement, again).ok);
        const others = chainOf([...parts.slice(1), ...parts]);
        const mixed = [...chain.slice(0, 1), ...others.slice(1)];
        assert.ok(!verifyChain(agreement, mixed).ok);
        assert.ok(!verifyChain('b'.repeat(64) as AgreementId, chain).ok);
      },
    ),
    { numRuns: 15 },
  );
});

test('totals never fall along a chain', () => {
  fc.assert(
    fc.property(conducts, conducts, (before, after) => {
      assert.ok(neverFalls(before, continuedConduct(before, after)));
      const fewer = { ...after, provenDays: before.provenDays - 1 };
      assert.ok(!neverFalls(before, fewer));
    }),
  );
});

test('C27: a statement is believed of whom it is asked, about whom it is asked, today', () => {
  fc.assert(
    fc.property(receipts, conducts, (receipt, conduct) => {
      const statement: Statement = {
        by: asker.peerId,
        about: answerer.peerId,
        time: begin,
        since: begin,
        conduct,
        receipt: signedByBoth(receipt),
      };
      const document = signStatement(statement, asker.identitySeed);
      const [by, about] = [asker.peerId, answerer.peerId];
      const read = verifyStatement(document, { by, about, now: begin });
      assert.ok(read.ok);
      assert.deepEqual(read.value, { ...statement, signed: receipt });
      const [others, later] = [stranger.peerId, instant(begin + 100_000_000)];
      const questions = [
        [{ by: others, about, now: begin }, 'statement.bad-signature'],
        [{ by, about: others, now: begin }, 'statement.wrong-peer'],
        [{ by, about, now: later }, 'statement.other-time'],
      ] as const;
      for (const [question, code] of questions) {
        const answer = verifyStatement(document, question);
        assert.equal(answer.ok ? '' : answer.error.code, code);
      }
      const borrowed = { ...statement, about: others };
      const forged = signStatement(borrowed, asker.identitySeed);
      const answer = verifyStatement(forged, { by, about: others, now: begin });
      assert.equal(answer.ok ? '' : answer.error.code, 'statement.wrong-receipt');
    }),
    { numRuns: 20 },
  );
});

test('no byte of a statement can be changed', () => {
  fc.assert(
    fc.property(conducts, fc.nat(), fc.integer({ min: 1, max: 255 }), (conduct, at, change) => {
      const [by, about] = [asker.peerId, answerer.peerId];
      const statement = { by, about, time: begin, since: begin, conduct, receipt: undefined };
      const document = mutated(signStatement(statement, asker.identitySeed), at, change);
      assert.ok(!verifyStatement(document, { by, about, now: begin }).ok);
    }),
    { numRuns: 100 },
  );
});

test('messages are read as they were written, and nothing else is', () => {
  fc.assert(
    fc.property(conducts, receipts, count, (conduct, receipt, sequence) => {
      const document = signedByBoth(receipt);
      const account = { agreement, sequence, receipts: [document], conduct };
      for (const message of [
        { type: 'account', account },
        { type: 'receipt', document },
      ] as const) {
        const bytes = encodeRecordMessage(message);
        const read = decodeRecordMessage(bytes);
        assert.ok(read.ok);
        assert.deepEqual(read.value, message);
        assert.ok(!decodeRecordMessage(bytes.slice(0, -1)).ok);
      }
    }),
    { numRuns: 20 },
  );
});
