/** `covault audit` and `covault drill`: partners are put to the proof now. */
import type { DrillAnswer } from '../../daemon/audit-answers.ts';
import type { AuditResult } from '../../daemon/operations/audits.ts';
import { auditLines, drillLines } from '../audit-text.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { countValue } from '../option-values.ts';
import type { Program, Run } from '../program.ts';
import type { Session } from '../session.ts';

const auditHelp = `
Asks partners to prove blocks that chance chooses, and checks each by its keyed hash. \`covault up\` does this by itself, as often as was agreed.
Each partner may be asked for so many blocks a day, as was agreed (24 where audits are every six hours
and it holds little); what is asked here counts, and what is left is said. Asked for more, it asks for what
is left.

Exit codes: 14 when a partner was wrong, 13 when nobody answered, 1 when nothing can be told (unclear),
as when no blocks are left for today.

Examples:
  covault audit
  covault audit 3fa2 --blocks 16
`;

const drillHelp = `
Restores files that chance chooses from partners to nowhere, and compares their hashes. Partners cannot tell it from a restore. \`covault up\` does this by itself.
It reads 32 MiB, or a ninetieth of all that is with partners, and stops there, however many files are asked for.

Exit codes: 14 when something came back wrong, 13 when too few partners served it.
`;

export function addAudit(program: Program, run: Run): void {
  program
    .command('audit')
    .description('ask partners now to prove that they hold what you gave them')
    .argument('[partner]', 'the beginning of its id, or its name (default: all)')
    .option(
      '--blocks <number>',
      'blocks to ask of each: at most 64, and what is left for today',
      countValue,
    )
    .addHelpText('after', auditHelp)
    .action((partner, options) => run((session) => audit(session, partner, options.blocks)));
}

export function addDrill(program: Program, run: Run): void {
  program
    .command('drill')
    .description('restore a random sample of files to nowhere, and compare')
    .option('--files <number>', 'how many files (default: 4)', countValue)
    .addHelpText('after', drillHelp)
    .action((options) => run((session) => drill(session, options.files)));
}

async function audit(
  session: Session,
  partner: string | undefined,
  blocks: number | undefined,
): Promise<ExitCode> {
  const startedAtMs = performance.now();
  const bar = { phase: 'auditing', startedAtMs, doneBytes: 0, totalBytes: undefined };
  const answer = await session.call(
    'audit',
    { partner, blocks },
    {
      progress: (progress) => {
        const counts = { doneCount: progress.done, totalCount: progress.asked };
        session.output.progress({ ...bar, ...counts, counted: 'partners' }, progress);
      },
    },
  );
  if (!answer.ok) return session.fail(answer.error);
  session.output.value(answer.value);
  for (const line of auditLines(answer.value)) session.output.line(line);
  return auditExit(answer.value);
}

export function auditExit({ audits }: AuditResult): ExitCode {
  const has = (outcome: string): boolean => audits.some((each) => each.outcome === outcome);
  if (has('wrong')) return exitCodes.integrity;
  if (audits.length === 0 || has('passed')) return exitCodes.ok;
  return has('offline') || has('silent') ? exitCodes.tooFewPartners : exitCodes.failed;
}

async function drill(session: Session, files: number | undefined): Promise<ExitCode> {
  const startedAtMs = performance.now();
  const answer = await session.call(
    'drill',
    { files },
    {
      progress: (progress) => {
        const counts = { doneCount: progress.itemsDone, totalCount: progress.items };
        const doneBytes = progress.fetchedBytes;
        const bar = {
          phase: 'restoring to nowhere',
          startedAtMs,
          doneBytes,
          totalBytes: undefined,
        };
        session.output.progress({ ...bar, ...counts, counted: 'pieces' }, progress);
      },
    },
  );
  if (!answer.ok) return session.fail(answer.error);
  session.output.value(answer.value);
  for (const line of drillLines(answer.value)) session.output.line(line);
  return drillExit(answer.value);
}

export function drillExit({ proven, problems, partners }: DrillAnswer): ExitCode {
  const isWrong =
    partners.some(({ wrongBlocks }) => wrongBlocks > 0) ||
    problems.some(({ code }) => code === 'restore.integrity');
  if (isWrong) return exitCodes.integrity;
  return proven ? exitCodes.ok : exitCodes.tooFewPartners;
}
