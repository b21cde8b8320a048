/**
 * Invite codes: how two people who know each other make their computers partners, with no third party.
 *
 * A code says who invites and where that computer is, and holds a secret that is good for one partner. Whoever holds the code can redeem it,
 * so it travels by a way that the two trust. The inviter keeps only a hash of the secret.
 */
import { assert } from '../../base/assert.ts';
import { base32Bytes, base32Text } from '../../base/base32.ts';
import { type Bytes, concatBytes, equalBytes, utf8Bytes } from '../../base/bytes.ts';
import { encodeCbor } from '../../base/codec.ts';
import { decodeFields, type FieldReader, orNull } from '../../base/document.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import type { Instant } from '../../base/units.ts';
import { hashWithDomain, sha256 } from '../../primitives/hash.ts';
import { domains } from '../sealing/domains.ts';
import { bytesOf, type PeerId } from '../vocabulary/ids.ts';
import { readAddresses, readPeer } from '../wire/contact.ts';
import { termBounds } from './terms.ts';

export interface Invitation {
  readonly inviter: PeerId;
  /** At most eight. */
  readonly addresses: readonly string[];
  /** 16 random bytes, good for one partner. */
  readonly secret: Bytes;
  /** What the inviter lends to whoever joins. */
  readonly lendsBytes: number;
  /** What it would like in return. Absent: as much as it lends. */
  readonly wantsBytes?: number;
  readonly expiresAt: Instant;
}

export type InvitationFailure = {
  readonly code: 'invite.malformed' | 'invite.unknown-version';
};

export const invitationSecretBytes = 16;

/** Magic and version of the text form. */
const prefix = 'covault1';
const checksumBytes = 4;
const bodyMaximumBytes = 2_048;
const textMaximumLength = 8_192;
const spaceMaximum: number = termBounds.firstLendsBytes.most;

/** The code as it is shown and sent: one word, safe to copy. */
export function invitationText(invitation: Invitation): string {
  assert(invitation.secret.length === invitationSecretBytes, 'a secret has 16 bytes');
  const body = encodeCbor([
    bytesOf(invitation.inviter),
    invitation.addresses,
    invitation.secret,
    invitation.lendsBytes,
    orNull(invitation.wantsBytes),
    invitation.expiresAt,
  ]);
  return `${prefix}-${base32Text(concatBytes([body, checksumOf(body)]))}`;
}

/** The invitation in a code, however it was wrapped, spaced or capitalised on its way. */
export function parseInvitation(text: string): Outcome<Invitation, InvitationFailure> {
  if (text.length > textMaximumLength) return failed({ code: 'invite.malformed' });
  const plain = text.toLowerCase().replace(/[\s-]/g, '');
  if (!plain.startsWith(prefix))
    return failed({
      code: /^covault[2-9]/.test(plain) ? 'invite.unknown-version' : 'invite.malformed',
    });
  const bytes = base32Bytes(plain.slice(prefix.length));
  if (bytes === undefined || bytes.length <= checksumBytes)
    return failed({ code: 'invite.malformed' });
  const body = bytes.subarray(0, -checksumBytes);
  if (!equalBytes(checksumOf(body), bytes.subarray(-checksumBytes)))
    return failed({ code: 'invite.malformed' });
  const decoded = decodeFields(body, bodyMaximumBytes, readInvitation);
  return decoded.ok ? succeeded(decoded.value) : failed({ code: 'invite.malformed' });
}

/** What the inviter remembers of a secret. */
export function secretHashOf(secret: Uint8Array): Bytes {
  return hashWithDomain(domains.invitationSecret, secret);
}

function readInvitation(fields: FieldReader): Invitation {
  const inviter = readPeer(fields);
  const addresses = readAddresses(fields);
  const secret = fields.fixed(invitationSecretBytes);
  const lendsBytes = fields.uint(spaceMaximum);
  const wantsBytes = fields.optional((field) => field.uint(spaceMaximum));
  const expiresAt = fields.instant();
  return {
    inviter,
    addresses,
    secret,
    lendsBytes,
    ...(wantsBytes === undefined ? {} : { wantsBytes }),
    expiresAt,
  };
}

/** Finds mistakes of typing and copying; the secret is what keeps strangers out. */
function checksumOf(body: Uint8Array): Bytes {
  return sha256(utf8Bytes(prefix), body).slice(0, checksumBytes);
}
