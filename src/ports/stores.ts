/**
 * What one computer remembers between runs, by role. Calls are synchronous; a change made outside `transact` is durable when the call returns, changes inside
 * are durable together when it returns, or none of them is.
 *
 * A call that the disk refuses throws `StorageFull` or `StorageBroken`; nothing of that call, nor of the transaction around it, has happened then.
 */
import type { Bytes } from '../base/bytes.ts';
import type { Instant } from '../base/units.ts';
import type { LedgerPlace } from '../core/agreements/acknowledgement.ts';
import type { PackContents } from '../core/packing/directory.ts';
import type { PackKind } from '../core/packing/pack-header.ts';
import type { LifecyclePhase } from '../core/partners/lifecycle-phase.ts';
import type { Code } from '../core/vocabulary/code.ts';
import type {
  AgreementId,
  ChunkId,
  PackId,
  PeerId,
  ShardName,
  SnapshotId,
  StripeId,
} from '../core/vocabulary/ids.ts';
import type { AuditStore } from './audit-store.ts';
import type { LayoutStore } from './layout-store.ts';
import type { CandidateStore, ObservationStore, RecordStore } from './peer-stores.ts';

/** There is no room left for what this computer has to remember. What was durable before stays. */
export class StorageFull extends Error {
  override readonly name = 'StorageFull';
}

/** The state of this computer cannot be read or written: the disk fails, or its contents are damaged. */
export class StorageBroken extends Error {
  override readonly name: string = 'StorageBroken';
}

/** What is stored is not what was written: another disk or folder will not help, only rebuilding it will. */
export class StorageDamaged extends StorageBroken {
  override readonly name = 'StorageDamaged';
}

/** Where a chunk lies: in a frame of a pack, `offset` and `length` within the decompressed frame. */
export interface ChunkPlace {
  readonly pack: PackId;
  readonly frame: number;
  readonly offset: number;
  readonly length: number;
}

export interface PackRow {
  readonly pack: PackId;
  readonly kind: PackKind;
  readonly suite: number;
  readonly salt: Bytes;
  readonly lengthBytes: number;
  readonly storedAt: Instant;
  /** Unset until the pack was coded for partners. */
  readonly code: Code | undefined;
  readonly stripe: StripeId | undefined;
  /** An index segment that partners hold names this pack, so a lost catalogue can be rebuilt. */
  readonly indexed: boolean;
  /** The pack's bytes lie in the spool (as work still to do, or as cache). */
  readonly spooled: boolean;
}

export interface PackStore {
  /**
   * Adds a pack and all its chunks in one step. A chunk that is known already keeps its older place until that pack is removed. A pack that is there
   * already stays as it is.
   */
  add(row: PackRow, contents: PackContents): void;
  get(pack: PackId): PackRow | undefined;
  /** In the order in which they were added. */
  all(): readonly PackRow[];
  /** Packs whose stripe's id begins with these bytes, in the order in which they were added. */
  ofStripe(beginning: Uint8Array): readonly PackRow[];
  /** Packs that still lie in the spool, oldest first. */
  spooled(): readonly PackRow[];
  /** The pack must be there (asserted). */
  update(
    pack: PackId,
    change: Partial<Pick<PackRow, 'code' | 'stripe' | 'indexed' | 'spooled'>>,
  ): void;
  contents(pack: PackId): PackContents | undefined;
  /** Removes the pack, its chunks and its shard rows. */
  remove(pack: PackId): void;
}

export interface ChunkStore {
  place(chunk: ChunkId): ChunkPlace | undefined;
  /** For each id of a column (32 bytes each) 1 when the chunk is known, else 0. */
  known(chunkIds: Uint8Array): Uint8Array;
  count(): number;
}

/** A shard of ours and the partner meant to hold it. */
export interface ShardRow {
  readonly pack: PackId;
  readonly index: number;
  readonly partner: PeerId;
  /**
   * `planned`: to be sent. `held`: the partner's acknowledgement is stored. `lost`: the partner does not have it; it may be sent again. `wrong`: the
   * partner has other bytes under its name, so that sending it again changes nothing.
   */
  readonly phase: 'planned' | 'held' | 'lost' | 'wrong';
}

