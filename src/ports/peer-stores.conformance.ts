/** What every implementation of the stores about peers does, asked of the twin and of the catalogue alike. */
import assert from 'node:assert/strict';
import { instant } from '../base/units.ts';
import type { CandidateRow, RecordRow } from './peer-stores.ts';
import {
  agreement,
  idBytesFor,
  peer,
  type Sentence,
  type StoresUnderTest,
  sentencesAbout,
} from './stores.conformance.ts';

export function candidateRow(number: number, change: Partial<CandidateRow> = {}): CandidateRow {
  return {
    peer: peer(number),
    addresses: ['/ip4/127.0.0.1/tcp/4747'],
    source: 'dht',
    profile: undefined,
    seenAt: instant(number),
    nextAskAt: instant(number + 10),
    refusal: undefined,
    ...change,
  };
}

export function recordRow(sequence: number, change: Partial<RecordRow> = {}): RecordRow {
  return {
    agreement: agreement(1),
    partner: peer(1),
    sequence,
    hash: idBytesFor(sequence),
    document: Uint8Array.of(sequence & 0xff),
    signedAt: instant(sequence),
    ...change,
  };
}

/** Runs every sentence about candidates, observations and records. */
export function testPeerStores(name: string, open: () => StoresUnderTest): void {
  const sentence = sentencesAbout(name, open);
  testCandidates(sentence);
  testRecords(sentence);
}

function testCandidates(sentence: Sentence): void {
  sentence('candidates come back as they were put, those seen last first', (subject) => {
    const known = candidateRow(2, { profile: Uint8Array.of(1), refusal: 'search.too-near' });
    for (const row of [candidateRow(1), candidateRow(3, { addresses: [] }), known])
      subject.stores.candidates.put(row);
    const again = candidateRow(1, { seenAt: instant(9), source: 'asked-us' });
    subject.stores.candidates.put(again);
    const { candidates } = subject.reopen();
    const rest = [candidateRow(3, { addresses: [] }), known];
    assert.deepEqual(candidates.all(), [again, ...rest]);
    assert.deepEqual(candidates.get(peer(2)), known);
    candidates.remove(peer(1));
    candidates.remove(peer(1));
    assert.equal(candidates.get(peer(1)), undefined);
    assert.deepEqual(candidates.all(), rest);
  });

  sentence('an observation is replaced by a later one and can be removed', (subject) => {
    subject.stores.observations.put(peer(1), Uint8Array.of(1));
    subject.stores.observations.put(peer(1), Uint8Array.of(2));
    const { observations } = subject.reopen();
    assert.deepEqual(observations.get(peer(1)), Uint8Array.of(2));
    assert.equal(observations.get(peer(2)), undefined);
    observations.remove(peer(1));
    assert.equal(observations.get(peer(1)), undefined);
  });
}

function testRecords(sentence: Sentence): void {
  sentence('receipts of an agreement rise by one from wherever they began', (subject) => {
    const { records } = subject.stores;
    assert.equal(records.head(agreement(1)), undefined);
    for (const sequence of [4, 5, 6]) records.append(recordRow(sequence));
    for (const sequence of [6, 8, 1])
      assert.throws(() => records.append(recordRow(sequence)), { name: 'AssertionError' });
    const reopened = subject.reopen().records;
    assert.deepEqual(reopened.head(agreement(1)), recordRow(6));
    assert.deepEqual(
      reopened.ofAgreement(agreement(1)),
      [4, 5, 6].map((at) => recordRow(at)),
    );
    assert.deepEqual(reopened.ofAgreement(agreement(2)), []);
  });

  sentence('the newest receipt with a partner is the one signed last', ({ stores }) => {
    const { records } = stores;
    records.append(recordRow(1, { signedAt: instant(50) }));
    records.append(recordRow(2, { signedAt: instant(60) }));
    const other = recordRow(1, { agreement: agreement(2), signedAt: instant(70) });
    records.append(other);
    records.append(recordRow(1, { agreement: agreement(3), partner: peer(2) }));
    assert.deepEqual(records.newestWith(peer(1)), other);
    assert.equal(records.newestWith(peer(3)), undefined);
  });
}
