/** What every implementation of the stores does, asked of the twin and of the catalogue alike. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bytes, concatBytes, emptyBytes } from '../base/bytes.ts';
import { instant } from '../base/units.ts';
import type { PackContents } from '../core/packing/directory.ts';
import {
  type AgreementId,
  type ChunkId,
  idOf,
  type PackId,
  type PeerId,
  type ShardName,
  type SnapshotId,
  type StripeId,
} from '../core/vocabulary/ids.ts';
import type {
  AgreementRow,
  HeldRow,
  LedgerRow,
  ManifestRow,
  PackRow,
  ScanMemoryRow,
  ShardRow,
  SnapshotRow,
  Stores,
} from './stores.ts';

/** One computer's stores under test. */
export interface StoresUnderTest {
  readonly stores: Stores;
  /** Ends the process's view without warning and opens what was durable. */
  reopen(): Stores;
  close(): void;
}

/** 32 bytes that differ for different numbers; rising in `number`. */
export function idBytesFor(number: number): Bytes {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setUint32(0, number);
  bytes.fill(number & 0xff, 4);
  return bytes;
}

export const peer = (number: number): PeerId => idOf(idBytesFor(number));
export const pack = (number: number): PackId => idOf(idBytesFor(number));
export const chunk = (number: number): ChunkId => idOf(idBytesFor(number));
export const agreement = (number: number): AgreementId => idOf(idBytesFor(number));
export const snapshot = (number: number): SnapshotId => idOf(idBytesFor(number));
export const shardName = (number: number): ShardName => idOf(idBytesFor(number).subarray(0, 16));

export function packRow(number: number, change: Partial<PackRow> = {}): PackRow {
  return {
    pack: pack(number),
    kind: 'data',
    suite: 1,
    salt: idBytesFor(number + 1000),
    lengthBytes: 16_777_216,
    storedAt: instant(1_700_000_000_000 + number),
    code: undefined,
    stripe: undefined,
    indexed: false,
    spooled: true,
    ...change,
  };
}

/** Contents of a pack that holds these chunks, ten to a frame. */
export function contentsOf(chunkNumbers: readonly number[]): PackContents {
  return {
    frames: Array.from({ length: Math.ceil(chunkNumbers.length / 10) }, (_, frame) => ({
      offset: 64 + frame * 1000,
      storedBytes: 1000,
      rawBytes: 4_000_000_000,
    })),
    chunkIds: concatBytes(chunkNumbers.map(idBytesFor)),
    chunkFrames: Uint32Array.from(chunkNumbers, (_, row) => Math.floor(row / 10)),
    chunkOffsets: Uint32Array.from(chunkNumbers, (_, row) => (row % 10) * 77),
    chunkLengths: Uint32Array.from(chunkNumbers, (number) => number + 1),
  };
}

export function shardRow(
  packNumber: number,
  index: number,
  change: Partial<ShardRow> = {},
): ShardRow {
  return { pack: pack(packNumber), index, partner: peer(index), phase: 'planned', ...change };
}

export function agreementRow(number: number, change: Partial<AgreementRow> = {}): AgreementRow {
  return {
    agreement: agreement(number),
    partner: peer(number),
    document: Uint8Array.of(number & 0xff),
    phase: 'standing',
    paused: false,
    lifecycle: undefined,
    partnerName: 'Küche',
    addresses: ['/ip4/127.0.0.1/tcp/4747'],
    since: instant(number),
    lastSeenAt: undefined,
    ...change,
  };
}

export function ledgerRow(sequence: number, change: Partial<LedgerRow> = {}): LedgerRow {
  return {
    agreement: agreement(1),
    side: 'owner',
    epoch: 0,
    sequence,
    hash: idBytesFor(sequence),
    document: Uint8Array.of(sequence & 0xff),
    ...change,
  };
}

export function heldRow(number: number, change: Partial<HeldRow> = {}): HeldRow {
  return {
    owner: peer(1),
    name: shardName(number),
    blockCount: 65,
    merkleRoot: idBytesFor(number),
    sha256: idBytesFor(number + 1),
    epoch: 0,
    sequence: number,
    trashedAt: undefined,
    ...change,
  };
}

