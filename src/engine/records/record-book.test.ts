import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import { dayMs, instant } from '../../base/units.ts';
import { noConduct } from '../../core/records/conduct.ts';
import {
  countersignReceipt,
  proposeReceipt,
  proposerOf,
  readProposal,
  receiptHash,
  recordStart,
} from '../../core/records/track-receipt.ts';
import type { OwnerKeys } from '../../core/sealing/keys.ts';
import type { Stores } from '../../ports/stores.ts';
import { type AgreedPair, agreedPair } from '../../sim/agreed-pair.ts';
import type { PartnerAccount } from './record-account.ts';
import { RecordBook } from './record-book.ts';

const start = instant(1_700_000_000_000);
const day = (number: number): ReturnType<typeof instant> => instant(start + number * dayMs);

/** A day for each receipt, with one more day proven by the partner at each. */
function chain({ owner, holder, agreement }: AgreedPair, length: number): readonly Bytes[] {
  const documents: Bytes[] = [];
  const isOwner = proposerOf(owner.peerId, holder.peerId) === owner.peerId;
  const [one, other]: readonly OwnerKeys[] = isOwner ? [owner, holder] : [holder, owner];
  assert(one !== undefined && other !== undefined);
  let previousHash = recordStart(agreement.agreement);
  for (let sequence = 1; sequence <= length; sequence += 1) {
    const proven = { ...noConduct, watchedMs: sequence * dayMs, provenDays: sequence };
    const proposal = readProposal(
      proposeReceipt(
        {
          ...{ agreement: agreement.agreement, proposer: one.peerId, countersigner: other.peerId },
          ...{ sequence, previousHash, from: day(sequence - 1), until: day(sequence) },
          conductOfProposer: isOwner ? proven : noConduct,
          conductOfCountersigner: isOwner ? noConduct : proven,
        },
        one.identitySeed,
      ),
    );
    assert(proposal.ok);
    const document = countersignReceipt(proposal.value, other.identitySeed);
    documents.push(document);
    previousHash = receiptHash(document);
  }
  return documents;
}

test('C27: what both had signed before the counting began is read once, until the chain grows', () => {
  const pair = agreedPair(1_000_000);
  const { stores, holder, clock, agreement } = pair;
  let read = 0;
  const ofAgreement: Stores['records']['ofAgreement'] = (id) => {
    read += 1;
    return stores.records.ofAgreement(id);
  };
  let since = day(4.5);
  const counted = (): PartnerAccount => ({ since, theirs: noConduct, ours: noConduct });
  const book = new RecordBook({
    ...{ self: holder.peerId, clock, account: { of: counted } },
    stores: { ...stores, records: { ...stores.records, ofAgreement } },
  });
  const provenDays = (): number | undefined => book.accountOf(agreement)?.theirs.provenDays;
  assert.equal(provenDays(), 0, 'nothing was signed');
  const documents = chain(pair, 8);
  book.takeAll(agreement, documents.slice(0, 6));
  for (let time = 0; time < 50; time += 1) assert.equal(provenDays(), 4);
  assert.equal(read, 1);
  book.takeAll(agreement, documents.slice(6));
  assert.equal(provenDays(), 4);
  assert.equal(provenDays(), 4);
  assert.equal(read, 2);
  since = day(7.5);
  assert.equal(provenDays(), 7, 'it began to count anew');
  const newest = book.newestWith(agreement.partner);
  assert(newest !== undefined && equalBytes(newest.document, documents[7] ?? new Uint8Array()));
  assert.equal(newest.receipt, book.head(agreement.agreement)?.receipt);
});
