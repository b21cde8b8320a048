/** Blocks drawn by audits against the read quota of an agreement: every nonce that answered a seal counts, whether the seal was opened or not. */
import { dayMs, type Instant } from '../../base/units.ts';
import { type AuditTerms, auditAllowance } from '../../core/audits/audit-cadence.ts';
import type { AuditAccount } from '../../ports/audit-store.ts';

export interface QuotaBasis {
  readonly terms: AuditTerms;
  /** When the agreement began. */
  readonly since: Instant;
  readonly shardCount: number;
  readonly now: Instant;
}

/** Blocks that may still be drawn today. */
export function allowanceLeft(account: AuditAccount, basis: QuotaBasis): number {
  const { terms, since, shardCount, now } = basis;
  const whole = auditAllowance(terms, { ageMs: Math.max(0, now - since), shardCount });
  return Math.max(0, whole - presentDay(account, now).drawnBlocks);
}

/** The account with so many more blocks drawn. */
export function charged(account: AuditAccount, blockCount: number, now: Instant): AuditAccount {
  const day = presentDay(account, now);
  return { ...day, drawnBlocks: day.drawnBlocks + blockCount };
}

/** A clock that was set back begins a day as well. */
function presentDay(account: AuditAccount, now: Instant): AuditAccount {
  const age = now - account.dayStart;
  return age >= 0 && age < dayMs ? account : { ...account, dayStart: now, drawnBlocks: 0 };
}
