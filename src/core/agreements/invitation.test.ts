import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { base32Bytes, base32Text } from '../../base/base32.ts';
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import { instant } from '../../base/units.ts';
import type { PeerId } from '../vocabulary/ids.ts';
import { type Invitation, invitationText, parseInvitation, secretHashOf } from './invitation.ts';

const bytes = (length: number): fc.Arbitrary<Bytes> =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((array) => new Uint8Array(array));

const invitation: fc.Arbitrary<Invitation> = fc
  .record({
    inviter: bytes(32).map((id) => Buffer.from(id).toString('hex') as PeerId),
    addresses: fc.array(
      fc.constantFrom(
        '/ip4/192.0.2.7/tcp/4747',
        '/ip6/2001:db8::1/tcp/4747',
        '/dns/a.example/tcp/1',
      ),
      { maxLength: 8 },
    ),
    secret: bytes(16),
    lendsBytes: fc.integer({ min: 0, max: 2 ** 50 }),
    wantsBytes: fc.option(fc.integer({ min: 0, max: 2 ** 50 })),
    expiresAt: fc.maxSafeNat().map(instant),
  })
  .map(({ wantsBytes, ...rest }) => ({ ...rest, ...(wantsBytes === null ? {} : { wantsBytes }) }));

test('an invitation comes back from its code', () => {
  fc.assert(
    fc.property(invitation, (value) => {
      assert.deepEqual(parseInvitation(invitationText(value)), { ok: true, value });
    }),
  );
});

test('a code survives capitals, line breaks, spaces and hyphens', () => {
  fc.assert(
    fc.property(invitation, fc.integer({ min: 1, max: 9 }), (value, width) => {
      const code = invitationText(value);
      const wrapped = code.toUpperCase().replace(new RegExp(`.{${width}}`, 'g'), '$& \n-');
      assert.deepEqual(parseInvitation(wrapped), { ok: true, value });
    }),
  );
});

test('a code with one character changed, dropped or added is refused', () => {
  fc.assert(
    fc.property(invitation, fc.nat(), fc.constantFrom('', 'x', 'zz'), (value, position, insert) => {
      const code = invitationText(value);
      const at = position % code.length;
      const changed = code.slice(0, at) + insert + code.slice(at + 1);
      fc.pre(changed.replace(/-/g, '') !== code.replace(/-/g, ''));
      assert.equal(parseInvitation(changed).ok, false);
    }),
    { numRuns: 500 },
  );
});

test('what is no code, and codes of a later version, are told apart', () => {
  const codeOf = (text: string) => {
    const outcome = parseInvitation(text);
    return outcome.ok ? 'accepted' : outcome.error.code;
  };
  assert.equal(codeOf(''), 'invite.malformed');
  assert.equal(codeOf('covault1-'), 'invite.malformed');
  assert.equal(codeOf('https://example.org'), 'invite.malformed');
  assert.equal(codeOf('covault2-abcdef'), 'invite.unknown-version');
  assert.equal(codeOf(`covault1-${'0'.repeat(100_000)}`), 'invite.malformed');
});

test('the hash of a secret is not the secret', () => {
  const secret = new Uint8Array(16).fill(3);
  assert.equal(secretHashOf(secret).length, 32);
  assert.ok(!equalBytes(secretHashOf(secret).subarray(0, 16), secret));
});

test('base 32 comes back, and bits that belong to no byte are refused', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (value) => {
      assert.deepEqual(base32Bytes(base32Text(value)), new Uint8Array(value));
    }),
  );
  assert.equal(base32Bytes('01'), undefined);
  assert.equal(base32Bytes('0'), undefined);
  assert.equal(base32Bytes('000'), undefined);
  assert.equal(base32Bytes('u0'), undefined);
  assert.deepEqual(base32Bytes('oo'), Uint8Array.of(0));
});
