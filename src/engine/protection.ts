/**
 * How safe the snapshots are: captured, protected, complete (docs/format.md#order-of-writes).
 *
 * Backups run one after the other, so a snapshot's packs are those stored before the next snapshot began; counting this way needs no walk of trees,
 * and counts a pack too many rather than one too few.
 */
import type { Instant } from '../base/units.ts';
import { protectionOf } from '../core/placement/code-choice.ts';
import { shardCount } from '../core/vocabulary/code.ts';
import type { PackId, SnapshotId } from '../core/vocabulary/ids.ts';
import type { PackRow, SnapshotPhase, SnapshotRow, Stores } from '../ports/stores.ts';
import type { ProtectionProgress } from './computer.ts';
import { shardBytesOf } from './partner-space.ts';

export interface PackProtection {
  readonly row: PackRow;
  readonly held: number;
  readonly protection: 'unprotected' | 'protected' | 'complete';
}

/** Every pack, and how many of its shards are held. */
export function packProtections(stores: Stores): readonly PackProtection[] {
  const held = new Map<PackId, number>(
    stores.shards.heldCounts().map((row) => [row.pack, row.held]),
  );
  return stores.packs.all().map((row) => {
    const count = held.get(row.pack) ?? 0;
    const protection = row.code === undefined ? 'unprotected' : protectionOf(count, row.code);
    return { row, held: count, protection };
  });
}

const never = Number.POSITIVE_INFINITY;

/**
 * Snapshots with the packs that they rest on, oldest first. A snapshot rests on all packs of those before it as well, and on none that a backup
 * stored which began after it (`runBeganAt`: the latest that this process began).
 */
export function snapshotCover(
  snapshots: readonly SnapshotRow[],
  packs: readonly PackProtection[],
  runBeganAt?: Instant,
): readonly { readonly snapshot: SnapshotRow; readonly packs: readonly PackProtection[] }[] {
  const contents = packs.filter(({ row }) => row.kind !== 'index');
  return snapshots.map((snapshot, index) => {
    const running = runBeganAt !== undefined && runBeganAt > snapshot.takenAt ? runBeganAt : never;
    const until = snapshots[index + 1]?.takenAt ?? running;
    const own = contents.filter(({ row }) => row.storedAt < until);
    return { snapshot, packs: own };
  });
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

/** The summary over everything, or over what one snapshot rests on. */
export function protectionProgress(
  stores: Stores,
  snapshot?: SnapshotId,
  runBeganAt?: Instant,
): ProtectionProgress {
  const all = packProtections(stores);
  const snapshots = stores.snapshots.all();
  const row = snapshot === undefined ? snapshots.at(-1) : stores.snapshots.get(snapshot);
  const covered =
    row === undefined
      ? all
      : (snapshotCover(snapshots, all, runBeganAt).find(
          (cover) => cover.snapshot.snapshot === row.snapshot,
        )?.packs ?? all);
  const sums = { shardsHeld: 0, shardsWanted: 0, bytesHeld: 0, bytesWanted: 0 };
  for (const pack of covered) addShards(sums, pack);
  return {
    phase: row?.phase ?? 'captured',
    packs: covered.length,
    packsProtected: covered.filter(({ protection }) => protection !== 'unprotected').length,
    packsComplete: covered.filter(({ protection }) => protection === 'complete').length,
    ...sums,
  };
}

function addShards(
  sums: { shardsHeld: number; shardsWanted: number; bytesHeld: number; bytesWanted: number },
  { row, held }: PackProtection,
): void {
  if (row.code === undefined) {
    sums.shardsWanted += 1;
    sums.bytesWanted += row.lengthBytes;
    return;
  }
  const shardBytes = shardBytesOf(row.lengthBytes, row.code);
  const wanted = shardCount(row.code);
  sums.shardsHeld += held;
  sums.shardsWanted += wanted;
  sums.bytesHeld += held * shardBytes;
  sums.bytesWanted += wanted * shardBytes;
}
