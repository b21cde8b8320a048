import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type Bytes, utf8Bytes } from '../../base/bytes.ts';
import { sha256 } from '../../primitives/hash.ts';
import type { AgreementId, PeerId, ShardName } from '../vocabulary/ids.ts';
import { messageMaximumBytes, packMaximumBytes } from '../vocabulary/limits.ts';
import { parseRange, rangeText } from './block-range.ts';
import { blocksMaximum } from './blocks.ts';
import { validAddress, validName } from './contact.ts';
import { parseCount } from './count.ts';
import { decodeInventory, encodeInventory, inventoryPageEntries } from './inventory.ts';
import { decodeLedgerPage, encodeLedgerPage, ledgerPageEntries } from './ledger-page.ts';
import {
  decodeRedemption,
  decodeRedemptionReply,
  encodeRedemption,
  encodeRedemptionReply,
} from './redemption.ts';
import { decodeRefusal, encodeRefusal, refusalCodes, statusOf } from './refusal.ts';
import { parsePath, pathOf, type Resource } from './resources.ts';
import { parseUpload, uploadFields } from './shard-upload.ts';

const hex = (length: number): fc.Arbitrary<string> =>
  fc
    .uint8Array({ minLength: length, maxLength: length })
    .map((bytes) => Buffer.from(bytes).toString('hex'));
const bytes = (minLength: number, maxLength: number): fc.Arbitrary<Bytes> =>
  fc.uint8Array({ minLength, maxLength }).map((array) => new Uint8Array(array));

const resource: fc.Arbitrary<Resource> = fc.oneof(
  fc.constant({ resource: 'profile' as const }),
  fc.constant({ resource: 'negotiation' as const }),
  hex(16).map((name) => ({ resource: 'shard' as const, name: name as ShardName })),
  fc.option(hex(16), { nil: undefined }).map((after) => ({
    resource: 'inventory' as const,
    after: after as ShardName | undefined,
  })),
  fc.tuple(hex(32), fc.maxSafeNat(), fc.maxSafeNat()).map(([agreement, epoch, after]) => ({
    resource: 'ledger' as const,
    agreement: agreement as AgreementId,
    epoch,
    after,
  })),
  hex(32).map((owner) => ({ resource: 'manifest' as const, owner: owner as PeerId })),
  fc.constantFrom('records' as const, 'notices' as const, 'audits' as const).map((kind) => ({
    resource: kind,
  })),
  hex(32).map((about) => ({ resource: 'record' as const, about: about as PeerId })),
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
  const longer = new Uint8Array(encoded.length + 1);
  longer.set(encoded);
  assert.equal(decode(longer).ok, false);
}

test('a resource comes back from its path', () => {
  fc.assert(
    fc.property(resource, (value) => {
      assert.deepEqual(parsePath(pathOf(value)), value);
    }),
  );
});

test('a path has one spelling only', () => {
  fc.assert(
    fc.property(
      resource,
      fc.nat(),
      fc.constantFrom('', '/', '?', 'A', '%', '..'),
      (value, at, put) => {
        const path = pathOf(value);
        const position = at % (path.length + 1);
        const changed = path.slice(0, position) + put + path.slice(position);
        const parsed = parsePath(changed);
        assert.ok(parsed === undefined || pathOf(parsed) === changed);
      },
    ),
  );
});

