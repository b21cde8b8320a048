/** `covault partners`: who holds our data, whose data we hold, and what becomes of the partnership. */

import type { PartnerAnswer } from '../../daemon/answers.ts';
import type { AgreementAnswer } from '../../daemon/partnership-answers.ts';
import { partnerAuditsText } from '../audit-text.ts';
import { asksFirst } from '../confirmation.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { sizeValue } from '../option-values.ts';
import { partnerTable, partnerText } from '../partner-text.ts';
import type { Program, Run } from '../program.ts';
import { momentText, sizeText } from '../quantities.ts';
import type { Session } from '../session.ts';
import { shortfallLine, signedLine, type TermsAsked } from '../terms-text.ts';
import { printableText } from '../text-escape.ts';

const examples = `
Examples:
  covault partners
  covault partners show 3fa2
  covault partners pause 3fa2              nothing new goes there or comes from there
  covault partners leave 3fa2              gives notice: shards are moved first
  covault partners terms 3fa2 --lend 10GB  asks it for other terms
`;

export function addPartners(program: Program, run: Run): void {
  const partners = program
    .command('partners')
    .description('the computers that hold your data, and whose data you hold')
    .argument('[id]', 'one of them in detail, as `show` does')
    .addHelpText('after', examples)
    .action((id) =>
      run((session) => (id === undefined ? listPartners(session) : showPartner(session, id))),
    );
  const verb = (name: string, description: string) =>
    partners
      .command(name)
      .description(description)
      .argument('<id>', 'the beginning of its id, or its name');
  verb('show', 'one partner in detail').action((id) => run((session) => showPartner(session, id)));
  verb('pause', 'exchange nothing new with a partner').action((id) =>
    run((session) => setPaused(session, id, true)),
  );
  verb('resume', 'exchange with a partner again').action((id) =>
    run((session) => setPaused(session, id, false)),
  );
  for (const each of decisions)
    verb(each.decision, each.description).action((id) =>
      run((session) => decide(session, id, each)),
    );
  verb('terms', 'ask a partner for other terms; both sign again')
    .option('--lend <size>', 'what you lend to it from now on', sizeValue)
    .option('--want <size>', 'what it lends to you from now on', sizeValue)
    .action((id, options) => run((session) => changeTerms(session, id, options)));
}

interface DecisionVerb {
  readonly decision: 'leave' | 'stay' | 'forget' | 'forgive';
  readonly description: string;
  readonly said: (name: string, after: AgreementAnswer) => string;
}

const decisions: readonly DecisionVerb[] = [
  {
    decision: 'leave',
    description: 'give notice: shards are moved to others first, then the agreement ends',
    said: (name, { leavesAt }) =>
      `Notice is given to ${name}${leavesAt === null ? '' : `: the agreement ends ${momentText(leavesAt)}`}. Until then your shards are moved to other partners, and it moves its own. \`covault partners stay\` takes the notice back.`,
  },
  {
    decision: 'stay',
    description: 'take a notice back while it runs',
    said: (name) => `The notice to ${name} is taken back.`,
  },
  {
    decision: 'forget',
    description: 'end it at once: what lies there counts as lost, what it stored here is trashed',
    said: (name) =>
      `The agreement with ${name} is over. What lay there is made anew at other partners; what it stored here stays in the trash for the agreed time.`,
  },
  {
    decision: 'forgive',
    description: 'take back that it is suspended or has reneged',
    said: (name, { phase }) => `${name} is forgiven: ${phase.replaceAll('-', ' ')} again.`,
  },
];

async function listPartners(session: Session): Promise<ExitCode> {
  const answer = await session.call('partners', { probe: true });
  if (!answer.ok) return session.fail(answer.error);
  session.output.value({ partners: answer.value });
  if (answer.value.length === 0)
    session.output.line(
      'No partners yet. `covault invite` prints a code for somebody to join, `covault search` looks for others.',
    );
  for (const row of partnerTable(answer.value).slice(0, -1)) session.output.line(row);
  return exitCodes.ok;
}

async function showPartner(session: Session, id: string): Promise<ExitCode> {
  const answer = await session.call('partners', { probe: true, partner: id });
  if (!answer.ok) return session.fail(answer.error);
  const [partner] = answer.value;
  if (partner === undefined) return exitCodes.ok;
  const audits = await session.call('partner-audits', { partner: partner.id });
  if (!audits.ok) return session.fail(audits.error);
  session.output.value({ ...partner, audits: audits.value });
  session.output.line([partnerText(partner), ...partnerAuditsText(audits.value)].join('\n'));
  return exitCodes.ok;
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

async function decide(
  session: Session,
  partner: string,
  { decision, said }: DecisionVerb,
): Promise<ExitCode> {
  if (decision === 'forget' && asksFirst(session.options) && !(await mayForget(session, partner)))
    return session.declined();
  const answer = await session.call('partners-decide', { partner, decision });
  if (!answer.ok) return session.fail(answer.error);
  session.output.value(answer.value);
  session.output.line(said(nameOf(answer.value), answer.value));
  if (decision !== 'forgive' && !session.byDaemon)
    session.output.note('Keep `covault up` running: it tells the partner, and moves the shards.');
  return exitCodes.ok;
}

/** A partner that is not known is for the operation to tell. */
async function mayForget(session: Session, id: string): Promise<boolean> {
  const answer = await session.call('partners', { probe: false, partner: id });
  const [partner] = answer.ok ? answer.value : [];
  if (partner === undefined) return true;
  session.output.warn(forgettingText(partner));
  return session.confirmed(`Forget ${printableText(partner.name) || id}?`);
}

/** What it costs to end an agreement at once. */
export function forgettingText({
  name,
  holdsBytes,
  weHoldBytes,
}: Pick<PartnerAnswer, 'name' | 'holdsBytes' | 'weHoldBytes'>): string {
  return `${printableText(name) || 'It'} holds ${sizeText(holdsBytes)} of yours, and you hold ${sizeText(weHoldBytes)} for it. Forgotten, the agreement ends at once: what lies there counts as lost, and what it stored here is trashed. \`covault partners leave\` moves both first.`;
}

async function changeTerms(
  session: Session,
  partner: string,
  asked: TermsAsked,
): Promise<ExitCode> {
  const { lend, want } = asked;
  if (lend === undefined && want === undefined)
    return session.misused('Say what is to be different: --lend SIZE, --want SIZE, or both.');
  const answer = await session.call('partners-terms', {
    partner,
    lendBytes: lend,
    wantBytes: want,
  });
  if (!answer.ok) return session.fail(answer.error);
  session.output.value(answer.value);
  const name = nameOf(answer.value);
  session.output.line(signedLine(name, answer.value));
  const shortfall = shortfallLine(name, answer.value, asked);
  if (shortfall === undefined) return exitCodes.ok;
  session.output.warn(shortfall);
  return exitCodes.belowRedundancy;
}

function nameOf({ name, partner }: AgreementAnswer): string {
  return printableText(name) || partner.slice(0, 12);
}
