import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bytes, emptyBytes } from '../../base/bytes.ts';
import { Prng } from '../../base/prng.ts';
import { instant } from '../../base/units.ts';
import type { ShardName } from '../../core/vocabulary/ids.ts';
import { blockBytes } from '../../core/vocabulary/limits.ts';
import { rangeText } from '../../core/wire/block-range.ts';
import { decodeInventory } from '../../core/wire/inventory.ts';
import { decodeLedgerPage } from '../../core/wire/ledger-page.ts';
import { decodeRefusal } from '../../core/wire/refusal.ts';
import { pathOf } from '../../core/wire/resources.ts';
import { uploadFields } from '../../core/wire/shard-upload.ts';
import type { Body, IncomingRequest } from '../../ports/transport.ts';
import { MerkleBuilder } from '../../primitives/merkle.ts';
import { type AgreedPair, agreedPair, keysOf } from '../../sim/agreed-pair.ts';
import { SimNetwork } from '../../sim/network.ts';
import { ManifestKeeper } from '../holding/manifest-keeper.ts';
import { ShardIntake } from '../holding/shard-intake.ts';
import { ShardService } from '../holding/shard-service.ts';
import { Notifier } from '../work/notifier.ts';
import { InvitationDesk } from './invitation-desk.ts';
import { PartnerBook } from './partner-book.ts';
import { PartnerClient } from './partner-client.ts';
import { PartnerService } from './partner-service.ts';
import { wholeBody } from './whole-body.ts';

const name = 'b2'.repeat(16) as ShardName;
const shard: Bytes = new Uint8Array(4 * blockBytes).map((_, index) => index >> 16);
const shardPath = pathOf({ resource: 'shard', name });

interface Answer {
  readonly status: number;
  readonly code: string;
  readonly body: Bytes;
  readonly fields: Readonly<Record<string, string>>;
}

interface Served extends AgreedPair {
  readonly ask: (request: Partial<IncomingRequest> & { readonly path: string }) => Promise<Answer>;
}

function served(): Served {
  const pair = agreedPair(100 * blockBytes);
  const { holder, stores, clock, log } = pair;
  const own = { identitySeed: holder.identitySeed, stores, clock, log };
  const held = pair.disk.attach();
  const network = new SimNetwork({ clock, prng: new Prng('service') });
  const self = { clock, addresses: () => [], heard: () => undefined };
  const service = new PartnerService({
    book: new PartnerBook(stores),
    shards: new ShardService({ stores, held, intake: new ShardIntake({ ...own, held }) }),
    manifests: new ManifestKeeper(own),
    invitations: new InvitationDesk({
      keys: holder,
      name: 'holder',
      stores,
      clock,
      random: new Prng('desk'),
      client: new PartnerClient(network.transport(holder.peerId), self),
      changes: new Notifier(),
      addresses: () => [],
      freeBytesFor: () => 0,
    }),
    profile: () => new Uint8Array([1]),
    heard: () => undefined,
  });
  return {
    ...pair,
    ask: async (request) => {
      const reply = await service.answer({
        from: pair.owner.peerId,
        remoteAddress: undefined,
        method: 'GET',
        fields: {},
        body: bodyOf(emptyBytes),
        ...request,
      });
      const body = await wholeBody(bodyOf(reply.body ?? emptyBytes), 100 * blockBytes);
      assert.ok(body.ok);
      const refusal = reply.status === 200 ? undefined : decodeRefusal(body.value);
      const code = refusal?.ok === true ? refusal.value.code : '';
      return { status: reply.status, code, body: body.value, fields: reply.fields ?? {} };
    },
  };
}

function merkleRootOf(bytes: Bytes): Bytes {
  const merkle = new MerkleBuilder();
  for (let at = 0; at < bytes.length; at += blockBytes)
    merkle.addBlock(bytes.subarray(at, at + blockBytes));
  return merkle.root();
}

async function* bodyOf(body: Body): AsyncGenerator<Uint8Array> {
  if (body instanceof Uint8Array) yield body;
  else yield* body;
}

