/** The search for partners in words: whether there are enough, who was found, and why each has its place or was refused. */
import { assertNever } from '../base/assert.ts';
import type { SearchOutlook } from '../daemon/answers.ts';
import type { StartedSearch } from '../daemon/daemon-run.ts';
import type { CandidateAnswer, SearchAnswer } from '../daemon/partnership-answers.ts';
import { countedText, countText, roundSizeText } from './quantities.ts';
import { printableText } from './text-escape.ts';

const idShown = 12;
const addWay = '`covault config set network.bootstrap ADDRESS`';

export function searchText(answer: SearchAnswer): string {
  const accepted = answer.candidates.filter(({ rank }) => rank !== null);
  const refused = answer.candidates.filter(({ rank }) => rank === null);
  return [
    sufficiencyLine(answer),
    ...answer.signed.map((partner) => `+  ${joinedLine(partner)}`),
    ...section('Candidates, best first', accepted),
    ...section('Refused', refused),
    ...nobodyLines(answer),
  ].join('\n');
}

export function joinedLine({
  id,
  name,
  weLendBytes,
  lendsUsBytes,
}: SearchAnswer['signed'][number]): string {
  return `${printableText(name)} (${id.slice(0, idShown)}) is a partner now: it lends you ${roundSizeText(lendsUsBytes)}, you lend it ${roundSizeText(weLendBytes)}.`;
}

/** What `up` says of the search that it begins, or of how to find the first partner; undefined when nobody is missing, or nobody is looked for. */
export function lookingLine(search: StartedSearch): string | undefined {
  const { seeks, missing, ways, partners } = search;
  if (missing === 0) return undefined;
  if (!seeks)
    return partners === 0
      ? `No partners yet: invite somebody with \`covault invite\`, or let it look for some (${addWay}, and start this anew).`
      : undefined;
  const by = ways.length === 0 ? 'among those who ask' : `by ${ways.join(', ')}`;
  return `Looking for partners: ${countText(missing)} more wanted, ${by}. \`covault status\` says how it goes.`;
}

function sufficiencyLine({ enough, reasons }: SearchAnswer): string {
  const words = reasons.map(({ detail }) => printableText(detail)).join('; ');
  return `${enough ? 'Enough' : 'Not enough'} partners: ${words}.`;
}

function section(title: string, candidates: readonly CandidateAnswer[]): readonly string[] {
  if (candidates.length === 0) return [];
  return ['', `${title}:`, ...candidates.flatMap(candidateLines)];
}

function candidateLines(candidate: CandidateAnswer): readonly string[] {
  const { id, name, rank, source, reasons, result } = candidate;
  const place = rank === null ? '  -' : countText(rank).padStart(3);
  const called = name === '' ? 'no name known' : printableText(name);
  const why = reasons.map(({ detail }) => printableText(detail)).join('; ');
  const lines = [`${place}. ${id.slice(0, idShown)}  ${called}  (${sourceText(source)})`];
  if (why !== '') lines.push(`       ${why}`);
  if (result !== null) lines.push(`       → ${resultText(result)}`);
  return lines;
}

function sourceText(source: CandidateAnswer['source']): string {
  switch (source) {
    case 'invite':
      return 'invited';
    case 'multicast':
      return 'seen on the local network';
    case 'dht':
      return 'announces itself';
    case 'partner':
      return 'named by a partner';
    case 'configured':
      return 'at a configured address';
    case 'asked-us':
      return 'asked this computer';
    default:
      return assertNever(source);
  }
}

function resultText(result: NonNullable<CandidateAnswer['result']>): string {
  switch (result.outcome) {
    case 'signed':
      return `signed: it lends ${roundSizeText(result.lendsUsBytes)}, this computer ${roundSizeText(result.weLendBytes)}`;
    case 'refused':
      return `${result.by === 'us' ? 'this computer' : 'it'} refused: ${reasonText(result.reason)}`;
    case 'unreachable':
      return `no answer: ${reasonText(result.reason)}`;
    default:
      return assertNever(result);
  }
}

function reasonText({ code, detail }: { readonly code: string; readonly detail: string }): string {
  return printableText(detail === '' ? code : `${detail} (${code})`);
}

function nobodyLines(answer: SearchAnswer): readonly string[] {
  const { enough, seeks, ways, candidates, dryRun, presentPartners } = answer;
  const nobody = presentPartners === 0 ? 'Nobody' : 'Nobody else';
  const whetherUp = presentPartners === 0 ? ' Is whoever you named there up?' : '';
  const lines: string[] = [];
  if (candidates.length === 0 && !enough)
    lines.push(
      ways.length === 0
        ? `${nobody} was found: there is no way to meet others yet. Add one with ${addWay}${answer.daemon ? ' and start `covault up` anew' : ''}, or invite somebody.`
        : `${nobody} was found by ${ways.join(', ')}.${whetherUp} \`covault up\` goes on looking; or invite somebody.`,
    );
  if (!dryRun && !seeks && !enough)
    lines.push(
      'Nothing was signed: this computer does not look for partners by itself. `covault config set partners.seek true` changes that.',
    );
  return lines.length === 0 ? [] : ['', ...lines];
}

/** What `status` says of the search; undefined when nobody is looked for, or nobody is missing. */
export function searchLine(search: SearchOutlook, daemon: boolean): string | undefined {
  const { seeks, missing, candidates, refused } = search;
  if (missing === 0 || !seeks) return undefined;
  const goal = countedText(missing, 'more partner');
  const doing = daemon ? `looking for ${goal}` : `\`covault up\` would look for ${goal}`;
  const known =
    candidates > 0
      ? `${countedText(candidates, 'candidate')} known`
      : 'no candidates known yet (`covault search --dry-run` looks now)';
  const why = refused > 0 ? `, ${countText(refused)} refused (\`covault search --dry-run\`)` : '';
  return `${doing}: ${known}${why}`;
}
