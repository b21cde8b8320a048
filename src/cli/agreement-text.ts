/** Agreements in words: the terms, who signed, and how it went since. */
import type {
  AgreementAnswer,
  AgreementDetails,
  PartyAnswer,
  ReceiptAnswer,
  TermsAnswer,
} from '../daemon/partnership-answers.ts';
import { phaseText } from './partner-text.ts';
import {
  countedText,
  countText,
  momentText,
  periodText,
  rateText,
  roundSizeText,
  sizeText,
} from './quantities.ts';
import { printableText } from './text-escape.ts';

const idShown = 12;

export function agreementLines(agreement: AgreementAnswer): readonly string[] {
  const { id, name, partner, phase, since, weLendBytes, lendsUsBytes } = agreement;
  const lent = `it lends ${roundSizeText(lendsUsBytes)}, you lend ${roundSizeText(weLendBytes)}`;
  return [
    `${id.slice(0, idShown)}  ${printableText(name) || 'no name'} (${partner.slice(0, idShown)})  ${phase}  since ${momentText(since)}  ${lent}`,
  ];
}

export function agreementText(details: AgreementDetails): string {
  return [
    `Agreement    ${details.id}`,
    `With         ${printableText(details.name)} (${details.partner})`,
    `Stands       ${phaseText({ ...details, lastSeenAt: null, phase: details.paused && details.phase === 'standing' ? 'paused' : details.phase })}`,
    `In force     since ${momentText(details.start)}, ${endText(details)}${numberText(details)}`,
    ...standingLines(details),
    '',
    'Terms',
    `  You lend ${roundSizeText(details.weLendBytes)}; it lends you ${roundSizeText(details.lendsUsBytes)}.`,
    ...termsLines(details.terms).map((line) => `  ${line}`),
    '',
    'Signatures',
    signatureLine('First party', details.first),
    signatureLine('Second party', details.second),
    `  Document     SHA-256 ${details.document.sha256} (whole with --json)`,
    ...historyLines(details),
  ].join('\n');
}

function endText({ endsAt }: AgreementAnswer): string {
  return endsAt === null
    ? 'until one of you ends it'
    : `until ${momentText(endsAt)} unless it is renewed`;
}

function numberText({ number }: AgreementAnswer): string {
  return number === 0 ? '' : `; ${countedText(number, 'change')} since the first`;
}

function standingLines({ standing }: AgreementDetails): readonly string[] {
  if (standing === null) return [];
  const lines = [`Proven       ${countedText(standing.provenDays, 'day')}`];
  if (standing.cause !== null) {
    const why = {
      silence: 'it is silent',
      wrong: 'it proved something wrong',
      losses: 'it lost everything again and again',
    };
    lines.push(
      `Failing      ${why[standing.cause]}; ${periodText(standing.failingMs)} count against its grace`,
    );
  }
  if (standing.relapses > 0)
    lines.push(`Relapses     ${countedText(standing.relapses, 'time')} wrong, and back`);
  return lines;
}

/** Each term as a sentence. */
export function termsLines(terms: TermsAnswer): readonly string[] {
  return [
    terms.trusted
      ? 'You know each other: restores are honoured from the first day unless a commitment is agreed.'
      : 'You are strangers to each other.',
    terms.commitmentMs === 0
      ? 'No commitment period.'
      : `Commitment: no restores are made or honoured in the first ${periodText(terms.commitmentMs)}.`,
    `Grace: who is silent or cannot prove for ${periodText(terms.graceMs)} has reneged.`,
    `Audits: about every ${periodText(terms.auditIntervalMs)}.`,
    `What is deleted stays in the trash for ${periodText(terms.deleteLockMs)} of the holder’s running time.`,
    `Leaving is announced ${periodText(terms.noticeMs)} before.`,
    `Reading back: up to ${terms.readQuota} times the daily need in a day; while restoring, four times what is held and 256 MiB, twice in 30 days.`,
    terms.bandwidthBytesPerSecond === 0
      ? 'No promise of bandwidth.'
      : `Bandwidth: ${rateText(terms.bandwidthBytesPerSecond)} each way on average.`,
    terms.scheduleHours === null
      ? 'No promise of hours on line.'
      : `On line together ${Math.round(terms.scheduleHours)} hours of the week.`,
    terms.code === null
      ? 'Each chooses its own code.'
      : `Code: ${terms.code.dataShards}+${terms.code.parityShards}.`,
  ];
}

function signatureLine(title: string, party: PartyAnswer): string {
  const who = party.isUs ? 'this computer' : 'the partner';
  return `  ${title.padEnd(12)} ${party.id.slice(0, idShown)} (${who}): signature ${party.signature}`;
}

function historyLines({ receipts, receiptCount, others }: AgreementDetails): readonly string[] {
  const signed =
    receiptCount === 0
      ? ['  no receipts yet']
      : [`  ${countedText(receiptCount, 'receipt')} signed by both`, ...receipts.map(receiptLine)];
  return [
    '',
    'History',
    ...signed,
    ...others.map(({ id, phase }) => `  another agreement, ${phase}: ${id.slice(0, idShown)}`),
  ];
}

function receiptLine({ sequence, until, ofUs, ofPartner }: ReceiptAnswer): string {
  return `  ${countText(sequence)}. until ${momentText(until)}: it ${conductText(ofPartner)}; you ${conductText(ofUs)}`;
}

function conductText(conduct: ReceiptAnswer['ofUs']): string {
  const { heldBytes, audits, onLineMs, watchedMs, outcome } = conduct;
  const there = watchedMs === 0 ? '' : `, there ${Math.floor((100 * onLineMs) / watchedMs)} %`;
  const ended = outcome === 'none' ? '' : `, ${outcome.replaceAll('-', ' ')}`;
  return `held ${sizeText(heldBytes)}, passed ${countText(audits.passed)} of ${countedText(audits.asked, 'audit')}${there}${ended}`;
}
