/**
 * How likely it is that data cannot be restored (docs/economics.md#how-likely-a-loss-is).
 *
 * While the owner's computer lives, what partners lose is sent again. Data is lost only when the owner's own disaster finds fewer than k good shards. So
 * each holder has a chance to have its shard still, and a chance to be reached in time; how many of n do is Poisson-binomial, counted by convolution.
 * Holders that share a place or a system fail together as well: such a group has a mass of its own at none of its members.
 *
 * No answer for people is below one in a million: what is left out (malice, a fault of this program) weighs more than that.
 */
import { assert } from '../../base/assert.ts';
import { dayMs, hourMs } from '../../base/units.ts';
import type { DomainLayer, FailureDomains } from './failure-domains.ts';

/** How the world treats computers; times in milliseconds, rates a year. */
export interface LossModel {
  /** Disasters of the owner's computer. */
  readonly ownerLossesPerYear: number;
  /** From a partner's loss until its shards lie elsewhere (MTTR): see `repairTimeMs`. */
  readonly repairMs: number;
  /** From the owner's disaster until it begins to restore (Wo). */
  readonly absenceMs: number;
  /** How long a restore may take (W). */
  readonly windowMs: number;
  /** Share of partners that have nothing of what they should, and were not found out yet (f). */
  readonly cheatShare: number;
  /** Events that take everything in one place, or on one system, with them. */
  readonly placeLossesPerYear: number;
  readonly systemLossesPerYear: number;
}

export const ordinaryModel: LossModel = {
  ownerLossesPerYear: 0.05,
  repairMs: 4 * dayMs, // T_r of three days, and an owner that is always on line
  absenceMs: 7 * dayMs,
  windowMs: 7 * dayMs,
  cheatShare: 0,
  placeLossesPerYear: 0.01,
  systemLossesPerYear: 0.0001,
};

const yearMs: number = 365 * dayMs;
/** An owner for which less than an hour of the week counts is not measured in finer steps. */
const leastShare: number = 1 / 168;

/**
 * MTTR of an owner for which this share of the time, 0 … 1, counts (core/partners/counted-time.ts): silence is counted until T_r (`spareMs`), and then it takes a day
 * to send what is missing elsewhere.
 */
export function repairTimeMs(spareMs: number, countedShare: number): number {
  assert(countedShare >= 0 && countedShare <= 1, 'a share of the time');
  return spareMs / Math.max(leastShare, countedShare) + dayMs;
}

/** Nothing below is ever promised. */
export const leastChance = 1e-6;

/** A partner as the model sees it. */
export interface Holder {
  /** Chance that it can be reached at one moment, 0 … 1. */
  readonly availability: number;
  /** Mean time until it loses what it holds, or leaves for good (MTTF). */
  readonly lifeMs: number;
  /** Absent in a layer: it shares nothing with anybody. */
  readonly domains?: FailureDomains;
  /** Missed for so long: silent, or Infinity when it fails to prove what it has. Left out: it is not missed. */
  readonly missedMs?: number;
  /** In commitment: what it has is there, and is given to no restore before that is over. Left out: it is given. */
  readonly withholds?: boolean;
}

/**
 * How long a partner is expected to stay, by how long it has: half a year for a new one, as many leave early, and as long again as it has been there, up
 * to two years. (Desktops of a company live for about 290 days: Farsite, RESEARCH §3.)
 */
export function expectedLifeMs(ageMs: number): number {
  return Math.min(2 * yearMs, Math.max(0, ageMs) + yearMs / 2);
}

/** Mean time that a partner stays away once it is: computers are on for about eight hours at a time, and nobody is trusted to be back within the day. */
function meanAwayMs(availability: number): number {
  if (availability <= 0) return Number.POSITIVE_INFINITY;
  return Math.max(dayMs, (8 * hourMs * (1 - availability)) / availability);
}

