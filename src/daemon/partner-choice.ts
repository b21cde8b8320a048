/** Which partner or agreement a person means: by the beginning of an id, or by the partner's name. */
import { failed, type Outcome, succeeded } from '../base/outcome.ts';
import { isInForce } from '../core/partners/lifecycle-phase.ts';
import type { AgreementView } from '../engine/partners/partnerships.ts';
import { failure, type OperationFailure } from './operation-failure.ts';

const listedChoices = 5;

type Choice = Outcome<AgreementView, OperationFailure>;

/**
 * The agreement with a partner, former ones included, for they can be forgiven and forgotten: the one that binds, else the newest. `views` oldest first.
 */
export function chooseAnyPartner(views: readonly AgreementView[], text: string): Choice {
  const prefix = prefixIn(text);
  const byId = views.filter(({ row }) => prefix !== undefined && row.partner.startsWith(prefix));
  const matching = byId.length > 0 ? byId : views.filter(({ row }) => row.partnerName === text);
  const partners = [...new Set(matching.map(({ row }) => row.partner))];
  if (partners.length > 1) return ambiguous(text, partners);
  const chosen = matching.find(({ row }) => isInForce(row.phase)) ?? matching.at(-1);
  return chosen === undefined ? failed(failure('partner.unknown', text)) : succeeded(chosen);
}

/** By the agreement's own id, else by its partner. */
export function chooseAgreement(views: readonly AgreementView[], text: string): Choice {
  const prefix = prefixIn(text);
  const byId = views.filter(({ row }) => prefix !== undefined && row.agreement.startsWith(prefix));
  const [first] = byId;
  if (first === undefined) return chooseAnyPartner(views, text);
  const other = views.find(({ row }) => prefix !== undefined && row.partner.startsWith(prefix));
  if (byId.length === 1 && other === undefined) return succeeded(first);
  const others = other === undefined ? [] : [other.row.partner];
  return ambiguous(text, [...byId.map(({ row }) => row.agreement), ...others]);
}

function prefixIn(text: string): string | undefined {
  return /^[0-9a-f]+$/i.test(text) ? text.toLowerCase() : undefined;
}

function ambiguous(text: string, ids: readonly string[]): Choice {
  const names = ids.slice(0, listedChoices).map((id) => id.slice(0, 12));
  return failed(failure('partner.ambiguous', `${text} could be ${names.join(', ')}`));
}
