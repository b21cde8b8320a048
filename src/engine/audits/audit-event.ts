/** What came of one turn of auditing a partner: one outcome, however many challenges were asked about. */
import type { Instant } from '../../base/units.ts';
import type { Judgement } from '../../core/audits/auditor.ts';
import type { AuditOutcome, Finding } from '../../core/audits/verdict.ts';
import type { AgreementId, PeerId } from '../../core/vocabulary/ids.ts';

export interface AuditEvent {
  readonly partner: PeerId;
  readonly agreement: AgreementId;
  readonly outcome: AuditOutcome;
  /** Stable, for people and logs; empty when it passed. */
  readonly reason: string;
  readonly at: Instant;
  /** Blocks that were not as they should be. */
  readonly findings: readonly Finding[];
  /** Blocks that the partner proved. */
  readonly provenBlocks: number;
  /** How many more may be asked of it today; undefined when it was not counted. */
  readonly blocksLeft: number | undefined;
  /** It says that it lives anew: how many shards that we thought it had it does not list any more. undefined: it says nothing of the kind. */
  readonly toldLost: number | undefined;
  /** It was asked and it answered, and nothing can be said of what it holds. */
  readonly unjudged: boolean;
  /** Since when the oldest challenge waits for its answer; undefined when none does. */
  readonly pendingSince: Instant | undefined;
}

/** Which outcome of several is that of the turn: wrong if any answer was, passed only if none is left unanswered. */
const order: readonly AuditOutcome[] = ['wrong', 'offline', 'silent', 'unclear', 'passed'];

/** Undefined when nothing was asked. */
export function turnEvent(
  judged: readonly Judgement[],
  turn: Omit<AuditEvent, 'outcome' | 'reason' | 'findings' | 'unjudged'>,
): AuditEvent | undefined {
  const worst = order
    .map((outcome) => judged.find((each) => each.outcome === outcome))
    .find((each) => each !== undefined);
  if (worst === undefined) return undefined;
  const { outcome, reason, challenge } = worst;
  return {
    ...turn,
    ...{ outcome, reason },
    findings: judged.filter((each) => each.outcome === 'wrong').flatMap(({ findings }) => findings),
    // What no challenge stands behind is our own doing, and what was lost is not there to be judged.
    unjudged: outcome === 'unclear' && challenge.length > 0 && reason !== 'audit.known-loss',
  };
}