export function manifestRow(number: number, change: Partial<ManifestRow> = {}): ManifestRow {
  return {
    owner: peer(1),
    incarnation: 1,
    sequence: number,
    hash: idBytesFor(number),
    document: Uint8Array.of(number & 0xff),
    receivedAt: instant(number),
    ...change,
  };
}

function snapshotRow(number: number, change: Partial<SnapshotRow> = {}): SnapshotRow {
  const takenAt = instant(1000 - number);
  const body = Uint8Array.of(number & 0xff);
  return { snapshot: snapshot(number), body, takenAt, phase: 'captured', ...change };
}

function scanRow(number: number): ScanMemoryRow {
  return {
    path: Uint8Array.of(0x2f, 0xff, number & 0xff),
    signature: idBytesFor(number),
    columns: Uint8Array.of(1, 2, 3),
    tree: [chunk(number), chunk(number + 1)],
  };
}

/** Runs every sentence of the contract against implementations that `open` makes, each empty. */
export function testStores(name: string, open: () => StoresUnderTest): void {
  const sentence = sentencesAbout(name, open);
  testPacks(sentence);
  testShards(sentence);
  testSnapshots(sentence);
  testPartners(sentence);
  testHeld(sentence);
  testTransactions(sentence);
}

/** One behaviour, tried on stores of its own. */
export type Sentence = (text: string, check: (subject: StoresUnderTest) => void) => void;

export function sentencesAbout(name: string, open: () => StoresUnderTest): Sentence {
  return (text, check) => {
    test(`${name}: ${text}`, () => {
      const subject = open();
      try {
        check(subject);
      } finally {
        subject.close();
      }
    });
  };
}