function put(bytes: Bytes): Partial<IncomingRequest> & { readonly path: string } {
  const fields = uploadFields({
    blockCount: bytes.length / blockBytes,
    firstBlock: 0,
    merkleRoot: merkleRootOf(bytes),
  });
  return { method: 'PUT', path: shardPath, fields, body: bodyOf(bytes) };
}

test('a manifest, and so the list of an owner’s partners, is given to its owner only', async () => {
  const { ask, owner, stores } = served();
  const document = new Uint8Array([1, 2, 3]);
  const hash = new Uint8Array(32);
  const place = { owner: owner.peerId, incarnation: 0, sequence: 1, hash };
  stores.manifests.put({ ...place, document, receivedAt: instant(1) });
  const path = pathOf({ resource: 'manifest', owner: owner.peerId });
  assert.deepEqual((await ask({ path })).body, document);
  const from = keysOf('stranger').peerId;
  assert.equal((await ask({ from, path })).code, 'manifest.unknown');
});

test('strangers may ask who we are and for a manifest of theirs, and for nothing of partners', async () => {
  const { ask, agreement } = served();
  const from = keysOf('stranger').peerId;
  assert.equal((await ask({ from, path: '/v1/profile' })).status, 200);
  assert.equal(
    (await ask({ from, path: pathOf({ resource: 'manifest', owner: from }) })).code,
    'manifest.unknown',
  );
  const ledger = pathOf({ resource: 'ledger', agreement: agreement.agreement, epoch: 0, after: 0 });
  for (const request of [
    { path: shardPath },
    { method: 'HEAD' as const, path: shardPath },
    put(shard),
    { path: pathOf({ resource: 'inventory', after: undefined }) },
    { path: ledger },
    { method: 'PUT' as const, path: pathOf({ resource: 'manifest', owner: from }) },
  ])
    assert.equal((await ask({ from, ...request })).code, 'request.not-partner', request.path);
});

test('a partner gets its own shards back, whole or in ranges of blocks', async () => {
  const { ask } = served();
  assert.equal((await ask(put(shard))).status, 200);
  assert.deepEqual((await ask({ path: shardPath })).body, shard);
  const fields = { range: rangeText({ first: 1, count: 2 }) };
  const part = await ask({ path: shardPath, fields });
  assert.deepEqual(part.body, shard.slice(blockBytes, 3 * blockBytes));
  assert.equal((await ask({ method: 'HEAD', path: shardPath })).fields['covault-blocks'], '4');
});

test('ranges that are no blocks, or beyond the end, are refused', async () => {
  const { ask } = served();
  await ask(put(shard));
  for (const range of [
    'bytes=0-1',
    'bytes=1-65536',
    'bytes=0-',
    'bytes=-65536',
    'bytes=0-65535,131072-196607',
    'bytes=65536-65535',
    `bytes=0-${5 * blockBytes - 1}`,
    'bytes=0-99999999999999999999',
    'blocks=0-65535',
  ])
    assert.equal((await ask({ path: shardPath, fields: { range } })).code, 'shard.range', range);
});

test('paths have one spelling, and everything else leads nowhere', async () => {
  const { ask } = served();
  for (const path of [
    '/v1/',
    '/v1/shards/',
    `/v1/shards/${name.toUpperCase()}`,
    `/v1/shards/${name}/`,
    `/v1/shards/../${name}`,
    `/v1/shards/${'0'.repeat(31)}`,
    `/v1/shards/..%2f..%2fkey`,
    '/v1/shards?after=',
    '/v1/shards?after=zz',
    '/v1/ledgers/x?after=0',
    '/v1/ledgers?after=0',
    '/v1/audits',
    '/v1/records/x',
    '/v1/notices',
    '/v2/profile',
  ]) {
    const { status, code } = await ask({ path });
    assert.deepEqual([status, code], [404, 'resource.unknown'], path);
  }
  assert.equal((await ask({ method: 'DELETE', path: '/v1/shards' })).code, 'request.method');
  assert.equal((await ask({ method: 'POST', path: '/v1/profile' })).code, 'request.method');
});

