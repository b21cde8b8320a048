import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type Bytes, equalBytes, utf8Bytes } from '../../base/bytes.ts';
import { instant } from '../../base/units.ts';
import { sha256 } from '../../primitives/hash.ts';
import { deriveKeys } from '../sealing/keys.ts';
import type { PackId, PeerId, SnapshotId } from '../vocabulary/ids.ts';
import type { Suite } from '../vocabulary/suite.ts';
import type { ManifestDraft } from './manifest.ts';
import { encodeManifest, openManifest, readPublicManifest } from './manifest.ts';
import { readReceipt, signReceipt } from './receipt.ts';

const keys = deriveKeys(sha256(utf8Bytes('an owner')));
const otherKeys = deriveKeys(sha256(utf8Bytes('another owner')));

const bytes = (length: number): fc.Arbitrary<Bytes> =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((array) => new Uint8Array(array));
const id = <T>(): fc.Arbitrary<T> =>
  bytes(32).map((value) => Buffer.from(value).toString('hex') as T);
const time = fc.maxSafeNat().map(instant);
const plain = { noNullPrototype: true };

const contact = fc.record(
  {
    peer: id<PeerId>(),
    name: fc.constantFrom('attic', 'Büro', ''),
    addresses: fc.array(fc.constantFrom('/ip4/127.0.0.1/tcp/1', '/dns/a.example/tcp/2')),
  },
  { requiredKeys: ['peer', 'addresses'], noNullPrototype: true },
);
const indexPack = fc.record(
  {
    pack: id<PackId>(),
    suite: fc.constantFrom<Suite>(1, 2),
    lengthBytes: fc.nat(1_000_000),
    code: fc.constant({ id: 'reed-solomon' as const, dataShards: 2, parityShards: 1 }),
    placement: fc.oneof(
      fc.constant([]),
      fc.array(fc.option(id<PeerId>(), { nil: undefined }), { minLength: 3, maxLength: 3 }),
    ),
  },
  plain,
);

const draft: fc.Arbitrary<ManifestDraft> = fc.record(
  {
    header: fc.record(
      {
        incarnation: fc.maxSafeNat(),
        sequence: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
        previousHash: bytes(32),
        time,
        partners: fc.array(
          contact.map((value) => ({ ...value, addresses: value.addresses.slice(0, 8) })),
          { maxLength: 4 },
        ),
      },
      { requiredKeys: ['incarnation', 'sequence', 'time', 'partners'], noNullPrototype: true },
    ),
    body: fc.record(
      {
        ownerName: fc.constantFrom('laptop', ''),
        code: fc.constant({ id: 'parity' as const, dataShards: 2, parityShards: 1 }),
        indexPacks: fc.array(indexPack, { maxLength: 3 }),
        snapshots: fc.array(fc.record({ snapshot: id<SnapshotId>(), time }, plain), {
          maxLength: 3,
        }),
        agreements: fc.array(bytes(40), { maxLength: 2 }),
      },
      {
        requiredKeys: ['ownerName', 'indexPacks', 'snapshots', 'agreements'],
        noNullPrototype: true,
      },
    ),
  },
  plain,
);
const sealing = fc.record({ salt: bytes(32), suite: fc.constantFrom<Suite>(1, 2) });

test('the owner reads its manifest as it wrote it, a partner the part that is for it', () => {
  fc.assert(
    fc.property(draft, sealing, (value, sealed) => {
      const document = encodeManifest(value, keys, sealed);
      const opened = openManifest(document, keys);
      assert.ok(opened.ok);
      assert.deepEqual(opened.value.body, value.body);
      const { owner, bodyHash, ...header } = opened.value.header;
      assert.deepEqual(header, value.header);
      assert.equal(owner, keys.peerId);
      assert.equal(bodyHash.length, 32);
      const read = readPublicManifest(document, keys.peerId);
      assert.deepEqual(read, {
        ok: true,
        value: { header: opened.value.header, hash: opened.value.hash },
      });
    }),
    { numRuns: 50 },
  );
});

const fixed: ManifestDraft = {
  header: {
    incarnation: 0,
    sequence: 1,
    time: instant(5),
    partners: [{ peer: otherKeys.peerId, addresses: ['/ip4/127.0.0.1/tcp/1'] }],
  },
  body: { ownerName: 'laptop', indexPacks: [], snapshots: [], agreements: [] },
};
const salt = new Uint8Array(32).fill(9);

test('a manifest with any byte changed is refused by owner and partner alike', () => {
  const document = encodeManifest(fixed, keys, { salt, suite: 1 });
  for (let at = 0; at < document.length; at += 1) {
    const changed = new Uint8Array(document);
    changed[at] = (changed[at] ?? 0) ^ (1 + (at % 255));
    assert.equal(readPublicManifest(changed, keys.peerId).ok, false, `byte ${at}`);
    assert.equal(openManifest(changed, keys).ok, false, `byte ${at}`);
    assert.equal(openManifest(document.subarray(0, at), keys).ok, false, `${at} bytes`);
  }
});

test('nobody else can read the body, or pass a manifest off as the owner’s', () => {
  const document = encodeManifest(fixed, keys, { salt, suite: 1 });
  assert.equal(Buffer.from(document).includes('laptop'), false);
  const forOther = openManifest(document, { ...keys, manifestKey: otherKeys.manifestKey });
  assert.equal(!forOther.ok && forOther.error.code, 'manifest.bad-seal');
  const asOther = readPublicManifest(document, otherKeys.peerId);
  assert.equal(!asOther.ok && asOther.error.code, 'manifest.bad-signature');
});

test('manifests of nearly one size have one length', () => {
  const lengthOf = (count: number) =>
    encodeManifest(
      { ...fixed, body: { ...fixed.body, agreements: [new Uint8Array(count)] } },
      keys,
      { salt, suite: 1 },
    ).length;
  const lengths = new Set(Array.from({ length: 200 }, (_, count) => lengthOf(1_800 + count)));
  assert.ok(lengths.size <= 4, `${lengths.size} lengths`);
});

test('manifests under one salt but two places do not share a seal', () => {
  const first = encodeManifest(fixed, keys, { salt, suite: 1 });
  const moved = { ...fixed, header: { ...fixed.header, sequence: 2 } };
  const second = encodeManifest(moved, keys, { salt, suite: 1 });
  assert.ok(!equalBytes(first.subarray(-16), second.subarray(-16)));
});

test('a receipt is read under its signer only, and refuses every changed byte', () => {
  const receipt = {
    owner: keys.peerId,
    incarnation: 1,
    sequence: 2,
    manifestHash: sha256(utf8Bytes('manifest')),
    time: instant(3),
  };
  const document = signReceipt(receipt, otherKeys.identitySeed);
  assert.deepEqual(readReceipt(document, otherKeys.peerId), { ok: true, value: receipt });
  assert.equal(readReceipt(document, keys.peerId).ok, false);
  for (let at = 0; at < document.length; at += 1) {
    const changed = new Uint8Array(document);
    changed[at] = (changed[at] ?? 0) ^ 0x41;
    assert.equal(readReceipt(changed, otherKeys.peerId).ok, false, `byte ${at}`);
  }
});
