/** What a population is made of and goes by: cells of peers that are partners among themselves, and the terms of a preset. */
import { assert, present } from '../../base/assert.ts';
import { dayMs, hourMs, instant } from '../../base/units.ts';
import { type Preset, policyOf } from '../../core/agreements/policy.ts';
import { type Terms, validTerms } from '../../core/agreements/terms.ts';
import { type LifecyclePeriods, lifecyclePeriods } from '../../core/partners/lifecycle-state.ts';
import { fullShards } from '../../core/placement/code-choice.ts';
import { planFor } from '../../core/placement/planner.ts';
import type { Code } from '../../core/vocabulary/code.ts';
import { idBytes, idOf, type PeerId } from '../../core/vocabulary/ids.ts';
import { partnershipSettings } from '../../engine/partners/partnership-settings.ts';
import { type AvailabilityClass, availabilityClasses } from './presence.ts';
import { strategies } from './strategies.ts';

/** Peers that are partners only among themselves. */
export interface CellPlan {
  readonly availability: AvailabilityClass;
  /** Share of its peers that hold nothing and are never found out: the f of the formulas. */
  readonly cheatShare: number;
  readonly peers: number;
  /** Strategies are tried here: so many peers follow each of them. */
  readonly strategyPeers: number;
}

export interface PopulationPlan {
  readonly seed: number;
  readonly days: number;
  readonly preset: Preset;
  readonly cells: readonly CellPlan[];
  readonly rules: Rules;
}

/** What all peers of a population go by. */
export interface Rules {
  readonly terms: Terms;
  readonly code: Code;
  /** n. */
  readonly shards: number;
  readonly periods: LifecyclePeriods;
  /** Little is lent at first (core/agreements/ramp.ts). */
  readonly ramps: boolean;
  /** Hours that strangers must be on line together each week. */
  readonly leastOverlapHours: number;
  /** Bytes that a peer would like each partner to lend. */
  readonly wantedBytes: number;
}

/** Leaving for good and losing what is held, a year; together one: MTTF is a year. */
export const departuresPerYear = 0.8;
export const reinstallsPerYear = 0.2;
export const yearDays = 365;

const wantedBytes = 8e9;
const freeBytes = 1e12;

/** What to try instead of the preset's ways; periods in days. */
export interface PeriodChanges {
  readonly spareDays?: number;
  readonly graceDays?: number;
  readonly commitmentDays?: number;
  /** L. */
  readonly lockDays?: number;
  /** C is waived, as for people who know each other. */
  readonly trusted?: boolean;
}

export function rulesOf(preset: Preset, changes: PeriodChanges = {}): Rules {
  const policy = policyOf({
    ...{ preset, trusted: changes.trusted === true, freeBytes, wantedBytes },
    ...{ cleanMs: 0, changes: { ramp: null } },
  });
  const days = (count: number | undefined, otherwise: number): number =>
    count === undefined ? otherwise : count * dayMs;
  const { preferred } = policy;
  const terms: Terms = {
    ...preferred,
    graceMs: days(changes.graceDays, preferred.graceMs),
    commitmentMs: days(changes.commitmentDays, preferred.commitmentMs),
    deleteLockMs: days(changes.lockDays, preferred.deleteLockMs),
    ...{ firstLendsBytes: wantedBytes, secondLendsBytes: wantedBytes },
  };
  assert(validTerms(terms).ok, 'terms that two peers could sign');
  const shards = fullShards({ preset });
  const periods = lifecyclePeriods(terms, {
    ...{
      spareMs: days(changes.spareDays, partnershipSettings({ preset }).spareAfterMs),
      proves: true,
    },
  });
  const code = present(codeFor(preset, shards), 'so many partners carry a code');
  assert(
    code.dataShards + code.parityShards === shards,
    'every partner of the full code has a shard',
  );
  return {
    ...{ terms, code, shards, wantedBytes, ramps: preset === 'open' && !terms.trusted },
    // Many ticks in one: the engine's are ten minutes long at most, those of a population a day.
    periods: { ...periods, tickMostMs: dayMs },
    leastOverlapHours: policy.schedule.leastOverlapHours,
  };
}

function codeFor(preset: Preset, shards: number): Code | undefined {
  const partners = Array.from({ length: shards }, (_, number) => ({
    peer: idOf<PeerId>(new Uint8Array(idBytes).fill(number + 1)),
    ...{ availability: 0.66, ageMs: 180 * dayMs, freeBytes },
  }));
  return planFor(partners, { preset }).code;
}

export interface PopulationChoice {
  readonly peers: number;
  readonly days: number;
  readonly seed: number;
  readonly preset: Preset;
  readonly changes?: PeriodChanges;
  /** Only cells with this share of cheats, one for each availability. */
  readonly cheatShare?: number;
}

/**
 * The usual population: a cell for each availability with honest peers (most of it, for failures are rare there), one for each with a tenth and one with a fifth of
 * cheats, one of computers with long outages, and one in which strategies are tried.
 */
export function usualPlan(choice: PopulationChoice): PopulationPlan {
  const { peers, days, seed, preset } = choice;
  const cell = (availability: AvailabilityClass, share: number, cheatShare: number): CellPlan => ({
    ...{ availability, cheatShare, strategyPeers: 0 },
    peers: Math.max(60, Math.round(peers * share)),
  });
  const cells = (share: number, cheatShare: number): readonly CellPlan[] =>
    availabilityClasses.map((availability) =>
      cell(availability, share / availabilityClasses.length, cheatShare),
    );
  const strategyPeers = Math.min(25, Math.max(8, Math.round(peers * 0.001)));
  const strategic: CellPlan = {
    ...{ availability: 0.66, cheatShare: 0, strategyPeers },
    peers: Math.max(4 * strategyPeers * strategies.length, Math.round(peers * 0.1)),
  };
  const usual: readonly CellPlan[] = [
    ...[...cells(0.68, 0), ...cells(0.1, 0.1), ...cells(0.1, 0.2)],
    ...[cell(0.93, 0.02, 0), strategic],
  ];
  return {
    ...{ seed, days, preset },
    cells: choice.cheatShare === undefined ? usual : cells(1, choice.cheatShare),
    rules: rulesOf(preset, choice.changes),
  };
}

export function atHour(hour: number): ReturnType<typeof instant> {
  return instant(originMs + hour * hourMs);
}

/** Day 0 of every population: far enough from the epoch that agreements may be older. */
const originMs: number = 10_000 * dayMs;
