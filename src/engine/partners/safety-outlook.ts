/**
 * What may happen to what is backed up, in chances: counted over the packs that bear least, by who holds their shards.
 *
 * Packs whose shards lie at the same partners live and die together, so they are counted once; different sets of partners may fail one by one, so their
 * chances are added up. That is a bound, not an estimate: the truth is at most as bad.
 */
import type { Instant } from '../../base/units.ts';
import { bearableLosses } from '../../core/placement/code-choice.ts';
import { type Durability, durabilityOf } from '../../core/placement/durability.ts';
import {
  holderOf,
  modelOf,
  type NextAction,
  type PlannedPartner,
  type PlanReason,
} from '../../core/placement/planner.ts';
import type { PeerId } from '../../core/vocabulary/ids.ts';
import type { AgreementRow, PackStanding, Stores } from '../../ports/stores.ts';
import type { PartnerPlanning } from './partner-planning.ts';

/** Packs looked at, those that bear least first: the others are safer, and mostly lie at the same partners. */
const packsMaximum = 256;

export interface SafetyOutlook {
  /** Partners in force, and how many of these hold a shard of everything that was looked at. */
  readonly partners: number;
  readonly holding: number;
  /** Holders of which it was measured how often they are there. */
  readonly measured: number;
  /** What the planner says of the partners there are. */
  readonly wantedPartners: number;
  readonly reasons: readonly PlanReason[];
  readonly next: NextAction;
  /** Undefined while anything cannot be restored, or nothing is backed up. In commitment or not: from `restorableFrom` on. */
  readonly chances: Durability | undefined;
  /** When enough holders honour restores, as far as they do not yet; undefined: now. */
  readonly restorableFrom: Instant | undefined;
}

/** The shards of packs that have the same code and the same holders. */
interface HolderSet {
  readonly holders: readonly PeerId[];
  readonly dataShards: number;
}

export function safetyOutlook(
  stores: Stores,
  rows: readonly AgreementRow[],
  planning: PartnerPlanning,
): SafetyOutlook {
  const planned = new Map(rows.map((row) => [row.partner, planning.planned(row)]));
  const packs = stores.shards.standings();
  const sets = holderSets(stores, packs, planned);
  const { wantedPartners, reasons, next } = planning.plan();
  const holders = [...planned.values()].filter(({ peer }) => holdsAll(sets, peer));
  return {
    partners: rows.length,
    holding: holders.length,
    measured: holders.filter(({ availability }) => availability !== undefined).length,
    wantedPartners,
    reasons,
    next,
    chances: packs.length === 0 ? undefined : chancesOf(sets, planned, planning),
    restorableFrom: restorableFrom(sets, planned),
  };
}

function holdsAll(sets: readonly HolderSet[], peer: PeerId): boolean {
  return sets.length > 0 && sets.every(({ holders }) => holders.includes(peer));
}

function holderSets(
  stores: Stores,
  packs: readonly PackStanding[],
  partners: ReadonlyMap<PeerId, PlannedPartner>,
): readonly HolderSet[] {
  const sets = new Map<string, HolderSet>();
  for (const { pack, code } of weakestFirst(packs).slice(0, packsMaximum)) {
    const held = stores.shards.ofPack(pack).filter(({ phase }) => phase === 'held');
    const holders = held
      .map(({ partner }) => partner)
      .filter((partner) => partners.has(partner))
      .sort();
    const dataShards = code?.dataShards ?? 1;
    sets.set(`${dataShards} ${holders.join()}`, { holders, dataShards });
  }
  return [...sets.values()];
}

function weakestFirst(packs: readonly PackStanding[]): readonly PackStanding[] {
  const bears = ({ held, code }: PackStanding): number =>
    code === undefined || held < code.dataShards ? -1 : bearableLosses(held, code);
  return [...packs].sort((left, right) => bears(left) - bears(right));
}

function chancesOf(
  sets: readonly HolderSet[],
  partners: ReadonlyMap<PeerId, PlannedPartner>,
  planning: PartnerPlanning,
): Durability | undefined {
  const model = modelOf(planning.preset);
  const sum = { failsNow: 0, failsInWindow: 0, lostInYear: 0 };
  for (const { holders, dataShards } of sets) {
    if (holders.length < dataShards) return undefined;
    const odds = durabilityOf({
      holders: plannedOf(holders, partners).map(holderOf),
      dataShards,
      own: planning.own,
      model,
    });
    sum.failsNow = Math.min(1, sum.failsNow + odds.failsNow);
    sum.failsInWindow = Math.min(1, sum.failsInWindow + odds.failsInWindow);
    sum.lostInYear = Math.min(1, sum.lostInYear + odds.lostInYear);
  }
  return sum;
}

/** The first moment at which k holders of every set honour restores. */
function restorableFrom(
  sets: readonly HolderSet[],
  partners: ReadonlyMap<PeerId, PlannedPartner>,
): Instant | undefined {
  let latest: Instant | undefined;
  for (const { holders, dataShards } of sets) {
    const times = plannedOf(holders, partners)
      .map((partner) => partner.restorableFrom)
      .sort((left, right) => (left ?? 0) - (right ?? 0));
    const enough = times[dataShards - 1];
    if (enough !== undefined && (latest === undefined || enough > latest)) latest = enough;
  }
  return latest;
}

function plannedOf(
  peers: readonly PeerId[],
  partners: ReadonlyMap<PeerId, PlannedPartner>,
): readonly PlannedPartner[] {
  return peers.flatMap((peer) => partners.get(peer) ?? []);
}
