/**
 * Renewal and change of terms (C3): an agreement that takes the place of another between the same two peers, signed by both anew.
 *
 * The first agreement is the root. Its id stays the key of the partnership, so ledger, track record and lifecycle go on. Numbers only rise: an older
 * document that is shown again, however well signed, changes nothing.
 */
import { assert } from '../../base/assert.ts';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { type Instant, instant } from '../../base/units.ts';
import type { AgreementId } from '../vocabulary/ids.ts';
import { type Agreement, agreementIdOf, decodeAgreement, type Replaces } from './agreement.ts';

export type ReplacementFailure = {
  readonly code:
    | 'replacement.other-root'
    | 'replacement.other-parties'
    /** The number is not above that of the agreement in force. */
    | 'replacement.stale';
};

/** An agreement with its place in the chain of those that replaced each other. */
export interface ChainLink {
  readonly agreement: Agreement;
  /** SHA-256 of its own body. */
  readonly id: AgreementId;
  /** The key of AgreementRow and of the ledger: that of the first agreement. */
  readonly root: AgreementId;
  /** 0 for the first. */
  readonly number: number;
}

export function linkOf(agreement: Agreement, id: AgreementId): ChainLink {
  const { replaces } = agreement;
  return replaces === undefined
    ? { agreement, id, root: id, number: 0 }
    : { agreement, id, root: replaces.root, number: replaces.number };
}

/** The link of a body that this computer stored, or undefined when it is none. */
export function linkOfBody(body: Uint8Array): ChainLink | undefined {
  const agreement = decodeAgreement(body);
  return agreement.ok ? linkOf(agreement.value, agreementIdOf(body)) : undefined;
}

/** What the next agreement of this chain says it replaces. */
export function nextReplaces(current: ChainLink): Replaces {
  return { root: current.root, number: current.number + 1 };
}

/** Whether `next` may take the place of `current`. */
export function mayReplace(
  current: ChainLink,
  next: Agreement,
): Outcome<Agreement, ReplacementFailure> {
  if (next.replaces?.root !== current.root) return failed({ code: 'replacement.other-root' });
  const { first, second } = current.agreement;
  if (next.first !== first || next.second !== second)
    return failed({ code: 'replacement.other-parties' });
  if (next.replaces.number <= current.number) return failed({ code: 'replacement.stale' });
  return succeeded(next);
}

/** When the agreement ends by itself, or undefined when it runs until it is ended. */
export function endOf({ start, terms }: Agreement): Instant | undefined {
  return terms.termMs === 0 ? undefined : instant(start + terms.termMs);
}

/** Whether what is stored under a root may be written over: only by a higher number. */
export function supersedes(next: ChainLink, stored: ChainLink | undefined): boolean {
  return stored === undefined || (next.root === stored.root && next.number > stored.number);
}

/**
 * Whether it is time to renew: less than the notice is left, so that a partner that does not renew leaves time to move what it holds. A term shorter than
 * twice the notice is renewed from its half on.
 */
export function renewalDue(agreement: Agreement, now: Instant): boolean {
  const end = endOf(agreement);
  if (end === undefined) return false;
  const { noticeMs, termMs } = agreement.terms;
  assert(termMs > 0, 'an agreement that ends has a term');
  return now >= end - Math.min(noticeMs, termMs / 2);
}
