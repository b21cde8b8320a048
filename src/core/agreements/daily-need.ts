/**
 * What an owner needs to read back on an ordinary day, and so what a read quota is a multiple of (DESIGN §8; RESEARCH §2, bandwidth theft).
 *
 * The audits of a day, as often as the preset has them, and a drill that comes round all that the partner holds in ninety days, like the audits do. Restores and
 * repair need more at once; for them there is the notice that lifts the quota.
 */
import { dayMs, mebi } from '../../base/units.ts';
import { type AuditTerms, auditCadence, coverageMs } from '../audits/audit-cadence.ts';
import { blockBytes } from '../vocabulary/limits.ts';

/** Drills read so much a day however little there is: whole frames of packs, and trees on the way. */
export const drillLeastBytes: number = 16 * mebi;
/** Blocks of a usual shard: a pack of 16 MiB in four data shards has about 64. Only for what audits add, which is little. */
const blocksPerShard = 16;

/** Bytes that one drill a day reads from a partner that holds so much of ours. */
export function drillBytes(heldBytes: number): number {
  return Math.max(drillLeastBytes, Math.ceil((heldBytes * dayMs) / coverageMs));
}

/** Bytes. `ageMs`: of the agreement; `heldBytes`: what the partner holds. */
export function dailyNeedBytes(
  terms: AuditTerms,
  of: { readonly ageMs: number; readonly heldBytes: number },
): number {
  const shardCount = Math.ceil(of.heldBytes / (blocksPerShard * blockBytes));
  const cadence = auditCadence(terms, { ageMs: of.ageMs, shardCount });
  const perAudit = cadence.coverageCount + cadence.uniformCount;
  const audits = Math.ceil(perAudit * Math.max(1, dayMs / cadence.intervalMs));
  return audits * blockBytes + drillBytes(of.heldBytes);
}
