/** Partners on whom less rests than they promised, each with the reason: what `status` names them for. */

import type { Instant } from '../../base/units.ts';
import { decodeLifecycle } from '../../core/partners/lifecycle-codec.ts';
import { type FailureCause, owesProofs } from '../../core/partners/lifecycle-state.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import type { AgreementRow, ShardRow, Stores } from '../../ports/stores.ts';
import type { Hindrance } from '../sending/hindrances.ts';

export interface Failing {
  readonly cause: FailureCause;
  readonly since: Instant;
  /** It is there all the same: it fails to prove, or to serve, what it has. */
  readonly answers: boolean;
}

export function partnerFailings(stores: Stores): readonly Hindrance[] {
  const newest = new Map(stores.agreements.all().map((row) => [row.partner, row]));
  return [...newest.values()].flatMap((row) => {
    const shards = stores.shards.ofPartner(row.partner);
    return [...suspensionOf(row, shards), ...lossesAt(row, shards)];
  });
}

function suspensionOf(row: AgreementRow, shards: readonly ShardRow[]): readonly Hindrance[] {
  const failure = suspensionCause(row);
  if (failure === undefined) return [];
  const { partner } = row;
  return [{ code: 'partner.failing', partner, ...failure, shards: countOf(shards, 'held') }];
}

/** Why a partner is suspended; undefined when it is not. */
export function suspensionCause(row: AgreementRow): Failing | undefined {
  return row.phase === 'suspended' ? failureOf(row) : undefined;
}

/** Shards of ours that a partner lost, or has wrong, and that were not made up for yet. */
export function lackingAt(
  stores: Stores,
  partner: PeerId,
): { readonly lost: number; readonly wrong: number } {
  return lackingIn(stores.shards.ofPartner(partner));
}

/** For how long a suspended partner has been missed, in milliseconds: Infinity when it is there and fails to prove what it has; undefined when it is not suspended. */
export function missedMs(row: AgreementRow, now: Instant): number | undefined {
  const failure = suspensionCause(row);
  if (failure === undefined) return undefined;
  return failure.answers ? Number.POSITIVE_INFINITY : Math.max(0, now - failure.since);
}

function failureOf(row: AgreementRow): Failing | undefined {
  const state = row.lifecycle && decodeLifecycle(row.lifecycle);
  if (state?.ok !== true) return undefined;
  const { cause, since, unproved, refusedMs } = state.value;
  if (owesProofs(cause)) return { cause, since, answers: true };
  // It was gone before that was long enough to count.
  const answers = unproved || refusedMs !== undefined;
  return { cause: 'silence', since: row.lastSeenAt ?? since, answers };
}

function lossesAt({ partner }: AgreementRow, shards: readonly ShardRow[]): readonly Hindrance[] {
  const { lost, wrong } = lackingIn(shards);
  return lost + wrong === 0 ? [] : [{ code: 'partner.lacks', partner, lost, wrong }];
}

function lackingIn(shards: readonly ShardRow[]): {
  readonly lost: number;
  readonly wrong: number;
} {
  return { lost: countOf(shards, 'lost'), wrong: countOf(shards, 'wrong') };
}

function countOf(shards: readonly ShardRow[], phase: ShardRow['phase']): number {
  return shards.filter((shard) => shard.phase === phase).length;
}
