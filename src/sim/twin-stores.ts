/**
 * Stores in memory, for the simulator: the same behaviour as the catalogue, and an image of what is durable.
 *
 * A simulated computer that crashes is started again from `image()`; the commit hook is where a fault plan decides that it crashes.
 */

import { assert } from '../base/assert.ts';
import type { Bytes } from '../base/bytes.ts';
import { hexText } from '../base/bytes.ts';
import type { LedgerPlace } from '../core/agreements/acknowledgement.ts';
import type { PeerId } from '../core/vocabulary/ids.ts';
import type { RetiredShardRow } from '../ports/layout-store.ts';
import type {
  AgreementRow,
  AgreementStore,
  FactStore,
  HeldRow,
  HeldStore,
  InvitationRow,
  InvitationStore,
  LedgerRow,
  LedgerStore,
  ManifestRow,
  ManifestStore,
  ScanMemory,
  ScanMemoryRow,
  SnapshotRow,
  SnapshotStore,
  Stores,
  TreeCache,
} from '../ports/stores.ts';
import { auditedShardIndex, auditIndex, auditStore, type TwinAuditTables } from './twin-audits.ts';
import { TwinLayouts } from './twin-layouts.ts';
import { type TwinPackImage, TwinPacks, TwinShards } from './twin-packs.ts';
import {
  candidateStore,
  observationStore,
  recordIndex,
  recordStore,
  type TwinPeerTables,
} from './twin-peers.ts';
import { type CommitHook, Journal, ownRow, shownRow, sortedBy, TwinTable } from './twin-table.ts';

interface ReceiptRow {
  readonly manifest: string;
  readonly partner: PeerId;
  readonly receipt: Bytes;
}

interface ValueRow {
  readonly value: Bytes;
}

interface TwinTables extends TwinPeerTables, TwinAuditTables {
  readonly snapshots: TwinTable<SnapshotRow>;
  readonly scanMemory: TwinTable<ScanMemoryRow>;
  readonly trees: TwinTable<ValueRow>;
  readonly agreements: TwinTable<AgreementRow>;
  readonly ledger: TwinTable<LedgerRow>;
  /** Place of the newest entry of each ledger. */
  readonly ledgerHeads: TwinTable<LedgerPlace>;
  readonly held: TwinTable<HeldRow>;
  readonly manifests: TwinTable<ManifestRow>;
  readonly receipts: TwinTable<ReceiptRow>;
  readonly invitations: TwinTable<InvitationRow>;
  readonly facts: TwinTable<ValueRow>;
}

type RowOf<T> = T extends TwinTable<infer V> ? V : never;

/** Everything that was durable at one moment. Never changes. */
export type TwinImage = {
  readonly packs: TwinPackImage;
  readonly retired: ReadonlyMap<string, RetiredShardRow>;
} & {
  readonly [Name in keyof TwinTables]: ReadonlyMap<string, RowOf<TwinTables[Name]>>;
};

export interface TwinStores extends Stores {
  /** What a restart would find. Not inside a transaction (asserted): throw out of the commit hook first. */
  image(): TwinImage;
}

/** Empty stores, or those of `image`. */
export function twinStores(image?: TwinImage, onCommit?: CommitHook): TwinStores {
  const journal = new Journal(onCommit);
  const packs = new TwinPacks(journal, image?.packs);
  const layouts = new TwinLayouts(journal, packs, image?.retired);
  const tables = tablesOf(journal, image);
  return {
    packs,
    chunks: packs,
    shards: new TwinShards(packs),
    snapshots: snapshotStore(journal, tables),
    scanMemory: scanMemory(journal, tables),
    trees: treeCache(journal, tables),
    agreements: agreementStore(journal, tables),
    candidates: candidateStore(journal, tables),
    observations: observationStore(journal, tables),
    records: recordStore(journal, tables),
    layouts,
    audits: auditStore(journal, tables),
    ledger: ledgerStore(journal, tables),
    held: heldStore(journal, tables),
    manifests: manifestStore(journal, tables),
    invitations: invitationStore(journal, tables),
    facts: factStore(journal, tables),
    transact: (work) => journal.transact('transact', work),
    image: () => {
      assert(!journal.inTransaction, 'an image shows durable state only');
      return { ...imageOf(packs, tables), retired: layouts.image() };
    },
  };
}

/** What the catalogue has an index for, or orders by. */
const indexes = {
  snapshots: { orderOf: (row: SnapshotRow) => [row.takenAt, row.snapshot] },
  agreements: { orderOf: (row: AgreementRow) => [row.since, row.agreement] },
  held: { groupOf: (row: HeldRow) => row.owner, orderOf: (row: HeldRow) => [row.name] },
  manifests: {
    groupOf: (row: ManifestRow) => row.owner,
    orderOf: (row: ManifestRow) => [row.incarnation, row.sequence, hexText(row.hash)],
  },
  receipts: {
    groupOf: (row: ReceiptRow) => row.manifest,
    orderOf: (row: ReceiptRow) => [row.partner],
  },
};