function testPacks(sentence: Sentence): void {
  sentence('a pack comes back as it was added, with its contents, after reopening', (subject) => {
    subject.stores.packs.add(packRow(1), contentsOf([5, 6, 7]));
    subject.stores.packs.add(packRow(2, { kind: 'tree', spooled: false }), contentsOf([]));
    const { packs, chunks } = subject.reopen();
    assert.deepEqual(packs.get(pack(1)), packRow(1));
    assert.deepEqual(packs.all(), [packRow(1), packRow(2, { kind: 'tree', spooled: false })]);
    assert.deepEqual(packs.contents(pack(1)), contentsOf([5, 6, 7]));
    assert.deepEqual(packs.contents(pack(2)), contentsOf([]));
    assert.deepEqual(chunks.place(chunk(6)), { pack: pack(1), frame: 0, offset: 77, length: 7 });
    assert.equal(chunks.count(), 3);
    assert.equal(packs.get(pack(3)), undefined);
    assert.equal(packs.contents(pack(3)), undefined);
  });

  sentence('packs are found by the beginning of their stripe', ({ stores }) => {
    const stripes = ['ab'.repeat(32), `${'ab'.repeat(31)}ff`, 'ac'.repeat(32)] as StripeId[];
    stripes.forEach((stripe, place) => {
      stores.packs.add(packRow(place + 1, { stripe }), contentsOf([]));
    });
    stores.packs.add(packRow(9, { stripe: undefined }), contentsOf([]));
    const found = (beginning: readonly number[]): readonly PackId[] =>
      stores.packs.ofStripe(Uint8Array.from(beginning)).map((row) => row.pack);
    assert.deepEqual(found([0xab, 0xab]), [pack(1), pack(2)]);
    assert.deepEqual(found([0xac]), [pack(3)]);
    assert.deepEqual(found([0xad]), []);
    assert.deepEqual(found([]), [pack(1), pack(2), pack(3)]);
  });

  sentence('known chunks are told from unknown ones, column-wise', ({ stores }) => {
    const numbers = Array.from({ length: 3000 }, (_, number) => number * 2);
    stores.packs.add(packRow(1), contentsOf(numbers));
    const column = concatBytes(Array.from({ length: 6001 }, (_, number) => idBytesFor(number)));
    const expected = Uint8Array.from({ length: 6001 }, (_, number) =>
      number % 2 === 0 && number < 6000 ? 1 : 0,
    );
    assert.deepEqual(stores.chunks.known(column), expected);
    assert.deepEqual(stores.chunks.known(emptyBytes), new Uint8Array(0));
  });

  sentence('a known chunk keeps its older place until that pack is removed', ({ stores }) => {
    stores.packs.add(packRow(9), contentsOf([1, 2]));
    stores.packs.add(packRow(3), contentsOf([3, 2, 2]));
    stores.packs.add(packRow(4), contentsOf([2]));
    assert.equal(stores.chunks.place(chunk(2))?.pack, pack(9));
    assert.equal(stores.chunks.count(), 3);
    stores.packs.remove(pack(9));
    assert.deepEqual(stores.chunks.place(chunk(2)), {
      ...{ pack: pack(3), frame: 0, offset: 77, length: 3 },
    });
    assert.equal(stores.chunks.place(chunk(1)), undefined);
    stores.packs.remove(pack(3));
    assert.equal(stores.chunks.place(chunk(2))?.pack, pack(4));
    stores.packs.remove(pack(4));
    assert.equal(stores.chunks.count(), 0);
  });

  sentence('a pack that is added again stays as it is', ({ stores }) => {
    stores.packs.add(packRow(1), contentsOf([1]));
    stores.packs.update(pack(1), { spooled: false });
    stores.packs.add(packRow(1), contentsOf([1]));
    assert.equal(stores.packs.get(pack(1))?.spooled, false);
    assert.equal(stores.packs.all().length, 1);
  });

  sentence('an update changes what it names and nothing else', ({ stores }) => {
    const code = { id: 'reed-solomon', dataShards: 4, parityShards: 4 } as const;
    const stripe = idOf<StripeId>(idBytesFor(77));
    stores.packs.add(packRow(1), contentsOf([1]));
    stores.packs.update(pack(1), { code, stripe });
    stores.packs.update(pack(1), { indexed: true });
    assert.deepEqual(stores.packs.get(pack(1)), packRow(1, { code, stripe, indexed: true }));
    stores.packs.update(pack(1), { code: undefined });
    assert.deepEqual(stores.packs.get(pack(1)), packRow(1, { stripe, indexed: true }));
    assert.throws(() => stores.packs.update(pack(2), { indexed: true }), {
      name: 'AssertionError',
    });
  });

  sentence('spooled packs come oldest first', ({ stores }) => {
    stores.packs.add(packRow(1, { storedAt: instant(30) }), contentsOf([]));
    stores.packs.add(packRow(2, { storedAt: instant(10) }), contentsOf([]));
    stores.packs.add(packRow(3, { storedAt: instant(20), spooled: false }), contentsOf([]));
    assert.deepEqual(
      stores.packs.spooled().map((row) => row.pack),
      [pack(2), pack(1)],
    );
  });
}

