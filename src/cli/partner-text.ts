/** Partners in words: how each is, how it is reached, and what runs out when. */
import { assertNever } from '../base/assert.ts';
import type { FailingAnswer, FormerPartner, PartnerAnswer } from '../daemon/answers.ts';
import { countedText, countText, momentText, rateText, sizeText } from './quantities.ts';
import { printableText } from './text-escape.ts';

const idShown = 12;
const stateWidth = 18;
/** More of them are counted, not named. */
const commitmentsNamed = 3;

type Route = NonNullable<PartnerAnswer['route']>;

export function partnerTable(partners: readonly PartnerAnswer[]): readonly string[] {
  if (partners.length === 0) return [];
  const width = Math.max(4, ...partners.map(({ name }) => printableText(name).length));
  const rows = partners.map(
    (partner) =>
      `${partner.id.slice(0, idShown)}  ${printableText(partner.name).padEnd(width)}  ${presenceText(partner).padEnd(stateWidth)}  ${shareText(partner.holdsBytes, partner.lendsUsBytes)}  ${shareText(partner.weHoldBytes, partner.weLendBytes)}`,
  );
  const head = `${'Partner'.padEnd(idShown)}  ${'Name'.padEnd(width)}  ${'State'.padEnd(stateWidth)}  ${'Holds for us'.padEnd(20)}  We hold`;
  return [head, ...rows.map((row) => row.trimEnd()), ''];
}

function shareText(used: number, promised: number): string {
  return `${sizeText(used)} of ${sizeText(promised)}`.padEnd(20);
}

/** A word or two for how a partner is. */
export function presenceText(partner: PartnerAnswer): string {
  if (partner.phase !== 'standing' && partner.phase !== 'in-commitment') return partner.phase;
  if (partner.reachable === null) return 'not asked';
  if (!partner.reachable) return 'away';
  return partner.route === null ? 'reachable' : `reachable, ${partner.route}`;
}

export function routeText(route: Route): string {
  switch (route) {
    case 'lan':
      return 'over the local network';
    case 'direct':
      return 'directly, at its address';
    case 'punched':
      return 'through the NAT, by hole punching';
    case 'relayed':
      return 'with the help of a partner that relays';
    default:
      return assertNever(route);
  }
}

type Standing = Pick<
  PartnerAnswer,
  'phase' | 'commitmentEndsAt' | 'graceEndsAt' | 'leavesAt' | 'lastSeenAt' | 'failing'
>;

/** Where the partnership stands, with the day on which that changes. */
export function phaseText(partner: Standing): string {
  const { phase, commitmentEndsAt, graceEndsAt, leavesAt } = partner;
  const grace =
    graceEndsAt === null
      ? ''
      : `${graceText(partner)}, grace ends ${momentText(graceEndsAt)} at the earliest`;
  switch (phase) {
    case 'in-commitment':
      return joined(`in commitment${untilText(commitmentEndsAt)}`, [grace]);
    case 'suspended':
      return joined('suspended', [
        grace === '' && partner.failing !== null ? graceText(partner) : grace,
      ]);
    case 'leaving':
      return leavesAt === null ? 'leaving' : `leaving, until ${momentText(leavesAt)}`;
    case 'reneged':
      return 'reneged: it gets nothing new, and what it stored here is kept for a while';
    case 'ended':
      return 'ended';
    case 'proposed':
      return 'proposed: it has not signed yet';
    case 'paused':
      return joined('paused', ['it gets nothing new until it is resumed', grace]);
    case 'standing':
      return joined('standing', [grace]);
    default:
      return assertNever(phase);
  }
}

/** Why its grace period runs. */
function graceText({ failing, lastSeenAt }: Standing): string {
  if (failing?.answers === true) return failingText(failing);
  return lastSeenAt === null ? 'never seen since' : `silent since ${momentText(lastSeenAt)}`;
}

/** What a suspended partner did, without naming it. */
export function failingText({ cause, since, answers }: FailingAnswer): string {
  const moment = momentText(since);
  switch (cause) {
    case 'silence':
      return answers
        ? `answers, but has not proved or given back what it holds since ${moment}`
        : `silent since ${moment}`;
    case 'wrong':
      return `found with wrong or missing shards ${moment}, and has to prove itself again`;
    case 'losses':
      return `lost everything again ${moment}, and is sent nothing more`;
    default:
      return assertNever(cause);
  }
}

