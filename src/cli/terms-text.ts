/** What two computers lend each other, in words: when both signed again, and when that came to less than was asked for. */
import type { PartnerAnswer } from '../daemon/answers.ts';
import type { AgreementAnswer } from '../daemon/partnership-answers.ts';
import { roundSizeText } from './quantities.ts';
import { printableText } from './text-escape.ts';

const idShown = 12;

export interface TermsAsked {
  /** Undefined: as it was. */
  readonly lend?: number | undefined;
  readonly want?: number | undefined;
}

type Lending = Pick<PartnerAnswer, 'name' | 'weLendBytes' | 'lendsUsBytes'>;

export function signedLine(
  name: string,
  { weLendBytes, lendsUsBytes }: Omit<Lending, 'name'>,
): string {
  return `Both signed: ${name} lends you ${roundSizeText(lendsUsBytes)}, you lend it ${roundSizeText(weLendBytes)}.`;
}

/** What was asked for and not signed, and why that may be; undefined when it is all there. */
export function shortfallLine(
  name: string,
  {
    weLendBytes,
    lendsUsBytes,
    trusted,
  }: Pick<AgreementAnswer, 'weLendBytes' | 'lendsUsBytes' | 'trusted'>,
  { lend, want }: TermsAsked,
): string | undefined {
  const short: string[] = [];
  if (want !== undefined && lendsUsBytes < want)
    short.push(`it was to lend you ${roundSizeText(want)}`);
  if (lend !== undefined && weLendBytes < lend)
    short.push(`you were to lend it ${roundSizeText(lend)}`);
  if (short.length === 0) return undefined;
  const why = trusted
    ? `By itself a computer lends a partner a share of what it lends, and no more than it has left; the person at ${name} can lend you more: \`covault partners terms\`.`
    : 'What strangers lend each other is the same both ways, and grows with the time in which both keep it.';
  return `That is less than was asked for: ${short.join(', and ')}. ${why}`;
}

/** A running daemon says so: whoever asked was not at this computer. */
export function changedTermsLine(now: Lending & { readonly id: string }, before: Lending): string {
  const lends = `it lends you ${roundSizeText(now.lendsUsBytes)}, you lend it ${roundSizeText(now.weLendBytes)}`;
  const lent = `${roundSizeText(before.lendsUsBytes)} and ${roundSizeText(before.weLendBytes)}`;
  return `Other terms were signed with ${printableText(now.name)} (${now.id.slice(0, idShown)}): ${lends} (before: ${lent}).`;
}