function testShards(sentence: Sentence): void {
  sentence('shards are found by pack and by partner, and go with their pack', (subject) => {
    subject.stores.packs.add(packRow(1), contentsOf([]));
    subject.stores.packs.add(packRow(2), contentsOf([]));
    for (const index of [1, 0]) subject.stores.shards.put(shardRow(1, index));
    subject.stores.shards.put(shardRow(2, 1));
    subject.stores.shards.put(shardRow(1, 0, { phase: 'held', partner: peer(1) }));
    const stores = subject.reopen();
    const moved = shardRow(1, 0, { phase: 'held', partner: peer(1) });
    assert.deepEqual(stores.shards.ofPack(pack(1)), [moved, shardRow(1, 1)]);
    assert.deepEqual(stores.shards.ofPartner(peer(1)), [moved, shardRow(1, 1), shardRow(2, 1)]);
    stores.packs.remove(pack(1));
    assert.deepEqual(stores.shards.ofPack(pack(1)), []);
    assert.deepEqual(stores.shards.ofPartner(peer(1)), [shardRow(2, 1)]);
    assert.throws(() => stores.shards.put(shardRow(1, 0)), { name: 'AssertionError' });
  });

  sentence('a pack is incomplete until all its shards are held', ({ stores }) => {
    for (const number of [1, 2, 3]) stores.packs.add(packRow(number), contentsOf([]));
    stores.shards.put(shardRow(2, 0, { phase: 'held' }));
    stores.shards.put(shardRow(3, 0, { phase: 'held' }));
    stores.shards.put(shardRow(3, 1, { phase: 'lost' }));
    assert.deepEqual(stores.shards.incompletePacks(), [pack(1), pack(3)]);
  });

  sentence('standings follow every change of packs and shards', ({ stores }) => {
    const code = { id: 'parity', dataShards: 2, parityShards: 1 } as const;
    const standing = (number: number): unknown =>
      stores.shards.standings().find((row) => row.pack === pack(number));
    const { kind, lengthBytes, storedAt } = packRow(1);
    const fresh = { pack: pack(1), kind, lengthBytes, storedAt, code, indexed: false };
    assert.deepEqual(stores.shards.standings(), []);
    stores.packs.add(packRow(1, { code }), contentsOf([]));
    const none = { placed: 0, held: 0, missing: 0 };
    assert.deepEqual(standing(1), { ...fresh, spooled: true, ...none });
    for (const index of [0, 1]) stores.shards.put(shardRow(1, index, { phase: 'held' }));
    stores.shards.put(shardRow(1, 2));
    stores.packs.update(pack(1), { spooled: false });
    const two = { placed: 3, held: 2, missing: 0 };
    assert.deepEqual(standing(1), { ...fresh, spooled: false, ...two });
    stores.shards.put(shardRow(1, 1, { phase: 'lost' }));
    stores.shards.put(shardRow(1, 2, { phase: 'wrong' }));
    const short = { ...fresh, spooled: false, placed: 3, held: 1, missing: 2 };
    assert.deepEqual(standing(1), short);
    const takenBack = new Error('taken back');
    assert.throws(
      () =>
        stores.transact(() => {
          stores.shards.put(shardRow(1, 1, { phase: 'held' }));
          stores.packs.add(packRow(2), contentsOf([]));
          throw takenBack;
        }),
      takenBack,
    );
    assert.deepEqual(stores.shards.standings(), [short]);
    stores.packs.remove(pack(1));
    assert.deepEqual(stores.shards.standings(), []);
  });

  sentence('amounts at a partner are summed by length and code', ({ stores }) => {
    const code = { id: 'parity', dataShards: 2, parityShards: 1 } as const;
    for (const number of [1, 2]) stores.packs.add(packRow(number, { code }), contentsOf([]));
    stores.packs.add(packRow(3, { code, lengthBytes: 100 }), contentsOf([]));
    for (const number of [1, 2, 3]) stores.shards.put(shardRow(number, 1));
    stores.shards.put(shardRow(1, 2));
    const amounts = [...stores.shards.amountsAt(peer(1))];
    assert.deepEqual(
      amounts.sort((left, right) => left.lengthBytes - right.lengthBytes),
      [
        { lengthBytes: 100, code, shards: 1 },
        { lengthBytes: 16_777_216, code, shards: 2 },
      ],
    );
    assert.deepEqual(stores.shards.amountsAt(peer(7)), []);
  });
}

