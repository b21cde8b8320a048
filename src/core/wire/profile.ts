/**
 * What a computer says about itself, signed: who it is, what it runs, where and when it is there, and what it lends (C23–C27).
 *
 * Where something can be measured the profile holds what was measured; what nobody measured yet is absent, not guessed. A reader that has measured the peer
 * itself believes its own account instead.
 */
import { assert } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import type { CborValue } from '../../base/codec.ts';
import {
  type DocumentFailure,
  decodeDocument,
  encodeDocument,
  type FieldReader,
  orNull,
} from '../../base/document.ts';
import { failed, type Outcome } from '../../base/outcome.ts';
import { type Instant, kibi } from '../../base/units.ts';
import { scheduleBytes } from '../agreements/terms.ts';
import { weekHours } from '../partners/schedule.ts';
import { bytesOf, type PeerId } from '../vocabulary/ids.ts';
import { readName, readPeer } from './contact.ts';
import { type Reference, readReferences, referenceFields } from './reference.ts';
import { decodeRecord, recordSignedBy, signRecord } from './signed-record.ts';

/** Whole degrees, as coarse as about 100 km: enough to tell places apart, too little to find a house. */
export interface Coordinates {
  /** −90 … 90, north positive. */
  readonly latitude: number;
  /** −180 … 179, east positive. */
  readonly longitude: number;
}

/** Where the user says that the computer stands. */
export interface Place {
  /** Two capital letters (ISO 3166-1 alpha-2). */
  readonly country?: string;
  readonly coordinates?: Coordinates;
  /** Any word that the computers of one household have in common. */
  readonly household?: string;
}

/** Kinds of agreement: among people who know each other, and among strangers (DESIGN §8). */
export const presets = ['circle', 'open'] as const;
export type Preset = (typeof presets)[number];

export interface Profile {
  readonly peer: PeerId;
  readonly name: string;
  /** Versions of the protocol that it speaks, rising; 1 is the only one so far. */
  readonly protocols: readonly number[];
  /** Version of covault. */
  readonly program: string;
  /** `linux`, `darwin` and the like. */
  readonly system: string;
  /** Version of that system, as far as what fails together goes: `6.8`, `24.1`. */
  readonly osVersion?: string;
  /** `x64`, `arm64` and the like. */
  readonly architecture: string;
  readonly place: Place;
  /** Its public network, `192.0.2.0/24` or `2001:db8:1::/48` (see `networkPrefixOf`). */
  readonly networkPrefix?: string;
  /** Share of each hour of the week in which it was on line, 168 bytes, 255 = always (src/core/partners/schedule.ts). */
  readonly schedule?: Bytes;
  /** The hours of the week that it would promise, 21 bytes as in `Terms.schedule`. */
  readonly promised?: Bytes;
  /** Average bytes a second that it sent and received in real transfers. */
  readonly upBytesPerSecond?: number;
  readonly downBytesPerSecond?: number;
  /** Space that it would lend to new partners, in bytes. */
  readonly offeredBytes: number;
  /** Space that it seeks at new partners, in bytes. */
  readonly wantedBytes: number;
  /** Kinds of agreement that it enters. */
  readonly presets: readonly Preset[];
  readonly references: readonly Reference[];
  readonly time: Instant;
}

export type ProfileFailure =
  | DocumentFailure
  | { readonly code: 'profile.bad-signature' | 'profile.wrong-peer' };

export const profileMaximumBytes: number = 16 * kibi;
const protocolsMaximum = 16;
const rateMaximum: number = 2 ** 40;

const kind = { magic: 'covault/profile', version: 1, limitBytes: profileMaximumBytes };

export function signProfile(profile: Profile, identitySeed: Uint8Array): Bytes {
  const body = encodeDocument(kind, [
    bytesOf(profile.peer),
    profile.name,
    profile.protocols,
    profile.program,
    profile.system,
    orNull(profile.osVersion),
    profile.architecture,
    placeFields(profile.place),
    orNull(profile.networkPrefix),
    orNull(profile.schedule),
    orNull(profile.promised),
    orNull(profile.upBytesPerSecond),
    orNull(profile.downBytesPerSecond),
    profile.offeredBytes,
    profile.wantedBytes,
    profile.presets,
    profile.references.map(referenceFields),
    profile.time,
  ]);
  assert(decodeDocument(kind, body, readFields).ok, 'a profile is one that others can read');
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
  const peer = readPeer(fields);
  const name = readName(fields);
  const protocols = fields.list(protocolsMaximum, (list) => list.uint(255));
  // What strangers write is shown to people: all its words are free of control characters.
  const program = readName(fields);
  const system = readName(fields);
  const osVersion = fields.optional(readName);
  const architecture = readName(fields);
  const place = readPlace(fields);
  const networkPrefix = fields.optional(readPrefix);
  const schedule = fields.optional((field) => field.fixed(weekHours));
  const promised = fields.optional((field) => field.fixed(scheduleBytes));
  const upBytesPerSecond = fields.optional((field) => field.uint(rateMaximum));
  const downBytesPerSecond = fields.optional((field) => field.uint(rateMaximum));
  return {
    peer,
    name,
    protocols,
    program,
    system,
    ...(osVersion === undefined ? {} : { osVersion }),
    architecture,
    place,
    ...(networkPrefix === undefined ? {} : { networkPrefix }),
    ...(schedule === undefined ? {} : { schedule }),
    ...(promised === undefined ? {} : { promised }),
    ...(upBytesPerSecond === undefined ? {} : { upBytesPerSecond }),
    ...(downBytesPerSecond === undefined ? {} : { downBytesPerSecond }),
    offeredBytes: fields.uint(),
    wantedBytes: fields.uint(),
    presets: fields.list(presets.length, (list) => list.choice(presets)),
    references: readReferences(fields),
    time: fields.instant(),
  };
}

/** Degrees are counted from the south pole and from the date line: documents have no negative numbers. */
function placeFields({ country, coordinates, household }: Place): CborValue {
  const degrees: CborValue =
    coordinates === undefined ? null : [coordinates.latitude + 90, coordinates.longitude + 180];
  return [orNull(country), degrees, orNull(household)];
}

function readPlace(fields: FieldReader): Place {
  return fields.record((record) => {
    const country = record.optional(readCountry);
    const coordinates = record.optional((field) => field.record(readCoordinates));
    const household = record.optional(readName);
    return {
      ...(country === undefined ? {} : { country }),
      ...(coordinates === undefined ? {} : { coordinates }),
      ...(household === undefined ? {} : { household }),
    };
  });
}

function readCoordinates(record: FieldReader): Coordinates {
  return { latitude: record.uint(180) - 90, longitude: record.uint(359) - 180 };
}

function readCountry(fields: FieldReader): string {
  const country = fields.text(2);
  fields.require(/^[A-Z]{2}$/.test(country), 'a country of two capital letters');
  return country;
}

function readPrefix(fields: FieldReader): string {
  const prefix = fields.text(24);
  fields.require(/^[0-9a-f.:]+\/(?:24|48)$/.test(prefix), 'a network of 24 or 48 bits');
  return prefix;
}