/** A pack without its bytes, and how many of its shards are where: kept at hand, so that it can be asked for often. */
export interface PackStanding {
  readonly pack: PackId;
  readonly kind: PackKind;
  readonly lengthBytes: number;
  readonly storedAt: Instant;
  readonly code: Code | undefined;
  readonly indexed: boolean;
  readonly spooled: boolean;
  /** Shards that have a row, whatever its phase. */
  readonly placed: number;
  readonly held: number;
  /** `lost` or `wrong`. */
  readonly missing: number;
}

/** So many shards of packs of one length and code. */
export interface ShardAmount {
  readonly lengthBytes: number;
  readonly code: Code | undefined;
  readonly shards: number;
}

export interface ShardStore {
  /** Inserts or replaces the row of (pack, index); the pack must be there (asserted). */
  put(row: ShardRow): void;
  /** In order of index. */
  ofPack(pack: PackId): readonly ShardRow[];
  ofPartner(partner: PeerId): readonly ShardRow[];
  /** Packs that have a row which is not `held`, or no rows at all. */
  incompletePacks(): readonly PackId[];
  /** Every pack, in the order in which they were added. */
  standings(): readonly PackStanding[];
  /** How much a partner has of ours, whatever the phase; in no order. */
  amountsAt(partner: PeerId): readonly ShardAmount[];
}

export type SnapshotPhase = 'captured' | 'protected' | 'complete';

export interface SnapshotRow {
  readonly snapshot: SnapshotId;
  readonly body: Bytes;
  readonly takenAt: Instant;
  readonly phase: SnapshotPhase;
}

/** A snapshot without its body, which may have a megabyte. */
export type SnapshotHead = Omit<SnapshotRow, 'body'>;

export interface SnapshotStore {
  put(row: SnapshotRow): void;
  /** Oldest first. */
  all(): readonly SnapshotRow[];
  /** In the same order. */
  heads(): readonly SnapshotHead[];
  get(snapshot: SnapshotId): SnapshotRow | undefined;
  /** The snapshot must be there (asserted). */
  setPhase(snapshot: SnapshotId, phase: SnapshotPhase): void;
  remove(snapshot: SnapshotId): void;
}

/** What the last scan saw in one directory, so that an unchanged one is not read again. */
export interface ScanMemoryRow {
  /** Absolute path, raw bytes. */
  readonly path: Bytes;
  /** SHA-256 over the names and stat columns of all entries. */
  readonly signature: Bytes;
  /** The encoded stat columns behind the signature. */
  readonly columns: Bytes;
  /** Chunks of the directory's tree. */
  readonly tree: readonly ChunkId[];
}

export interface ScanMemory {
  get(path: Uint8Array): ScanMemoryRow | undefined;
  putAll(rows: readonly ScanMemoryRow[]): void;
  clear(): void;
}

/** Decrypted trees kept at hand for browsing and for the next scan. */
export interface TreeCache {
  get(chunk: ChunkId): Bytes | undefined;
  putAll(trees: readonly { readonly chunk: ChunkId; readonly body: Bytes }[]): void;
}

/** `proposed`: our half of an agreement that the other side has not signed. */
export type AgreementPhase = 'proposed' | LifecyclePhase;

export interface AgreementRow {
  /** The id of the first agreement between the two; a change of terms replaces the document and keeps the id. */
  readonly agreement: AgreementId;
  readonly partner: PeerId;
  /** Encoded SignedAgreement, the one in force. */
  readonly document: Bytes;
  readonly phase: AgreementPhase;
  /** A person asked that no new shards be sent to or taken from the partner. */
  readonly paused: boolean;
  /** Encoded state of the lifecycle, of which `phase` is the part that is asked for most; undefined while it has none. */
  readonly lifecycle: Bytes | undefined;
  readonly partnerName: string;
  readonly addresses: readonly string[];
  readonly since: Instant;
  readonly lastSeenAt: Instant | undefined;
}

export interface AgreementStore {
  put(row: AgreementRow): void;
  get(agreement: AgreementId): AgreementRow | undefined;
  /** The newest agreement with this partner, one that has not ended before any that has. */
  ofPartner(partner: PeerId): AgreementRow | undefined;
  /** Oldest first. */
  all(): readonly AgreementRow[];
  remove(agreement: AgreementId): void;
}

/** `owner` side: what the partner signed for us. `holder` side: what we signed for an owner. */
export type LedgerSide = 'owner' | 'holder';

export interface LedgerRow extends LedgerPlace {
  readonly agreement: AgreementId;
  readonly side: LedgerSide;
  /** SHA-256 of `document`, the next entry's `previousHash`. */
  readonly hash: Bytes;
  /** Encoded and signed acknowledgement. */
  readonly document: Bytes;
}

