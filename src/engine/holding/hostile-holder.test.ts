/** The owner's side against a holder that lies: acknowledgements, ledgers and inventories that are forged, mixed up or have no end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bytes } from '../../base/bytes.ts';
import { Prng } from '../../base/prng.ts';
import {
  type LedgerHead,
  type LedgerSubject,
  ledgerStart,
  nextAcknowledgement,
} from '../../core/agreements/acknowledgement.ts';
import { stripeIdOf } from '../../core/erasure/layout.ts';
import type { OwnerKeys } from '../../core/sealing/keys.ts';
import { ShardNamer } from '../../core/sealing/shard-name.ts';
import type { Code } from '../../core/vocabulary/code.ts';
import type { PackId, PeerId, ShardName } from '../../core/vocabulary/ids.ts';
import { blockBytes } from '../../core/vocabulary/limits.ts';
import { encodeInventory } from '../../core/wire/inventory.ts';
import { encodeLedgerPage, ledgerPageEntries } from '../../core/wire/ledger-page.ts';
import type { PackRow, ShardRow } from '../../ports/stores.ts';
import type { IncomingRequest, OutgoingReply } from '../../ports/transport.ts';
import { MerkleBuilder } from '../../primitives/merkle.ts';
import { type AgreedPair, agreedPair, keysOf } from '../../sim/agreed-pair.ts';
import { SimNetwork, simAddress } from '../../sim/network.ts';
import { onVirtualTime } from '../../sim/virtual-run.ts';
import { facts } from '../facts.ts';
import { PartnerBook } from '../partners/partner-book.ts';
import { PartnerClient } from '../partners/partner-client.ts';
import { adoptInventories } from '../recovery/inventory-adoption.ts';
import { InventoryWatch } from '../sending/inventory-watch.ts';
import { ShardDelivery } from '../sending/shard-delivery.ts';
import { ShardLosses } from '../sending/shard-losses.ts';
import { Notifier } from '../work/notifier.ts';
import { RateLimit } from '../work/rate-limit.ts';

const code: Code = { id: 'reed-solomon', dataShards: 1, parityShards: 0 };
const packId = 'c3'.repeat(32) as PackId;
const lentBlocks = 50;
const never = new AbortController().signal;
const shard: Bytes = new Uint8Array(2 * blockBytes).fill(4);
const stripe = stripeIdOf({ packId, packLength: 1_000, code });

interface Scene extends AgreedPair {
  readonly name: ShardName;
  readonly root: Bytes;
  /** Requests that the holder was sent. */
  readonly asked: IncomingRequest[];
  readonly deliver: () => Promise<string>;
  readonly adopt: () => Promise<readonly PeerId[]>;
  readonly watch: InventoryWatch;
  readonly sleep: (ms: number) => Promise<void>;
  readonly shardRow: () => ShardRow | undefined;
  readonly ledgerLength: () => number;
}

function rootOf(bytes: Bytes): Bytes {
  const merkle = new MerkleBuilder();
  for (let at = 0; at < bytes.length; at += blockBytes)
    merkle.addBlock(bytes.subarray(at, at + blockBytes));
  return merkle.root();
}

/** An owner with one pack planned for a holder that answers as `answer` says. */
async function against(
  answer: (request: IncomingRequest, scene: Scene) => OutgoingReply | Bytes,
  work: (scene: Scene) => Promise<void>,
): Promise<void> {
  await onVirtualTime(async (clock) => {
    const pair = agreedPair(lentBlocks * blockBytes);
    const { owner, holder, stores, log } = pair;
    const partner = holder.peerId;
    // The same agreement, from the owner's side.
    stores.agreements.put({ ...pair.agreement, partner, addresses: [simAddress(partner)] });
    stores.packs.add(packRow, {
      frames: [],
      chunkIds: new Uint8Array(0),
      chunkFrames: new Uint32Array(0),
      chunkOffsets: new Uint32Array(0),
      chunkLengths: new Uint32Array(0),
    });
    stores.shards.put({ pack: packId, index: 0, partner, phase: 'planned' });
    const network = new SimNetwork({ clock, prng: new Prng('hostile') });
    const self = { clock, addresses: () => [], heard: () => undefined };
    const client = new PartnerClient(network.transport(owner.peerId), self);
    const book = new PartnerBook(stores);
    const spool = { reclaimed: () => undefined, released: () => undefined };
    const delivery = new ShardDelivery({
      shardNameKey: owner.shardNameKey,
      stores,
      client,
      book,
      clock,
      limit: new RateLimit(clock, undefined),
      log,
      losses: new ShardLosses({ stores, spool, log, changes: new Notifier() }),
    });
    const inventories = { keys: owner, stores, clock, log, client, book };
    const scene: Scene = {
      ...pair,
      name: new ShardNamer(owner.shardNameKey, partner).nameOf(stripe, 0),
      root: rootOf(shard),
      asked: [],
      deliver: async () => {
        const sealed = { index: 0, partner, bytes: shard, merkleRoot: rootOf(shard) };
        const outcome = await delivery.deliver({ pack: packRow, shard: sealed, signal: never });
        return outcome.ok ? 'held' : `${outcome.error.code} ${outcome.error.detail}`;
      },
      adopt: () => adoptInventories(inventories, never),
      watch: new InventoryWatch({ ...inventories, changes: new Notifier() }),
      sleep: (ms) => clock.sleep(ms),
      shardRow: () => stores.shards.ofPack(packId)[0],
      ledgerLength: () => stores.ledger.head(pair.agreement.agreement, 'owner')?.sequence ?? 0,
    };
    await network.transport(partner).serve(
      async (request) => {
        scene.asked.push(request);
        const reply = answer(request, scene);
        return reply instanceof Uint8Array ? { status: 200, body: reply } : reply;
      },
      () => 'partner',
    );
    await work(scene);
  });
}

