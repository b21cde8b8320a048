/** Audits and drills in words: what was asked, what came of it, and why. */
import { assertNever } from '../base/assert.ts';
import type { StatusAnswer } from '../daemon/answers.ts';
import type {
  AuditAnswer,
  AuditViewAnswer,
  DrillAnswer,
  DrillPartnerAnswer,
  FindingAnswer,
  PartnerAuditsAnswer,
} from '../daemon/audit-answers.ts';
import type { AuditResult, DrillResult } from '../daemon/operations/audits.ts';
import { countedText, countText, momentText, periodText, sizeText } from './quantities.ts';
import { printablePath, printableText } from './text-escape.ts';

const idShown = 12;
/** More of them are counted, not named. */
const findingsNamed = 8;
const problemsNamed = 8;

export function auditLines({ audits, holdNothing }: AuditResult): readonly string[] {
  if (audits.length + holdNothing.length === 0) return ['No partners yet: nobody can be audited.'];
  const idle = holdNothing.map(
    ({ id, name }) => `${nameText(id, name)}: holds nothing of yours yet.`,
  );
  return [...audits.flatMap(auditText), ...idle];
}

/** What came of one audit. */
export function auditText(audit: AuditAnswer): readonly string[] {
  const { findings, pendingSince } = audit;
  const waits =
    pendingSince === null || audit.outcome === 'passed'
      ? []
      : [
          `   Asked since ${momentText(pendingSince)}; the same is asked again until it is answered.`,
        ];
  return [
    `${nameText(audit.partner, audit.name)}: ${outcomeText(audit)}`,
    ...findingLines(findings),
    ...waits,
  ];
}

function outcomeText({ outcome, reason, provenBlocks, blocksLeft, findings }: AuditAnswer): string {
  switch (outcome) {
    case 'passed':
      return `passed: it proved ${countedText(provenBlocks, 'block')}, chosen by chance${leftText(blocksLeft)}.`;
    case 'wrong':
      return findings.length === 0
        ? `WRONG: ${wrongText(reason)}.`
        : `WRONG: ${countedText(findings.length, 'block')} that it should have ${findings.length === 1 ? 'is' : 'are'} not as you sent ${findings.length === 1 ? 'it' : 'them'}. What is missing is made anew.`;
    case 'offline':
      return 'offline: it cannot be reached. Nothing is held against it unless that lasts.';
    case 'silent':
      return `silent: ${silentText(reason)}.`;
    case 'unclear':
      return `unclear: ${unclearText(reason)}${reason === 'request.quota' ? leftText(blocksLeft) : ''}.`;
    default:
      return assertNever(outcome);
  }
}

function leftText(blocks: number | null): string {
  return blocks === null ? '' : ` (${countedText(blocks, 'block')} left for today)`;
}

function silentText(reason: string): string {
  return reason === 'audit.other-life'
    ? 'it says that it lost everything and lives anew, and goes on listing what it signed for before'
    : `it is there and gave no valid answer (${printableText(reason)})`;
}

function wrongText(reason: string): string {
  return reason === 'ledger.fork'
    ? 'its ledger is not the one that it signed before'
    : `it denies what it signed (${printableText(reason)})`;
}

function unclearText(reason: string): string {
  switch (reason) {
    case 'request.quota':
      return 'as much was asked of it today as was agreed, so it was not asked; ask again tomorrow';
    case 'audit.known-loss':
      return 'what is missing was known to be lost, and is made anew';
    case 'lost-epoch':
      return 'it began anew, and had told of its loss';
    default:
      return `nothing can be told from it (${printableText(reason)})`;
  }
}

function findingLines(findings: readonly FindingAnswer[]): readonly string[] {
  const named = findings
    .slice(0, findingsNamed)
    .map(
      ({ shard, block, fault }) =>
        `   block ${countText(block)} of shard ${shard.slice(0, idShown)}: ${faultText(fault)}`,
    );
  const more = findings.length - named.length;
  return more === 0 ? named : [...named, `   and ${countedText(more, 'block')} more`];
}

function faultText(fault: FindingAnswer['fault']): string {
  switch (fault) {
    case 'missing':
      return 'it has been lost, as its holder says itself';
    case 'other-bytes':
      return 'other bytes than its holder had signed for';
    case 'bad-tag':
      return 'its keyed hash does not match';
    case 'denied-ledger':
      return 'its holder denies what it signed';
    case 'lost-epoch':
      return 'its holder lost everything since it was asked';
    default:
      return assertNever(fault);
  }
}

/** For `covault partners show`: what we asked of it, and what it asked of us. */
export function partnerAuditsText({ ofPartner, ofUs }: PartnerAuditsAnswer): readonly string[] {
  const { passed, wrong, pending, intervalMs, lastAt, lastPassedAt, shards, visited } = ofPartner;
  const last = lastAt === null ? 'none yet' : `last ${momentText(lastAt)}`;
  const proven = lastPassedAt === null ? '' : `, last passed ${momentText(lastPassedAt)}`;
  const waiting = pending === 0 ? '' : `, ${countText(pending)} not answered yet`;
  const covered =
    shards === 0
      ? 'no shards yet'
      : `${countText(visited)} of ${countedText(shards, 'shard')} in this round`;
  return [
    `Audits        every ${periodText(intervalMs)}; ${last}${proven}`,
    `              ${countText(passed)} passed, ${countText(wrong)} wrong${waiting}`,
    `Visited       ${covered}`,
    ...ofPartner.latest.flatMap(latestText),
    `It audits us  ${countText(ofUs.passed)} passed, ${countText(ofUs.wrong)} failed`,
    ...waitingLines(ofUs),
    ...ofUs.failures
      .slice(0, findingsNamed)
      .flatMap(({ at, findings, told }) => [
        `   ${momentText(at)}  failed${told ? ', it told us' : ', as we said ourselves'}:`,
        ...findingLines(findings),
      ]),
  ];
}

