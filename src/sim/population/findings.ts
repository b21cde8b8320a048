/** What a run shows, beside what the formulas say (docs/economics.md): numbers only; tables.ts puts them into words. */
import { dayMs } from '../../base/units.ts';
import {
  failureChance,
  holdingChance,
  ordinaryModel,
  reachingChance,
  repairTimeMs,
} from '../../core/placement/durability.ts';
import type { CellCounts } from './community.ts';
import type { FollowedPair, PairMoment } from './followed-pair.ts';
import { type CellPlan, type PopulationPlan, type Rules, yearDays } from './plan.ts';
import type { PopulationOutcome } from './population-run.ts';
import { availabilityOf, classMixes } from './presence.ts';
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
  /** From being found: days of the owner's running time; the formula: G. */
  readonly renegedRanDays: number;
  readonly accused: number;
  /** Days of the wanted space, for each place among somebody's partners and year. */
  readonly usableDays: number;
  /** Of it after the partnership was over. */
  readonly servedDays: number;
  readonly heldDays: number;
}

export interface RestoreFinding {
  readonly availability: number;
  readonly cheatShare: number;
  readonly samples: number;
  readonly failures: number;
  readonly futures: number;
  readonly futureFailures: number;
  /** Share of the futures that failed. */
  readonly measured: number;
  /** The formula for owners that are always on line. */
  readonly expected: number;
  /** The formula as owners use it, with repair that waits for their own running time; and with measured reach. */
  readonly expectedHere: number;
  /** Time from a loss until its shard lies elsewhere that the missing shards come to. */
  readonly repairDays: number;
  readonly unreachedShare: number;
}

export interface RepairFinding {
  readonly availability: number;
  /** A year and owner. */
  readonly repairUploads: number;
  readonly reloads: number;
  readonly losses: number;
  readonly suspensions: number;
  readonly divorcesAlive: number;
  readonly divorcesEarly: number;
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
    renegedRanDays: meanOf(reneged, (pair) => {
      const { fell, reneged: end } = pair.account();
      return fell && end && (end.ran - fell.ran) / 24;
    }),
    accused: sum((pair) => pair.account().accused),
    usableDays: sum((pair) => pair.account().usableByteDays) / scale,
    servedDays: sum((pair) => pair.account().servedByteDays) / scale,
    heldDays: sum((pair) => pair.account().heldByteDays) / scale,
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
  const { samples, failures, futures, futureFailures } = counts;
  const present = 1 - counts.shardsMissing / counts.shardsSampled;
  const missing = 1 - present / (1 - cell.cheatShare);
  const unreachedShare = counts.shardsUnreached / counts.shardsHeld;
  return {
    ...{ availability: cell.availability, cheatShare: cell.cheatShare },
    ...{ samples, failures, futures, futureFailures, unreachedShare },
    measured: futureFailures / futures,
    expected: expectedFailure(cell, plan.rules),
    expectedHere: expectedByOwner(cell, plan.rules, 1 - unreachedShare),
    repairDays: (missing / (1 - missing)) * yearDays,
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

/** T_r is the owner's own running time: an owner that is seldom on takes longer to miss somebody. Averaged over the owners of a class. */
function expectedByOwner(cell: CellPlan, rules: Rules, reach: number): number {
  return classMixes[cell.availability].reduce((sum, share, habit) => {
    const repairMs = repairTimeMs(rules.periods.spareMs, availabilityOf(habit));
    const model = { ...ordinaryModel, cheatShare: cell.cheatShare, repairMs };
    const sinceMs = model.absenceMs + model.windowMs;
    const fails = failureChance(
      { holders: mixed(cell, rules.shards), dataShards: rules.code.dataShards, model },
      ({ lifeMs }) => holdingChance(lifeMs, sinceMs, model) * reach,
    );
    return sum + share * fails;
  }, 0);
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
        ownerYears,
      },
    ];
  });
}

/** G, in days. */
export function graceDaysOf(rules: Rules): number {
  return rules.periods.graceMs / dayMs;
}