/** x: chance that a holder has its shard when that is needed after `sinceMs`. */
export function holdingChance(lifeMs: number, sinceMs: number, model: LossModel): number {
  const missing = model.repairMs / (lifeMs + model.repairMs);
  return (1 - missing) * Math.exp(-sinceMs / lifeMs) * (1 - model.cheatShare);
}

/**
 * Chance that a holder which has been silent for so long is away and comes back: absences that last so long, against losses for good.
 * Infinity: 0.
 */
export function returningChance(
  { availability, lifeMs }: Pick<Holder, 'availability' | 'lifeMs'>,
  missedMs: number,
): number {
  const awayMs = meanAwayMs(availability);
  const absences = ((1 - availability) / awayMs) * Math.exp(-missedMs / awayMs);
  return absences / (absences + 1 / lifeMs);
}

/** x, for a holder that may be missed. */
function havingChance(holder: Holder, sinceMs: number, model: LossModel): number {
  const { lifeMs, missedMs } = holder;
  if (missedMs === undefined) return holdingChance(lifeMs, sinceMs, model);
  const stays = Math.exp(-sinceMs / lifeMs) * (1 - model.cheatShare);
  return returningChance(holder, missedMs) * stays;
}

/** a(W): chance that it can be reached at some moment within `windowMs`. */
export function reachingChance(availability: number, windowMs: number): number {
  return 1 - (1 - availability) * Math.exp(-windowMs / meanAwayMs(availability));
}

/** Chances of 0, 1, … n successes of n independent tries. */
export function poissonBinomial(chances: readonly number[]): readonly number[] {
  return chances.reduce<readonly number[]>(
    (counts, chance) => convolved(counts, [1 - chance, chance]),
    [1],
  );
}

/** Tries that succeed by themselves, unless all of them fail together. */
export interface TryGroup {
  readonly chances: readonly number[];
  /** q: chance that all fail together. */
  readonly lostTogether: number;
}

/** Chances of 0, 1, … n successes: each group has the mass q at 0, and 1 − q times its own distribution. */
export function groupedBinomial(groups: readonly TryGroup[]): readonly number[] {
  return groups.reduce<readonly number[]>(
    (counts, { chances, lostTogether }) => {
      assert(lostTogether >= 0 && lostTogether <= 1, 'a chance');
      const own = poissonBinomial(chances).map((mass) => mass * (1 - lostTogether));
      own[0] = (own[0] ?? 0) + lostTogether;
      return convolved(counts, own);
    },
    [1],
  );
}

function convolved(left: readonly number[], right: readonly number[]): readonly number[] {
  const sums = new Array<number>(left.length + right.length - 1).fill(0);
  for (const [at, mass] of left.entries())
    for (const [by, other] of right.entries()) sums[at + by] = (sums[at + by] ?? 0) + mass * other;
  return sums;
}

/** Chance of fewer than `needed` successes. */
export function shortfall(counts: readonly number[], needed: number): number {
  return counts.slice(0, needed).reduce((sum, mass) => sum + mass, 0);
}

/** A holder's chance to deliver, by itself, and whom it fails together with. */
interface Delivery {
  readonly chance: number;
  readonly place: string;
  readonly system: string;
}

/** Chance that everything in a domain is lost when the owner needs it; by the domain's key. */
type DomainLoss = (layer: DomainLayer, domain: string | undefined) => number;

export interface DurabilityRequest {
  readonly holders: readonly Holder[];
  /** k. */
  readonly dataShards: number;
  /** What the owner itself fails together with. */
  readonly own?: FailureDomains;
  readonly model?: LossModel;
}

/** Chances that it goes wrong, none below `leastChance`. */
export interface Durability {
  /** A restore that must succeed at once fails, if the owner's computer is lost now. */
  readonly failsNow: number;
  /** A restore that may take seven days fails, if the owner's computer is lost. */
  readonly failsInWindow: number;
  /** Within a year the owner's computer is lost and the data with it: holders that withhold it have it all the same. */
  readonly lostInYear: number;
}