/** What it asked of us and did not get. */
function waitingLines({ waiting, refusal }: PartnerAuditsAnswer['ofUs']): readonly string[] {
  const asked = waiting.map(
    ({ at, blocks }) =>
      `   ${momentText(at)}  asked for ${countedText(blocks, 'block')}, and has no answer yet; it asks for the same again`,
  );
  if (refusal === null) return asked;
  const { at, code, detail } = refusal;
  return [...asked, `   ${momentText(at)}  got no blocks: ${unansweredText(code, detail)}`];
}

function unansweredText(code: string, detail: string): string {
  switch (code) {
    case 'peer.fault':
      return `this computer could not read what was asked for (${printableText(detail)})`;
    case 'request.quota':
      return 'it asked for more than was agreed for a day';
    case 'audit.unopened':
      return 'what it asked before was still open';
    case 'audit.old-ledger':
    case 'audit.other-account':
      return 'its account of what lies here is another than ours';
    case 'audit.denied':
      return 'it asked for what this computer does not know any more, and was told so';
    default:
      return `${printableText(code)}${detail === '' ? '' : ` (${printableText(detail)})`}`;
  }
}

function latestText({
  at,
  outcome,
  blocks,
  findings,
  isDenied,
}: AuditViewAnswer): readonly string[] {
  const denied = isDenied ? ', it denies what it signed' : '';
  return [
    `   ${momentText(at)}  ${outcome}, ${countedText(blocks, 'block')}${denied}`,
    ...findingLines(findings),
  ];
}

/** For `covault drill`. */
export function drillLines(drill: DrillResult): readonly string[] {
  const { files, bytes, packs, proven, problems } = drill;
  const read = `${countedText(files, 'file')} and pieces of ${countedText(packs, 'pack')} (${sizeText(bytes)})`;
  const verdict = proven
    ? `Proven: ${read} came back from partners, right to the last byte. Nothing was written.`
    : `Not everything came back: ${read} did, ${countedText(problems.length, 'thing')} did not.`;
  const named = problems.slice(0, problemsNamed).map(({ path, code, detail }) => {
    const what = path === null ? 'a piece of a pack' : printablePath(path);
    return `!  ${what}: ${printableText(code)}${detail === '' ? '' : ` (${printableText(detail)})`}`;
  });
  const stopped =
    drill.leftOut === 0
      ? []
      : [
          `It stopped there: ${countText(drill.leftOut)} of ${countedText(drill.drawn, 'thing')} drawn were not asked for. A drill reads 32 MiB, or a ninetieth of all where that is more.`,
        ];
  return [verdict, ...stopped, ...named, ...drill.partners.map(drillPartnerText)];
}

function drillPartnerText({
  partner,
  name,
  blocks,
  wrongBlocks,
  code,
}: DrillPartnerAnswer): string {
  const wrong = wrongBlocks === 0 ? '' : `, ${countedText(wrongBlocks, 'block')} wrong`;
  const why = code === 'peer.unreachable' ? 'it could not be reached' : printableText(code);
  const refused = code === '' ? '' : `, gave nothing at least once (${why})`;
  return `   ${nameText(partner, name)}: ${countedText(blocks, 'block')} right${wrong}${refused}`;
}

/** For status: when restoring was last proven, and what the last drill could not restore. */
export function provenLines({
  latest,
  lastProven,
  lastDrill,
}: Pick<StatusAnswer, 'latest' | 'lastProven' | 'lastDrill'>): readonly string[] {
  if (latest === null) return [];
  const proven =
    lastProven === null
      ? 'not yet (`covault drill` tries it now)'
      : `restorable ${momentText(lastProven)}${drillExtent(lastProven, lastDrill)}`;
  if (lastDrill === null || lastDrill.proven) return [`Last proven      ${proven}`];
  const { at, problems } = lastDrill;
  return [
    `Last proven      ${proven}`,
    `                 the drill of ${momentText(at)} could not restore ${countedText(problems.length, 'thing')}${blamed(lastDrill)}`,
  ];
}

function drillExtent(lastProven: string, drill: DrillAnswer | null): string {
  if (drill === null || drill.at !== lastProven) return '';
  return `: a drill brought ${countedText(drill.files, 'file')} back from partners`;
}

function blamed({ partners }: DrillAnswer): string {
  const names = partners
    .filter(({ wrongBlocks, code }) => wrongBlocks > 0 || code !== '')
    .map(({ partner, name }) => nameText(partner, name));
  return names.length === 0 ? '' : `: ${names.join(', ')} did not give what was asked`;
}

function nameText(id: string, name: string): string {
  return printableText(name) || id.slice(0, idShown);
}
