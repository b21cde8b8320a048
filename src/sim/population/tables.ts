/** What a run shows, as tables in Markdown. */
import {
  graceDaysOf,
  repairFindings,
  restoreFindings,
  strategyFindings,
  type ToldChance,
  tellable,
} from './findings.ts';
import type { PopulationOutcome } from './population-run.ts';

export function tablesOf(outcome: PopulationOutcome): readonly string[] {
  const all = [strategyTable, restoreTable, toldTable, repairTable];
  return all.flatMap((of, index) => (index === 0 ? of(outcome) : ['', ...of(outcome)]));
}

function strategyTable(outcome: PopulationOutcome): readonly string[] {
  const grace = graceDaysOf(outcome.plan.rules);
  const tried = strategyFindings(outcome).filter(({ pairs }) => pairs > 0);
  const rows = tried.map((each) => [
    each.name,
    String(each.pairs),
    percent(each.found / each.pairs),
    hours(each.foundHours),
    hours(each.foundRanHours),
    hours(each.expectedHours),
    ratio(each.foundRanHours, each.expectedHours),
    percent(each.reneged / each.pairs),
    Number.isNaN(each.renegedDays) ? '' : `${each.renegedDays.toFixed(1)} (G ${grace})`,
    each.heldDays.toFixed(1),
    each.usableDays.toFixed(1),
    each.servedDays.toFixed(1),
    each.keptDays.toFixed(1),
    (each.usableDays - each.heldDays).toFixed(1),
  ]);
  return table(
    [
      ...['strategy', 'pairs', 'found', 'found after', 'of it owner on', 'formula', 'ratio'],
      ...[
        'reneged',
        'after, days counted',
        'held',
        'usable',
        'of it afterwards',
        'only kept',
        'free = usable − held',
      ],
    ],
    rows,
  );
}

function restoreTable(outcome: PopulationOutcome): readonly string[] {
  const rows = restoreFindings(outcome).map((each) => [
    nameOf(each.availability),
    percent(each.cheatShare),
    percent(each.waiting / each.samples, 2),
    `${each.failures} / ${each.samples}`,
    `${each.futureFailures} / ${each.futures}`,
    chance(each.measured),
    chance(each.expected),
    each.expected < tellable ? '' : ratio(each.measured, each.expected),
    chance(each.expectedHere),
    each.expectedHere < tellable ? '' : ratio(each.measured, each.expectedHere),
    each.shards.toFixed(1),
    percent(each.unreachedShare, 2),
  ]);
  return table(
    [
      ...[
        'availability',
        'cheats',
        'waiting',
        'failed (what came)',
        'failed (drawn futures)',
        'measured',
      ],
      ...['formula', 'ratio', 'as owners tell it', 'ratio', 'shards', 'not reached'],
    ],
    rows,
  );
}

/** By owner: whether restores fail as often as each tells where it tells of it, and where it tells of less, not at all. */
function toldTable(outcome: PopulationOutcome): readonly string[] {
  const rows = restoreFindings(outcome).map((each) => [
    nameOf(each.availability),
    percent(each.cheatShare),
    percent(each.likely.owners / each.samples, 2),
    ...toldCells(each.likely),
    ratio(each.likely.futureFailures, each.likely.expectedFailures),
    ...toldCells(each.unlikely),
  ]);
  const cells = ['failed (what came)', 'failed (drawn futures)', 'as told'];
  return table(
    [
      'availability',
      'cheats',
      'tell ≥ 1e-5',
      ...cells,
      'ratio',
      ...cells.map((cell) => `less: ${cell}`),
    ],
    rows,
  );
}

function toldCells(told: ToldChance): readonly string[] {
  const { failures, owners, futureFailures, futures, expectedFailures } = told;
  return [
    `${failures} / ${owners}`,
    `${futureFailures} / ${futures}`,
    expectedFailures.toPrecision(2),
  ];
}

function repairTable(outcome: PopulationOutcome): readonly string[] {
  const rows = repairFindings(outcome).map((each) => [
    nameOf(each.availability),
    each.losses.toFixed(1),
    each.repairUploads.toFixed(1),
    each.reloads.toFixed(1),
    ratio(each.repairUploads + each.reloads, each.losses),
    each.suspensions.toFixed(1),
    `${each.divorcesAlive} in ${each.ownerYears.toFixed(0)} owner years`,
    String(each.divorcesEarly),
    String(each.divorcesHasty),
  ]);
  return table(
    [
      ...['availability', 'losses (oracle)', 'repairs', 'reloads', 'sent ÷ oracle'],
      ...[
        'silences of T_r',
        'reneged on after G, though alive',
        'reneged on within G',
        'within G by the calendar',
      ],
    ],
    rows,
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}

/** A class, as people call it. */
function nameOf(availability: number): string {
  return availability === 0.93 ? 'long outages' : String(availability);
}

function percent(share: number, digits = 0): string {
  return Number.isNaN(share) ? '' : `${(100 * share).toFixed(digits)} %`;
}

function hours(count: number): string {
  if (Number.isNaN(count)) return '';
  return count < 48 ? `${count.toFixed(1)} h` : `${(count / 24).toFixed(1)} d`;
}

function chance(value: number): string {
  return value === 0 ? '0' : value.toExponential(1);
}

function ratio(measured: number, expected: number): string {
  const value = measured / expected;
  return Number.isFinite(value) ? value.toFixed(2) : '';
}
