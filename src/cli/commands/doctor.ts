/** `covault doctor`: what is well, what is not, and what to do. */
import type { Check } from '../../daemon/doctor-checks.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { messages } from '../messages.ts';
import type { Program, Run } from '../program.ts';
import type { Session } from '../session.ts';
import { printableText } from '../text-escape.ts';

export function addDoctor(program: Program, run: Run): void {
  program
    .command('doctor')
    .description('check the home, the disk, the network and the partners')
    .addHelpText(
      'after',
      '\nExample:\n  covault doctor\n\nIt changes nothing. A FAIL ends it with 1.\n',
    )
    .action(() => run(examine));
}

async function examine(session: Session): Promise<ExitCode> {
  const answer = await session.call('doctor', {});
  if (answer.ok) return show(session, answer.value.checks);
  // A home that cannot be opened is what a doctor is for: say what can be seen from outside.
  const { homeChecks } = await import('../../daemon/doctor-checks.ts');
  const { happened, advice, exit } = messages[answer.error.code];
  const { detail } = answer.error;
  const opening: Check = {
    name: 'opening',
    level: 'fail',
    finding: detail === '' ? happened : `${happened} (${detail})`,
    advice,
  };
  show(session, [...homeChecks(session.options.home), opening]);
  return exit;
}

const marks = { ok: 'ok  ', warn: 'WARN', fail: 'FAIL' } as const;

function show(session: Session, checks: readonly Check[]): ExitCode {
  session.output.value({ checks });
  for (const { name, level, finding, advice } of checks) {
    session.output.line(`${marks[level]}  ${printableText(name)}: ${printableText(finding)}`);
    if (advice !== '') session.output.line(`      ${advice}`);
  }
  return checks.some(({ level }) => level === 'fail') ? exitCodes.failed : exitCodes.ok;
}
