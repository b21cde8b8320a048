/** What every implementation of the audit store does, asked of the twin and of the catalogue alike. */
import assert from 'node:assert/strict';
import { instant } from '../base/units.ts';
import type { AuditedShard } from '../core/audits/audited-space.ts';
import type { AuditAccount, AuditLane, AuditRow } from './audit-store.ts';
import {
  agreement,
  idBytesFor,
  type Sentence,
  type StoresUnderTest,
  sentencesAbout,
  shardName,
} from './stores.conformance.ts';

const lane: AuditLane = { agreement: agreement(1), side: 'auditor' };
const other: AuditLane = { agreement: agreement(1), side: 'answerer' };

export function auditRow(number: number, change: Partial<AuditRow> = {}): AuditRow {
  return {
    ...lane,
    challenge: idBytesFor(number),
    phase: 'opened',
    since: instant(1_000 + number),
    outcome: undefined,
    document: Uint8Array.of(number & 0xff),
    ...change,
  };
}

export function auditedShard(number: number, change: Partial<AuditedShard> = {}): AuditedShard {
  return {
    name: shardName(number),
    blockCount: number + 1,
    merkleRoot: idBytesFor(number + 100),
    sequence: number,
    deletedBy: undefined,
    visitedIn: 0,
    ...change,
  };
}

export function auditAccount(change: Partial<AuditAccount> = {}): AuditAccount {
  return {
    ...lane,
    ...{ epoch: 2, sequence: 9, hash: idBytesFor(9) },
    ...{ round: 1_700_000_000_000, roundStart: 7, lastAt: instant(5) },
    ...{ dayStart: instant(4), drawnBlocks: 3, passed: 11, wrong: 1, unanswered: 2 },
    ...change,
  };
}

/** Runs every sentence about audits. */
export function testAuditStore(name: string, open: () => StoresUnderTest): void {
  const sentence = sentencesAbout(name, open);
  testChallenges(sentence);
  testShards(sentence);
}

function testChallenges(sentence: Sentence): void {
  sentence('audits that are not settled come oldest first, also after reopening', (subject) => {
    const { audits } = subject.stores;
    const rows = [
      auditRow(3),
      auditRow(1, { phase: 'sealed' }),
      auditRow(2, { phase: 'untold', outcome: 'wrong' }),
    ];
    for (const row of rows) audits.put(row);
    audits.put(auditRow(4, { phase: 'settled', outcome: 'passed' }));
    audits.put(auditRow(5, { ...other }));
    const opened = subject.reopen().audits;
    assert.deepEqual(opened.open(lane), [rows[1], rows[2], rows[0]]);
    assert.deepEqual(opened.open(other), [auditRow(5, { ...other })]);
    assert.deepEqual(opened.open({ ...lane, agreement: agreement(2) }), []);
    assert.deepEqual(opened.get(lane, idBytesFor(4))?.outcome, 'passed');
    assert.equal(opened.get(other, idBytesFor(4)), undefined);
  });

  sentence('an audit is replaced in its place, and removed', ({ stores: { audits } }) => {
    audits.put(auditRow(1));
    const settled = auditRow(1, { phase: 'settled', outcome: 'wrong', since: instant(9) });
    audits.put(settled);
    assert.deepEqual(audits.get(lane, idBytesFor(1)), settled);
    assert.deepEqual(audits.open(lane), []);
    audits.remove(lane, idBytesFor(1));
    audits.remove(lane, idBytesFor(1));
    assert.equal(audits.get(lane, idBytesFor(1)), undefined);
  });

  sentence('of settled audits the newest of each outcome are kept', ({ stores: { audits } }) => {
    for (const number of [1, 2, 3, 4])
      audits.put(auditRow(number, { phase: 'settled', outcome: 'passed' }));
    const wrong = auditRow(5, { phase: 'settled', outcome: 'wrong', since: instant(1) });
    const unclear = auditRow(6, { phase: 'settled' });
    for (const row of [wrong, unclear, auditRow(7)]) audits.put(row);
    const numbers = (rows: readonly AuditRow[]): unknown => rows.map(({ document }) => document[0]);
    assert.deepEqual(numbers(audits.settled(lane, 'passed', 3)), [4, 3, 2]);
    audits.forgetSettled(lane, 'passed', 2);
    assert.deepEqual(numbers(audits.settled(lane, 'passed', 9)), [4, 3]);
    assert.deepEqual(audits.settled(lane, 'wrong', 9), [wrong]);
    assert.deepEqual(audits.settled(lane, undefined, 9), [unclear]);
    assert.deepEqual(audits.open(lane), [auditRow(7)]);
  });
}

function testShards(sentence: Sentence): void {
  sentence('an account of audits comes back as it was put', (subject) => {
    const { audits } = subject.stores;
    assert.equal(audits.account(lane), undefined);
    audits.putAccount(auditAccount());
    const second = auditAccount({ ...other, lastAt: undefined });
    audits.putAccount(second);
    audits.putAccount(auditAccount({ passed: 12 }));
    const opened = subject.reopen().audits;
    assert.deepEqual(opened.account(lane), auditAccount({ passed: 12 }));
    assert.deepEqual(opened.account(other), second);
  });

  sentence('audited shards stay in order, deleted ones until they are forgotten', (subject) => {
    const { audits } = subject.stores;
    const gone = auditedShard(2, { deletedBy: 6 });
    const again = auditedShard(2, { sequence: 8, visitedIn: 3 });
    for (const shard of [auditedShard(4), again, gone, auditedShard(1)])
      audits.putShard(lane, shard);
    audits.putShard(other, auditedShard(5));
    const opened = subject.reopen().audits;
    assert.deepEqual(opened.shards(lane), [auditedShard(1), gone, again, auditedShard(4)]);
    assert.deepEqual(opened.shard(lane, shardName(2)), again);
    assert.equal(opened.shard(lane, shardName(5)), undefined);
    opened.forgetDeleted(lane, 5);
    assert.equal(opened.shards(lane).length, 4);
    opened.forgetDeleted(lane, 6);
    assert.deepEqual(opened.shards(lane), [auditedShard(1), again, auditedShard(4)]);
    opened.putShard(lane, { ...again, deletedBy: 9 });
    assert.equal(opened.shard(lane, shardName(2)), undefined);
    opened.clearShards(lane);
    assert.deepEqual(opened.shards(lane), []);
    assert.equal(opened.shards(other).length, 1);
  });
}
