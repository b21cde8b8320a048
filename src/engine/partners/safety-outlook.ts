/**
 * What may happen to what is backed up, in chances: counted over the packs that bear least, by who holds their shards.
 *
 * Packs whose shards lie at the same partners live and die together, so they are counted once; different sets of partners may fail one by one, so their
 * chances are added up. That is a bound, not an estimate: the truth is at most as bad.
 */
import type { Instant } from '../../base/units.ts';
import { bearableLosses } from '../../core/placement/code-choice.ts';
import { type Durability, durabilityOf, type Holder } from '../../core/placement/durability.ts';
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
import type { StripeHolder, StripeHolders } from './stripe-holders.ts';

/** Packs looked at, those that bear least first: the others are safer, and mostly lie at the same partners. */
const packsMaximum = 256;

export interface SafetyOutlook {
  /** Partners in force, and how many of these can be counted on and hold a shard of everything that was looked at. */
  readonly partners: number;
  readonly holding: number;
  /** Holders of which it was measured how often they are there. */
  readonly measured: number;
  /** What the planner says of the partners there are. */
  readonly wantedPartners: number;
  readonly reasons: readonly PlanReason[];
  readonly next: NextAction;
  /** As of now; undefined while anything could not even be restored when all commitments are over, or nothing is backed up. */
  readonly chances: Durability | undefined;
  /** When enough holders honour restores, as far as they do not yet; undefined: now. */
  readonly restorableFrom: Instant | undefined;
}

/** Packs that have the same code and the same holders, which give back, or withhold, the same. */
interface HolderSet {
  readonly holders: readonly StripeHolder[];
  /** What every one of them has besides. */
  readonly beside: readonly StripeHolder[];
  readonly dataShards: number;
}

export function safetyOutlook(
  stores: Stores,
  rows: readonly AgreementRow[],
  planning: PartnerPlanning,
): SafetyOutlook {
  const planned = new Map(rows.map((row) => [row.partner, planning.planned(row)]));
  const packs = stores.shards.standings();
  const sets = holderSets(packs, rows, planning.holders);
  const { wantedPartners, reasons, next } = planning.plan();
  const holders = [...planned.values()].filter(
    ({ peer, missedMs }) => missedMs === undefined && holdsAll(sets, peer),
  );
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
  return sets.length > 0 && sets.every(({ holders }) => holders.some((at) => at.peer === peer));
}

function holderSets(
  packs: readonly PackStanding[],
  rows: readonly AgreementRow[],
  stripes: StripeHolders,
): readonly HolderSet[] {
  const partners = new Map(rows.map((row) => [row.partner, row]));
  const sets = new Map<string, HolderSet>();
  for (const { pack, code } of weakestFirst(packs).slice(0, packsMaximum)) {
    const { holders, beside } = stripes.of(pack, partners);
    const dataShards = code?.dataShards ?? 1;
    const key = `${dataShards} ${holders.map(keyOf).sort().join()}`;
    const before = sets.get(key)?.beside ?? beside;
    sets.set(key, { holders, beside: common(before, beside), dataShards });
  }
  return [...sets.values()];
}

function keyOf({ peer, withholds }: StripeHolder): string {
  return withholds ? `${peer} withholds` : peer;
}

/** What is beside some packs only is counted for none: told apart by that, packs that fail together would be added up. */
function common(
  left: readonly StripeHolder[],
  right: readonly StripeHolder[],
): readonly StripeHolder[] {
  const others = new Map(right.map((holder) => [holder.peer, holder]));
  return left.flatMap(({ peer, withholds }) => {
    const other = others.get(peer);
    return other === undefined ? [] : [{ peer, withholds: withholds || other.withholds }];
  });
}

/** Of those that bear the same the newest: these are withheld for longest. */
function weakestFirst(packs: readonly PackStanding[]): readonly PackStanding[] {
  const bears = ({ held, code }: PackStanding): number =>
    code === undefined || held < code.dataShards ? -1 : bearableLosses(held, code);
  return packs
    .map((pack) => ({ pack, bears: bears(pack) }))
    .sort((left, right) => left.bears - right.bears || right.pack.storedAt - left.pack.storedAt)
    .map(({ pack }) => pack);
}

function chancesOf(
  sets: readonly HolderSet[],
  partners: ReadonlyMap<PeerId, PlannedPartner>,
  planning: PartnerPlanning,
): Durability | undefined {
  const model = modelOf(planning.preset);
  const sum = { failsNow: 0, failsInWindow: 0, lostInYear: 0 };
  for (const { holders, beside, dataShards } of sets) {
    const all = [...holders, ...beside];
    if (all.length < dataShards) return undefined;
    const odds = durabilityOf({
      holders: all.flatMap((holder) => modelled(holder, partners)),
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
  for (const { holders, beside, dataShards } of sets) {
    const times = [...holders, ...beside]
      .map(({ peer, withholds }) => (withholds ? partners.get(peer)?.restorableFrom : undefined))
      .sort((left, right) => (left ?? 0) - (right ?? 0));
    const enough = times[dataShards - 1];
    if (enough !== undefined && (latest === undefined || enough > latest)) latest = enough;
  }
  return latest;
}

function modelled(
  { peer, withholds }: StripeHolder,
  partners: ReadonlyMap<PeerId, PlannedPartner>,
): readonly Holder[] {
  const partner = partners.get(peer);
  return partner === undefined ? [] : [{ ...holderOf(partner), withholds }];
}
