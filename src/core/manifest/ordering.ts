/**
 * Which manifest comes after which, and which ones a partner keeps.
 *
 * Manifests are ordered by (incarnation, sequence). A higher incarnation is an owner that came back: it is accepted whatever it grew
 * from, and the branch that it left is kept too. Two manifests of one place, or a next one that does not follow, are a fork: two
 * computers live with one identity, or somebody turned one back in time. Gaps are no fault, for a partner may have been away.
 */

import { type Bytes, equalBytes } from '../../base/bytes.ts';
import { dayMs, type Instant } from '../../base/units.ts';

/** A manifest's place in the order. */
export interface ManifestPlace {
  readonly incarnation: number;
  readonly sequence: number;
}

export interface HeldManifest extends ManifestPlace {
  readonly hash: Bytes;
  readonly receivedAt: Instant;
}

export interface OfferedManifest extends ManifestPlace {
  readonly hash: Bytes;
  readonly previousHash?: Bytes;
}

export type ManifestJudgement =
  | { readonly verdict: 'accept' }
  /** The very manifest that is held: answered like an accepted one, for the receipt may have been lost. */
  | { readonly verdict: 'known' }
  /** One that is older than the newest held; its sender is told what the newest is. */
  | { readonly verdict: 'stale'; readonly newest: HeldManifest }
  /** It cannot stand beside this one that is held. */
  | { readonly verdict: 'fork'; readonly against: HeldManifest };

/** Negative, zero or positive, as `left` comes before, at or after the place of `right`. */
export function comparePlaces(left: ManifestPlace, right: ManifestPlace): number {
  return left.incarnation - right.incarnation || left.sequence - right.sequence;
}

/** The newest of these, or undefined when there are none. */
export function newestManifest<Place extends ManifestPlace>(
  manifests: readonly Place[],
): Place | undefined {
  let newest: Place | undefined;
  for (const manifest of manifests)
    if (newest === undefined || comparePlaces(manifest, newest) > 0) newest = manifest;
  return newest;
}

/** What a partner does with a manifest that its owner signed. `held`: all that it keeps of this owner. */
export function judgeManifest(
  held: readonly HeldManifest[],
  offered: OfferedManifest,
): ManifestJudgement {
  const atPlace = held.filter((manifest) => comparePlaces(manifest, offered) === 0);
  if (atPlace.some((manifest) => equalBytes(manifest.hash, offered.hash)))
    return { verdict: 'known' };
  const [other] = atPlace;
  if (other !== undefined) return { verdict: 'fork', against: other };

  const newest = newestManifest(held);
  if (newest === undefined || offered.incarnation > newest.incarnation)
    return { verdict: 'accept' };
  if (comparePlaces(offered, newest) < 0) return { verdict: 'stale', newest };
  const follows =
    offered.previousHash !== undefined && equalBytes(offered.previousHash, newest.hash);
  if (offered.sequence === newest.sequence + 1 && !follows)
    return { verdict: 'fork', against: newest };
  return { verdict: 'accept' };
}

const newestKept = 8;
const daysKept = 30;
/** Branches whose last manifest is kept: enough for people, too few to fill a partner's disk with. */
const branchesKept = 8;

/**
 * Those that a partner keeps: the last eight, and the last of each day for as long as deletions are locked, at least thirty days. The last
 * of an incarnation that was left is kept for as long, since it is the only way back to what that branch had.
 */
export function manifestsToKeep<Held extends HeldManifest>(
  history: readonly Held[],
  now: Instant,
  deleteLockMs: number,
): Held[] {
  const rising = [...history].sort(comparePlaces);
  const since = now - Math.max(deleteLockMs, daysKept * dayMs);
  const recent = rising.filter(({ receivedAt }) => receivedAt >= since);
  const kept = new Set([
    ...rising.slice(-newestKept),
    ...lastOfEach(recent, ({ receivedAt }) => Math.floor(receivedAt / dayMs)),
    ...lastOfEach(recent, ({ incarnation }) => incarnation).slice(-branchesKept),
  ]);
  return rising.filter((manifest) => kept.has(manifest));
}

/** The last manifest of each group, groups in order of their first. */
function lastOfEach<Held>(manifests: readonly Held[], groupOf: (manifest: Held) => number): Held[] {
  const last = new Map<number, Held>();
  for (const manifest of manifests) last.set(groupOf(manifest), manifest);
  return [...last.values()];
}