test('a deleted shard is not read any more, and a HEAD says where it is', async () => {
  const { ask } = served();
  assert.equal((await ask(put(shard))).status, 200);
  assert.equal((await ask({ method: 'DELETE', path: shardPath })).status, 200);
  assert.equal((await ask({ path: shardPath })).code, 'shard.unknown');
  const { fields } = await ask({ method: 'HEAD', path: shardPath });
  assert.deepEqual(fields, { 'covault-blocks': '4', 'covault-trashed': '1' });
  const page = decodeInventory((await ask({ path: '/v1/shards' })).body);
  assert.deepEqual(page.ok && page.value.entries, []);
  const other = { path: pathOf({ resource: 'shard', name: 'd4'.repeat(16) as ShardName }) };
  assert.equal((await ask({ method: 'DELETE', ...other })).code, 'shard.unknown');
});

test('an upload without a number of blocks, or with a wrong one, is refused', async () => {
  const { ask, disk } = served();
  for (const fields of [
    {},
    { 'covault-blocks': '0' },
    { 'covault-blocks': '771' },
    { 'covault-blocks': '-1' },
    { 'covault-blocks': '2', 'covault-offset': '2' },
  ])
    assert.equal((await ask({ ...put(shard), fields })).code, 'request.malformed');
  assert.equal(disk.usedBytes(), 0);
});

test('messages beyond their limit are refused before they are read whole', async () => {
  const { ask, owner } = served();
  let read = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      read += 65_536;
      yield new Uint8Array(65_536);
    }
  }
  const offer = await ask({ method: 'POST', path: '/v1/negotiation', body: endless() });
  assert.ok(offer.status >= 400 && read <= 3 * 65_536);
  read = 0;
  const path = pathOf({ resource: 'manifest', owner: owner.peerId });
  const manifest = await ask({ method: 'PUT', path, body: endless() });
  assert.ok(manifest.status >= 400 && read <= 66 * 65_536);
  read = 0;
  assert.equal((await ask({ ...put(shard), body: endless() })).code, 'request.too-long');
});

test('a paused partner leaves nothing new, and still gets back what it left', async () => {
  const { ask, stores, agreement } = served();
  await ask(put(shard));
  stores.agreements.put({ ...agreement, paused: true });
  assert.equal(
    (await ask({ ...put(shard), path: `${shardPath.slice(0, -1)}1` })).code,
    'request.paused',
  );
  assert.deepEqual((await ask({ path: shardPath })).body, shard);
});

test('inventory and ledger come in pages, in order, and end', async () => {
  const { ask, agreement } = served();
  const names: string[] = [];
  for (let number = 0; number < 130; number += 1) {
    const each = (number * 7_919).toString(16).padStart(32, '0') as ShardName;
    const fields = uploadFields({
      blockCount: 1,
      firstBlock: 0,
      merkleRoot: merkleRootOf(new Uint8Array(blockBytes)),
    });
    const body = bodyOf(new Uint8Array(blockBytes));
    const path = pathOf({ resource: 'shard', name: each });
    const { status } = await ask({ method: 'PUT', path, fields, body });
    if (status === 200) names.push(each);
  }
  assert.equal(names.length, 100, 'as many as the lent space holds');
  const inventory = decodeInventory((await ask({ path: '/v1/shards' })).body);
  assert.ok(inventory.ok && !inventory.value.more);
  assert.deepEqual(
    inventory.value.entries.map((entry) => entry.name),
    names.toSorted(),
  );
  const rest = decodeInventory(
    (
      await ask({
        path: pathOf({ resource: 'inventory', after: inventory.value.entries[97]?.name }),
      })
    ).body,
  );
  assert.equal(rest.ok && rest.value.entries.length, 2);
  const lengths: number[] = [];
  for (const after of [0, 30, 99, 100, 5_000]) {
    const path = pathOf({ resource: 'ledger', agreement: agreement.agreement, epoch: 0, after });
    const page = decodeLedgerPage((await ask({ path })).body);
    lengths.push(page.ok ? page.value.length : -1);
  }
  assert.deepEqual(lengths, [100, 70, 1, 0, 0]);
  const other = pathOf({
    resource: 'ledger',
    agreement: keysOf('x').peerId as never,
    epoch: 0,
    after: 0,
  });
  assert.equal((await ask({ path: other })).code, 'request.not-partner');
});
