/**
 * How often a partner is audited, and for how much at a time (C16, DESIGN §8).
 *
 * In ninety days every shard is visited once; a block drawn at large comes on top, for a shard that was visited just now is not safe to drop before the next
 * round. Strangers are asked twice as often in their first three weeks.
 */
import { dayMs } from '../../base/units.ts';
import type { Terms } from '../agreements/terms.ts';
import { blocksPerAuditMaximum } from './challenge.ts';

/** No shard waits longer for its turn. */
export const coverageMs: number = 90 * dayMs;
export const newcomerMs: number = 21 * dayMs;
const uniformCount = 1;

export type AuditTerms = Pick<Terms, 'auditIntervalMs' | 'trusted' | 'readQuota'>;

export interface AuditCadence {
  readonly intervalMs: number;
  readonly coverageCount: number;
  readonly uniformCount: number;
}

/** `ageMs`: of the agreement. `shardCount`: shards that the partner holds. */
export function auditCadence(
  terms: AuditTerms,
  of: { readonly ageMs: number; readonly shardCount: number },
): AuditCadence {
  const isNew = !terms.trusted && of.ageMs < newcomerMs;
  const intervalMs = isNew ? terms.auditIntervalMs / 2 : terms.auditIntervalMs;
  const wanted = Math.max(1, Math.ceil((of.shardCount * intervalMs) / coverageMs));
  const most = blocksPerAuditMaximum - uniformCount;
  // Where one message cannot ask for so much, the audits follow each other more closely.
  const coverageCount = Math.min(wanted, most);
  return {
    intervalMs: Math.floor((intervalMs * coverageCount) / wanted),
    coverageCount,
    uniformCount,
  };
}

/**
 * How long an opened challenge may wait before it counts as unanswered in the track record: a tenth of the grace period. Whoever was only asked
 * while it left answers on its return; whoever lets what it was asked lie for days has chosen to.
 */
export function answerDueMs({ graceMs }: Pick<Terms, 'graceMs'>): number {
  return Math.floor(graceMs / 10);
}

/** Blocks that an owner may have drawn in any 24 hours, whether it opens its seals or not: so much of its daily need as was agreed. */
export function auditAllowance(
  terms: AuditTerms,
  of: { readonly ageMs: number; readonly shardCount: number },
): number {
  const { intervalMs, coverageCount, uniformCount: drawn } = auditCadence(terms, of);
  const perAudit = coverageCount + drawn;
  return Math.ceil(terms.readQuota * perAudit * Math.max(1, dayMs / intervalMs));
}
