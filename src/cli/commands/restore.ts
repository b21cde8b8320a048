/** `covault restore`: files come back. */
import { Option } from '@commander-js/extra-typings';
import type { ProgressOf } from '../../daemon/operations/registry.ts';
import type { RestoreResult } from '../../daemon/operations/restore.ts';
import type { PathText } from '../../daemon/path-text.ts';
import { asksFirst } from '../confirmation.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { gathered } from '../option-values.ts';
import type { Program, Run } from '../program.ts';
import type { ProgressState } from '../progress-bar.ts';
import { countedText, countText, sizeText } from '../quantities.ts';
import { argumentBytes, ownCommandLine } from '../raw-arguments.ts';
import type { Session } from '../session.ts';
import { absolutePath, parseSnapshotPath } from '../snapshot-path.ts';
import { printablePath, printableText } from '../text-escape.ts';

type RestoreProgress = ProgressOf<'restore'>;

const modes = ['always', 'if-changed', 'if-newer', 'never'] as const;
const problemsShown = 20;

export function addRestore(program: Program, run: Run): void {
  program
    .command('restore')
    .description('bring a snapshot, or a part of it, back into a folder')
    .argument('<snap[:path]>', 'the beginning of an id, latest, or latest~2; then :PATH')
    .requiredOption('--target <dir>', 'where the files go; made when it is not there')
    .option('--include <pattern>', 'only what matches; may be repeated', gathered)
    .option('--exclude <pattern>', 'not what matches; may be repeated', gathered)
    .addOption(
      new Option('--overwrite <when>', 'what happens to files that stand in the target')
        .choices(modes)
        .default('if-changed' as const),
    )
    .option('--delete', 'remove what stands in the target and is not in the snapshot')
    .option('--dry-run', 'only say what would be done')
    .option('--verify', 'read every restored file again and compare it')
    .addHelpText(
      'after',
      '\nExamples:\n  covault restore latest --target /tmp/back\n  covault restore latest:/data/ada/Documents --target ~/Documents --overwrite if-newer\n\nA restore that was stopped carries on when it is run again.\n',
    )
    .action((argument, options) => run((session) => restore(session, argument, options)));
}

interface RestoreOptions {
  readonly target: string;
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
  readonly overwrite: (typeof modes)[number];
  readonly delete?: true | undefined;
  readonly dryRun?: true | undefined;
  readonly verify?: true | undefined;
}

async function restore(
  session: Session,
  argument: string,
  options: RestoreOptions,
): Promise<ExitCode> {
  const commandLine = ownCommandLine();
  const startedAtMs = performance.now();
  const input = {
    ...parseSnapshotPath(argumentBytes(argument, commandLine)),
    target: absolutePath(argumentBytes(options.target, commandLine), process.cwd()),
    include: options.include ?? [],
    exclude: options.exclude ?? [],
    overwrite: options.overwrite,
    deleteExtra: options.delete ?? false,
    dryRun: options.dryRun ?? false,
    verify: options.verify ?? false,
  };
  const progress = (progress: RestoreProgress): void =>
    session.output.progress(restoreBar(progress, startedAtMs), progress);
  if (input.deleteExtra && !input.dryRun && asksFirst(session.options)) {
    const planned = await session.call('restore', { ...input, dryRun: true }, { progress });
    if (!planned.ok) return session.fail(planned.error);
    const { removed } = planned.value;
    if (removed > 0 && !(await mayRemove(session, removed, input.target)))
      return session.declined();
  }
  const answer = await session.call('restore', input, { progress });
  if (!answer.ok) return session.fail(answer.error);
  session.output.value(answer.value);
  return report(session, answer.value, options);
}

function mayRemove(session: Session, removed: number, target: PathText): Promise<boolean> {
  session.output.warn(
    `${countedText(removed, 'entry', 'entries')} in ${printablePath(target)} that the snapshot does not have will be removed, folders with all that is in them.`,
  );
  return session.confirmed('Remove them?');
}

const phaseWords: Readonly<Record<RestoreProgress['phase'], string>> = {
  planning: 'planning',
  fetching: 'fetching from partners',
  finishing: 'finishing files',
  verifying: 'verifying',
};

export function restoreBar(progress: RestoreProgress, startedAtMs: number): ProgressState {
  const planning = progress.phase === 'planning';
  return {
    phase: phaseWords[progress.phase],
    startedAtMs,
    doneBytes: progress.bytesDone,
    totalBytes: planning ? undefined : progress.bytes,
    doneCount: progress.filesDone,
    totalCount: planning ? undefined : progress.files,
    counted: 'files',
  };
}

function report(session: Session, result: RestoreResult, options: RestoreOptions): ExitCode {
  const { output } = session;
  for (const line of restoreLines(result, options)) output.line(line);
  for (const { partner, count } of result.wrongBlocks)
    output.warn(
      `${countedText(count, 'block')} from partner ${partner.slice(0, 12)} were wrong; others made up for it.`,
    );
  for (const { path, problem, detail } of result.problems.slice(0, problemsShown))
    output.warn(
      `  ${printablePath(path)}: ${problem.replaceAll('-', ' ')} (${printableText(detail)})`,
    );
  if (result.problems.length > problemsShown)
    output.warn(`  … and ${countText(result.problems.length - problemsShown)} more`);
  return exitOf(result);
}

/** What came back, or of a dry run what would. */
export function restoreLines(
  result: RestoreResult,
  options: Pick<RestoreOptions, 'dryRun' | 'delete' | 'verify'>,
): readonly string[] {
  const { files, links, filesSkipped, removed, decodedCodewords } = result;
  const dry = options.dryRun === true;
  const [one, many] = links > 0 ? ['file or link', 'files and links'] : ['file', 'files'];
  const kept =
    filesSkipped === 0
      ? ''
      : `; ${countedText(filesSkipped, one, many)} ${dry ? 'would stay' : 'left'} as they stood`;
  const lines = [
    `${dry ? 'Would restore' : 'Restored'} ${countedText(files, one, many)} (${sizeText(result.bytes)}) and ${countedText(result.directories, 'folder')}${kept}.`,
  ];
  if (!dry)
    lines.push(
      `Fetched ${sizeText(result.fetchedBytes)}; ${decodedCodewords === 0 ? 'nothing had to be decoded' : `${countedText(decodedCodewords, 'codeword')} decoded from parity`}.`,
    );
  if (options.delete === true)
    lines.push(`${dry ? 'Would remove' : 'Removed'} ${countedText(removed, 'entry', 'entries')}.`);
  if (options.verify === true && !dry)
    lines.push(`Verified ${countedText(result.verifiedFiles, 'file')}.`);
  return lines;
}

/** The worst of what happened decides. */
function exitOf({ problems }: RestoreResult): ExitCode {
  const met = new Set(problems.map(({ problem }) => problem));
  if (met.has('integrity')) return exitCodes.integrity;
  if (met.has('no-space')) return exitCodes.noSpace;
  return met.size > 0 ? exitCodes.filesSkipped : exitCodes.ok;
}
