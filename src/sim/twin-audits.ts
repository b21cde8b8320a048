/** The twin of what is remembered of audits. */
import { hexText } from '../base/bytes.ts';
import type { AuditedShard } from '../core/audits/audited-space.ts';
import type { AuditAccount, AuditLane, AuditRow, AuditStore } from '../ports/audit-store.ts';
import { type Journal, ownRow, shownRow, type TwinIndex, type TwinTable } from './twin-table.ts';

export type AuditedShardRow = AuditedShard & AuditLane;

export interface TwinAuditTables {
  readonly audits: TwinTable<AuditRow>;
  readonly auditAccounts: TwinTable<AuditAccount>;
  readonly auditedShards: TwinTable<AuditedShardRow>;
}

function keyOf({ agreement, side }: AuditLane): string {
  return `${agreement}/${side}`;
}

export const auditIndex: TwinIndex<AuditRow> = {
  groupOf: keyOf,
  orderOf: ({ since, challenge }) => [since, hexText(challenge)],
};

export const auditedShardIndex: TwinIndex<AuditedShardRow> = {
  groupOf: keyOf,
  orderOf: ({ name, sequence }) => [name, sequence],
};

export function auditStore(journal: Journal, tables: TwinAuditTables): AuditStore {
  return {
    ...challengeStore(journal, tables),
    ...shardStore(journal, tables),
    account: (lane) => shownRow(tables.auditAccounts.get(keyOf(lane))),
    putAccount: (row) =>
      journal.change('audits.putAccount', () => tables.auditAccounts.set(keyOf(row), ownRow(row))),
  };
}

type ChallengeRole = 'put' | 'get' | 'open' | 'settled' | 'forgetSettled' | 'remove';

function challengeStore(
  journal: Journal,
  { audits }: TwinAuditTables,
): Pick<AuditStore, ChallengeRole> {
  const key = (lane: AuditLane, id: Uint8Array): string => `${keyOf(lane)}/${hexText(id)}`;
  const settled: AuditStore['settled'] = (lane, outcome, limit) => {
    const rows = audits
      .inOrder(keyOf(lane))
      .filter((row) => row.phase === 'settled' && row.outcome === outcome);
    // Newest first; those of one moment stay in the order of their challenges.
    return rows
      .sort((left, right) => right.since - left.since)
      .slice(0, limit)
      .map((row) => ({ ...row }));
  };
  return {
    put: (row) =>
      journal.change('audits.put', () => audits.set(key(row, row.challenge), ownRow(row))),
    get: (lane, challenge) => shownRow(audits.get(key(lane, challenge))),
    open: (lane) =>
      audits
        .inOrder(keyOf(lane))
        .filter(({ phase }) => phase !== 'settled')
        .map((row) => ({ ...row })),
    settled,
    forgetSettled: (lane, outcome, keep) =>
      journal.change('audits.forgetSettled', () => {
        for (const row of settled(lane, outcome, Number.MAX_SAFE_INTEGER).slice(keep))
          audits.delete(key(lane, row.challenge));
      }),
    remove: (lane, challenge) =>
      journal.change('audits.remove', () => audits.delete(key(lane, challenge))),
  };
}

type ShardRole = 'putShard' | 'shard' | 'shards' | 'forgetDeleted' | 'clearShards';

function shardStore(
  journal: Journal,
  { auditedShards }: TwinAuditTables,
): Pick<AuditStore, ShardRole> {
  const key = (lane: AuditLane, shard: AuditedShard): string =>
    `${keyOf(lane)}/${shard.name}/${shard.sequence}`;
  const shards: AuditStore['shards'] = (lane) => auditedShards.inOrder(keyOf(lane)).map(shardIn);
  const drop = (label: string, lane: AuditLane, goes: (shard: AuditedShard) => boolean): void =>
    journal.change(label, () => {
      for (const shard of shards(lane)) if (goes(shard)) auditedShards.delete(key(lane, shard));
    });
  return {
    putShard: ({ agreement, side }, shard) =>
      journal.change('audits.putShard', () =>
        auditedShards.set(key({ agreement, side }, shard), ownRow({ ...shard, agreement, side })),
      ),
    shard: (lane, name) => {
      const row = auditedShards
        .inOrder(keyOf(lane))
        .findLast((each) => each.name === name && each.deletedBy === undefined);
      return row && shardIn(row);
    },
    shards,
    forgetDeleted: (lane, sequence) =>
      drop('audits.forgetDeleted', lane, (shard) => (shard.deletedBy ?? Infinity) <= sequence),
    clearShards: (lane) => drop('audits.clearShards', lane, () => true),
  };
}

function shardIn({ agreement: _, side: _side, ...shard }: AuditedShardRow): AuditedShard {
  return shard;
}
