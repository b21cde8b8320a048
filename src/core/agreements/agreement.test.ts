import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type Bytes, equalBytes, utf8Bytes } from '../../base/bytes.ts';
import { dayMs, instant } from '../../base/units.ts';
import { sha256 } from '../../primitives/hash.ts';
import { publicKeyOf } from '../../primitives/signature.ts';
import { type AgreementId, idOf, type PeerId } from '../vocabulary/ids.ts';
import {
  type Agreement,
  agreementIdOf,
  bytesLentBy,
  bytesLentTo,
  decodeAgreement,
  decodeSignedAgreement,
  encodeAgreement,
  encodeSignedAgreement,
  partnerOf,
  partyOf,
  type SignedAgreement,
  signAgreement,
  verifyAgreement,
  verifyParty,
} from './agreement.ts';
import { circleTerms, openTerms, scheduleBytes, type Terms, validTerms } from './terms.ts';

const seeds = { first: sha256(utf8Bytes('first')), second: sha256(utf8Bytes('second')) };
const first = idOf<PeerId>(publicKeyOf(seeds.first));
const second = idOf<PeerId>(publicKeyOf(seeds.second));
const lending = { firstLendsBytes: 20e9, secondLendsBytes: 10e9 };

function agreementWith(terms: Terms): Agreement {
  return { first, second, start: instant(1_800_000_000_000), terms };
}

function signedByBoth(agreement: Agreement): SignedAgreement {
  const unsigned = { body: encodeAgreement(agreement), signatures: {} };
  return signAgreement(signAgreement(unsigned, 'second', seeds.second), 'first', seeds.first);
}

const terms: fc.Arbitrary<Terms> = fc
  .record({
    firstLendsBytes: fc.integer({ min: 1, max: 2 ** 50 }),
    secondLendsBytes: fc.integer({ min: 0, max: 2 ** 50 }),
    graceMs: fc.integer({ min: 1_000, max: 365 * dayMs }),
    extraMs: fc.integer({ min: 1, max: 365 * dayMs }),
    trusted: fc.boolean(),
    schedule: fc.option(fc.uint8Array({ minLength: scheduleBytes, maxLength: scheduleBytes })),
    code: fc.option(fc.constant({ id: 'reed-solomon' as const, dataShards: 4, parityShards: 4 })),
  })
  .map(({ graceMs, extraMs, schedule, code, trusted, ...lent }) => ({
    ...openTerms(lent),
    trusted,
    graceMs,
    commitmentMs: graceMs + extraMs,
    ...(schedule === null ? {} : { schedule: new Uint8Array(schedule) }),
    ...(code === null ? {} : { code }),
  }));

test('an agreement comes back as it was, and binds once both have signed', () => {
  fc.assert(
    fc.property(terms, (value) => {
      const agreement = agreementWith(value);
      const decoded = decodeSignedAgreement(encodeSignedAgreement(signedByBoth(agreement)));
      assert.ok(decoded.ok);
      assert.deepEqual(verifyAgreement(decoded.value), { ok: true, value: agreement });
    }),
    { numRuns: 30 },
  );
});

test('an agreement that replaces another says which, and is no plain one', () => {
  fc.assert(
    fc.property(terms, fc.integer({ min: 1, max: 2 ** 50 }), (value, number) => {
      const replaces = { root: 'c3'.repeat(32) as AgreementId, number };
      const change = { ...agreementWith(value), replaces };
      const decoded = decodeSignedAgreement(encodeSignedAgreement(signedByBoth(change)));
      assert.ok(decoded.ok);
      assert.deepEqual(verifyAgreement(decoded.value), { ok: true, value: change });
    }),
    { numRuns: 30 },
  );
});

const plain = agreementWith(circleTerms(lending));
const change = { ...plain, replaces: { root: 'c3'.repeat(32) as AgreementId, number: 7 } };

