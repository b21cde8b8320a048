import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { present } from '../../base/assert.ts';
import { type Bytes, equalBytes, utf8Bytes } from '../../base/bytes.ts';
import { instant } from '../../base/units.ts';
import { sha256 } from '../../primitives/hash.ts';
import { publicKeyOf } from '../../primitives/signature.ts';
import { type AgreementId, idOf, type PeerId, type ShardName } from '../vocabulary/ids.ts';
import {
  checkAcknowledgement,
  checkLedgerEntry,
  type LedgerEntry,
  type LedgerHead,
  type LedgerSubject,
  type LedgerView,
  ledgerStart,
  nextAcknowledgement,
} from './acknowledgement.ts';

const seed = sha256(utf8Bytes('holder'));
const holder = idOf<PeerId>(publicKeyOf(seed));
const agreement = 'a1'.repeat(32) as AgreementId;
const start = ledgerStart(agreement, 0);

function subjectOf(number: number): LedgerSubject {
  return {
    action: number % 3 === 0 ? 'delete' : 'put',
    name: number.toString(16).padStart(32, '0') as ShardName,
    blockCount: 1 + (number % 64),
    merkleRoot: sha256(utf8Bytes(`root ${number}`)),
  };
}

function viewAt(head: LedgerHead): LedgerView {
  return { agreement, holder, head };
}

function entriesOf(count: number): LedgerEntry[] {
  const entries: LedgerEntry[] = [];
  for (let number = 1; number <= count; number += 1) {
    const head = entries.at(-1)?.head ?? start;
    const time = instant(1_000 * number);
    entries.push(nextAcknowledgement(head, { ...subjectOf(number), agreement, time }, seed));
  }
  return entries;
}

const entries = entriesOf(6);
const [firstEntry, secondEntry, thirdEntry] = entries;
const one = present(firstEntry, 'entry 1');
const two = present(secondEntry, 'entry 2');
const three = present(thirdEntry, 'entry 3');

function codeOf(outcome: ReturnType<typeof checkLedgerEntry>): string {
  return outcome.ok ? 'accepted' : outcome.error.code;
}

test('an owner that checks every entry ends with the same head as the holder', () => {
  let head = start;
  entries.forEach((entry, index) => {
    const outcome = checkAcknowledgement(viewAt(head), subjectOf(index + 1), entry.document);
    assert.ok(outcome.ok);
    assert.deepEqual(outcome.value, entry);
    head = outcome.value.head;
  });
  assert.equal(head.sequence, entries.length);
});

test('whatever the order in which entries arrive, the head only moves along the one history', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(entries.length - 1), { maxLength: 20 }), (arrivals) => {
      let head = start;
      for (const arrival of arrivals) {
        const entry = present(entries[arrival], 'an entry');
        const outcome = checkLedgerEntry(viewAt(head), entry.document);
        if (outcome.ok) {
          assert.equal(outcome.value.head.sequence, head.sequence + 1);
          head = outcome.value.head;
        } else assert.match(outcome.error.code, /^ledger\.(gap|old)$/);
        const reached = entries[head.sequence - 1];
        assert.ok(equalBytes(head.hash, reached?.head.hash ?? start.hash));
      }
    }),
    { numRuns: 50 },
  );
});

test('an entry with any byte changed is refused', () => {
  for (let at = 0; at < one.document.length; at += 1) {
    const changed: Bytes = new Uint8Array(one.document);
    changed[at] = (changed[at] ?? 0) ^ (1 + (at % 255));
    assert.equal(checkLedgerEntry(viewAt(start), changed).ok, false, `byte ${at}`);
    assert.equal(checkLedgerEntry(viewAt(start), one.document.slice(0, at)).ok, false);
  }
});

test('a root other than that of what was sent is refused, and named', () => {
  const expected = { ...subjectOf(1), merkleRoot: new Uint8Array(32) };
  assert.equal(
    codeOf(checkAcknowledgement(viewAt(start), expected, one.document)),
    'ledger.wrong-root',
  );
});

test('an entry about another shard is refused', () => {
  assert.equal(
    codeOf(checkAcknowledgement(viewAt(start), subjectOf(2), one.document)),
    'ledger.wrong-subject',
  );
});

test('an entry of somebody else, or of another agreement, is refused', () => {
  const other = { ...viewAt(start), holder: 'ee'.repeat(32) as PeerId };
  assert.equal(codeOf(checkLedgerEntry(other, one.document)), 'ledger.bad-signature');
  const elsewhere = { ...viewAt(start), agreement: 'b2'.repeat(32) as AgreementId };
  assert.equal(codeOf(checkLedgerEntry(elsewhere, one.document)), 'ledger.wrong-agreement');
});

test('an entry that comes too early is a gap, one that came before is old', () => {
  assert.equal(codeOf(checkLedgerEntry(viewAt(start), three.document)), 'ledger.gap');
  assert.equal(codeOf(checkLedgerEntry(viewAt(two.head), one.document)), 'ledger.old');
  assert.equal(codeOf(checkLedgerEntry(viewAt(two.head), two.document)), 'ledger.old');
});

test('a holder that shows two histories is found out', () => {
  const time = instant(7);
  const otherSecond = nextAcknowledgement(one.head, { ...subjectOf(9), agreement, time }, seed);
  const otherThird = nextAcknowledgement(
    otherSecond.head,
    { ...subjectOf(3), agreement, time },
    seed,
  );
  assert.equal(codeOf(checkLedgerEntry(viewAt(two.head), otherSecond.document)), 'ledger.fork');
  assert.equal(codeOf(checkLedgerEntry(viewAt(two.head), otherThird.document)), 'ledger.fork');
});

test('a holder that came back begins a chain of its own, which is accepted from any state', () => {
  const time = instant(9);
  for (const epoch of [1, 2, 2 ** 40]) {
    const begin = ledgerStart(agreement, epoch);
    const first = nextAcknowledgement(begin, { ...subjectOf(5), agreement, time }, seed);
    const second = nextAcknowledgement(first.head, { ...subjectOf(6), agreement, time }, seed);
    for (const head of [start, one.head, three.head]) {
      assert.equal(codeOf(checkLedgerEntry(viewAt(head), first.document)), 'accepted');
      assert.equal(codeOf(checkLedgerEntry(viewAt(head), second.document)), 'ledger.gap');
    }
    for (const earlier of [one, two, three])
      assert.equal(
        codeOf(checkLedgerEntry(viewAt(first.head), earlier.document)),
        'ledger.past-epoch',
      );
    assert.equal(codeOf(checkLedgerEntry(viewAt(first.head), second.document)), 'accepted');
  }
});

test('a later epoch that does not begin at its own start is a fork', () => {
  const time = instant(9);
  for (const hash of [start.hash, three.head.hash, ledgerStart(agreement, 2).hash]) {
    const head = { epoch: 1, sequence: 0, hash };
    const entry = nextAcknowledgement(head, { ...subjectOf(5), agreement, time }, seed);
    assert.equal(codeOf(checkLedgerEntry(viewAt(three.head), entry.document)), 'ledger.fork');
  }
});
