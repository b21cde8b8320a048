/**
 * Backup, unchanged backup and restore of one tree by covault, restic and borg: whole processes, in turn, round by round, each round into new places.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { present } from '../../src/base/assert.ts';
import { type BackupProgram, borg, covault, restic, versionOf } from './backup-programs.ts';
import { atLeast, type Bar, type Findings } from './findings.ts';
import { folderBytes } from './folder-size.ts';
import { type MeasuredRun, measureProcess, type Usage } from './measured-process.ts';
import { ratiosOf, type Spread, spreadOf, spreadText } from './spread.ts';

export interface BackupBenchOptions {
  readonly rounds: number;
  readonly tree: string;
  readonly treeText: string;
  /** For homes, repositories and restored trees. */
  readonly folder: string;
  /** No round is begun after this, on the clock of `performance.now()`. */
  readonly deadlineMs: number;
  readonly say: (line: string) => void;
}

const phases = ['backup', 'coded', 'unchanged', 'restore'] as const;
type Phase = (typeof phases)[number];
type Runs = Map<Phase, Usage[]>;

const phaseTitles: Readonly<Record<Phase, string>> = {
  backup: 'first backup (captured)',
  coded: 'first backup, every shard coded and sealed (4+4)',
  unchanged: 'nothing changed',
  restore: 'restore (from the local cache)',
};
const codedCapture = join(import.meta.dirname, 'coded-capture.ts');

interface Measured {
  readonly program: BackupProgram;
  readonly runs: Runs;
  storedBytes: number;
}

export async function benchBackup(options: BackupBenchOptions): Promise<Findings> {
  const others = [restic, borg].filter(({ name }) => versionOf(name as 'restic' | 'borg'));
  const measured = [covault, ...others].map(
    (program): Measured => ({ program, runs: new Map(), storedBytes: 0 }),
  );
  const failures: string[] = [];
  let rounds = 0;
  while (rounds < options.rounds && (rounds === 0 || performance.now() < options.deadlineMs)) {
    const round = new Map<BackupProgram, Round>();
    try {
      for (const { program } of measured) round.set(program, await measureRound(program, options));
    } catch (problem) {
      if (rounds === 0) throw problem;
      options.say(String(problem));
      failures.push(`Round ${rounds + 1} failed and counts for nothing.`);
      break;
    }
    rounds += 1;
    for (const each of measured) keepRound(each, present(round.get(each.program), 'measured'));
  }
  const missing = [restic, borg].filter((program) => !others.includes(program));
  return findingsOf(measured, [
    `${options.treeText}; ${rounds} ${rounds === 1 ? 'round' : 'rounds'}, the programs in turn; ratios are taken within each round. Wall time, processor time (user and system) and peak memory are medians.`,
    'restic and borg with their defaults (restic’s compression, borg’s lz4, encryption on); repositories on the same disk.',
    ...failures,
    ...missing.map(({ name }) => `${name} was not measured: it is not installed.`),
  ]);
}

interface Round {
  readonly runs: ReadonlyMap<Phase, Usage>;
  readonly storedBytes: number;
}

function keepRound(measured: Measured, { runs, storedBytes }: Round): void {
  measured.storedBytes = storedBytes;
  for (const [phase, usage] of runs)
    measured.runs.set(phase, [...(measured.runs.get(phase) ?? []), usage]);
}

async function measureRound(program: BackupProgram, options: BackupBenchOptions): Promise<Round> {
  const place = join(options.folder, program.name);
  const target = join(options.folder, `${program.name}-restored`);
  const runs = new Map<Phase, Usage>();
  const note = (phase: Phase, run: MeasuredRun): void => {
    runs.set(phase, run);
    options.say(`  ${program.name}, ${phaseTitles[phase]}: ${usageText(run)}`);
  };
  try {
    mkdirSync(target, { recursive: true });
    mkdirSync(place, { recursive: true });
    await measureProcess(program.create(place));
    note('backup', await measureProcess(program.backup(place, options.tree, 1)));
    const storedBytes = folderBytes(program.stored(place));
    // Twice, and the second counts: files that changed just before a backup are read again by the next.
    await measureProcess(program.backup(place, options.tree, 2));
    note('unchanged', await measureProcess(program.backup(place, options.tree, 3)));
    note('restore', await measureProcess(program.restore(place, target)));
    if (program === covault) {
      rmSync(place, { recursive: true });
      await measureProcess(program.create(place));
      const argv = [codedCapture, place, options.tree];
      note('coded', await measureProcess({ file: process.execPath, argv }));
    }
    return { runs, storedBytes };
  } finally {
    rmSync(place, { recursive: true, force: true });
    rmSync(target, { recursive: true, force: true });
  }
}