function tablesOf(journal: Journal, image: TwinImage | undefined): TwinTables {
  return {
    snapshots: new TwinTable(journal, image?.snapshots, indexes.snapshots),
    scanMemory: new TwinTable(journal, image?.scanMemory),
    trees: new TwinTable(journal, image?.trees),
    agreements: new TwinTable(journal, image?.agreements, indexes.agreements),
    candidates: new TwinTable(journal, image?.candidates),
    observations: new TwinTable(journal, image?.observations),
    records: new TwinTable(journal, image?.records, recordIndex),
    audits: new TwinTable(journal, image?.audits, auditIndex),
    auditAccounts: new TwinTable(journal, image?.auditAccounts),
    auditedShards: new TwinTable(journal, image?.auditedShards, auditedShardIndex),
    ledger: new TwinTable(journal, image?.ledger),
    ledgerHeads: new TwinTable(journal, image?.ledgerHeads),
    held: new TwinTable(journal, image?.held, indexes.held),
    manifests: new TwinTable(journal, image?.manifests, indexes.manifests),
    receipts: new TwinTable(journal, image?.receipts, indexes.receipts),
    invitations: new TwinTable(journal, image?.invitations),
    facts: new TwinTable(journal, image?.facts),
  };
}

function imageOf(packs: TwinPacks, tables: TwinTables): Omit<TwinImage, 'retired'> {
  return {
    packs: packs.image(),
    snapshots: tables.snapshots.image(),
    scanMemory: tables.scanMemory.image(),
    trees: tables.trees.image(),
    agreements: tables.agreements.image(),
    candidates: tables.candidates.image(),
    observations: tables.observations.image(),
    records: tables.records.image(),
    audits: tables.audits.image(),
    auditAccounts: tables.auditAccounts.image(),
    auditedShards: tables.auditedShards.image(),
    ledger: tables.ledger.image(),
    ledgerHeads: tables.ledgerHeads.image(),
    held: tables.held.image(),
    manifests: tables.manifests.image(),
    receipts: tables.receipts.image(),
    invitations: tables.invitations.image(),
    facts: tables.facts.image(),
  };
}

function owned<T extends object>(row: T | undefined): T | undefined {
  return row === undefined ? undefined : ownRow(row);
}

function snapshotStore(journal: Journal, { snapshots }: TwinTables): SnapshotStore {
  return {
    put: (row) => journal.change('snapshots.put', () => snapshots.set(row.snapshot, ownRow(row))),
    all: () => snapshots.inOrder().map(ownRow),
    heads: () =>
      snapshots.inOrder().map(({ snapshot, takenAt, phase }) => ({ snapshot, takenAt, phase })),
    get: (snapshot) => owned(snapshots.get(snapshot)),
    setPhase: (snapshot, phase) => {
      const row = snapshots.get(snapshot);
      assert(row !== undefined, 'a snapshot whose phase is set is there');
      journal.change('snapshots.set-phase', () => snapshots.set(snapshot, { ...row, phase }));
    },
    remove: (snapshot) => journal.change('snapshots.remove', () => snapshots.delete(snapshot)),
  };
}

function scanMemory(journal: Journal, tables: TwinTables): ScanMemory {
  const memory = tables.scanMemory;
  return {
    get: (path) => owned(memory.get(hexText(path))),
    putAll: (rows) =>
      journal.change('scan-memory.put-all', () => {
        for (const row of rows) memory.set(hexText(row.path), ownRow(row));
      }),
    clear: () =>
      journal.change('scan-memory.clear', () => {
        for (const key of memory.keys()) memory.delete(key);
      }),
  };
}

function treeCache(journal: Journal, { trees }: TwinTables): TreeCache {
  return {
    get: (chunk) => owned(trees.get(chunk))?.value,
    putAll: (rows) =>
      journal.change('trees.put-all', () => {
        for (const { chunk, body } of rows) trees.set(chunk, ownRow({ value: body }));
      }),
  };
}

function agreementStore(journal: Journal, { agreements }: TwinTables): AgreementStore {
  return {
    put: (row) =>
      journal.change('agreements.put', () => agreements.set(row.agreement, ownRow(row))),
    get: (agreement) => shownRow(agreements.get(agreement)),
    ofPartner: (partner) => {
      const theirs = agreements.inOrder().filter((row) => row.partner === partner);
      const rank = (row: AgreementRow): number => (row.phase === 'ended' ? 1 : 0);
      return shownRow(sortedBy(theirs, (row) => [rank(row), -row.since, row.agreement])[0]);
    },
    all: () => agreements.inOrder().map((row) => ({ ...row })),
    remove: (agreement) => journal.change('agreements.remove', () => agreements.delete(agreement)),
  };
}

