/**
 * One computer at work: what the daemon and the command line ask of the engine.
 *
 * Owner and partner in one: it serves what it holds for others as soon as it is started, and sends out its own packs whenever there are any.
 */
import type { Bytes } from '../base/bytes.ts';
import type { Outcome } from '../base/outcome.ts';
import type { Instant } from '../base/units.ts';
import type { KitContents } from '../core/recovery/kit.ts';
import type { ReadProblem, ScanRequest } from '../core/scan/tree-walk.ts';
import type { Code } from '../core/vocabulary/code.ts';
import type { PeerId, SnapshotId } from '../core/vocabulary/ids.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { ChunkPipeline } from '../ports/chunk-pipeline.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventLog } from '../ports/event-log.ts';
import type { Random } from '../ports/random.ts';
import type { RestoreTarget, TargetProblem } from '../ports/restore-target.ts';
import type { AgreementRow, SnapshotPhase, SnapshotRow, Stores } from '../ports/stores.ts';
import type { StripeCoder } from '../ports/stripe-coder.ts';
import type { Discovery, Transport } from '../ports/transport.ts';
import type { Kernels } from '../primitives/kernels/kernels.ts';
import type { DrillWish } from './drills/drill.ts';
import type { DrillReport } from './drills/drill-report.ts';
import type { DrillFailure, DrillOptions } from './drills/drill-run.ts';
import type { PartnershipSettings } from './partners/partnership-settings.ts';
import type { Partnerships, PartnerView } from './partners/partnerships.ts';
import type { SafetyOutlook } from './partners/safety-outlook.ts';
import type { UndeleteOptions, UndeleteReport } from './recovery/undelete-run.ts';
import type { Hindrance } from './sending/hindrances.ts';
import type { RepairProgress, RepairReport } from './upkeep/repair-run.ts';
import type { RepairWork, StripeHealth } from './upkeep/stripe-health.ts';

export interface ComputerPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: Transport;
  /** How peers are found whose address, or whose name, is not known; left out where nothing can be found. */
  readonly discovery?: Discovery | undefined;
  readonly stores: Stores;
  /** Packs of our own: work to do, and a cache. */
  readonly spool: BlobStore;
  /** Shards of others. */
  readonly held: BlobStore;
  readonly pipeline: ChunkPipeline;
  readonly coder: StripeCoder;
  /** For decoding what restores read. */
  readonly kernels: Kernels;
  readonly log: EventLog;
  /**
   * Told of an error that no part of the engine foresaw; the process should end, and start again from what is durable. When it is left out
   * the error stays an unhandled rejection, which ends the process too.
   */
  readonly broke?: (reason: unknown) => void;
}

export interface ComputerSettings {
  /** What this computer calls itself towards its partners. */
  readonly name: string;
  readonly programVersion: string;
  /** `linux`, `darwin` and the like; `x64`, `arm64` and the like. */
  readonly system: string;
  readonly architecture: string;
  /** What this computer would lend to new partners, in bytes. */
  readonly offeredBytes: number;
  /** Addresses told to partners, besides those the transport listens on. */
  readonly announcedAddresses: readonly string[];
  readonly spoolCapBytes: number;
  readonly cacheCapBytes: number;
  /** Bytes a second to all partners together; undefined: no limit. */
  readonly uploadLimit: number | undefined;
  /** How partners are looked for and what is agreed with them; what is left out is as the preset has it. */
  readonly partnership?: Partial<PartnershipSettings>;
}

export interface BackupRequest {
  readonly scan: ScanRequest;
  readonly hostName: string;
  readonly userName: string | undefined;
  readonly tags: readonly string[];
}

export interface BackupProgress {
  readonly filesSeen: number;
  readonly bytesSeen: number;
  readonly filesDone: number;
  readonly bytesDone: number;
  readonly packsStored: number;
  readonly storedBytes: number;
  /** All directories have been seen: the totals are final. */
  readonly scanned: boolean;
}

export interface BackupReport {
  readonly snapshot: SnapshotId;
  readonly files: number;
  readonly directories: number;
  readonly others: number;
  readonly bytes: number;
  /** Bytes of chunks that were not known before. */
  readonly newBytes: number;
  /** What these take in the spool, compressed and encrypted, before redundancy. */
  readonly storedBytes: number;
  readonly filesUnchanged: number;
  /** Files that were not kept as they are; not empty means exit 3. */
  readonly problems: readonly ReadProblem[];
  /** Fifos, sockets and devices, as absolute paths: their places are kept, but they are not restored. The first of very many. */
  readonly specials: readonly Bytes[];
  readonly durationMs: number;
}

