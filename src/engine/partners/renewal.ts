/** Agreements that are about to end by themselves. */
import type { Instant } from '../../base/units.ts';
import { renewalDue } from '../../core/agreements/replacement.ts';
import type { Terms } from '../../core/agreements/terms.ts';
import type { AgreementRow } from '../../ports/stores.ts';
import { agreementOf } from './partner-space.ts';

/** The terms to be signed once more; undefined while it is too early. */
export function endsSoon(row: AgreementRow, now: Instant): Terms | undefined {
  const agreement = agreementOf(row);
  return renewalDue(agreement, now) ? agreement.terms : undefined;
}