function testSnapshots(sentence: Sentence): void {
  sentence('snapshots come oldest first and keep their phase', (subject) => {
    for (const number of [1, 2]) subject.stores.snapshots.put(snapshotRow(number));
    subject.stores.snapshots.setPhase(snapshot(1), 'protected');
    const { snapshots } = subject.reopen();
    const first = snapshotRow(1, { phase: 'protected' });
    assert.deepEqual(snapshots.all(), [snapshotRow(2), first]);
    const heads = [snapshotRow(2), first].map(({ body: _, ...head }) => head);
    assert.deepEqual(snapshots.heads(), heads);
    assert.deepEqual(snapshots.get(snapshot(1)), first);
    snapshots.remove(snapshot(1));
    snapshots.remove(snapshot(1));
    assert.equal(snapshots.get(snapshot(1)), undefined);
    assert.throws(() => snapshots.setPhase(snapshot(1), 'complete'), { name: 'AssertionError' });
  });

  sentence('the memory of a scan is replaced row by row and cleared as a whole', (subject) => {
    subject.stores.scanMemory.putAll([scanRow(1), scanRow(2)]);
    subject.stores.scanMemory.putAll([{ ...scanRow(1), tree: [], columns: emptyBytes }]);
    const { scanMemory } = subject.reopen();
    const changed = { ...scanRow(1), tree: [], columns: emptyBytes };
    assert.deepEqual(scanMemory.get(scanRow(1).path), changed);
    assert.deepEqual(scanMemory.get(scanRow(2).path), scanRow(2));
    assert.equal(scanMemory.get(emptyBytes), undefined);
    scanMemory.clear();
    assert.equal(scanMemory.get(scanRow(2).path), undefined);
  });

  sentence('trees and facts come back by name', (subject) => {
    subject.stores.trees.putAll([{ chunk: chunk(1), body: Uint8Array.of(9) }]);
    subject.stores.facts.put('incarnation', Uint8Array.of(1));
    subject.stores.facts.put('incarnation', Uint8Array.of(2));
    const { trees, facts } = subject.reopen();
    assert.deepEqual(trees.get(chunk(1)), Uint8Array.of(9));
    assert.equal(trees.get(chunk(2)), undefined);
    assert.deepEqual(facts.get('incarnation'), Uint8Array.of(2));
    assert.equal(facts.get('name'), undefined);
  });

  sentence('what was read or written can be changed without changing the store', ({ stores }) => {
    const written = Uint8Array.of(1);
    stores.facts.put('fact', written);
    written[0] = 2;
    stores.facts.get('fact')?.fill(3);
    assert.deepEqual(stores.facts.get('fact'), Uint8Array.of(1));
  });
}