function findingsOf(measured: readonly Measured[], notes: readonly string[]): Findings {
  const [ours, ...others] = measured;
  const mine = present(ours, 'covault is measured').runs;
  const head = [
    'what',
    'program',
    'wall, s',
    'CPU, s',
    'peak memory, MB',
    'covault faster by (wall)',
    'by (CPU)',
  ];
  const rows = phases.flatMap((phase) =>
    measured.flatMap(({ program, runs }) => {
      const usages = runs.get(phase);
      if (usages === undefined) return [];
      const compared = program === covault ? undefined : mine.get(phase);
      return [[phaseTitles[phase], program.name, ...cellsOf(usages, compared)]];
    }),
  );
  const sizes = measured.map(
    ({ program, storedBytes }) => `${program.name} ${megabytes(storedBytes)} MB`,
  );
  return {
    title: 'Backup and restore',
    table: [head, ...rows],
    notes: [...notes, `Stored, before redundancy: ${sizes.join(', ')}.`],
    bars: [...others.flatMap((other) => barsOf(mine, other)), ...sizeBars(measured)],
  };
}

function cellsOf(usages: readonly Usage[], ours: readonly Usage[] | undefined): readonly string[] {
  const ratio = (of: (usage: Usage) => number): string =>
    ours === undefined ? '' : `${spreadText(ratiosOf(usages.map(of), ours.map(of)))}×`;
  return [
    spreadText(spreadOf(usages.map(({ wallMs }) => wallMs / 1_000))),
    spreadText(spreadOf(usages.map(({ cpuMs }) => cpuMs / 1_000))),
    megabytes(spreadOf(usages.map(({ peakBytes }) => peakBytes)).median),
    ratio(({ wallMs }) => wallMs),
    ratio(({ cpuMs }) => cpuMs),
  ];
}

function barsOf(mine: Runs, { program, runs }: Measured): readonly Bar[] {
  const faster = (ours: Phase, theirs: Phase): Spread => {
    const walls = (of: Runs, phase: Phase): number[] =>
      present(of.get(phase), 'every phase is measured').map(({ wallMs }) => wallMs);
    return ratiosOf(walls(runs, theirs), walls(mine, ours));
  };
  const bars = [
    atLeast(`captured: times as fast as ${program.name}`, 2, faster('backup', 'backup')),
    atLeast(`coded and sealed: times as fast as ${program.name}`, 1.8, faster('coded', 'backup')),
    atLeast(`unchanged: times as fast as ${program.name}`, 2, faster('unchanged', 'unchanged')),
  ];
  if (program === restic)
    bars.push(atLeast('restore: times as fast as restic', 1.5, faster('restore', 'restore')));
  return bars;
}

function sizeBars(measured: readonly Measured[]): readonly Bar[] {
  const theirs = measured.find(({ program }) => program === restic)?.storedBytes;
  const ours = measured[0]?.storedBytes;
  if (theirs === undefined || ours === undefined) return [];
  return [
    {
      what: 'stored before redundancy',
      wanted: `≤ restic’s ${megabytes(theirs)} MB`,
      measured: `${megabytes(ours)} MB`,
      met: ours <= theirs,
    },
  ];
}

export function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}

export function usageText({ wallMs, cpuMs, peakBytes }: Usage): string {
  return `${(wallMs / 1_000).toFixed(2)} s, ${(cpuMs / 1_000).toFixed(2)} s of CPU, ${megabytes(peakBytes)} MB at most`;
}
