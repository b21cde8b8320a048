import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { instant } from '../../base/units.ts';
import { publicKeyOf } from '../../primitives/signature.ts';
import { type AgreementId, idOf, type PeerId, type ShardName } from '../vocabulary/ids.ts';
import { type Notice, type NoticeSubject, readNotice, signNotice } from './notice.ts';

const seed = new Uint8Array(32).fill(7);
const signer = idOf<PeerId>(publicKeyOf(seed));
const stranger = idOf<PeerId>(publicKeyOf(new Uint8Array(32).fill(8)));
const agreement = idOf<AgreementId>(new Uint8Array(32).fill(9));

const plain = { noNullPrototype: true };

const subject: fc.Arbitrary<NoticeSubject> = fc.oneof(
  fc.record({ type: fc.constant('leaving' as const), until: fc.nat().map(instant) }, plain),
  fc.constant<NoticeSubject>({ type: 'back' }),
  fc.constant<NoticeSubject>({ type: 'restoring' }),
  fc.constant<NoticeSubject>({ type: 'reload' }),
  fc.record(
    {
      type: fc.constant('lost-data' as const),
      shards: fc.array(
        fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => idOf<ShardName>(bytes)),
        { maxLength: 20 },
      ),
    },
    plain,
  ),
);

const notice: fc.Arbitrary<Notice> = fc.record(
  {
    agreement: fc.constant(agreement),
    by: fc.constant(signer),
    time: fc.nat().map(instant),
    subject,
  },
  plain,
);

test('a notice comes back as it was signed', () => {
  fc.assert(
    fc.property(notice, (one) => {
      assert.deepEqual(readNotice(signNotice(one, seed), signer), { ok: true, value: one });
    }),
  );
});

test('a notice with any byte changed is refused', () => {
  fc.assert(
    fc.property(notice, fc.nat(), fc.integer({ min: 1, max: 255 }), (one, at, change) => {
      const bytes = signNotice(one, seed);
      const place = at % bytes.length;
      bytes[place] = (bytes[place] ?? 0) ^ change;
      assert.equal(readNotice(bytes, signer).ok, false);
    }),
  );
});

test('a notice of somebody else is refused, and one that names another than its signer', () => {
  const mine: Notice = { agreement, by: signer, time: instant(5), subject: { type: 'back' } };
  const shown = readNotice(signNotice(mine, seed), stranger);
  assert(!shown.ok);
  assert.equal(shown.error.code, 'notice.wrong-peer');
  const forged = readNotice(signNotice({ ...mine, by: stranger }, seed), stranger);
  assert(!forged.ok);
  assert.equal(forged.error.code, 'notice.bad-signature');
});