for (const [kind, agreement] of Object.entries({ agreement: plain, change }))
  test(`an ${kind === 'change' ? 'agreement that replaces another' : kind} with any byte changed does not verify`, () => {
    const encoded = encodeSignedAgreement(signedByBoth(agreement));
    for (let at = 0; at < encoded.length; at += 1) {
      const changed: Bytes = new Uint8Array(encoded);
      changed[at] = (changed[at] ?? 0) ^ (1 + (at % 255));
      const decoded = decodeSignedAgreement(changed);
      assert.ok(!decoded.ok || !verifyAgreement(decoded.value).ok, `byte ${at}`);
    }
  });

test('an agreement that is cut short is refused', () => {
  const encoded = encodeSignedAgreement(signedByBoth(agreementWith(circleTerms(lending))));
  for (let length = 0; length < encoded.length; length += 7)
    assert.equal(decodeSignedAgreement(encoded.subarray(0, length)).ok, false);
});

test('an agreement signed by one side does not bind', () => {
  const body = encodeAgreement(agreementWith(circleTerms(lending)));
  const half = signAgreement({ body, signatures: {} }, 'second', seeds.second);
  assert.equal(verifyParty(half, 'second').ok, true);
  assert.deepEqual(verifyAgreement(half), {
    ok: false,
    error: { code: 'agreement.missing-signature', by: 'first' },
  });
});

test('one side cannot sign for the other', () => {
  const body = encodeAgreement(agreementWith(circleTerms(lending)));
  const forged = signAgreement(
    signAgreement({ body, signatures: {} }, 'second', seeds.second),
    'first',
    seeds.second,
  );
  assert.deepEqual(verifyAgreement(forged), {
    ok: false,
    error: { code: 'agreement.bad-signature', by: 'first' },
  });
});

test('C30: a commitment period that is not longer than the grace period is refused between strangers', () => {
  const open = openTerms(lending);
  assert.equal(validTerms(open).ok, true);
  assert.deepEqual(validTerms({ ...open, commitmentMs: open.graceMs }), {
    ok: false,
    error: { code: 'terms.commitment-not-longer-than-grace' },
  });
  assert.equal(validTerms({ ...open, commitmentMs: open.graceMs + 1 }).ok, true);
  assert.equal(validTerms({ ...open, commitmentMs: 0, trusted: true }).ok, true);
});

test('terms out of bounds are refused, by name', () => {
  const bad: Partial<Terms>[] = [
    { firstLendsBytes: -1 },
    { firstLendsBytes: 2 ** 51 },
    { graceMs: 0 },
    { readQuota: 0 },
    { auditIntervalMs: 1.5 },
    { schedule: new Uint8Array(3) },
  ];
  for (const change of bad) {
    const outcome = validTerms({ ...circleTerms(lending), ...change });
    assert.deepEqual(outcome, {
      ok: false,
      error: { code: 'terms.out-of-bounds', term: Object.keys(change)[0] },
    });
  }
});

test('an agreement in which nobody lends, or with oneself, is refused', () => {
  const nobody = circleTerms({ firstLendsBytes: 0, secondLendsBytes: 0 });
  assert.equal(validTerms(nobody).ok, false);
  const body = encodeAgreement(agreementWith(circleTerms(lending)));
  const alone = new Uint8Array(body);
  const firstAt = Buffer.from(body).indexOf(Buffer.from(first, 'hex'));
  alone.set(body.subarray(firstAt, firstAt + 32), firstAt + 34);
  const outcome = decodeAgreement(alone);
  assert.equal(!outcome.ok && outcome.error.code, 'agreement.same-party');
});

test('each party finds its own part and its partner', () => {
  const agreement = agreementWith(circleTerms(lending));
  assert.equal(partyOf(agreement, first), 'first');
  assert.equal(partyOf(agreement, 'ab'.repeat(32) as PeerId), undefined);
  assert.equal(partnerOf(agreement, second), first);
  assert.equal(bytesLentBy(agreement, first), 20e9);
  assert.equal(bytesLentTo(agreement, first), 10e9);
});

test('the id of an agreement is the hash of its body', () => {
  const body = encodeAgreement(agreementWith(circleTerms(lending)));
  assert.ok(equalBytes(Buffer.from(agreementIdOf(body), 'hex'), sha256(body)));
});