const packRow: PackRow = {
  pack: packId,
  kind: 'data',
  suite: 1,
  salt: new Uint8Array(32),
  lengthBytes: 1_000,
  storedAt: 0 as PackRow['storedAt'],
  code,
  stripe,
  indexed: false,
  spooled: true,
};

function startOf({ agreement }: Scene): LedgerHead {
  return ledgerStart(agreement.agreement, 0);
}

/** The next entry of the holder's ledger, or one with something wrong about it. */
function entry(
  scene: Scene,
  wrong: Partial<LedgerSubject> & { readonly head?: LedgerHead; readonly keys?: OwnerKeys } = {},
): { readonly document: Bytes; readonly head: LedgerHead } {
  const { agreement, holder, name, root, clock } = scene;
  const { head, keys, ...subject } = wrong;
  return nextAcknowledgement(
    head ?? startOf(scene),
    {
      agreement: agreement.agreement,
      action: 'put',
      name,
      blockCount: 2,
      merkleRoot: root,
      time: clock.now(),
      ...subject,
    },
    (keys ?? holder).identitySeed,
  );
}

test('C37: only an acknowledgement of just this shard, signed by its holder, makes it count as held', async () => {
  const lies: readonly [string, (scene: Scene) => Bytes][] = [
    ['another name', (scene) => entry(scene, { name: 'ee'.repeat(16) as ShardName }).document],
    ['another length', (scene) => entry(scene, { blockCount: 3 }).document],
    ['another root', (scene) => entry(scene, { merkleRoot: new Uint8Array(32) }).document],
    ['a removal', (scene) => entry(scene, { action: 'delete' }).document],
    ['another signer', (scene) => entry(scene, { keys: keysOf('mallory') }).document],
    [
      'another past',
      (scene) => entry(scene, { head: { ...startOf(scene), hash: new Uint8Array(32) } }).document,
    ],
    ['nothing', () => new Uint8Array(0)],
    ['noise', () => new Uint8Array(300).fill(0x9f)],
    ['far too much', () => new Uint8Array(1_000_000)],
  ];
  for (const [lie, say] of lies)
    await against(
      (_request, scene) => say(scene),
      async (scene) => {
        assert.notEqual(await scene.deliver(), 'held', lie);
        assert.equal(scene.shardRow()?.phase, 'planned', lie);
        assert.equal(scene.ledgerLength(), 0, lie);
      },
    );
  await against(
    (_request, scene) => entry(scene).document,
    async (scene) => {
      assert.equal(await scene.deliver(), 'held');
      assert.equal(scene.shardRow()?.phase, 'held');
      assert.equal(await scene.deliver(), 'held', 'the same answer again is no other entry');
      assert.equal(scene.ledgerLength(), 1);
    },
  );
});

/** A holder that took so many shards of which its owner heard nothing, and then the one that is delivered. */
function unheard(count: number): Parameters<typeof against>[0] {
  const ledger: { readonly document: Bytes; readonly head: LedgerHead }[] = [];
  return (request, scene) => {
    while (ledger.length <= count) {
      const head = ledger.at(-1)?.head ?? startOf(scene);
      const name = ledger.length.toString(16).padStart(32, '0') as ShardName;
      ledger.push(entry(scene, { head, ...(ledger.length < count ? { name } : {}) }));
    }
    if (request.method === 'PUT') return ledger.at(-1)?.document ?? shard;
    if (request.method === 'HEAD') return { status: 200, fields: { 'covault-blocks': '2' } };
    const after = Number(/after=(\d+)/.exec(request.path)?.[1]);
    return encodeLedgerPage(
      ledger.slice(after, after + ledgerPageEntries).map(({ document }) => document),
    );
  };
}

