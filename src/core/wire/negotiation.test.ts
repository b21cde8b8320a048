import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Bytes } from '../../base/bytes.ts';
import { openTerms } from '../agreements/terms.ts';
import type { AgreementId } from '../vocabulary/ids.ts';
import {
  decodeNegotiationReply,
  decodeNegotiationRequest,
  encodeNegotiationReply,
  encodeNegotiationRequest,
  isNegotiation,
  type NegotiationReply,
  type NegotiationRequest,
  negotiationBytes,
  negotiationCodes,
  profileFieldMaximumBytes,
  roundsMaximum,
} from './negotiation.ts';
import { encodeRedemption } from './redemption.ts';

const bytes = (minLength: number, maxLength: number): fc.Arbitrary<Bytes> =>
  fc.uint8Array({ minLength, maxLength }).map((array) => new Uint8Array(array));
const negotiation = bytes(negotiationBytes, negotiationBytes);
const round = fc.integer({ min: 1, max: roundsMaximum });
const addresses = fc.array(fc.constantFrom('/ip4/192.0.2.7/tcp/1', '/dns/a.example/tcp/2'), {
  maxLength: 8,
});
const terms = fc
  .integer({ min: 1, max: 2 ** 50 })
  .map((lent) => openTerms({ firstLendsBytes: lent, secondLendsBytes: lent }));
const root = bytes(32, 32).map((id) => Buffer.from(id).toString('hex') as AgreementId);
const names = fc.constantFrom('', 'attic', 'Zoë’s laptop');

const request: fc.Arbitrary<NegotiationRequest> = fc.oneof(
  fc.record({ type: fc.constant('query' as const), profile: bytes(1, 600), addresses }),
  fc
    .record({
      protocol: fc.nat(255),
      negotiation,
      round,
      terms,
      replaces: fc.option(
        fc
          .tuple(root, fc.integer({ min: 1, max: 2 ** 40 }))
          .map(([id, number]) => ({ root: id, number })),
      ),
    })
    .map(({ replaces, ...rest }) => ({
      type: 'offer' as const,
      ...rest,
      ...(replaces === null ? {} : { replaces }),
    })),
  fc.record({
    type: fc.constant('sign' as const),
    protocol: fc.nat(255),
    negotiation,
    agreement: bytes(1, 600),
    name: names,
    addresses,
  }),
);

const reply: fc.Arbitrary<NegotiationReply> = fc.oneof(
  fc.record({ type: fc.constant('answer' as const), profile: bytes(1, 600), addresses }),
  fc.record({ type: fc.constant('counter' as const), negotiation, round, terms }),
  fc.record({ type: fc.constant('accepted' as const), negotiation, round }),
  fc.record({
    type: fc.constant('refused' as const),
    reason: fc.constantFrom(...negotiationCodes),
    detail: fc.string({ maxLength: 256 }),
  }),
  fc.record({
    type: fc.constant('signed' as const),
    agreement: bytes(1, 600),
    name: names,
    addresses,
  }),
);

/** Whether every cut and, for each position, one changed byte of `encoded` is refused or means something else. */
function assertStrict(
  encoded: Bytes,
  decode: (bytes: Uint8Array) => { readonly ok: boolean },
): void {
  const original = JSON.stringify(decode(encoded));
  for (let at = 0; at < encoded.length; at += 1) {
    assert.equal(decode(encoded.subarray(0, at)).ok, false);
    const changed = new Uint8Array(encoded);
    changed[at] = (changed[at] ?? 0) ^ (1 + (at % 255));
    const outcome = decode(changed);
    assert.ok(!outcome.ok || JSON.stringify(outcome) !== original, `byte ${at}`);
  }
}

test('what either side says comes back as it was, and any changed byte is refused or means something else', () => {
  fc.assert(
    fc.property(request, reply, (asked, answered) => {
      const sent = encodeNegotiationRequest(asked);
      assert.deepEqual(decodeNegotiationRequest(sent), { ok: true, value: { ...asked } });
      const back = encodeNegotiationReply(answered);
      assert.deepEqual(decodeNegotiationReply(back), { ok: true, value: { ...answered } });
      assert.equal(decodeNegotiationReply(sent).ok, false);
      assert.equal(decodeNegotiationRequest(back).ok, false);
    }),
    { numRuns: 100 },
  );
  fc.assert(
    fc.property(request, reply, (asked, answered) => {
      assertStrict(encodeNegotiationRequest(asked), decodeNegotiationRequest);
      assertStrict(encodeNegotiationReply(answered), decodeNegotiationReply);
    }),
    { numRuns: 10 },
  );
});

test('negotiations and redemptions of invites are told apart by their magic', () => {
  const redemption = encodeRedemption({
    secret: new Uint8Array(16),
    agreement: new Uint8Array(1),
    name: '',
    addresses: [],
  });
  assert.equal(isNegotiation(redemption), false);
  const profile = new Uint8Array(profileFieldMaximumBytes);
  const query = encodeNegotiationRequest({ type: 'query', profile, addresses: [] });
  assert.equal(isNegotiation(query), true);
  const answer = encodeNegotiationReply({ type: 'answer', profile, addresses: [] });
  assert.equal(isNegotiation(answer), false);
  assert.equal(isNegotiation(new Uint8Array(0)), false);
});
