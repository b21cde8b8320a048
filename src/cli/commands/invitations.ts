/** `covault invite` and `covault join`: two computers become partners. */
import type { InviteAnswer, InviteData } from '../../daemon/operations/invitations.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { daysValue, isLoopback, sizeValue } from '../option-values.ts';
import type { Program, Run } from '../program.ts';
import { momentText, roundSizeText } from '../quantities.ts';
import type { Session } from '../session.ts';
import { printableText } from '../text-escape.ts';

const defaultDays = '1';

export function addInvite(program: Program, run: Run): void {
  program
    .command('invite')
    .description('print a code with which one other computer becomes your partner')
    .option(
      '--lend <size>',
      'what you lend to whoever joins (default: one partner’s share of all that you lend)',
      sizeValue,
    )
    .option(
      '--want <size>',
      'what they lend you, at least (default: as much as you lend)',
      sizeValue,
    )
    .option('--days <number>', `how long the code is valid (default: ${defaultDays})`, daysValue)
    .option('--wait', 'with a daemon running: wait until somebody has joined')
    .addHelpText(
      'after',
      '\nThe code serves once. Without `covault up` this command answers for it, so leave it running until your friend has typed it.\n\nExample:\n  covault invite --lend 20GB --days 7\n  covault invite --lend 20GB --want 0\n',
    )
    .action((options) => run((session) => invite(session, options)));
}

interface InviteOptions {
  readonly lend?: number | undefined;
  readonly want?: number | undefined;
  readonly days?: number | undefined;
  readonly wait?: true | undefined;
}

async function invite(session: Session, options: InviteOptions): Promise<ExitCode> {
  const waits = options.wait === true || !(await session.daemonRuns());
  const answer = await session.call(
    'invite',
    {
      lendBytes: options.lend,
      wantBytes: options.want,
      validMs: options.days ?? daysValue(defaultDays),
      wait: waits,
    },
    { data: (made) => showCode(session, { made, waits }) },
  );
  if (!answer.ok) return session.fail(answer.error);
  session.output.value(answer.value);
  showJoined(session, answer.value);
  return exitCodes.ok;
}

function showCode(
  session: Session,
  { made, waits }: { readonly made: InviteData; readonly waits: boolean },
): void {
  const { output } = session;
  if (waits) output.value({ progress: made });
  output.line(made.code);
  output.note('');
  output.note(`Give this code to one person you trust. They type:  covault join CODE`);
  output.note(
    `You lend ${roundSizeText(made.lendBytes)} and want ${roundSizeText(made.wantBytes)} in return. The code is valid until ${momentText(made.expiresAt)}.`,
  );
  if (made.shareOfBytes !== null && made.lendBytes > 0)
    output.note(
      `That is one partner’s share of the ${roundSizeText(made.shareOfBytes)} that you lend in all; --lend SIZE says otherwise.`,
    );
  const problem = reachProblem(made.addresses);
  if (problem !== undefined) output.warn(problem);
  if (waits) output.note('Waiting until somebody joins (Ctrl-C stops waiting and listening) …');
}

/** Undefined when another computer has a chance to reach one of the addresses. */
export function reachProblem(addresses: readonly string[]): string | undefined {
  if (addresses.length === 0)
    return 'No address is known at which this computer can be reached: nobody will be able to join. Check `covault config get network.listen`.';
  const hosts = addresses.map((address) => address.split('/')[2] ?? '');
  if (hosts.every(isLoopback))
    return 'This computer listens on loopback only: no other computer can reach it.';
  return undefined;
}

function showJoined(session: Session, { joined }: InviteAnswer): void {
  if (joined === null) return;
  session.output.line(`${printableText(joined.name)} joined (${joined.id.slice(0, 12)}).`);
  adviseNext(session);
}

export function addJoin(program: Program, run: Run): void {
  program
    .command('join')
    .description('become the partner of whoever gave you a code')
    .argument('<code>', 'what `covault invite` printed there')
    .option('--lend <size>', 'what you lend in return (default: what the code wants)', sizeValue)
    .addHelpText('after', '\nExample:\n  covault join CODE --lend 20GB\n')
    .action((code, options) => run((session) => join(session, { code, lend: options.lend })));
}

async function join(
  session: Session,
  { code, lend }: { readonly code: string; readonly lend: number | undefined },
): Promise<ExitCode> {
  const answer = await session.call('join', { code, lendBytes: lend });
  if (!answer.ok) return session.fail(answer.error);
  const partner = answer.value;
  session.output.value(partner);
  session.output.line(
    `You and ${printableText(partner.name)} (${partner.id.slice(0, 12)}) are partners: it lends you ${roundSizeText(partner.lendsUsBytes)}, you lend it ${roundSizeText(partner.weLendBytes)}.`,
  );
  adviseNext(session);
  return exitCodes.ok;
}

function adviseNext(session: Session): void {
  session.output.note(
    'Your recovery kit can name one partner more now: `covault kit export --json FILE`.',
  );
  if (!session.byDaemon)
    session.output.note('Keep `covault up` running, so that partners reach this computer.');
}
