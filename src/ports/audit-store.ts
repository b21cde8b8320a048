/** What one computer remembers of audits between runs: those it asks of partners, and those that owners ask of it. */
import type { Bytes } from '../base/bytes.ts';
import type { Instant } from '../base/units.ts';
import type { AuditedShard } from '../core/audits/audited-space.ts';
import type { AgreementId, ShardName } from '../core/vocabulary/ids.ts';

/** `auditor`: we ask. `answerer`: we are asked. */
export type AuditSide = 'auditor' | 'answerer';

/** One direction of the audits under an agreement. */
export interface AuditLane {
  readonly agreement: AgreementId;
  readonly side: AuditSide;
}

/**
 * `sealed`: its nonce waits to be opened. `opened`: it waits to be answered. `untold`: answered, and the partner was not told yet what was wrong.
 * `settled`: it is over.
 */
export type AuditPhase = 'sealed' | 'opened' | 'untold' | 'settled';

export interface AuditRow extends AuditLane {
  /** Id of the challenge, 32 bytes. */
  readonly challenge: Bytes;
  readonly phase: AuditPhase;
  /** When this phase began. */
  readonly since: Instant;
  /** Undefined until it is known. `unanswered`: it still waits, and has waited so long that it was counted. */
  readonly outcome: 'passed' | 'wrong' | 'unanswered' | undefined;
  /** What is known of it so far, encoded (src/core/audits/transcript.ts). */
  readonly document: Bytes;
}

/** What is known of one direction as a whole. */
export interface AuditAccount extends AuditLane {
  /** How far the shards below follow the ledger. */
  readonly epoch: number;
  readonly sequence: number;
  /** Hash of the entry there. */
  readonly hash: Bytes;
  /** The present coverage round, and the head of the ledger when it began; 0 before the first. */
  readonly round: number;
  readonly roundStart: number;
  /** When a challenge was last opened. */
  readonly lastAt: Instant | undefined;
  /** Beginning of the day for which drawn blocks are counted, and their number. */
  readonly dayStart: Instant;
  readonly drawnBlocks: number;
  /** Audits that came to their end, since ever. */
  readonly passed: number;
  readonly wrong: number;
  /** Challenges that were opened and not answered in good time, since ever; what comes of one later counts besides. */
  readonly unanswered: number;
}

export interface AuditStore {
  /** Inserts or replaces the row of this challenge. */
  put(row: AuditRow): void;
  get(lane: AuditLane, challenge: Uint8Array): AuditRow | undefined;
  /** Those that are not settled, oldest first. */
  open(lane: AuditLane): readonly AuditRow[];
  /** Settled ones with this outcome, newest first, at most `limit`. */
  settled(lane: AuditLane, outcome: AuditRow['outcome'], limit: number): readonly AuditRow[];
  /** Forgets all settled ones with this outcome but the newest `keep`. */
  forgetSettled(lane: AuditLane, outcome: AuditRow['outcome'], keep: number): void;
  remove(lane: AuditLane, challenge: Uint8Array): void;

  account(lane: AuditLane): AuditAccount | undefined;
  putAccount(account: AuditAccount): void;

  /** Inserts or replaces the shard that was acknowledged at this place under this name. */
  putShard(lane: AuditLane, shard: AuditedShard): void;
  /** The one of this name that was not deleted. */
  shard(lane: AuditLane, name: ShardName): AuditedShard | undefined;
  /** Deleted ones included, in order of name and place. */
  shards(lane: AuditLane): readonly AuditedShard[];
  /** Forgets those that were deleted by the entry at `sequence` or before it. */
  forgetDeleted(lane: AuditLane, sequence: number): void;
  /** Forgets every shard: the partner began another ledger. */
  clearShards(lane: AuditLane): void;
}