test('replies that were lost are made up for from the ledger, entry by entry', async () => {
  await against(unheard(229), async (scene) => {
    assert.equal(await scene.deliver(), 'held');
    assert.equal(scene.ledgerLength(), 230);
  });
});

test('one delivery takes ten pages of a ledger, and the next goes on', async () => {
  await against(unheard(1_500), async (scene) => {
    assert.equal(await scene.deliver(), 'delivery.bad-acknowledgement ledger.gap');
    assert.equal(scene.ledgerLength(), 1_000);
    assert.equal(scene.asked.filter(({ method }) => method === 'GET').length, 10);
    assert.equal(await scene.deliver(), 'held');
    assert.equal(scene.ledgerLength(), 1_501);
  });
});

test('a gap that the ledger does not fill, or fills with a fork, leaves the shard unheld and ends', async () => {
  for (const fill of ['nothing', 'the same page', 'another past'] as const)
    await against(
      (request, scene) => {
        const first = entry(scene);
        const far = { ...startOf(scene), sequence: 40, hash: new Uint8Array(32).fill(1) };
        if (request.method === 'PUT') return entry(scene, { head: far }).document;
        if (fill === 'nothing') return encodeLedgerPage([]);
        if (fill === 'the same page') return encodeLedgerPage([first.document]);
        return encodeLedgerPage([
          entry(scene, { head: { ...startOf(scene), hash: new Uint8Array(32) } }).document,
        ]);
      },
      async (scene) => {
        assert.match(await scene.deliver(), /^delivery.bad-acknowledgement/, fill);
        assert.equal(scene.shardRow()?.phase, 'planned');
        assert.ok(scene.asked.length < 6, `${fill}: ${scene.asked.length} requests`);
      },
    );
});

function listing(names: readonly string[], more: boolean): Bytes {
  const merkleRoot = new Uint8Array(32);
  const entries = names.map((name) => ({ name: name as ShardName, blockCount: 1, merkleRoot }));
  return encodeInventory({ entries, more });
}

test('C14: an inventory says what is held and what is lost', async () => {
  await against(
    (_request, { name }) => listing([name], false),
    async (scene) => {
      await scene.adopt();
      assert.equal(scene.shardRow()?.phase, 'held');
    },
  );
  await against(
    () => listing(['00'.repeat(16)], false),
    async (scene) => {
      await scene.adopt();
      assert.equal(scene.shardRow()?.phase, 'lost', 'a name that our key did not make is nobody’s');
    },
  );
});

test('an inventory without end, or one that turns in circles, ends and changes nothing', async () => {
  let next = 0;
  const endless = (): Bytes => {
    const names = Array.from({ length: 20 }, () => {
      next += 1;
      return next.toString(16).padStart(32, '0');
    });
    return listing(names, true);
  };
  for (const answer of [endless, () => listing(['00'.repeat(16), '11'.repeat(16)], true)])
    await against(answer, async (scene) => {
      await scene.adopt();
      assert.equal(scene.shardRow()?.phase, 'planned');
      assert.ok(scene.asked.length <= 4, `${scene.asked.length} pages`);
    });
});

test('C14: a partner that was silent during a recovery is asked again until it tells', async () => {
  for (const [listsIt, phase] of [
    [true, 'held'],
    [false, 'lost'],
  ] as const) {
    let isSilent = true;
    const answer: Parameters<typeof against>[0] = (_request, { name }) =>
      isSilent ? { status: 500 } : listing(listsIt ? [name] : [], false);
    await against(answer, async (scene) => {
      const { stores, watch, sleep } = scene;
      stores.packs.update(packId, { spooled: false });
      facts.setUnconfirmed(stores, await scene.adopt());
      assert.equal(scene.shardRow()?.phase, 'planned', 'nothing is known of it yet');
      assert.equal(facts.unconfirmed(stores).length, 1);
      assert.equal(await watch.round(never), false);
      isSilent = false;
      assert.equal(await watch.round(never), false, 'it is waited for');
      await sleep(2_000);
      assert.equal(await watch.round(never), true);
      assert.equal(scene.shardRow()?.phase, phase);
      assert.deepEqual(facts.unconfirmed(stores), []);
      assert.equal(await watch.round(never), false, 'nobody is left to be asked');
    });
  }
});

test('what this computer sends itself does not hang on an inventory that comes late', async () => {
  await against(
    () => listing([], false),
    async ({ stores, watch, holder, shardRow }) => {
      facts.setUnconfirmed(stores, [holder.peerId]);
      stores.packs.update(packId, { spooled: true });
      assert.equal(await watch.round(never), true);
      assert.equal(shardRow()?.phase, 'planned');
    },
  );
});
