/** What a run shows, beside what the formulas say (docs/economics.md): numbers only; tables.ts puts them into words. */
import { dayMs } from '../../base/units.ts';
import { rateOfShare } from '../../core/partners/counted-time.ts';
import {
  failureChance,
  holdingChance,
  type LossModel,
  ordinaryModel,
  poissonBinomial,
  reachingChance,
  repairTimeMs,
  shortfall,
} from '../../core/placement/durability.ts';
import { type CellCounts, mostShards } from './community.ts';
import type { FollowedPair, PairMoment } from './followed-pair.ts';
import { type CellPlan, type PopulationPlan, type Rules, yearDays } from './plan.ts';
import type { PopulationOutcome } from './population-run.ts';
import { availabilityOf, classMixes } from './presence.ts';
import { drawnFutures } from './restore-samples.ts';
import { type Strategy, strategies } from './strategies.ts';

export interface StrategyFinding {
  readonly name: string;
  readonly pairs: number;
  readonly found: number;
  /** Means over those found: hours of the world, of the owner's running time, and what the formula expects of the latter. */
  readonly foundHours: number;
  readonly foundRanHours: number;
  readonly expectedHours: number;
  readonly reneged: number;
  /** From the fall: days that the owner counted; the formula: G. */
  readonly renegedDays: number;
  readonly accused: number;
  /** Days of the wanted space, for each place among somebody's partners and year. */
  readonly usableDays: number;
  /** Of it after the partnership was over. */
  readonly servedDays: number;
  /** Kept for it, but not to be had without another commitment. */
  readonly keptDays: number;
  readonly heldDays: number;
}

export interface RestoreFinding {
  readonly availability: number;
  readonly cheatShare: number;
  readonly samples: number;
  /** Of owners that know that they must wait for commitments to pass; not among the failures. */
  readonly waiting: number;
  readonly failures: number;
  readonly futures: number;
  readonly futureFailures: number;
  /** Share of the futures that failed. */
  readonly measured: number;
  /** The formula for owners that are always on line. */
  readonly expected: number;
  /** The formula as owners use it, by the shards that each knows of; with measured reach. */
  readonly expectedHere: number;
  /** Of owners that tell of a chance of `tellable` or more, and of those that tell of less. */
  readonly likely: ToldChance;
  readonly unlikely: ToldChance;
  /** Shards of a stripe at partners that honour restores and are not missed, on average. */
  readonly shards: number;
  readonly unreachedShare: number;
}

/** Restores of owners that tell of a chance like this. */
export interface ToldChance {
  readonly owners: number;
  readonly failures: number;
  readonly futures: number;
  readonly futureFailures: number;
  /** Failed futures, if it is as they tell. */
  readonly expectedFailures: number;
}

/** What is less than that is not set against the formula: nothing is to be seen of it. */
export const tellable = 1e-5;

export interface RepairFinding {
  readonly availability: number;
  /** A year and owner. */
  readonly repairUploads: number;
  readonly reloads: number;
  readonly losses: number;
  readonly suspensions: number;
  readonly divorcesAlive: number;
  readonly divorcesEarly: number;
  readonly divorcesHasty: number;
  readonly ownerYears: number;
}

export function strategyFindings(outcome: PopulationOutcome): readonly StrategyFinding[] {
  return strategies.map((strategy) => strategyFinding(strategy, outcome));
}

function strategyFinding(strategy: Strategy, outcome: PopulationOutcome): StrategyFinding {
  const { pairs, plan } = outcome;
  const own = pairs.filter((pair) => pair.strategy === strategy);
  const found = own.filter((pair) => betweenHours(pair, 'hour') !== undefined);
  const reneged = own.filter((pair) => pair.account().reneged !== undefined);
  const sum = (of: (pair: FollowedPair) => number): number =>
    own.reduce((total, pair) => total + of(pair), 0);
  const { wantedBytes, shards } = plan.rules;
  const followers = plan.cells.reduce((total, cell) => total + cell.strategyPeers, 0);
  const scale = (followers * shards * plan.days * wantedBytes) / yearDays;
  return {
    ...{ name: strategy.name, pairs: own.length, found: found.length, reneged: reneged.length },
    foundHours: meanOf(found, (pair) => betweenHours(pair, 'hour')),
    foundRanHours: meanOf(found, (pair) => betweenHours(pair, 'ran')),
    expectedHours: meanOf(found, (pair) => pair.account().expectedHours),
    renegedDays: meanOf(reneged, (pair) => {
      const { fell, reneged: end } = pair.account();
      return fell && end && (end.counted - fell.counted) / 24;
    }),
    accused: sum((pair) => pair.account().accused),
    usableDays: sum((pair) => pair.account().balance.usable) / scale,
    servedDays: sum((pair) => pair.account().balance.served) / scale,
    keptDays: sum((pair) => pair.account().balance.kept) / scale,
    heldDays: sum((pair) => pair.account().balance.held) / scale,
  };
}

function betweenHours(pair: FollowedPair, clock: keyof PairMoment): number | undefined {
  const { fell, found } = pair.account();
  return fell && found && found[clock] - fell[clock];
}

function meanOf(
  pairs: readonly FollowedPair[],
  of: (pair: FollowedPair) => number | undefined,
): number {
  return pairs.reduce((sum, pair) => sum + (of(pair) ?? 0), 0) / pairs.length;
}

export function restoreFindings({ plan, counts }: PopulationOutcome): readonly RestoreFinding[] {
  return plan.cells.flatMap((cell, number) => {
    const count = counts[number];
    return cell.strategyPeers > 0 || count === undefined ? [] : [restoreFinding(cell, count, plan)];
  });
}

