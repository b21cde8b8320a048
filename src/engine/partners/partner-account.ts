/** What this computer counted of a partner and of itself, for receipts of the track record (C27). */
import type { Conduct, ConductOutcome } from '../../core/records/conduct.ts';
import { blockBytes } from '../../core/vocabulary/limits.ts';
import type { AuditSide } from '../../ports/audit-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AgreementRow, Stores } from '../../ports/stores.ts';
import { facts } from '../facts.ts';
import type { Account, PartnerAccount } from '../records/record-account.ts';
import type { LifecycleKeeper } from './lifecycle-keeper.ts';
import { liveBytesAt } from './partner-space.ts';
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
        audits: auditCounts(stores, row, 'auditor'),
        onLineMs: Math.floor(observation?.lifetime.part ?? 0),
        watchedMs: Math.floor(observation?.lifetime.whole ?? 0),
        provenDays: keeper.stateOf(row).provenDays,
        outcome: outcomeOf(row, keeper),
      },
      ours: {
        heldBytes: stores.held.blockCount(row.partner) * blockBytes,
        audits: auditCounts(stores, row, 'answerer'),
        onLineMs: atWork,
        watchedMs,
        provenDays: 0,
        outcome: 'none',
      },
    };
  }
}

/** Audits of the partner, or those that it asked of us; what is pending may still be answered. */
function auditCounts(
  stores: Stores,
  { agreement }: AgreementRow,
  side: AuditSide,
): Conduct['audits'] {
  const lane = { agreement, side };
  const { passed, wrong } = stores.audits.account(lane) ?? { passed: 0, wrong: 0 };
  const pending = stores.audits.open(lane).filter(({ phase }) => phase === 'opened').length;
  return { asked: passed + wrong + pending, passed, wrong, unanswered: 0 };
}

function outcomeOf(row: AgreementRow, keeper: LifecycleKeeper): ConductOutcome {
  if (row.phase !== 'reneged' && row.phase !== 'ended') return 'none';
  const { cause, failingMs } = keeper.stateOf(row);
  if (cause === 'wrong') return 'reneged-by-wrong';
  return failingMs >= keeper.periodsOf(row).graceMs ? 'reneged-by-silence' : 'left';
}
