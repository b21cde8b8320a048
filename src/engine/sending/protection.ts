/**
 * How safe the snapshots are: captured, protected, complete (docs/format.md#order-of-writes).
 *
 * Backups run one after the other, so a snapshot's packs are those stored before the next snapshot began; counting this way needs no walk of trees,
 * and counts a pack too many rather than one too few. All of it is asked for after every pack that goes out: one pass over packs and snapshots, no bytes.
 */
import { type Instant, instant } from '../../base/units.ts';
import { type Protection, protectionOf } from '../../core/placement/code-choice.ts';
import { shardCount } from '../../core/vocabulary/code.ts';
import type { SnapshotId } from '../../core/vocabulary/ids.ts';
import type { PackStanding, SnapshotHead, SnapshotPhase, Stores } from '../../ports/stores.ts';
import { type LostPack, lostPacks, restsOnLost } from '../backup/lost-packs.ts';
import type { ProtectionProgress } from '../computer.ts';
import { shardBytesOf } from '../partners/partner-space.ts';

export interface PackProtection {
  readonly row: PackStanding;
  readonly protection: Protection;
}

/** Every pack, and how safe it is. */
export function packProtections(stores: Stores): readonly PackProtection[] {
  return stores.shards.standings().map((row) => {
    const protection = row.code === undefined ? 'unprotected' : protectionOf(row.held, row.code);
    return { row, protection };
  });
}

const never = Number.POSITIVE_INFINITY;
const degrees: readonly Protection[] = ['unprotected', 'protected', 'complete'];

/** A snapshot, and what is true of all packs that it rests on. */
export interface SnapshotStanding {
  readonly snapshot: SnapshotHead;
  readonly packCount: number;
  /** How safe the least safe of them is. */
  readonly protection: Protection;
  readonly indexed: boolean;
  /** The most parity shards that any of them has. */
  readonly parityShards: number;
}

/** What tells which snapshot rests on what, besides the times of packs. */
export interface RestingOn {
  /** When the latest backup of this process began. */
  readonly runBeganAt: Instant | undefined;
  /** What the disk lost before it was out. */
  readonly lost: readonly LostPack[];
}

export function restingOn(stores: Stores, runBeganAt?: Instant): RestingOn {
  return { runBeganAt, lost: lostPacks.open(stores) };
}

/**
 * Snapshots by what they rest on, oldest first. A snapshot rests on all packs of those before it as well, and on none that a backup
 * stored which began after it.
 */
export function snapshotStandings(
  snapshots: readonly SnapshotHead[],
  packs: readonly PackProtection[],
  { runBeganAt, lost }: RestingOn,
): readonly SnapshotStanding[] {
  const contents = packs
    .filter(({ row }) => row.kind !== 'index')
    .sort((left, right) => left.row.storedAt - right.row.storedAt);
  let packCount = 0;
  let degree = degrees.length - 1;
  let indexed = true;
  let parityShards = 0;
  return snapshots.map((snapshot, index) => {
    const until = restsUntil(snapshots, index, runBeganAt);
    for (; packCount < contents.length; packCount += 1) {
      const pack = contents[packCount];
      if (pack === undefined || pack.row.storedAt >= until) break;
      degree = Math.min(degree, degrees.indexOf(pack.protection));
      indexed &&= pack.row.indexed;
      parityShards = Math.max(parityShards, pack.row.code?.parityShards ?? 0);
    }
    const isLost = restsOnLost(lost, { takenAt: snapshot.takenAt, until });
    const protection = isLost ? 'unprotected' : (degrees[degree] ?? 'unprotected');
    return { snapshot, packCount, protection, indexed, parityShards };
  });
}

/** Packs stored from then on are not of this snapshot. */
function restsUntil(
  snapshots: readonly SnapshotHead[],
  index: number,
  runBeganAt: Instant | undefined,
): number {
  const takenAt = snapshots[index]?.takenAt ?? 0;
  const running = runBeganAt !== undefined && runBeganAt > takenAt ? runBeganAt : never;
  return snapshots[index + 1]?.takenAt ?? running;
}

/** Whether all of these are out far enough. */
export function allReached(
  packs: readonly PackProtection[],
  wanted: 'protected' | 'complete',
): boolean {
  return packs.every(({ protection }) => protection === 'complete' || protection === wanted);
}

const order: readonly SnapshotPhase[] = ['captured', 'protected', 'complete'];

export function reached(phase: SnapshotPhase, wanted: SnapshotPhase): boolean {
  return order.indexOf(phase) >= order.indexOf(wanted);
}

/** The phase that a snapshot has now: it was further once when shards of its packs were lost since. */
export function presentPhase(phase: SnapshotPhase, protection: Protection): SnapshotPhase {
  const most = order[degrees.indexOf(protection)] ?? 'captured';
  return reached(phase, most) ? most : phase;
}

/** The summary over everything, or over what one snapshot rests on. */
export function protectionProgress(
  stores: Stores,
  snapshot?: SnapshotId,
  runBeganAt?: Instant,
): ProtectionProgress {
  const snapshots = stores.snapshots.heads();
  const wanted = snapshots.findIndex((head) => head.snapshot === snapshot);
  const at = snapshot === undefined ? snapshots.length - 1 : wanted;
  const until = restsUntil(snapshots, at, runBeganAt);
  const sums = { shardsHeld: 0, shardsWanted: 0, bytesHeld: 0, bytesWanted: 0 };
  const counts = { packs: 0, packsProtected: 0, packsComplete: 0 };
  for (const { row, protection } of packProtections(stores)) {
    if (at >= 0 && (row.kind === 'index' || row.storedAt >= until)) continue;
    counts.packs += 1;
    if (protection !== 'unprotected') counts.packsProtected += 1;
    if (protection === 'complete') counts.packsComplete += 1;
    addShards(sums, row);
  }
  const head = snapshots[at];
  const lost = head === undefined ? [] : lostPacks.open(stores);
  const isLost = restsOnLost(lost, { takenAt: head?.takenAt ?? instant(0), until });
  const protection = isLost ? 'unprotected' : leastOf(counts);
  return { phase: presentPhase(head?.phase ?? 'captured', protection), ...counts, ...sums };
}

function leastOf(counts: {
  readonly packs: number;
  readonly packsProtected: number;
  readonly packsComplete: number;
}): Protection {
  if (counts.packsComplete === counts.packs) return 'complete';
  return counts.packsProtected === counts.packs ? 'protected' : 'unprotected';
}

function addShards(
  sums: { shardsHeld: number; shardsWanted: number; bytesHeld: number; bytesWanted: number },
  row: PackStanding,
): void {
  if (row.code === undefined) {
    sums.shardsWanted += 1;
    sums.bytesWanted += row.lengthBytes;
    return;
  }
  const shardBytes = shardBytesOf(row.lengthBytes, row.code);
  const wanted = shardCount(row.code);
  sums.shardsHeld += row.held;
  sums.shardsWanted += wanted;
  sums.bytesHeld += row.held * shardBytes;
  sums.bytesWanted += wanted * shardBytes;
}
