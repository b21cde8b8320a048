/** What this computer counted of a partner and of itself: what receipts of the track record are held against (C27). */
import type { Instant } from '../../base/units.ts';
import type { Conduct } from '../../core/records/conduct.ts';
import type { AgreementRow } from '../../ports/stores.ts';

export interface PartnerAccount {
  /** When this computer began to count: when the agreement began, or later, when it had lost everything. Earlier receipts are counted in by the desk. */
  readonly since: Instant;
  /** How the partner behaved, as this computer observed it. */
  readonly theirs: Conduct;
  /**
   * How this computer behaved, by its own knowledge: what it holds for the partner, audits it answered and what it was told of them, days on which it
   * proved itself. `onLineMs` is how long it was at work, of the `watchedMs` since it began to count.
   */
  readonly ours: Conduct;
}

export interface Account {
  /** Totals up to now; undefined while there is nothing to account for, as during a recovery. */
  of(agreement: AgreementRow): PartnerAccount | undefined;
}
