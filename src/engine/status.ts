/** What `status` and `partners` tell, computed from the catalogue. */
import type { Instant } from '../base/units.ts';
import { bearableLosses } from '../core/placement/code-choice.ts';
import type { PackId, PeerId, SnapshotId } from '../core/vocabulary/ids.ts';
import type { ManifestRow, SnapshotRow, Stores } from '../ports/stores.ts';
import type { StatusReport } from './computer.ts';
import { drillStanding } from './drills/drill-report.ts';
import type { PartnerPlanning } from './partners/partner-planning.ts';
import type { PartnerView } from './partners/partnerships.ts';
import { safetyOutlook } from './partners/safety-outlook.ts';
import { hindrances } from './sending/hindrances.ts';
import {
  type PackProtection,
  packProtections,
  presentPhase,
  protectionProgress,
  restingOn,
  snapshotStandings,
} from './sending/protection.ts';
import { doubtfulShards, repairWork, soundShards, stripeHealth } from './upkeep/stripe-health.ts';

export function statusReport(facts: {
  readonly self: PeerId;
  readonly name: string;
  readonly listening: readonly string[];
  readonly stores: Stores;
  readonly partners: readonly PartnerView[];
  readonly spooledBytes: number;
  readonly manifest: ManifestRow | undefined;
  readonly planning: PartnerPlanning;
  readonly missingPartners: number;
  readonly rests: boolean;
  readonly now: Instant;
}): StatusReport {
  const { stores, manifest, planning } = facts;
  const snapshots = stores.snapshots.heads();
  const latest = snapshots.at(-1);
  const packs = packProtections(stores);
  const drill = drillStanding(stores);
  const agreements = facts.partners.map(({ agreement }) => agreement);
  return {
    self: facts.self,
    name: facts.name,
    listening: facts.listening,
    partners: facts.partners,
    code: planning.plan().code,
    protection: protectionProgress(stores),
    snapshots: snapshots.length,
    latest: latest && latestRow(stores, latest.snapshot),
    spooledBytes: facts.spooledBytes,
    manifest:
      manifest === undefined
        ? undefined
        : {
            incarnation: manifest.incarnation,
            sequence: manifest.sequence,
            receipts: stores.manifests.receipts(manifest.hash).length,
          },
    bearableLosses: leastBearable(packs, doubtfulShards(stores)),
    health: stripeHealth(stores),
    repair: repairWork(stores),
    rests: facts.rests,
    missingPartners: facts.missingPartners,
    outlook: safetyOutlook(stores, agreements, planning),
    lastProven: drill?.provenAt,
    lastDrill: drill?.last,
    hindrances: hindrances(stores, packs, {
      ...{ row: manifest, partners: facts.partners.length, now: facts.now },
    }),
  };
}

/** All snapshots, each in the phase that it has now. */
export function presentSnapshots(
  stores: Stores,
  runBeganAt: Instant | undefined,
): readonly SnapshotRow[] {
  const rows = stores.snapshots.all();
  const standings = snapshotStandings(rows, packProtections(stores), restingOn(stores, runBeganAt));
  return rows.map((row, index) => {
    const protection = standings[index]?.protection ?? 'unprotected';
    return { ...row, phase: presentPhase(row.phase, protection) };
  });
}

/** In the phase that it has now. */
function latestRow(stores: Stores, snapshot: SnapshotId): SnapshotRow | undefined {
  const row = stores.snapshots.get(snapshot);
  return row && { ...row, phase: protectionProgress(stores, snapshot).phase };
}

/** What the weakest pack bears; undefined when there is nothing, or something that is nowhere but here. */
function leastBearable(
  packs: readonly PackProtection[],
  doubtful: ReadonlyMap<PackId, number>,
): number | undefined {
  let least: number | undefined;
  for (const { row } of packs) {
    if (row.code === undefined || row.held < row.code.dataShards) return undefined;
    const bears = bearableLosses(soundShards(row, doubtful), row.code);
    if (least === undefined || bears < least) least = bears;
  }
  return least;
}
