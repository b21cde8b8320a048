/** `covault backup`: capture files, and see them out to partners. */
import { readFileSync } from 'node:fs';
import { Option } from '@commander-js/extra-typings';
import type { ProblemAnswer } from '../../daemon/answers.ts';
import type { BackupResult, BackupStage } from '../../daemon/operations/backup.ts';
import type { PathText } from '../../daemon/path-text.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { gathered, rateValue } from '../option-values.ts';
import type { Program, Run } from '../program.ts';
import type { ProgressState } from '../progress-bar.ts';
import { countedText, countText, durationText, sizeText } from '../quantities.ts';
import { argumentBytes, ownCommandLine } from '../raw-arguments.ts';
import type { Session } from '../session.ts';
import { absolutePath } from '../snapshot-path.ts';
import { printablePath, printableText } from '../text-escape.ts';

const problemsShown = 20;
const waits = ['captured', 'protected', 'complete'] as const;

export function addBackup(program: Program, run: Run): void {
  program
    .command('backup')
    .description('back up files and folders, and wait until partners hold them')
    .argument('[path...]', 'what to back up (default: the configured sources)')
    .option('--tag <tag>', 'a word to find the snapshot by; may be repeated', gathered)
    .option('--exclude <pattern>', 'leave out, in gitignore syntax; may be repeated', gathered)
    .option('--exclude-file <file>', 'read such patterns from a file; may be repeated', gathered)
    .option('--one-file-system', 'do not enter other file systems')
    .option('--dry-run', 'only count what would be read')
    .option('--limit-upload <rate>', 'send no faster than this, such as 5MB/s', rateValue)
    .addOption(
      new Option(
        '--wait <phase>',
        'return once the snapshot is captured here, protected at partners, or complete',
      )
        .choices(waits)
        .default('protected' as const),
    )
    .addHelpText('after', help)
    .action((paths, options) => run((session) => backup(session, paths, options)));
}

const help = `
Examples:
  covault backup ~/Documents ~/Pictures --exclude '*.iso'
  covault backup                         the sources of the configuration
  covault backup --wait captured         return as soon as it is safe on this disk

Exit code 3: some files were skipped (they are listed). 4: fewer shards are out than wanted.
`;

interface BackupOptions {
  readonly tag?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
  readonly excludeFile?: readonly string[] | undefined;
  readonly oneFileSystem?: true | undefined;
  readonly dryRun?: true | undefined;
  readonly limitUpload?: number | undefined;
  readonly wait: (typeof waits)[number];
}

async function backup(
  session: Session,
  paths: readonly string[],
  options: BackupOptions,
): Promise<ExitCode> {
  const patterns = patternsOf(options);
  if (typeof patterns === 'string') return session.misused(patterns);
  if (options.limitUpload !== undefined) {
    if (await session.daemonRuns())
      return session.fail({ code: 'backup.limit-with-daemon', detail: '' });
    const opened = await session.open({ uploadLimit: options.limitUpload });
    if (!opened.ok) return session.fail(opened.error);
  }
  const commandLine = ownCommandLine();
  const startedAtMs = performance.now();
  const answer = await session.call(
    'backup',
    {
      roots: paths.map((path) => absolutePath(argumentBytes(path, commandLine), process.cwd())),
      tags: options.tag ?? [],
      excludePatterns: patterns,
      oneFileSystem: options.oneFileSystem,
      dryRun: options.dryRun ?? false,
      wait: options.wait,
    },
    { progress: (stage) => session.output.progress(barOf(stage, startedAtMs), stage) },
  );
  if (!answer.ok) return session.fail(answer.error);
  session.output.value(answer.value);
  return report(session, answer.value);
}

/** Patterns of all options and files, or what is wrong with them. */
function patternsOf(options: BackupOptions): readonly string[] | string {
  const patterns = [...(options.exclude ?? [])];
  for (const file of options.excludeFile ?? [])
    try {
      const lines = readFileSync(file, 'utf8').split(/\r?\n/);
      patterns.push(...lines.filter((line) => line.trim() !== '' && !line.startsWith('#')));
    } catch (problem) {
      return `--exclude-file ${printableText(file)}: ${(problem as Error).message}`;
    }
  return patterns;
}

