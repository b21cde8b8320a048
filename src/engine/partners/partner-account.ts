/** What this computer counted of a partner and of itself, for receipts of the track record (C27). */
import { instant } from '../../base/units.ts';
import { answerDueMs } from '../../core/audits/audit-cadence.ts';
import type { Conduct, ConductOutcome } from '../../core/records/conduct.ts';
import { blockBytes } from '../../core/vocabulary/limits.ts';
import type { AuditSide } from '../../ports/audit-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AgreementRow, Stores } from '../../ports/stores.ts';
import { isOverdue } from '../audits/audit-keeping.ts';
import { facts } from '../facts.ts';
import type { Account, PartnerAccount } from '../records/record-account.ts';
import type { LifecycleKeeper } from './lifecycle-keeper.ts';
import { agreementOf, liveBytesAt } from './partner-space.ts';
import type { PartnerWatch } from './partner-watch.ts';

export interface PartnerAccountParts {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly watch: PartnerWatch;
  readonly keeper: LifecycleKeeper;
}

export class ObservedAccount implements Account {
  readonly #parts: PartnerAccountParts;

  constructor(parts: PartnerAccountParts) {
    this.#parts = parts;
  }

  of(row: AgreementRow): PartnerAccount | undefined {
    const { stores, clock, watch, keeper } = this.#parts;
    if (row.phase === 'proposed' || facts.recovering(stores)) return undefined;
    const observation = watch.observationOf(row.partner);
    const own = watch.own();
    const watchedMs = Math.max(0, clock.now() - row.since);
    const atWork = Math.min(watchedMs, Math.floor(own?.lifetime.part ?? 0));
    return {
      since: row.since,
      theirs: {
        heldBytes: liveBytesAt(stores, row.partner),
        audits: auditCounts(this.#parts, row, 'auditor'),
        onLineMs: Math.floor(observation?.lifetime.part ?? 0),
        watchedMs: Math.floor(observation?.lifetime.whole ?? 0),
        provenDays: keeper.stateOf(row).provenDays,
        outcome: outcomeOf(row, keeper),
      },
      ours: {
        heldBytes: stores.held.blockCount(row.partner) * blockBytes,
        audits: auditCounts(this.#parts, row, 'answerer'),
        onLineMs: atWork,
        watchedMs,
        provenDays: 0,
        outcome: 'none',
      },
    };
  }
}

/** Audits of the partner, or those that it asked of us; what has not waited for long may still be answered. */
function auditCounts(
  { stores, clock }: Pick<PartnerAccountParts, 'stores' | 'clock'>,
  row: AgreementRow,
  side: AuditSide,
): Conduct['audits'] {
  const lane = { agreement: row.agreement, side };
  const account = stores.audits.account(lane);
  const { passed, wrong } = account ?? { passed: 0, wrong: 0 };
  const waiting = stores.audits
    .open(lane)
    .filter(({ phase, outcome }) => phase === 'opened' && outcome === undefined);
  // Of the partner's they were counted when they were asked about last; ours are only asked about by the partner.
  const due = instant(Math.max(0, clock.now() - answerDueMs(agreementOf(row).terms)));
  const late = side === 'answerer' ? waiting.filter((audit) => isOverdue(audit, due)).length : 0;
  const unanswered = (account?.unanswered ?? 0) + late;
  const asked = passed + wrong + unanswered + waiting.length - late;
  return { asked, passed, wrong, unanswered };
}

function outcomeOf(row: AgreementRow, keeper: LifecycleKeeper): ConductOutcome {
  if (row.phase !== 'reneged' && row.phase !== 'ended') return 'none';
  const { cause, failingMs } = keeper.stateOf(row);
  if (cause === 'wrong') return 'reneged-by-wrong';
  return failingMs >= keeper.periodsOf(row).graceMs ? 'reneged-by-silence' : 'left';
}