function ledgerStore(journal: Journal, { ledger, ledgerHeads }: TwinTables): LedgerStore {
  return {
    append: (row) => {
      const book = `${row.agreement}/${row.side}`;
      const head = ledgerHeads.get(book);
      const follows =
        head === undefined ||
        row.epoch > head.epoch ||
        (row.epoch === head.epoch && row.sequence === head.sequence + 1);
      assert(follows, 'an entry of a ledger follows its head');
      journal.change('ledger.append', () => {
        ledger.set(`${book}/${row.epoch}.${row.sequence}`, ownRow(row));
        ledgerHeads.set(book, { epoch: row.epoch, sequence: row.sequence });
      });
    },
    head: (agreement, side) => {
      const book = `${agreement}/${side}`;
      const head = ledgerHeads.get(book);
      return shownRow(head && ledger.get(`${book}/${head.epoch}.${head.sequence}`));
    },
    get: (agreement, side, { epoch, sequence }) =>
      shownRow(ledger.get(`${agreement}/${side}/${epoch}.${sequence}`)),
  };
}

function heldStore(journal: Journal, { held }: TwinTables): HeldStore {
  return {
    put: (row) =>
      journal.change('held.put', () => held.set(`${row.owner}/${row.name}`, ownRow(row))),
    get: (owner, name) => owned(held.get(`${owner}/${name}`)),
    page: (owner, after, limit) => {
      const theirs = held
        .inOrder(owner)
        .filter((row) => row.trashedAt === undefined)
        .filter((row) => after === undefined || row.name > after);
      return theirs.slice(0, limit).map(ownRow);
    },
    blockCount: (owner) => held.inOrder(owner).reduce((sum, row) => sum + row.blockCount, 0),
    owners: () => [...new Set(held.values().map((row) => row.owner))].sort(),
    trashed: (owner) => {
      const theirs = held.inOrder(owner).filter((row) => row.trashedAt !== undefined);
      return sortedBy(theirs, (row) => [
        ...[row.trashedAt ?? 0, row.epoch, row.sequence, row.name],
      ]).map(ownRow);
    },
    remove: (owner, name) => journal.change('held.remove', () => held.delete(`${owner}/${name}`)),
  };
}

function manifestStore(journal: Journal, { manifests, receipts }: TwinTables): ManifestStore {
  return {
    put: (row) =>
      journal.change('manifests.put', () =>
        manifests.set(`${row.owner}/${hexText(row.hash)}`, ownRow(row)),
      ),
    ofOwner: (owner) => manifests.inOrder(owner).map((row) => ({ ...row })),
    newest: (owner) => {
      const theirs = manifests.inOrder(owner);
      const last = theirs.at(-1);
      // Of those in one place the one whose hash is least.
      const isBesides = (row: ManifestRow): boolean =>
        row.incarnation === last?.incarnation && row.sequence === last.sequence;
      return shownRow(theirs.find(isBesides));
    },
    byteCount: (owner) =>
      manifests.inOrder(owner).reduce((sum, row) => sum + row.document.length, 0),
    remove: (owner, hash) =>
      journal.change('manifests.remove', () => {
        manifests.delete(`${owner}/${hexText(hash)}`);
        for (const { manifest, partner } of receipts.inOrder(hexText(hash)))
          receipts.delete(`${manifest}/${partner}`);
      }),
    putReceipt: (partner, manifestHash, receipt) => {
      const manifest = hexText(manifestHash);
      journal.change('manifests.put-receipt', () =>
        receipts.set(`${manifest}/${partner}`, ownRow({ manifest, partner, receipt })),
      );
    },
    receipts: (manifestHash) =>
      receipts.inOrder(hexText(manifestHash)).map(({ partner, receipt }) => ({ partner, receipt })),
  };
}

function invitationStore(journal: Journal, { invitations }: TwinTables): InvitationStore {
  return {
    put: (row) =>
      journal.change('invitations.put', () =>
        invitations.set(hexText(row.secretHash), ownRow(row)),
      ),
    get: (secretHash) => owned(invitations.get(hexText(secretHash))),
    all: () =>
      sortedBy(invitations.values(), (row) => [row.expiresAt, hexText(row.secretHash)]).map(ownRow),
  };
}

function factStore(journal: Journal, { facts }: TwinTables): FactStore {
  return {
    get: (name) => owned(facts.get(name))?.value,
    put: (name, value) => journal.change('facts.put', () => facts.set(name, ownRow({ value }))),
  };
}
