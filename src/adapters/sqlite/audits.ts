/** Audits: those under way, those that are over, and the shards that they draw from. */
import type { AuditedShard } from '../../core/audits/audited-space.ts';
import type { ShardName } from '../../core/vocabulary/ids.ts';
import type {
  AuditAccount,
  AuditLane,
  AuditPhase,
  AuditRow,
  AuditSide,
  AuditStore,
} from '../../ports/audit-store.ts';
import type { Connection } from './connection.ts';
import {
  blobOf,
  idBlob,
  idIn,
  instantOf,
  integerOf,
  optionalOf,
  type Row,
  wordOf,
} from './values.ts';

const sides: readonly AuditSide[] = ['auditor', 'answerer'];
const phases: readonly AuditPhase[] = ['sealed', 'opened', 'untold', 'settled'];
const outcomes = ['passed', 'wrong', 'unanswered'] as const;

export class AuditTable implements AuditStore {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  put(row: AuditRow): void {
    this.#connection.run(
      `INSERT INTO audit (agreement, side, challenge, phase, since, outcome, document)
       VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (agreement, side, challenge) DO UPDATE SET phase = excluded.phase,
         since = excluded.since, outcome = excluded.outcome, document = excluded.document`,
      ...[idBlob(row.agreement), row.side, row.challenge],
      ...[row.phase, row.since, row.outcome ?? null, row.document],
    );
  }

  get({ agreement, side }: AuditLane, challenge: Uint8Array): AuditRow | undefined {
    const sql = 'SELECT * FROM audit WHERE agreement = ? AND side = ? AND challenge = ?';
    const row = this.#connection.get(sql, idBlob(agreement), side, challenge);
    return row === undefined ? undefined : auditRow(row);
  }

  open({ agreement, side }: AuditLane): readonly AuditRow[] {
    const sql = `SELECT * FROM audit WHERE agreement = ? AND side = ? AND phase <> 'settled'
      ORDER BY since, challenge`;
    return this.#connection.all(sql, idBlob(agreement), side).map(auditRow);
  }

  settled(
    { agreement, side }: AuditLane,
    outcome: AuditRow['outcome'],
    limit: number,
  ): readonly AuditRow[] {
    const sql = `SELECT * FROM audit
      WHERE agreement = ? AND side = ? AND phase = 'settled' AND outcome IS ?
      ORDER BY since DESC, challenge LIMIT ?`;
    return this.#connection.all(sql, idBlob(agreement), side, outcome ?? null, limit).map(auditRow);
  }

  forgetSettled({ agreement, side }: AuditLane, outcome: AuditRow['outcome'], keep: number): void {
    const lane = [idBlob(agreement), side, outcome ?? null] as const;
    const those = "agreement = ? AND side = ? AND phase = 'settled' AND outcome IS ?";
    const sql = `DELETE FROM audit WHERE ${those} AND challenge NOT IN
      (SELECT challenge FROM audit WHERE ${those} ORDER BY since DESC, challenge LIMIT ?)`;
    this.#connection.run(sql, ...lane, ...lane, keep);
  }

  remove({ agreement, side }: AuditLane, challenge: Uint8Array): void {
    const sql = 'DELETE FROM audit WHERE agreement = ? AND side = ? AND challenge = ?';
    this.#connection.run(sql, idBlob(agreement), side, challenge);
  }

  account({ agreement, side }: AuditLane): AuditAccount | undefined {
    const sql = 'SELECT * FROM audit_account WHERE agreement = ? AND side = ?';
    const row = this.#connection.get(sql, idBlob(agreement), side);
    return row === undefined ? undefined : auditAccount(row);
  }

  putAccount(row: AuditAccount): void {
    this.#connection.run(
      `INSERT OR REPLACE INTO audit_account (agreement, side, epoch, sequence, hash, round,
         round_start, last_at, day_start, drawn_blocks, passed, wrong, unanswered)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[idBlob(row.agreement), row.side, row.epoch, row.sequence, row.hash],
      ...[row.round, row.roundStart, row.lastAt ?? null, row.dayStart],
      ...[row.drawnBlocks, row.passed, row.wrong, row.unanswered],
    );
  }

  putShard({ agreement, side }: AuditLane, shard: AuditedShard): void {
    this.#connection.run(
      `INSERT OR REPLACE INTO audited_shard
         (agreement, side, name, sequence, block_count, merkle_root, deleted_by, visited_in)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[idBlob(agreement), side, idBlob(shard.name), shard.sequence, shard.blockCount],
      ...[shard.merkleRoot, shard.deletedBy ?? null, shard.visitedIn],
    );
  }

  shard({ agreement, side }: AuditLane, name: ShardName): AuditedShard | undefined {
    const sql = `SELECT * FROM audited_shard
      WHERE agreement = ? AND side = ? AND name = ? AND deleted_by IS NULL
      ORDER BY sequence DESC LIMIT 1`;
    const row = this.#connection.get(sql, idBlob(agreement), side, idBlob(name));
    return row === undefined ? undefined : auditedShard(row);
  }

  shards({ agreement, side }: AuditLane): readonly AuditedShard[] {
    const sql = `SELECT * FROM audited_shard WHERE agreement = ? AND side = ?
      ORDER BY name, sequence`;
    return this.#connection.all(sql, idBlob(agreement), side).map(auditedShard);
  }

  forgetDeleted({ agreement, side }: AuditLane, sequence: number): void {
    const sql = 'DELETE FROM audited_shard WHERE agreement = ? AND side = ? AND deleted_by <= ?';
    this.#connection.run(sql, idBlob(agreement), side, sequence);
  }

  clearShards({ agreement, side }: AuditLane): void {
    const sql = 'DELETE FROM audited_shard WHERE agreement = ? AND side = ?';
    this.#connection.run(sql, idBlob(agreement), side);
  }
}

function auditRow(row: Row): AuditRow {
  return {
    agreement: idIn(row['agreement']),
    side: wordOf(row['side'], sides),
    challenge: blobOf(row['challenge']),
    phase: wordOf(row['phase'], phases),
    since: instantOf(row['since']),
    outcome: optionalOf(row['outcome'], (value) => wordOf(value, outcomes)),
    document: blobOf(row['document']),
  };
}

function auditAccount(row: Row): AuditAccount {
  return {
    agreement: idIn(row['agreement']),
    side: wordOf(row['side'], sides),
    epoch: integerOf(row['epoch']),
    sequence: integerOf(row['sequence']),
    hash: blobOf(row['hash']),
    round: integerOf(row['round']),
    roundStart: integerOf(row['round_start']),
    lastAt: optionalOf(row['last_at'], instantOf),
    dayStart: instantOf(row['day_start']),
    drawnBlocks: integerOf(row['drawn_blocks']),
    passed: integerOf(row['passed']),
    wrong: integerOf(row['wrong']),
    unanswered: integerOf(row['unanswered']),
  };
}

function auditedShard(row: Row): AuditedShard {
  return {
    name: idIn(row['name']),
    blockCount: integerOf(row['block_count']),
    merkleRoot: blobOf(row['merkle_root']),
    sequence: integerOf(row['sequence']),
    deletedBy: optionalOf(row['deleted_by'], integerOf),
    visitedIn: integerOf(row['visited_in']),
  };
}
