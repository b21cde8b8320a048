/** Which agreement a person means: by the beginning of its id, or by its partner's id or name. */
import { failed, type Outcome, succeeded } from '../base/outcome.ts';
import { isInForce } from '../core/partners/lifecycle-phase.ts';
import type { AgreementView } from '../engine/partnerships.ts';
import { failure, type OperationFailure } from './operation-failure.ts';

const listedChoices = 5;

/**
 * `views` oldest first. Of several agreements with one partner the one that binds is meant, else the newest: former partners are found too, for they can be
 * forgiven and forgotten.
 */
export function chooseAgreement(
  views: readonly AgreementView[],
  text: string,
): Outcome<AgreementView, OperationFailure> {
  const prefix = /^[0-9a-f]+$/i.test(text) ? text.toLowerCase() : undefined;
  const byAgreement = views.filter(
    ({ row }) => prefix !== undefined && row.agreement.startsWith(prefix),
  );
  const [only] = byAgreement;
  if (only !== undefined && byAgreement.length === 1) return succeeded(only);
  const byPartner = views.filter(
    ({ row }) => prefix !== undefined && row.partner.startsWith(prefix),
  );
  const named = views.filter(({ row }) => row.partnerName === text);
  const matching = byPartner.length > 0 ? byPartner : named;
  const partners = [...new Set(matching.map(({ row }) => row.partner))];
  if (partners.length > 1 || byAgreement.length > 1) {
    const all = [...partners, ...byAgreement.map(({ row }) => row.agreement)];
    const names = all.slice(0, listedChoices).map((id) => id.slice(0, 12));
    return failed(failure('partner.ambiguous', `${text} could be ${names.join(', ')}`));
  }
  const chosen = matching.find(({ row }) => isInForce(row.phase)) ?? matching.at(-1);
  return chosen === undefined ? failed(failure('partner.unknown', text)) : succeeded(chosen);
}