export type BackupFailure = {
  readonly code:
    | 'spool.no-space'
    | 'spool.full'
    | 'backup.nothing'
    | 'backup.running'
    | 'backup.superseded'
    | 'recovery.unfinished'
    | 'backup.cancelled'
    | 'spool.broken';
  readonly detail: string;
};

/** How far the packs of all captured snapshots are out. */
export interface ProtectionProgress {
  readonly phase: SnapshotPhase;
  readonly packs: number;
  readonly packsProtected: number;
  readonly packsComplete: number;
  readonly shardsHeld: number;
  readonly shardsWanted: number;
  readonly bytesHeld: number;
  readonly bytesWanted: number;
}

export interface StatusReport {
  readonly self: PeerId;
  readonly name: string;
  readonly listening: readonly string[];
  readonly partners: readonly PartnerView[];
  readonly code: Code | undefined;
  readonly protection: ProtectionProgress;
  readonly snapshots: number;
  readonly latest: SnapshotRow | undefined;
  readonly spooledBytes: number;
  readonly manifest:
    | { readonly incarnation: number; readonly sequence: number; readonly receipts: number }
    | undefined;
  /** How many partners may vanish before something cannot be restored; undefined when nothing is backed up. */
  readonly bearableLosses: number | undefined;
  /** How the stripes stand, and what is being done about it. */
  readonly health: StripeHealth;
  readonly repair: RepairWork;
  /** This computer serves, and could send nothing and make nothing anew when it last looked. */
  readonly rests: boolean;
  /** How many more partners a search would look for (C20–C22). */
  readonly missingPartners: number;
  /** What may happen to it, and what would help most. */
  readonly outlook: SafetyOutlook;
  /** Why it is no safer, as far as that can be told; empty when nothing stands in the way. */
  readonly hindrances: readonly Hindrance[];
  /** When a drill last restored everything that it drew; undefined: never. */
  readonly lastProven: Instant | undefined;
  /** What the last drill found; undefined before the first. */
  readonly lastDrill: DrillReport | undefined;
}

export interface RestoreRequest {
  readonly snapshot: SnapshotId;
  /** Absolute path in the snapshot; undefined: all of it. */
  readonly path: Bytes | undefined;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly overwrite: 'always' | 'if-changed' | 'if-newer' | 'never';
  readonly deleteExtra: boolean;
  readonly dryRun: boolean;
  /** Reads every restored file again and compares it. */
  readonly verify: boolean;
}

export interface RestoreProgress {
  readonly files: number;
  readonly filesDone: number;
  readonly bytes: number;
  readonly bytesDone: number;
  readonly fetchedBytes: number;
  readonly phase: 'planning' | 'fetching' | 'finishing' | 'verifying';
}

/** Of a dry run: what would be. */
export interface RestoreReport {
  /** Written, links among them. */
  readonly files: number;
  readonly links: number;
  /** Left as they stood. */
  readonly filesSkipped: number;
  readonly directories: number;
  /** Of the files written. */
  readonly bytes: number;
  readonly fetchedBytes: number;
  readonly decodedCodewords: number;
  /** Blocks whose tag was wrong, by the partner that sent them. */
  readonly wrongBlocks: readonly { readonly partner: PeerId; readonly count: number }[];
  readonly removed: number;
  readonly verifiedFiles: number;
  readonly problems: readonly TargetProblem[];
}

export type RestoreFailure = {
  readonly code:
    | 'restore.no-such-snapshot'
    | 'restore.no-such-path'
    | 'restore.too-few-partners'
    | 'restore.integrity'
    | 'restore.no-space'
    | 'restore.cancelled';
  readonly detail: string;
};

export interface InvitationTerms {
  /** What the inviter lends to whoever joins. */
  readonly spaceBytes: number;
  /** What it wants in return, at least. Absent: as much as it lends; 0: nothing. */
  readonly wantsBytes?: number | undefined;
  readonly validMs: number;
}

export interface JoinOffer {
  /** What whoever joins lends. Absent: what the inviter wants. */
  readonly spaceBytes?: number | undefined;
}

export type JoinFailure = {
  readonly code:
    | 'invite.malformed'
    | 'invite.expired'
    | 'invite.used'
    | 'invite.unknown'
    | 'invite.own'
    /** By an agreement that strangers came to. */
    | 'invite.already-partner'
    | 'invite.lends-too-little'
    | 'invite.refused'
    | 'invite.inviter-unreachable';
  readonly detail: string;
};