function untilText(commitmentEndsAt: string | null): string {
  return commitmentEndsAt === null
    ? ''
    : ` until ${momentText(commitmentEndsAt)} (no restores before)`;
}

function joined(word: string, clauses: readonly string[]): string {
  const said = clauses.filter((clause) => clause !== '');
  return said.length === 0 ? word : `${word}: ${said.join('; ')}`;
}

/** One line for each partner of which a person should know more than the table says. */
export function partnerNotes(
  partners: readonly PartnerAnswer[],
  reneged: readonly FormerPartner[],
): readonly string[] {
  const committed = partners.filter(({ phase }) => phase === 'in-commitment');
  const others = partners.filter(({ phase }) => phase !== 'in-commitment' && phase !== 'standing');
  const present = [...others, ...(committed.length > commitmentsNamed ? [] : committed)].map(
    (partner) => `${printableText(partner.name)} is ${phaseText(partner)}.`,
  );
  const former = reneged.map(({ id, name }) => {
    const shown = id.slice(0, idShown);
    return `${printableText(name) || shown} reneged: \`covault partners forgive ${shown}\` takes that back, \`covault partners forget ${shown}\` ends it.`;
  });
  return [...present, ...manyCommitments(committed), ...former];
}

/** One line for all of them when they are many. */
function manyCommitments(committed: readonly PartnerAnswer[]): readonly string[] {
  if (committed.length <= commitmentsNamed) return [];
  const ends = committed.flatMap(({ commitmentEndsAt }) => commitmentEndsAt ?? []).sort();
  const [last] = ends.slice(-1);
  const until = last === undefined ? '' : `, the last of them until ${momentText(last)}`;
  return [
    `${countText(committed.length)} partners are in commitment${until} (no restores before).`,
  ];
}

/** Everything about one partner. */
export function partnerText(partner: PartnerAnswer): string {
  const seen = partner.lastSeenAt === null ? 'never' : momentText(partner.lastSeenAt);
  return [
    `Name          ${printableText(partner.name)}`,
    `Id            ${partner.id}`,
    `Agreement     ${partner.agreement}`,
    `State         ${presenceText(partner)}`,
    `Stands        ${phaseText(partner)}`,
    `Since         ${momentText(partner.since)}`,
    `Last seen     ${seen}`,
    `Connected     ${partner.route === null ? 'not at present' : routeText(partner.route)}`,
    `There         ${availabilityText(partner)}`,
    `Transfers     ${transferText(partner)}`,
    `Proven        ${countedText(partner.provenDays, 'day')}`,
    `Addresses     ${partner.addresses.map(printableText).join(', ') || 'none known'}`,
    `Place         ${printableText(partner.place ?? 'not known')}`,
    `System        ${printableText(partner.system ?? 'not known')}`,
    `Holds for us  ${sizeText(partner.holdsBytes)} of ${sizeText(partner.lendsUsBytes)}`,
    `We hold       ${sizeText(partner.weHoldBytes)} of ${sizeText(partner.weLendBytes)}`,
    `It lacks      ${lacksText(partner)}`,
  ].join('\n');
}

function lacksText({ lacks: { lost, wrong } }: PartnerAnswer): string {
  if (lost + wrong === 0) return 'no shard of ours, as far as is known';
  return `${countedText(lost + wrong, 'shard')} of ours (${countText(lost)} lost, ${countText(wrong)} wrong)`;
}

function availabilityText({ availability }: PartnerAnswer): string {
  return availability === null
    ? 'not measured yet'
    : `${Math.floor(availability * 100)} % of the time`;
}

function transferText({ bandwidthTo, bandwidthFrom }: PartnerAnswer): string {
  if (bandwidthTo === null && bandwidthFrom === null) return 'not measured yet';
  const shown = (rate: number | null): string => (rate === null ? 'not measured' : rateText(rate));
  return `${shown(bandwidthTo)} to it, ${shown(bandwidthFrom)} from it, on average`;
}