export function durabilityOf(request: DurabilityRequest): Durability {
  const { absenceMs, windowMs, ownerLossesPerYear } = request.model ?? ordinaryModel;
  const model = request.model ?? ordinaryModel;
  const sinceMs = absenceMs + windowMs;
  // Whether a commitment ends in time nobody knows who is not there to serve it: whoever withholds now is not counted on for a restore.
  const now = failureChance(request, (holder) => {
    if (holder.withholds === true || holder.missedMs !== undefined) return 0;
    return havingChance(holder, 0, model) * holder.availability;
  });
  const inWindow = failureChance(request, (holder) => {
    if (holder.withholds === true) return 0;
    return havingChance(holder, sinceMs, model) * reachingChance(holder.availability, windowMs);
  });
  const held = failureChance(request, (holder) => havingChance(holder, sinceMs, model));
  return {
    failsNow: bounded(now),
    failsInWindow: bounded(inWindow),
    lostInYear: bounded(ownerLossesPerYear * held),
  };
}

function bounded(chance: number): number {
  return Math.min(1, Math.max(leastChance, chance));
}

/** Chance that fewer than k holders deliver, places and systems taken into account; not bounded. */
export function failureChance(
  request: DurabilityRequest,
  chanceOf: (holder: Holder) => number,
): number {
  const model = request.model ?? ordinaryModel;
  const deliveries = request.holders.map((holder, number) => ({
    chance: chanceOf(holder),
    place: holder.domains?.place ?? `alone ${number}`,
    system: holder.domains?.system ?? `alone ${number}`,
  }));
  const loss = domainLoss(model, request.own);
  return withSystems(deliveries, request.dataShards, loss);
}

/**
 * The owner's disaster may be the domain's: of all disasters that hit the owner, that share takes the domains it is in as well. Other domains must be
 * lost by chance in the time that matters.
 */
function domainLoss(model: LossModel, own: FailureDomains | undefined): DomainLoss {
  const exposed = (model.repairMs + model.absenceMs + model.windowMs) / yearMs;
  return (layer, domain) => {
    const yearly = layer === 'place' ? model.placeLossesPerYear : model.systemLossesPerYear;
    const shared = domain !== undefined && own?.[layer] === domain;
    return Math.min(1, shared ? yearly / model.ownerLossesPerYear : yearly * exposed);
  };
}

/** More systems than these lost at once count as everything lost, which is rarer than anything that is promised. */
const systemsLostMaximum = 4;

/** Sums over which systems are lost; places are counted inside, so that both layers may cross as they like. */
function withSystems(deliveries: readonly Delivery[], needed: number, loss: DomainLoss): number {
  const systems = [...new Set(deliveries.map(({ system }) => system))];
  const shared = systems.filter(
    (system) => deliveries.filter((other) => other.system === system).length > 1,
  );
  const alone = deliveries.map((delivery) =>
    shared.includes(delivery.system)
      ? delivery
      : { ...delivery, chance: delivery.chance * (1 - loss('system', delivery.system)) },
  );
  const lost = new Set<string>();
  const sum = (at: number): number => {
    const system = shared[at];
    if (system === undefined) {
      const left = alone.filter((delivery) => !lost.has(delivery.system));
      return shortfall(groupedBinomial(placeGroups(left, loss)), needed);
    }
    const chance = loss('system', system);
    const standing = (1 - chance) * sum(at + 1);
    if (lost.size >= systemsLostMaximum) return standing + chance;
    lost.add(system);
    const without = chance * sum(at + 1);
    lost.delete(system);
    return standing + without;
  };
  return sum(0);
}

function placeGroups(deliveries: readonly Delivery[], loss: DomainLoss): readonly TryGroup[] {
  const places = Map.groupBy(deliveries, ({ place }) => place);
  return [...places].map(([place, members]) => ({
    chances: members.map(({ chance }) => chance),
    lostTogether: loss('place', place),
  }));
}