export interface LedgerStore {
  /**
   * Appends; the place must follow the head, in its epoch or a later one (asserted). The first of an epoch may have any sequence: a rebuilt catalogue
   * adopts a partner's head.
   */
  append(row: LedgerRow): void;
  /** The last entry of the latest epoch. */
  head(agreement: AgreementId, side: LedgerSide): LedgerRow | undefined;
  /** Entries of past epochs stay. */
  get(agreement: AgreementId, side: LedgerSide, place: LedgerPlace): LedgerRow | undefined;
}

/** A shard that we hold for an owner. */
export interface HeldRow {
  readonly owner: PeerId;
  readonly name: ShardName;
  readonly blockCount: number;
  readonly merkleRoot: Bytes;
  /** SHA-256 of the whole shard, for self-scrub. */
  readonly sha256: Bytes;
  /** Place of its acknowledgement in the ledger. */
  readonly epoch: number;
  readonly sequence: number;
  /** When it was deleted, in the computer's count of its time at work (src/engine/holding/running-time.ts), not by its clock; undefined while it is held. */
  readonly trashedAt: Instant | undefined;
}

export interface HeldStore {
  put(row: HeldRow): void;
  get(owner: PeerId, name: ShardName): HeldRow | undefined;
  /** In order of name, those after `after`, at most `limit`; trash left out. */
  page(owner: PeerId, after: ShardName | undefined, limit: number): readonly HeldRow[];
  /** Trash included: it counts against the quota. */
  blockCount(owner: PeerId): number;
  owners(): readonly PeerId[];
  /** What was deleted and is not gone yet, in the order in which it was deleted. */
  trashed(owner: PeerId): readonly HeldRow[];
  remove(owner: PeerId, name: ShardName): void;
}

export interface ManifestRow {
  readonly owner: PeerId;
  readonly incarnation: number;
  readonly sequence: number;
  readonly hash: Bytes;
  readonly document: Bytes;
  readonly receivedAt: Instant;
}

/** Manifests, our own among them. */
export interface ManifestStore {
  put(row: ManifestRow): void;
  /** Ordered by (incarnation, sequence), rising; a fork has two rows of one place. */
  ofOwner(owner: PeerId): readonly ManifestRow[];
  /** The last of these, without reading the others; of a fork the one that `ofOwner` gives first. */
  newest(owner: PeerId): ManifestRow | undefined;
  /** Length of these documents together. */
  byteCount(owner: PeerId): number;
  /** Removes the manifest and its receipts. */
  remove(owner: PeerId, hash: Bytes): void;
  putReceipt(partner: PeerId, manifestHash: Bytes, receipt: Bytes): void;
  receipts(manifestHash: Bytes): readonly { readonly partner: PeerId; readonly receipt: Bytes }[];
}

export interface InvitationRow {
  /** SHA-256 of the secret. */
  readonly secretHash: Bytes;
  readonly spaceBytes: number;
  /** What whoever redeems it lends at least. */
  readonly wantsBytes: number;
  readonly expiresAt: Instant;
  readonly redeemedBy: PeerId | undefined;
  readonly agreement: AgreementId | undefined;
}

export interface InvitationStore {
  put(row: InvitationRow): void;
  get(secretHash: Uint8Array): InvitationRow | undefined;
  /** Those that expire first come first. */
  all(): readonly InvitationRow[];
}

/** Single values, each with one fixed name. */
export interface FactStore {
  get(name: string): Bytes | undefined;
  put(name: string, value: Bytes): void;
}

export interface Stores {
  readonly packs: PackStore;
  readonly chunks: ChunkStore;
  readonly shards: ShardStore;
  readonly snapshots: SnapshotStore;
  readonly scanMemory: ScanMemory;
  readonly trees: TreeCache;
  readonly agreements: AgreementStore;
  readonly candidates: CandidateStore;
  readonly observations: ObservationStore;
  readonly records: RecordStore;
  readonly layouts: LayoutStore;
  readonly audits: AuditStore;
  readonly ledger: LedgerStore;
  readonly held: HeldStore;
  readonly manifests: ManifestStore;
  readonly invitations: InvitationStore;
  readonly facts: FactStore;
  /** All changes made inside are durable together when this returns. When `work` throws, none happened. Not nested. */
  transact<T>(work: () => T): T;
}
