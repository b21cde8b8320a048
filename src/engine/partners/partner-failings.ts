/** Partners on whom less rests than they promised, each with the reason: what `status` names them for. */

import type { Instant } from '../../base/units.ts';
import { decodeLifecycle } from '../../core/partners/lifecycle-codec.ts';
import { type FailureCause, owesProofs } from '../../core/partners/lifecycle-state.ts';
import type { AgreementRow, ShardRow, Stores } from '../../ports/stores.ts';
import type { Hindrance } from '../sending/hindrances.ts';

export function partnerFailings(stores: Stores): readonly Hindrance[] {
  const newest = new Map(stores.agreements.all().map((row) => [row.partner, row]));
  return [...newest.values()].flatMap((row) => {
    const shards = stores.shards.ofPartner(row.partner);
    return [...suspensionOf(row, shards), ...lossesAt(row, shards)];
  });
}

function suspensionOf(row: AgreementRow, shards: readonly ShardRow[]): readonly Hindrance[] {
  const failure = row.phase === 'suspended' ? failureOf(row) : undefined;
  if (failure === undefined) return [];
  const { partner } = row;
  const { cause, since } = failure;
  return [{ code: 'partner.failing', partner, cause, since, shards: countOf(shards, 'held') }];
}

/** For how long a suspended partner has been missed, in milliseconds: Infinity when it is there and fails to prove what it has; undefined when it is not suspended. */
export function missedMs(row: AgreementRow, now: Instant): number | undefined {
  const failure = row.phase === 'suspended' ? failureOf(row) : undefined;
  if (failure === undefined) return undefined;
  return failure.answers ? Number.POSITIVE_INFINITY : Math.max(0, now - failure.since);
}

function failureOf(
  row: AgreementRow,
):
  | { readonly cause: FailureCause; readonly since: Instant; readonly answers: boolean }
  | undefined {
  const state = row.lifecycle && decodeLifecycle(row.lifecycle);
  if (state?.ok !== true) return undefined;
  const { cause, since, unproved, refusedMs } = state.value;
  if (owesProofs(cause)) return { cause, since, answers: true };
  // It was gone before that was long enough to count.
  const answers = unproved || refusedMs !== undefined;
  return { cause: 'silence', since: row.lastSeenAt ?? since, answers };
}

function lossesAt({ partner }: AgreementRow, shards: readonly ShardRow[]): readonly Hindrance[] {
  const [lost, wrong] = [countOf(shards, 'lost'), countOf(shards, 'wrong')];
  return lost + wrong === 0 ? [] : [{ code: 'partner.lacks', partner, lost, wrong }];
}

function countOf(shards: readonly ShardRow[], phase: ShardRow['phase']): number {
  return shards.filter((shard) => shard.phase === phase).length;
}
