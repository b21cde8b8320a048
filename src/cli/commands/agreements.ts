/** `covault agreements`: what was signed with whom. */
import { agreementLines, agreementText } from '../agreement-text.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { Program, Run } from '../program.ts';
import type { Session } from '../session.ts';

export function addAgreements(program: Program, run: Run): void {
  const agreements = program
    .command('agreements')
    .description('what you and your partners signed, former ones included')
    .addHelpText(
      'after',
      '\nExamples:\n  covault agreements\n  covault agreements show 3fa2          terms in plain words, signatures, history\n  covault --json agreements show 3fa2   the document itself too\n',
    )
    .action(() => run(list));
  agreements
    .command('show')
    .description('the terms, who signed, and how it went since')
    .argument('<id>', 'the beginning of its id or of its partner’s, or the partner’s name')
    .action((id) => run((session) => show(session, id)));
}

async function list(session: Session): Promise<ExitCode> {
  const answer = await session.call('agreements', {});
  if (!answer.ok) return session.fail(answer.error);
  session.output.value({ agreements: answer.value });
  if (answer.value.length === 0) session.output.line('No agreements yet.');
  for (const agreement of answer.value)
    for (const line of agreementLines(agreement)) session.output.line(line);
  return exitCodes.ok;
}

async function show(session: Session, agreement: string): Promise<ExitCode> {
  const answer = await session.call('agreement-show', { agreement });
  if (!answer.ok) return session.fail(answer.error);
  session.output.value(answer.value);
  session.output.line(agreementText(answer.value));
  return exitCodes.ok;
}