/** What the bar shows of a stage. */
export function barOf(stage: BackupStage, startedAtMs: number): ProgressState {
  if (stage.stage === 'capturing') {
    const { counts } = stage;
    return {
      phase: counts.filesDone > 0 || counts.scanned ? 'reading files' : 'looking for files',
      startedAtMs,
      doneBytes: counts.bytesDone,
      totalBytes: counts.scanned ? counts.bytesSeen : undefined,
      doneCount: counts.filesDone,
      totalCount: counts.scanned ? counts.filesSeen : undefined,
      counted: 'files',
    };
  }
  const { counts } = stage;
  return {
    phase: 'sending to partners',
    startedAtMs,
    doneBytes: counts.bytesHeld,
    totalBytes: counts.bytesWanted,
    doneCount: counts.shardsHeld,
    totalCount: counts.shardsWanted,
    counted: 'shards',
  };
}

function report(session: Session, result: BackupResult): ExitCode {
  const { output } = session;
  if (result.dryRun) {
    const { files, directories, others, bytes, problems } = result.counts;
    output.line(
      `Would read ${countedText(files, 'file')} (${sizeText(bytes)}) in ${countedText(directories, 'folder')}, and ${countText(others)} links and others.`,
    );
    listProblems(session, problems);
    return problems.length > 0 ? exitCodes.filesSkipped : exitCodes.ok;
  }
  const { report: done } = result;
  output.line(
    `Snapshot ${done.snapshot.slice(0, 12)}: ${countedText(done.files, 'file')}, ${sizeText(done.bytes)} in ${durationText(done.durationMs)}.`,
  );
  output.line(
    `New: ${sizeText(done.newBytes)}, ${sizeText(done.storedBytes)} compressed and encrypted; ${countedText(done.filesUnchanged, 'file')} unchanged.`,
  );
  output.line(protectionLine(result));
  listProblems(session, done.problems);
  listSpecials(session, done.specials);
  if (done.problems.length > 0) return exitCodes.filesSkipped;
  return reached(result) ? exitCodes.ok : exitCodes.belowRedundancy;
}

type DoneResult = Extract<BackupResult, { readonly dryRun: false }>;

function reached({ phase, wanted }: DoneResult): boolean {
  return waits.indexOf(phase) >= waits.indexOf(wanted);
}

/** Where the snapshot has got to, and if that is less than was wanted: why, and what to do. */
export function protectionLine(result: DoneResult): string {
  const { phase, protection, partners, reachable } = result;
  const shards = `${countText(protection.shardsHeld)} of ${countedText(protection.shardsWanted, 'shard')} at ${countedText(partners, 'partner')}`;
  if (reached(result)) {
    if (phase === 'complete') return `Complete: ${shards}.`;
    if (phase === 'protected') return `Protected: ${shards}; the rest follows.`;
    return 'Captured on this disk; sending goes on while `covault up` runs.';
  }
  if (partners === 0)
    return 'Captured in the spool of this computer only: there are no partners yet. Invite someone: `covault invite`.';
  if (reachable === 0)
    return `Captured in the spool: none of ${countedText(partners, 'partner')} can be reached now. Leave \`covault up\` running; it sends when they are back.`;
  return `${phase === 'protected' ? 'Protected' : 'Captured'}, but not yet ${result.wanted}: ${shards}. Leave \`covault up\` running, or invite more partners if they lack space (\`covault partners\`).`;
}

function listSpecials({ output }: Session, specials: readonly PathText[]): void {
  if (specials.length === 0) return;
  const counted = countedText(
    specials.length,
    'fifo, socket or device',
    'fifos, sockets and devices',
  );
  output.note(`${counted} will not be restored:`);
  for (const path of specials.slice(0, problemsShown)) output.note(`  ${printablePath(path)}`);
  if (specials.length > problemsShown)
    output.note(`  … and ${countText(specials.length - problemsShown)} more`);
}

function listProblems(session: Session, problems: readonly ProblemAnswer[]): void {
  if (problems.length === 0) return;
  const { output } = session;
  output.warn(`${countedText(problems.length, 'file')} not kept as they are:`);
  for (const { path, problem, detail } of problems.slice(0, problemsShown)) {
    const why = detail === '' ? '' : ` (${printableText(detail)})`;
    output.warn(`  ${printablePath(path)}: ${problem.replaceAll('-', ' ')}${why}`);
  }
  if (problems.length > problemsShown)
    output.warn(`  … and ${countText(problems.length - problemsShown)} more`);
}
