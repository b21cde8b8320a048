/** Runs the demo in a folder of its own, tells its story, and leaves nothing behind. */
import { mkdtempSync, realpathSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CovaultProcesses, DemoFailed } from '../demo/covault-processes.ts';
import { type DemoReport, reportText, shortfallsOf } from '../demo/demo-report.ts';
import { runDemoIn } from '../demo/demo-run.ts';
import { Narration } from '../demo/narration.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { countedText, durationText } from '../quantities.ts';
import type { Session } from '../session.ts';

export interface DemoOptions {
  /** What is backed up; undefined: a tree of the demo's own. */
  readonly folder: string | undefined;
  /** Leaves homes and restored files where they are. */
  readonly keep: boolean;
}

const hangUpExit = 129;

export async function runDemo(session: Session, options: DemoOptions): Promise<ExitCode> {
  const { output, signal } = session;
  const tree = options.folder === undefined ? undefined : realFolder(options.folder);
  if (tree === null) return session.misused(`${options.folder} is no folder that can be read.`);
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'covault-demo-'));
  const processes = new CovaultProcesses(folder, signal);
  const narration = new Narration(output);
  const lastMoment = (): void => {
    processes.endAtOnce();
    if (!options.keep) rmSync(folder, { recursive: true, force: true });
  };
  const hangUp = (): never => process.exit(hangUpExit);
  process.once('exit', lastMoment).once('SIGHUP', hangUp);
  try {
    const report = await runDemoIn({ folder, tree, processes, narration, signal });
    const shortfalls = [...shortfallsOf(report), ...processes.endedByThemselves];
    await processes.end();
    return tell(session, { report, shortfalls, kept: options.keep ? folder : undefined });
  } catch (problem) {
    if (signal.aborted) return session.fail({ code: 'operation.cancelled', detail: '' });
    if (!(problem instanceof DemoFailed)) throw problem;
    return session.fail({ code: 'demo.failed', detail: problem.message });
  } finally {
    await processes.end();
    lastMoment();
    process.off('exit', lastMoment).off('SIGHUP', hangUp);
  }
}

/** Null when there is no such folder. */
function realFolder(path: string): string | null {
  try {
    const real = realpathSync(path);
    return statSync(real).isDirectory() ? real : null;
  } catch {
    return null;
  }
}

interface Told {
  readonly report: DemoReport;
  readonly shortfalls: readonly string[];
  readonly kept: string | undefined;
}

function tell(session: Session, { report, shortfalls, kept }: Told): ExitCode {
  const { output } = session;
  output.line();
  output.line(reportText(report));
  output.line();
  if (kept !== undefined) output.line(`Everything is kept in ${kept}`);
  if (shortfalls.length > 0)
    return session.fail({ code: 'demo.failed', detail: shortfalls.join('\n  ') });
  output.value({ ...report, kept: kept ?? null });
  for (const line of comparisonLines(report)) output.line(line);
  return exitCodes.ok;
}

function comparisonLines({ comparison, timesMs }: DemoReport): readonly string[] {
  const { files, folders, symlinks, special, reported, changedSince, ownersNotRestored } =
    comparison;
  const asides = [
    [special, 'socket, pipe or device was not kept', 'sockets, pipes and devices were not kept'],
    [
      reported,
      'entry was not kept, as the backup said',
      'entries were not kept, as the backup said',
    ],
    [changedSince, 'entry changed meanwhile', 'entries changed meanwhile'],
    [
      ownersNotRestored,
      'owner could be restored by the superuser only',
      'owners could be restored by the superuser only',
    ],
  ] as const;
  return [
    ...asides
      .filter(([count]) => count > 0)
      .map(([count, one, several]) => `${countedText(count, one, several)}.`),
    `Everything came back in ${durationText(timesMs.total)}: ${countedText(files, 'file')}, ${countedText(folders, 'folder')} and ${countedText(symlinks, 'link')} are what they were, byte for byte,`,
    'with their modes, owners, times to the nanosecond, shared names and holes.',
  ];
}