function testPartners(sentence: Sentence): void {
  sentence('agreements are found by id and by partner', (subject) => {
    const ended = agreementRow(3, { partner: peer(1), phase: 'ended' });
    const seen = agreementRow(1, { lastSeenAt: instant(99), addresses: [] });
    for (const row of [ended, agreementRow(2), seen]) subject.stores.agreements.put(row);
    const { agreements } = subject.reopen();
    assert.deepEqual(agreements.get(agreement(3)), ended);
    assert.deepEqual(agreements.all(), [seen, agreementRow(2), ended]);
    assert.deepEqual(agreements.ofPartner(peer(1)), seen);
    agreements.put(agreementRow(4, { partner: peer(1) }));
    assert.deepEqual(agreements.ofPartner(peer(1))?.agreement, agreement(4));
    agreements.remove(agreement(2));
    assert.equal(agreements.ofPartner(peer(2)), undefined);
  });

  sentence('a ledger grows only at its head', (subject) => {
    const { ledger } = subject.stores;
    assert.equal(ledger.head(agreement(1), 'owner'), undefined);
    for (const sequence of [7, 8, 9, 10]) ledger.append(ledgerRow(sequence));
    ledger.append(ledgerRow(1, { side: 'holder' }));
    assert.throws(() => ledger.append(ledgerRow(12)), { name: 'AssertionError' });
    assert.throws(() => ledger.append(ledgerRow(10)), { name: 'AssertionError' });
    const reopened = subject.reopen().ledger;
    assert.deepEqual(reopened.head(agreement(1), 'owner'), ledgerRow(10));
    const place = { epoch: 0, sequence: 7 };
    assert.deepEqual(reopened.get(agreement(1), 'owner', place), ledgerRow(7));
    assert.equal(reopened.get(agreement(1), 'holder', place), undefined);
    assert.equal(reopened.head(agreement(2), 'owner'), undefined);
  });

  sentence('a later epoch of a ledger begins anew, and those before it stay', (subject) => {
    const { ledger } = subject.stores;
    for (const sequence of [1, 2, 3]) ledger.append(ledgerRow(sequence));
    for (const sequence of [1, 2]) ledger.append(ledgerRow(sequence, { epoch: 300 }));
    for (const row of [ledgerRow(4), ledgerRow(4, { epoch: 300 }), ledgerRow(1, { epoch: 299 })])
      assert.throws(() => ledger.append(row), { name: 'AssertionError' });
    const reopened = subject.reopen().ledger;
    assert.deepEqual(reopened.head(agreement(1), 'owner'), ledgerRow(2, { epoch: 300 }));
    for (const epoch of [0, 300])
      assert.deepEqual(
        reopened.get(agreement(1), 'owner', { epoch, sequence: 1 }),
        ledgerRow(1, { epoch }),
      );
    assert.equal(reopened.get(agreement(1), 'owner', { epoch: 300, sequence: 3 }), undefined);
  });

  sentence('manifests are in order, forks side by side, and take receipts along', (subject) => {
    const rows = [
      manifestRow(3),
      manifestRow(4),
      manifestRow(5, { sequence: 4 }),
      manifestRow(1, { incarnation: 2 }),
    ];
    for (const row of rows.toReversed()) subject.stores.manifests.put(row);
    subject.stores.manifests.put(manifestRow(8, { owner: peer(2) }));
    subject.stores.manifests.putReceipt(peer(6), idBytesFor(3), Uint8Array.of(1));
    subject.stores.manifests.putReceipt(peer(5), idBytesFor(3), Uint8Array.of(2));
    subject.stores.manifests.putReceipt(peer(5), idBytesFor(3), Uint8Array.of(3));
    const { manifests } = subject.reopen();
    assert.deepEqual(manifests.ofOwner(peer(1)), rows);
    assert.deepEqual(manifests.newest(peer(1)), rows.at(-1));
    assert.equal(manifests.byteCount(peer(1)), rows.length);
    assert.equal(manifests.byteCount(peer(3)), 0);
    assert.equal(manifests.newest(peer(3)), undefined);
    const fork = manifestRow(2, { incarnation: 2, sequence: 1 });
    manifests.put(fork);
    assert.deepEqual(manifests.newest(peer(1)), rows.at(-1));
    manifests.remove(peer(1), fork.hash);
    assert.deepEqual(manifests.receipts(idBytesFor(3)), [
      { partner: peer(5), receipt: Uint8Array.of(3) },
      { partner: peer(6), receipt: Uint8Array.of(1) },
    ]);
    manifests.remove(peer(1), idBytesFor(3));
    assert.deepEqual(manifests.ofOwner(peer(1)), rows.slice(1));
    assert.deepEqual(manifests.receipts(idBytesFor(3)), []);
  });

  sentence('an invitation remembers who redeemed it', (subject) => {
    const open = {
      ...{ secretHash: idBytesFor(1), spaceBytes: 50_000_000_000, wantsBytes: 7 },
      expiresAt: instant(20),
      ...{ redeemedBy: undefined, agreement: undefined },
    };
    const first = { ...open, secretHash: idBytesFor(2), expiresAt: instant(10) };
    subject.stores.invitations.put(open);
    subject.stores.invitations.put(first);
    const redeemed = { ...open, redeemedBy: peer(4), agreement: agreement(5) };
    subject.stores.invitations.put(redeemed);
    const { invitations } = subject.reopen();
    assert.deepEqual(invitations.get(idBytesFor(1)), redeemed);
    assert.deepEqual(invitations.all(), [first, redeemed]);
    assert.equal(invitations.get(idBytesFor(3)), undefined);
  });
}

