import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { AssertionError } from '../../base/assert.ts';
import { type Bytes, utf8Bytes } from '../../base/bytes.ts';
import { instant } from '../../base/units.ts';
import { sha256 } from '../../primitives/hash.ts';
import { publicKeyOf } from '../../primitives/signature.ts';
import { idOf, type PeerId } from '../vocabulary/ids.ts';
import { type Profile, presets, profileMaximumBytes, readProfile, signProfile } from './profile.ts';
import { type Reference, referenceAddressesMaximum, referencesMaximum } from './reference.ts';

const seed = sha256(utf8Bytes('peer'));
const peer = idOf<PeerId>(publicKeyOf(seed));
const stranger = 'ab'.repeat(32) as PeerId;

const plain: Profile = {
  peer,
  name: 'laptop',
  protocols: [1],
  program: '0.1.0',
  system: 'linux',
  architecture: 'x64',
  place: {},
  offeredBytes: 5e10,
  wantedBytes: 0,
  presets: ['circle'],
  references: [],
  time: instant(1),
};

const bytes = (length: number): fc.Arbitrary<Bytes> =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((array) => new Uint8Array(array));
const plainObject = { noNullPrototype: true } as const;

const reference: fc.Arbitrary<Reference> = fc.record(
  {
    peer: bytes(32).map((id) => idOf<PeerId>(id)),
    addresses: fc.array(fc.constant('/ip4/192.0.2.7/tcp/4747'), { maxLength: 3 }),
    sequence: fc.maxSafeNat(),
    receiptHash: bytes(32),
    provenDays: fc.nat(100_000),
    renegedCount: fc.nat(3),
  },
  plainObject,
);

const coordinates = fc.record(
  {
    latitude: fc.integer({ min: -90, max: 90 }),
    longitude: fc.integer({ min: -180, max: 179 }),
  },
  plainObject,
);

const place = fc.record(
  {
    country: fc.constantFrom('CH', 'NZ'),
    coordinates,
    household: fc.constantFrom('Büro', 'home'),
  },
  { requiredKeys: [], ...plainObject },
);

const profile: fc.Arbitrary<Profile> = fc
  .record(
    {
      place,
      osVersion: fc.constantFrom('6.8', '24.1'),
      networkPrefix: fc.constantFrom('192.0.2.0/24', '2001:db8:1::/48'),
      schedule: bytes(168),
      promised: bytes(21),
      upBytesPerSecond: fc.nat(2 ** 30),
      downBytesPerSecond: fc.nat(2 ** 30),
      wantedBytes: fc.maxSafeNat(),
      presets: fc.subarray([...presets]),
      references: fc.array(reference, { maxLength: referencesMaximum }),
    },
    { requiredKeys: ['place', 'wantedBytes', 'presets', 'references'], ...plainObject },
  )
  .map((measured) => ({ ...plain, ...measured }));

test('C24, C26: a profile comes back as it was signed, measured or not', () => {
  fc.assert(
    fc.property(profile, (value) => {
      assert.deepEqual(readProfile(signProfile(value, seed), peer), { ok: true, value });
    }),
    { numRuns: 40 },
  );
});

test('a profile with any byte changed, or cut short, is refused', () => {
  const [value] = fc.sample(profile, { numRuns: 1, seed: 7 });
  const document = signProfile(value ?? plain, seed);
  for (let at = 0; at < document.length; at += 1) {
    const changed = new Uint8Array(document);
    changed[at] = (changed[at] ?? 0) ^ (1 + (at % 255));
    assert.equal(readProfile(changed, peer).ok, false, `byte ${at}`);
    if (at % 7 === 0) assert.equal(readProfile(document.subarray(0, at), peer).ok, false);
  }
});

test('a profile is read under its signer only', () => {
  const other = readProfile(signProfile(plain, seed), stranger);
  assert.equal(!other.ok && other.error.code, 'profile.bad-signature');
  const wrong = readProfile(signProfile({ ...plain, peer: stranger }, seed), peer);
  assert.equal(!wrong.ok && wrong.error.code, 'profile.wrong-peer');
});

test('a profile that nobody could read is not signed', () => {
  const spoilt: readonly Partial<Profile>[] = [
    { system: '\u001b[31m' },
    { osVersion: 'a\nb' },
    { architecture: 'x'.repeat(65) },
    { place: { country: 'ch' } },
    { place: { coordinates: { latitude: 91, longitude: 0 } } },
    { place: { coordinates: { latitude: 0, longitude: 180 } } },
    { networkPrefix: '192.0.2.7' },
    { schedule: new Uint8Array(21) },
    { promised: new Uint8Array(168) },
    { offeredBytes: -1 },
    { upBytesPerSecond: 1.5 },
  ];
  for (const part of spoilt)
    assert.throws(() => signProfile({ ...plain, ...part }, seed), AssertionError);
});

test('the longest profile keeps to its limit', () => {
  const longest: Reference = {
    peer: stranger,
    addresses: Array(referenceAddressesMaximum).fill(`/dns/${'a'.repeat(155)}`),
    sequence: Number.MAX_SAFE_INTEGER,
    receiptHash: new Uint8Array(32),
    provenDays: 100_000,
    renegedCount: 100_000,
  };
  const word = 'ü'.repeat(64);
  const value: Profile = {
    ...plain,
    name: word,
    protocols: Array(16).fill(255),
    program: word,
    system: word,
    osVersion: word,
    architecture: word,
    place: {
      country: 'CH',
      coordinates: { latitude: 90, longitude: 179 },
      household: word,
    },
    networkPrefix: '2001:dbff:ffff::/48',
    schedule: new Uint8Array(168),
    promised: new Uint8Array(21),
    upBytesPerSecond: 2 ** 40,
    downBytesPerSecond: 2 ** 40,
    offeredBytes: Number.MAX_SAFE_INTEGER,
    wantedBytes: Number.MAX_SAFE_INTEGER,
    presets,
    references: Array(referencesMaximum).fill(longest),
  };
  assert.ok(signProfile(value, seed).length < profileMaximumBytes);
  assert.equal(readProfile(signProfile(value, seed), peer).ok, true);
});
