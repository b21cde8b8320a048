/** `covault partners`: who holds our data, and whose data we hold. */
import type { PartnerAnswer } from '../../daemon/answers.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { Program, Run } from '../program.ts';
import { countedText, momentText, sizeText } from '../quantities.ts';
import type { Session } from '../session.ts';
import { partnerTable, presenceText } from '../status-text.ts';
import { printableText } from '../text-escape.ts';

export function addPartners(program: Program, run: Run): void {
  const partners = program
    .command('partners')
    .description('the computers that hold your data, and whose data you hold')
    .addHelpText(
      'after',
      '\nExamples:\n  covault partners\n  covault partners show 3fa2\n  covault partners pause 3fa2    send nothing more to it until resumed\n',
    )
    .action(() => run(listPartners));
  partners
    .command('show')
    .description('one partner in detail')
    .argument('<id>', 'the beginning of its id, or its name')
    .action((id) => run((session) => showPartner(session, id)));
  for (const verb of ['pause', 'resume'] as const)
    partners
      .command(verb)
      .description(verb === 'pause' ? 'send nothing more to a partner' : 'send to a partner again')
      .argument('<id>', 'the beginning of its id, or its name')
      .action((id) => run((session) => setPaused(session, id, verb === 'pause')));
}

async function listPartners(session: Session): Promise<ExitCode> {
  const answer = await session.call('partners', { probe: true });
  if (!answer.ok) return session.fail(answer.error);
  session.output.value({ partners: answer.value });
  if (answer.value.length === 0)
    session.output.line('No partners yet. `covault invite` prints a code for somebody to join.');
  for (const row of partnerTable(answer.value).slice(0, -1)) session.output.line(row);
  return exitCodes.ok;
}

async function showPartner(session: Session, id: string): Promise<ExitCode> {
  const answer = await session.call('partners', { probe: true, partner: id });
  if (!answer.ok) return session.fail(answer.error);
  const [partner] = answer.value;
  session.output.value(partner);
  if (partner !== undefined) session.output.line(partnerText(partner));
  return exitCodes.ok;
}

function partnerText(partner: PartnerAnswer): string {
  const seen = partner.lastSeenAt === null ? 'never' : momentText(partner.lastSeenAt);
  return [
    `Name          ${printableText(partner.name)}`,
    `Id            ${partner.id}`,
    `Agreement     ${partner.agreement}`,
    `State         ${presenceText(partner)}`,
    `Since         ${momentText(partner.since)}`,
    `Last seen     ${seen}`,
    `Addresses     ${partner.addresses.map(printableText).join(', ') || 'none known'}`,
    `Holds for us  ${sizeText(partner.holdsBytes)} of ${sizeText(partner.lendsUsBytes)}`,
    `We hold       ${sizeText(partner.weHoldBytes)} of ${sizeText(partner.weLendBytes)}`,
    `Wrong blocks  ${partner.wrongBlocks === 0 ? 'none' : countedText(partner.wrongBlocks, 'block')}`,
  ].join('\n');
}

async function setPaused(session: Session, partner: string, paused: boolean): Promise<ExitCode> {
  const answer = await session.call('partners-pause', { partner, paused });
  if (!answer.ok) return session.fail(answer.error);
  session.output.value(answer.value);
  const name = printableText(answer.value.name);
  session.output.line(
    paused
      ? `${name} is paused: it keeps what it holds, and gets nothing new.`
      : `${name} is resumed.`,
  );
  return exitCodes.ok;
}