function restoreFinding(cell: CellPlan, counts: CellCounts, plan: PopulationPlan): RestoreFinding {
  const { samples, waiting, failures, futures, futureFailures } = counts;
  const unreachedShare = counts.shardsUnreached / counts.shardsHeld;
  const told = [...toldByOwners(cell, counts, { rules: plan.rules, reach: 1 - unreachedShare })];
  const all = together(told);
  return {
    ...{ availability: cell.availability, cheatShare: cell.cheatShare },
    ...{ samples, waiting, failures, futures, futureFailures, unreachedShare },
    measured: futureFailures / futures,
    expected: expectedFailure(cell, plan.rules),
    expectedHere: all.expectedFailures / all.futures,
    likely: together(told.filter(({ fails }) => fails >= tellable)),
    unlikely: together(told.filter(({ fails }) => fails < tellable)),
    shards: meanShards(counts),
  };
}

/** As an owner that is always on line computes it: reach is by availability alone. */
export function expectedFailure(cell: CellPlan, rules: Rules): number {
  const model = { ...ordinaryModel, cheatShare: cell.cheatShare };
  const mix = mixed(cell, rules.shards);
  const sinceMs = model.absenceMs + model.windowMs;
  return failureChance(
    { holders: mix, dataShards: rules.code.dataShards, model },
    ({ availability, lifeMs }) =>
      holdingChance(lifeMs, sinceMs, model) * reachingChance(availability, model.windowMs),
  );
}

/** Of the owners that were asked: how many there are for each number of shards at partners that are there, and at those that are missed. */
function* beliefs({ believed }: CellCounts): Generator<{
  readonly habit: number;
  readonly at: number;
  readonly there: number;
  readonly missed: number;
  readonly owners: number;
}> {
  for (const [habit, counts] of believed.entries())
    for (const [at, owners] of counts.entries()) {
      const there = Math.floor(at / mostShards);
      if (owners > 0) yield { habit, at, there, missed: at - there * mostShards, owners };
    }
}

function meanShards(counts: CellCounts): number {
  const all = [...beliefs(counts)];
  const owners = all.reduce((sum, each) => sum + each.owners, 0);
  return all.reduce((sum, { there, owners: those }) => sum + there * those, 0) / owners;
}

/**
 * As owners tell it (engine/partners/safety-outlook.ts): by the shards that each took to be at partners that honour restores, with repair by its own counted time.
 * Measured are the reach, and how many of the partners that are missed come back.
 */
function* toldByOwners(
  cell: CellPlan,
  counts: CellCounts,
  of: { readonly rules: Rules; readonly reach: number },
): Generator<ToldChance & { readonly fails: number }> {
  const comesBack = counts.shardsMissedAlive / Math.max(1, counts.shardsMissed);
  for (const { habit, at, there, missed, owners } of beliefs(counts)) {
    const model = modelFor(cell, of.rules, habit);
    const sinceMs = model.absenceMs + model.windowMs;
    const lifeMs = yearDays * dayMs;
    const stays = holdingChance(lifeMs, sinceMs, model) * of.reach;
    const returns = comesBack * Math.exp(-sinceMs / lifeMs) * (1 - cell.cheatShare) * of.reach;
    const chances = [...Array(there).fill(stays), ...Array(missed).fill(returns)];
    const fails = shortfall(poissonBinomial(chances), of.rules.code.dataShards);
    const futures = owners * drawnFutures;
    yield {
      ...{ fails, owners, futures, expectedFailures: futures * fails },
      failures: counts.cameToNothing[habit]?.[at] ?? 0,
      futureFailures: counts.drewNothing[habit]?.[at] ?? 0,
    };
  }
}

function together(told: readonly ToldChance[]): ToldChance {
  const sum = (of: (each: ToldChance) => number): number =>
    told.reduce((total, each) => total + of(each), 0);
  return {
    ...{ owners: sum(({ owners }) => owners), failures: sum(({ failures }) => failures) },
    futures: sum(({ futures }) => futures),
    futureFailures: sum(({ futureFailures }) => futureFailures),
    expectedFailures: sum(({ expectedFailures }) => expectedFailures),
  };
}

function modelFor(cell: CellPlan, rules: Rules, habit: number): LossModel {
  const share = availabilityOf(habit);
  const repairMs = repairTimeMs(rules.periods.spareMs, Math.min(1, share * rateOfShare(share)));
  return { ...ordinaryModel, cheatShare: cell.cheatShare, repairMs };
}

/** Holders as a class has them. */
function mixed(
  cell: CellPlan,
  shards: number,
): readonly { readonly availability: number; readonly lifeMs: number }[] {
  const mix = classMixes[cell.availability];
  return Array.from({ length: shards }, (_, place) => {
    let left = (place + 0.5) / shards;
    const habit = mix.findIndex((share) => {
      left -= share;
      return left < 0;
    });
    return { availability: availabilityOf(habit), lifeMs: yearDays * dayMs };
  });
}

/** Of honest cells, by availability. */
export function repairFindings({ plan, counts }: PopulationOutcome): readonly RepairFinding[] {
  return plan.cells.flatMap((cell, number) => {
    const count = counts[number];
    if (cell.strategyPeers > 0 || cell.cheatShare > 0 || count === undefined) return [];
    const ownerYears = count.ownerDays / yearDays;
    return [
      {
        availability: cell.availability,
        repairUploads: count.repairUploads / ownerYears,
        reloads: count.reloads / ownerYears,
        losses: count.losses / ownerYears,
        suspensions: count.suspensions / ownerYears,
        divorcesAlive: count.divorcesAlive,
        divorcesEarly: count.divorcesEarly,
        divorcesHasty: count.divorcesHasty,
        ownerYears,
      },
    ];
  });
}

/** G, in days. */
export function graceDaysOf(rules: Rules): number {
  return rules.periods.graceMs / dayMs;
}