test('paths of nothing, of later resources and of other versions are unknown', () => {
  const name = 'ab'.repeat(16);
  for (const path of [
    '',
    '/',
    '/v1/',
    '/v2/profile',
    '/v1/profile/',
    '/v1/profile?after=1',
    '/v1/shards/',
    `/v1/shards/${name}?after=${name}`,
    `/v1/shards/${name.toUpperCase()}`,
    '/v1/shards/../profile',
    '/v1/shards?after=',
    `/v1/ledgers/${'ab'.repeat(32)}`,
    `/v1/ledgers/${'ab'.repeat(32)}?after=1`,
    `/v1/ledgers/${'ab'.repeat(32)}/0`,
    `/v1/ledgers/${'ab'.repeat(32)}/00?after=1`,
    `/v1/ledgers/${'ab'.repeat(32)}/0?after=01`,
    '/v1/ledgers/0?after=1',
    `/v1/shards/${name}/0`,
    '/v1/audits/',
    '/v1/notices?after=1',
    `/v1/audits/${'ab'.repeat(32)}`,
    `/v1/records/${'ab'.repeat(31)}`,
    `/v1/records/${'ab'.repeat(32)}/0`,
    '/v1/records?after=1',
  ])
    assert.equal(parsePath(path), undefined, path);
});

test('a refusal comes back, with a status of its own kind', () => {
  for (const code of refusalCodes) {
    const refusal = { code, detail: 'because' };
    assert.deepEqual(decodeRefusal(encodeRefusal(refusal)), { ok: true, value: refusal });
    assert.ok(statusOf(code) >= 400 && statusOf(code) < 600);
  }
  assertStrict(encodeRefusal({ code: 'shard.busy', detail: 'x' }), decodeRefusal);
});

test('a long detail is cut, and a broken surrogate does not break the refusal', () => {
  const refusal = decodeRefusal(
    encodeRefusal({ code: 'peer.fault', detail: '\u{1f600}'.repeat(999) }),
  );
  assert.ok(refusal.ok && refusal.value.detail.length === 256);
  const odd = decodeRefusal(
    encodeRefusal({ code: 'peer.fault', detail: `x${'\u{1f600}'.repeat(999)}` }),
  );
  assert.ok(odd.ok && odd.value.detail.length === 256);
});

test('a range of blocks comes back from its field', () => {
  const range = fc.record(
    { first: fc.nat(blocksMaximum - 1), count: fc.integer({ min: 1, max: blocksMaximum }) },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(range, (value) => {
      const fits = value.first + value.count <= blocksMaximum;
      assert.deepEqual(parseRange(rangeText(value)), fits ? value : undefined);
    }),
  );
});

test('ranges of other units, of part of a block, or of nothing are refused', () => {
  for (const text of [
    '',
    'bytes=0-',
    'bytes=-65536',
    'bytes=0-65534',
    'bytes=1-65536',
    'bytes=65536-65535',
    'bytes=0-65535,131072-196607',
    'blocks=0-65535',
    'bytes=00-65535',
    ' bytes=0-65535',
    `bytes=0-${2 ** 53}`,
  ])
    assert.equal(parseRange(text), undefined, text);
});

test('an upload comes back from its fields, and nonsense does not', () => {
  const merkleRoot = new Uint8Array(32).map((_, index) => index * 7);
  const upload = { blockCount: 7, firstBlock: 6, merkleRoot };
  const root = Buffer.from(merkleRoot).toString('hex');
  assert.deepEqual(parseUpload(uploadFields(upload)), upload);
  assert.deepEqual(parseUpload({ 'covault-blocks': '7', 'covault-root': root }), {
    ...upload,
    firstBlock: 0,
  });
  for (const fields of [
    {},
    { 'covault-blocks': '0' },
    { 'covault-blocks': '-1' },
    { 'covault-blocks': '1e3' },
    { 'covault-blocks': String(blocksMaximum + 1) },
    { 'covault-blocks': '7', 'covault-offset': '7' },
    { 'covault-blocks': '7', 'covault-offset': 'x' },
    { 'covault-blocks': '7', 'covault-root': root.slice(2) },
    { 'covault-blocks': '7', 'covault-root': root.toUpperCase() },
  ]) {
    const whole = { 'covault-root': root, ...fields } as Record<string, string>;
    assert.equal(parseUpload(whole), undefined, JSON.stringify(fields));
  }
  assert.equal(parseUpload({ 'covault-blocks': '7' }), undefined);
});

