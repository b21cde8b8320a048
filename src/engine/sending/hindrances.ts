/** Why the latest snapshot is not as safe as it could be, as far as this computer knows: what `status` tells besides numbers. */
import type { Instant } from '../../base/units.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import type { ManifestRow, Stores } from '../../ports/stores.ts';
import { facts } from '../facts.ts';
import { deletionsHere, deletionsThere } from '../holding/mass-deletion.ts';
import { type Failing, partnerFailings } from '../partners/partner-failings.ts';
import {
  allReached,
  type PackProtection,
  reached,
  restingOn,
  type SnapshotStanding,
  snapshotStandings,
} from './protection.ts';
import { manifestQuorum } from './publication.ts';

/** One reason; those that name partners apply to these alone. */
export type Hindrance =
  /** Another computer has the same key, or this one was set back to an older state. */
  | { readonly code: 'identity.elsewhere'; readonly partners: readonly PeerId[] }
  /** A later life of this identity began on another computer: this home has stopped. */
  | { readonly code: 'identity.superseded'; readonly incarnation: number }
  | { readonly code: 'recovery.unfinished' }
  /** Packs of older snapshots have too few shards out; every later snapshot rests on them too. */
  | { readonly code: 'packs.short'; readonly packs: number; readonly ofOlder: number }
  | { readonly code: 'index.short'; readonly packs: number }
  | { readonly code: 'snapshot.not-listed' }
  /** The manifest that lists it is with too few partners. */
  | { readonly code: 'manifest.unsigned'; readonly receipts: number; readonly needed: number }
  /** The disk lost them before they were out; some snapshots rest on what was in them. */
  | { readonly code: 'packs.lost'; readonly packs: number }
  /** A partner that cannot be counted on at present: silent since then, or caught with wrong bytes then. `shards` of ours are there and do not count. */
  | (Failing & {
      readonly code: 'partner.failing';
      readonly partner: PeerId;
      readonly shards: number;
    })
  /** Shards that this partner lost, or has wrong, and that were not made up for yet. */
  | {
      readonly code: 'partner.lacks';
      readonly partner: PeerId;
      readonly lost: number;
      readonly wrong: number;
    }
  /** Somebody with this computer's key deleted shards there that it needs. */
  | {
      readonly code: 'shards.deleted';
      readonly partner: PeerId;
      readonly shards: number;
      readonly since: Instant;
    }
  /** This partner deleted most of what it stored here, within a day. */
  | {
      readonly code: 'owner.mass-deletion';
      readonly partner: PeerId;
      readonly shards: number;
      readonly since: Instant;
    }
  /** Shards that partners no longer have, or have wrong. */
  | { readonly code: 'shards.lost'; readonly shards: number; readonly packs: number };

export function hindrances(
  stores: Stores,
  packs: readonly PackProtection[],
  {
    now,
    ...manifest
  }: {
    readonly row: ManifestRow | undefined;
    readonly partners: number;
    readonly now: Instant;
  },
): readonly Hindrance[] {
  const found: Hindrance[] = [];
  const rivals = facts.rivalsSeenBy(stores);
  const successor = facts.successor(stores);
  if (successor !== undefined) found.push({ code: 'identity.superseded', incarnation: successor });
  else if (rivals.length > 0) found.push({ code: 'identity.elsewhere', partners: rivals });
  if (facts.recovering(stores)) found.push({ code: 'recovery.unfinished' });
  found.push(...deletionsOf(stores, now), ...lossesOf(packs), ...partnerFailings(stores));
  const resting = restingOn(stores);
  if (resting.lost.length > 0) found.push({ code: 'packs.lost', packs: resting.lost.length });
  const latest = snapshotStandings(stores.snapshots.heads(), packs, resting).at(-1);
  if (latest !== undefined && manifest.partners > 0)
    found.push(...unsafe(stores, latest, { packs, manifest }));
  return found;
}

function deletionsOf(stores: Stores, now: Instant): readonly Hindrance[] {
  const there = deletionsThere(stores, now).map(({ partner, at, shards }): Hindrance => {
    return { code: 'shards.deleted', partner, shards, since: at };
  });
  const here = deletionsHere(stores, now).map(({ partner, at, shards }): Hindrance => {
    return { code: 'owner.mass-deletion', partner, shards, since: at };
  });
  return [...there, ...here];
}

function lossesOf(packs: readonly PackProtection[]): readonly Hindrance[] {
  const hit = packs.filter(({ row }) => row.missing > 0);
  const shards = hit.reduce((sum, { row }) => sum + row.missing, 0);
  return shards === 0 ? [] : [{ code: 'shards.lost', shards, packs: hit.length }];
}

/** What the latest snapshot waits for, in the order in which it has to happen. */
function unsafe(
  stores: Stores,
  latest: SnapshotStanding,
  known: {
    readonly packs: readonly PackProtection[];
    readonly manifest: { readonly row: ManifestRow | undefined; readonly partners: number };
  },
): readonly Hindrance[] {
  const { packs, manifest } = known;
  const short = packs.filter(({ protection }) => protection === 'unprotected');
  const content = short.filter(({ row }) => row.kind !== 'index');
  if (content.length > 0) return [{ code: 'packs.short', ...countsOf(stores, content) }];
  if (reached(latest.snapshot.phase, 'protected')) return [];
  const index = packs.filter(({ row }) => row.kind === 'index');
  if (!allReached(index, 'protected')) return [{ code: 'index.short', packs: short.length }];
  if (!facts.listedSnapshots(stores).includes(latest.snapshot.snapshot))
    return [{ code: 'snapshot.not-listed' }];
  const receipts =
    manifest.row === undefined ? 0 : stores.manifests.receipts(manifest.row.hash).length;
  const needed = manifestQuorum(latest.parityShards, manifest.partners);
  return receipts < needed ? [{ code: 'manifest.unsigned', receipts, needed }] : [];
}

function countsOf(
  stores: Stores,
  short: readonly PackProtection[],
): { readonly packs: number; readonly ofOlder: number } {
  const latestAt = stores.snapshots.heads().at(-1)?.takenAt ?? 0;
  const older = short.filter(({ row }) => row.storedAt < latestAt);
  return { packs: short.length, ofOlder: older.length };
}