export type RecoverFailure = {
  readonly code:
    | 'recover.no-partner'
    | 'recover.no-manifest'
    | 'recover.too-few-partners'
    | 'recover.integrity'
    | 'recover.home-not-empty';
  readonly detail: string;
  /** Too few partners honour restores before this moment, for they are in commitment (C30). */
  readonly restorableFrom?: Instant;
};

export interface RecoverProgress {
  readonly phase: 'asking-partners' | 'reading-index' | 'reading-inventories' | 'done';
  readonly partnersAsked: number;
  readonly partnersAnswered: number;
}

export interface RecoverReport {
  readonly incarnation: number;
  readonly sequence: number;
  /** Partners that gave this same manifest, of those asked. */
  readonly confirmations: number;
  readonly partnersAsked: number;
  readonly snapshots: number;
  readonly packs: number;
}

/** An entry of a listing. */
export interface ListedEntry {
  readonly path: Bytes;
  readonly entry: import('../core/scan/tree-entry.ts').TreeEntry;
}

export interface Computer extends Partnerships {
  /** Serves peers and sends out what is spooled, until stopped. */
  start(): Promise<void>;
  /** Cancels what is under way, backups and restores included, and resolves when nothing is. */
  stop(): Promise<void>;

  backup(
    request: BackupRequest,
    options: {
      readonly signal: AbortSignal;
      readonly progress: (progress: BackupProgress) => void;
    },
  ): Promise<Outcome<BackupReport, BackupFailure>>;
  /** Resolves when the snapshot has reached the phase, or nothing more can be done at present. */
  protect(
    snapshot: SnapshotId,
    wanted: SnapshotPhase,
    options: {
      readonly signal: AbortSignal;
      readonly progress: (progress: ProtectionProgress) => void;
    },
  ): Promise<SnapshotPhase>;

  /** Resolves when every stripe is whole, or nothing more can be done at present. */
  repair(options: {
    readonly signal: AbortSignal;
    readonly progress: (progress: RepairProgress) => void;
  }): Promise<RepairReport>;

  /** Brings back what was deleted at partners and is still needed, from their trash. */
  undelete(options: UndeleteOptions): Promise<UndeleteReport>;

  status(): StatusReport;
  /** The later life of this identity that a partner showed, for which this home has stopped for good; undefined: none was seen. */
  supersededBy(): number | undefined;
  /** A recovery of this identity began here and has not come to its end: until it has, this home begins nothing in that name. */
  isRecovering(): boolean;
  /** Whether a recovery into this home would lose nothing: it is empty, or a recovery of it was cut off. */
  isRecoverable(): boolean;
  snapshots(): readonly SnapshotRow[];
  /** Entries at and below a path, depth first; `recursive` false: only direct ones. */
  list(
    snapshot: SnapshotId,
    path: Bytes | undefined,
    recursive: boolean,
  ): AsyncIterable<ListedEntry>;
  /** Contents of one file of a snapshot. */
  read(snapshot: SnapshotId, path: Bytes): Promise<Outcome<AsyncIterable<Bytes>, RestoreFailure>>;
  restore(
    request: RestoreRequest,
    target: RestoreTarget,
    options: {
      readonly signal: AbortSignal;
      readonly progress: (progress: RestoreProgress) => void;
    },
  ): Promise<Outcome<RestoreReport, RestoreFailure>>;

  /** Restores some files from partners to nowhere, drawn by chance, and tells how partners behaved. What is left out is as on any day. */
  drill(options: DrillWish & DrillOptions): Promise<Outcome<DrillReport, DrillFailure>>;

  invite(terms: InvitationTerms): string;
  /** Resolves with the agreement once somebody redeemed the code. */
  redeemed(code: string, signal: AbortSignal): Promise<AgreementRow | undefined>;
  join(code: string, offer: JoinOffer): Promise<Outcome<AgreementRow, JoinFailure>>;

  /** What a recovery kit says besides the words. */
  kit(): KitContents;
  recover(
    peers: readonly { readonly peer: PeerId | undefined; readonly address: string }[],
    options: {
      readonly floor: { readonly incarnation: number; readonly sequence: number } | undefined;
      readonly signal: AbortSignal;
      readonly progress: (progress: RecoverProgress) => void;
    },
  ): Promise<Outcome<RecoverReport, RecoverFailure>>;

  /** When something about partners, packs or snapshots changed; for pages and waiting commands. */
  changed(signal: AbortSignal): Promise<void>;
  now(): Instant;
}