function testHeld(sentence: Sentence): void {
  sentence('held shards are paged by name, trash left out but counted', (subject) => {
    for (const number of [5, 3, 4, 1]) subject.stores.held.put(heldRow(number));
    subject.stores.held.put(heldRow(2, { owner: peer(2), blockCount: 1 }));
    subject.stores.held.put(heldRow(3, { trashedAt: instant(50), blockCount: 60 }));
    const { held } = subject.reopen();
    assert.deepEqual(held.page(peer(1), undefined, 2), [heldRow(1), heldRow(4)]);
    assert.deepEqual(held.page(peer(1), shardName(4), 9), [heldRow(5)]);
    assert.deepEqual(held.page(peer(1), shardName(5), 9), []);
    assert.equal(held.get(peer(1), shardName(3))?.trashedAt, 50);
    assert.equal(held.blockCount(peer(1)), 3 * 65 + 60);
    assert.deepEqual(held.owners(), [peer(1), peer(2)]);
    assert.deepEqual(held.trashed(peer(2)), []);
    const later = heldRow(1, { trashedAt: instant(60) });
    held.put(later);
    held.put(heldRow(5, { trashedAt: instant(40) }));
    assert.deepEqual(
      held.trashed(peer(1)).map(({ name }) => name),
      [5, 3, 1].map(shardName),
    );
    assert.deepEqual(held.trashed(peer(1))[2], later);
    held.remove(peer(2), shardName(2));
    held.remove(peer(2), shardName(2));
    held.remove(peer(1), shardName(3));
    assert.deepEqual(held.owners(), [peer(1)]);
    assert.equal(held.blockCount(peer(1)), 3 * 65);
    assert.equal(held.blockCount(peer(2)), 0);
  });
}

function testTransactions(sentence: Sentence): void {
  sentence('a transaction gives what its work gives, and all of it is durable', (subject) => {
    const given = subject.stores.transact(() => {
      subject.stores.packs.add(packRow(1), contentsOf([1]));
      subject.stores.held.put(heldRow(1));
      assert.equal(subject.stores.chunks.count(), 1);
      return 'given';
    });
    assert.equal(given, 'given');
    const stores = subject.reopen();
    assert.deepEqual(stores.packs.get(pack(1)), packRow(1));
    assert.deepEqual(stores.held.get(peer(1), shardName(1)), heldRow(1));
  });

  sentence('nothing of a transaction that throws has happened', (subject) => {
    const { stores } = subject;
    stores.packs.add(packRow(1), contentsOf([1, 2]));
    stores.packs.add(packRow(2), contentsOf([2, 3]));
    stores.ledger.append(ledgerRow(1));
    const work = (): void => {
      stores.packs.remove(pack(1));
      stores.packs.add(packRow(3), contentsOf([4]));
      stores.packs.update(pack(2), { indexed: true });
      stores.ledger.append(ledgerRow(2));
      stores.scanMemory.putAll([scanRow(1)]);
      assert.equal(stores.chunks.place(chunk(2))?.pack, pack(2));
      throw new RangeError('enough');
    };
    assert.throws(() => stores.transact(work), { name: 'RangeError', message: 'enough' });
    for (const look of [() => stores, () => subject.reopen()]) {
      const after = look();
      assert.deepEqual(after.packs.all(), [packRow(1), packRow(2)]);
      assert.equal(after.chunks.place(chunk(2))?.pack, pack(1));
      assert.equal(after.chunks.place(chunk(4)), undefined);
      assert.equal(after.chunks.count(), 3);
      assert.deepEqual(after.ledger.head(agreement(1), 'owner'), ledgerRow(1));
      assert.equal(after.scanMemory.get(scanRow(1).path), undefined);
    }
  });

  sentence('a refused call leaves the transaction around it usable', ({ stores }) => {
    stores.transact(() => {
      stores.facts.put('first', Uint8Array.of(1));
      assert.throws(() => stores.shards.put(shardRow(5, 0)), { name: 'AssertionError' });
    });
    assert.deepEqual(stores.facts.get('first'), Uint8Array.of(1));
  });

  sentence('transactions are neither nested nor asynchronous', ({ stores }) => {
    const nested = (): void => stores.transact(() => stores.transact(() => undefined));
    assert.throws(nested, { name: 'AssertionError' });
    assert.throws(() => stores.transact(async () => undefined), { name: 'AssertionError' });
    stores.facts.put('after', Uint8Array.of(1));
    assert.deepEqual(stores.facts.get('after'), Uint8Array.of(1));
  });
}