test('counts are written one way', () => {
  assert.equal(parseCount('0'), 0);
  assert.equal(parseCount('9007199254740991'), Number.MAX_SAFE_INTEGER);
  for (const text of [
    undefined,
    '',
    '01',
    '+1',
    '1.0',
    ' 1',
    '9007199254740992',
    '99999999999999999',
  ])
    assert.equal(parseCount(text), undefined);
});

test('a shard of the longest pack has no more blocks than allowed', () => {
  assert.ok(blocksMaximum * 65_520 >= packMaximumBytes);
});

test('an inventory page comes back, and the largest keeps to the limit', () => {
  const entries = Array.from({ length: inventoryPageEntries }, (_, index) => ({
    name: index.toString(16).padStart(32, '0') as ShardName,
    blockCount: blocksMaximum,
    merkleRoot: sha256(utf8Bytes(`${index}`)),
  }));
  for (const page of [
    { entries: [], more: false },
    { entries: entries.slice(1, 3), more: true },
    { entries: entries.slice(1), more: true },
  ]) {
    const encoded = encodeInventory(page);
    assert.ok(encoded.length <= messageMaximumBytes);
    assert.deepEqual(decodeInventory(encoded), { ok: true, value: page });
  }
  assertStrict(encodeInventory({ entries: entries.slice(5, 7), more: false }), decodeInventory);
});

test('an inventory with names twice or out of order is refused', () => {
  const [low, high] = ['01', '02'].map((start) => ({
    name: start.padEnd(32, '0') as ShardName,
    blockCount: 1,
    merkleRoot: new Uint8Array(32),
  }));
  assert.ok(low !== undefined && high !== undefined);
  assert.equal(decodeInventory(encodeInventory({ entries: [high, low], more: false })).ok, false);
  assert.equal(decodeInventory(encodeInventory({ entries: [low, low], more: false })).ok, false);
});

test('a ledger page comes back, and the largest keeps to the limit', () => {
  const documents = Array.from({ length: ledgerPageEntries }, () => new Uint8Array(600));
  const encoded = encodeLedgerPage(documents);
  assert.ok(encoded.length <= messageMaximumBytes);
  assert.deepEqual(decodeLedgerPage(encoded), { ok: true, value: documents });
  assertStrict(encodeLedgerPage([Uint8Array.of(1, 2)]), decodeLedgerPage);
});

test('a redemption and its reply come back', () => {
  const message = fc.record(
    {
      agreement: bytes(1, 300),
      name: fc.constantFrom('laptop', 'Büro', ''),
      addresses: fc.array(fc.constant('/ip4/127.0.0.1/tcp/4747'), { maxLength: 8 }),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(message, bytes(16, 16), (reply, secret) => {
      const value = { secret, ...reply };
      assert.deepEqual(decodeRedemption(encodeRedemption(value)), { ok: true, value });
      assert.deepEqual(decodeRedemptionReply(encodeRedemptionReply(reply)), {
        ok: true,
        value: reply,
      });
    }),
  );
  const secret = new Uint8Array(16);
  const reply = { agreement: Uint8Array.of(1), name: 'a', addresses: ['/dns/b/tcp/1'] };
  assertStrict(encodeRedemption({ secret, ...reply }), decodeRedemption);
  assertStrict(encodeRedemptionReply(reply), decodeRedemptionReply);
});

test('names and addresses from peers cannot play tricks on a terminal or a page', () => {
  assert.equal(validName('Büro 2'), true);
  for (const name of ['a\nb', '\u001b[31m', 'a\u202eb', 'x'.repeat(65), '\ud800'])
    assert.equal(validName(name), false, JSON.stringify(name));
  assert.equal(validAddress('/ip6/2001:db8::1/tcp/4747'), true);
  for (const address of ['', '/', 'http://x/', '/ip4', '/ip4/1.2.3.4/', '/ip4/a b/tcp/1', '/a/<b>'])
    assert.equal(validAddress(address), false, address);
});
