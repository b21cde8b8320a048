/** `covault search`: who could become a partner, ranked, with all reasons. */
import type { SearchProgress } from '../../engine/partners/partnerships.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { Program, Run } from '../program.ts';
import type { ProgressState } from '../progress-bar.ts';
import { searchText } from '../search-text.ts';
import type { Session } from '../session.ts';

export function addSearch(program: Program, run: Run): void {
  program
    .command('search')
    .description('look for partners, ranked with reasons, and sign with the best until enough')
    .option('--dry-run', 'look, ask and rank only; sign nothing')
    .addHelpText(
      'after',
      '\nExamples:\n  covault config set network.bootstrap /ip4/192.0.2.7/tcp/4747\n  covault search --dry-run\n\n`covault up` searches by itself while partners are missing (partners.seek).\nExit code 4: there are still fewer partners than wanted.\n',
    )
    .action((options) => run((session) => search(session, options.dryRun ?? false)));
}

async function search(session: Session, dryRun: boolean): Promise<ExitCode> {
  const startedAtMs = performance.now();
  const answer = await session.call(
    'search',
    { dryRun },
    { progress: (progress) => session.output.progress(barOf(progress, startedAtMs), progress) },
  );
  if (!answer.ok) return session.fail(answer.error);
  session.output.value(answer.value);
  session.output.line(searchText(answer.value));
  if (answer.value.signed.length > 0 && !session.byDaemon)
    session.output.note('Keep `covault up` running, so that partners reach this computer.');
  return dryRun || answer.value.enough ? exitCodes.ok : exitCodes.belowRedundancy;
}

const phases = {
  looking: 'looking for candidates',
  asking: 'asking who they are',
  negotiating: 'negotiating',
} as const;

function barOf({ phase, done }: SearchProgress, startedAtMs: number): ProgressState {
  return {
    phase: phases[phase],
    startedAtMs,
    doneBytes: 0,
    totalBytes: undefined,
    doneCount: done,
    totalCount: undefined,
    counted: 'candidates',
  };
}
