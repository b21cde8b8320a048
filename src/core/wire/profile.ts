/** What a computer says about itself, signed: who it is and what it runs. Later versions add what partners are chosen by (C23–C27). */
import type { Bytes } from '../../base/bytes.ts';
import {
  type DocumentFailure,
  decodeDocument,
  encodeDocument,
  type FieldReader,
} from '../../base/document.ts';
import { failed, type Outcome } from '../../base/outcome.ts';
import type { Instant } from '../../base/units.ts';
import { bytesOf, type PeerId } from '../vocabulary/ids.ts';
import { readName, readPeer } from './contact.ts';
import { decodeRecord, recordSignedBy, signRecord } from './signed-record.ts';

export interface Profile {
  readonly peer: PeerId;
  readonly name: string;
  /** Versions of the protocol that it speaks, rising; 1 is the only one so far. */
  readonly protocols: readonly number[];
  /** Version of covault. */
  readonly program: string;
  /** `linux`, `darwin` and the like. */
  readonly system: string;
  /** `x64`, `arm64` and the like. */
  readonly architecture: string;
  /** Space that it would lend to new partners, in bytes. */
  readonly offeredBytes: number;
  readonly time: Instant;
}

export type ProfileFailure =
  | DocumentFailure
  | { readonly code: 'profile.bad-signature' | 'profile.wrong-peer' };

export const profileMaximumBytes = 4_096;
const wordMaximumLength = 64;
const protocolsMaximum = 16;

const kind = { magic: 'covault/profile', version: 1, limitBytes: profileMaximumBytes };

export function signProfile(profile: Profile, identitySeed: Uint8Array): Bytes {
  const body = encodeDocument(kind, [
    bytesOf(profile.peer),
    profile.name,
    profile.protocols,
    profile.program,
    profile.system,
    profile.architecture,
    profile.offeredBytes,
    profile.time,
  ]);
  return signRecord('profile', body, identitySeed);
}

/** The profile that `peer` signed. */
export function readProfile(document: Uint8Array, peer: PeerId): Outcome<Profile, ProfileFailure> {
  const record = decodeRecord(document, profileMaximumBytes);
  if (!record.ok) return record;
  if (!recordSignedBy('profile', record.value, peer))
    return failed({ code: 'profile.bad-signature' });
  const profile = decodeDocument(kind, record.value.body, readFields);
  if (profile.ok && profile.value.peer !== peer) return failed({ code: 'profile.wrong-peer' });
  return profile;
}

function readFields(fields: FieldReader): Profile {
  return {
    peer: readPeer(fields),
    name: readName(fields),
    protocols: fields.list(protocolsMaximum, (list) => list.uint(255)),
    program: fields.text(wordMaximumLength),
    system: fields.text(wordMaximumLength),
    architecture: fields.text(wordMaximumLength),
    offeredBytes: fields.uint(),
    time: fields.instant(),
  };
}
