/** Protection in plain words: where things stand, what may be lost, and what to do next. */
import { assertNever } from '../base/assert.ts';
import type {
  FormerPartner,
  HindranceAnswer,
  OutlookAnswer,
  PartnerAnswer,
  SnapshotAnswer,
  StatusAnswer,
} from '../daemon/answers.ts';
import type { DaemonBar } from '../daemon/daemon-run.ts';
import { provenLines } from './audit-text.ts';
import { failingText, partnerNotes, partnerTable } from './partner-text.ts';
import { countedText, countText, momentText, sizeText, verbText } from './quantities.ts';
import { searchLine } from './search-text.ts';
import { printableText } from './text-escape.ts';

const idShown = 12;
/** Nothing below is ever told: what no model counts weighs more. */
const leastChance = 1e-6;

export function statusText(status: StatusAnswer): string {
  const lines = [
    `${printableText(status.name)}  (${status.peer.slice(0, idShown)})`,
    '',
    protectionSentence(status),
    ...hindranceLines(status),
    ...factLines(status),
    '',
    ...partnerTable(status.partners),
    ...noteLines(status),
    `Next: ${nextStep(status)}`,
  ];
  return lines.join('\n');
}

function noteLines({ partners, reneged }: StatusAnswer): readonly string[] {
  const notes = partnerNotes(partners, reneged);
  return notes.length === 0 ? [] : [...notes, ''];
}

/** The one sentence that matters most. */
export function protectionSentence(status: StatusAnswer): string {
  if (hinders(status, 'identity.superseded'))
    return 'Stopped: this identity lives on on another computer, and what is backed up there is as safe as that one says.';
  if (hinders(status, 'recovery.unfinished'))
    return 'Not recovered yet: what is backed up lies at the partners, and is known here once `covault recover` has ended.';
  const standing = standingPartners(status.partners).length;
  if (status.latest === null) return 'Nothing is backed up yet.';
  if (standing === 0)
    return 'Captured on this computer only: if its disk is lost, so is the backup.';
  const { protection } = status;
  if (protection.phase === 'captured')
    return `Not safe yet: ${countText(protection.packsProtected)} of ${countedText(protection.packs, 'pack')} are out at partners.`;
  return `${safeSentence(status, standing)}.`;
}

function safeSentence(status: StatusAnswer, standing: number): string {
  const losses = status.bearableLosses ?? 0;
  const whole = status.protection.phase === 'complete';
  const { holding } = status.outlook;
  const where =
    holding < standing
      ? `Safe on ${countText(holding)} of ${countedText(standing, 'computer')}`
      : `Safe on ${countedText(standing, 'computer')}`;
  const rest = isStuck(status) ? 'not all of it where it should be' : 'still sending';
  const share = whole ? where : `${where}, ${rest} (${shardShare(status)})`;
  const vanishing =
    losses === 0 ? 'none of them may vanish' : `any ${countText(losses)} may vanish`;
  return [share, vanishing, ...missingPartners(status)].join('; ');
}

function missingPartners({ outlook }: StatusAnswer): readonly string[] {
  const { next } = outlook;
  return next.type === 'find-partners'
    ? [`invite ${countText(next.count)} more for full protection`]
    : [];
}

function shardShare(status: StatusAnswer): string {
  const { shardsHeld, shardsWanted } = status.protection;
  return `${countText(shardsHeld)} of ${countedText(shardsWanted, 'shard')}`;
}

/** One line for each thing that stands in the way. */
export function hindranceLines(status: StatusAnswer): readonly string[] {
  return status.hindrances.map(
    (hindrance) => `!  ${hindranceText(hindrance, [...status.partners, ...status.reneged])}`,
  );
}

export function hindranceText(
  hindrance: HindranceAnswer,
  partners: readonly FormerPartner[],
): string {
  switch (hindrance.code) {
    case 'identity.elsewhere': {
      const known = partners.filter(({ id }) => hindrance.partners.some((other) => other === id));
      const names = known.map(({ name }) => printableText(name)).join(', ') || 'Partners';
      return `${names}: another computer with this identity is ahead, or this home was set back; new snapshots cannot be found again there. Keep one of the two, and recover the other.`;
    }
    case 'identity.superseded':
    case 'recovery.unfinished':
      return barText(hindrance.code);
    case 'partner.failing': {
      const { shards } = hindrance;
      return `${partnerName(hindrance.partner, partners)} is suspended: ${failingText(hindrance)}; ${countedText(shards, 'shard')} there ${verbText(shards, 'does', 'do')} not count meanwhile.`;
    }
    case 'partner.lacks': {
      const { lost, wrong } = hindrance;
      return `${partnerName(hindrance.partner, partners)} does not have ${countedText(lost + wrong, 'shard')} any more (${countText(lost)} lost, ${countText(wrong)} wrong): ${verbText(lost + wrong, 'it has', 'they have')} to be made anew.`;
    }
    case 'shards.deleted':
      return `${countedText(hindrance.shards, 'shard')} at ${partnerName(hindrance.partner, partners)} ${verbText(hindrance.shards, 'was', 'were')} deleted with this computer’s key, and not by this home (noticed ${momentText(hindrance.since)}): \`covault recover --undelete\` takes ${verbText(hindrance.shards, 'it', 'them')} back. Somebody else may have the key.`;
    case 'owner.mass-deletion':
      return `${partnerName(hindrance.partner, partners)} deleted more than half of what it stored here within a day (${countedText(hindrance.shards, 'shard')}, noticed ${momentText(hindrance.since)}). It stays in the trash for the agreed time; if its owner knows nothing of it, its key was stolen.`;
    case 'shards.lost':
      return `${countedText(hindrance.shards, 'shard')} of ${countedText(hindrance.packs, 'pack')} ${verbText(hindrance.shards, 'is', 'are')} lost or wrong at partners, and ${verbText(hindrance.shards, 'does', 'do')} not count as held.`;
    case 'packs.lost':
      return `${countedText(hindrance.packs, 'pack')} ${verbText(hindrance.packs, 'was', 'were')} damaged on this disk before partners had them: back up again, so that these files are read anew.`;
    case 'packs.short':
      return `The latest snapshot is not protected: ${countedText(hindrance.packs, 'pack')} that it rests on ${verbText(hindrance.packs, 'has', 'have')} too few shards out (${countText(hindrance.ofOlder)} of older snapshots).`;
    case 'index.short':
      return `The latest snapshot is not listed: ${countedText(hindrance.packs, 'index pack')} ${verbText(hindrance.packs, 'has', 'have')} too few shards out.`;
    case 'snapshot.not-listed':
      return 'The latest snapshot is not listed in a manifest yet.';
    case 'manifest.unsigned':
      return `The latest snapshot is not protected: ${countText(hindrance.receipts)} of ${countedText(hindrance.needed, 'partner')} needed have signed for the manifest that lists it.`;
    default:
      return assertNever(hindrance);
  }
}

/** What keeps a whole home from its work. */
export function barText(code: DaemonBar): string {
  return code === 'identity.superseded'
    ? 'This identity was recovered on another computer and lives on there: this home has stopped, for good. Begin a new one for this computer, or delete this one.'
    : 'The recovery into this home has not ended: until `covault recover` has, nothing new begins here.';
}

function partnerName(id: string, partners: readonly FormerPartner[]): string {
  const name = partners.find((partner) => partner.id === id)?.name ?? '';
  return printableText(name) || id.slice(0, idShown);
}

/** Only where something is short, or being mended. */
export function healthLine({
  health,
  repair,
}: Pick<StatusAnswer, 'health' | 'repair'>): readonly string[] {
  const short = health.stripes - health.whole;
  if (short === 0 && repair.stripes === 0) return [];
  const counts = health.short.map(
    ({ by, stripes }) => `${countText(stripes)} short of ${countedText(by, 'shard')}`,
  );
  const danger =
    health.endangered === 0 ? [] : [`${countText(health.endangered)} of them endangered`];
  const work =
    repair.stripes === 0
      ? []
      : [
          `${countedText(repair.stripes, 'pack')} being laid out anew, ${countedText(repair.shardsLeft, 'shard')} (${sizeText(repair.bytesLeft)}) left to send`,
        ];
  const whole = `${countText(health.whole)} of ${countedText(health.stripes, 'pack')} whole`;
  return [`Repair           ${[whole, ...counts, ...danger, ...work].join('; ')}`];
}

function factLines(status: StatusAnswer): readonly string[] {
  const lines: string[] = [];
  if (status.latest !== null) {
    lines.push(`Latest snapshot  ${latestText(status.latest)}`);
    lines.push(`Snapshots        ${countText(status.snapshots)}`);
  }
  if (status.code !== null)
    lines.push(
      `Spread           ${status.code.dataShards}+${status.code.parityShards}: any ${status.code.dataShards} of ${status.code.dataShards + status.code.parityShards} shards rebuild everything`,
    );
  lines.push(...healthLine(status), ...outlookLines(status.outlook), ...provenLines(status));
  if (status.spooledBytes > 0) lines.push(`Spool            ${sizeText(status.spooledBytes)}`);
  const daemon = status.daemon
    ? `running, listening on ${status.listening.join(', ') || 'no address'}`
    : 'not running';
  lines.push(`Daemon           ${daemon}`);
  const search = searchLine(status.search, status.daemon);
  if (search !== undefined) lines.push(`Search           ${search}`);
  return lines;
}

/** What may happen, with no more certainty than the model has. */
export function outlookLines(outlook: OutlookAnswer): readonly string[] {
  const { chances, restorableFrom, holding, measured } = outlook;
  const lines: string[] = [];
  if (restorableFrom !== null)
    lines.push(
      `Restorable       from ${momentText(restorableFrom)}: partners honour no restores before, while their commitment runs`,
    );
  if (chances === null) return lines;
  const guessed =
    measured < holding ? ` (${countedText(holding - measured, 'partner')} not measured yet)` : '';
  const when = restorableFrom === null ? '' : ', until that day';
  lines.push(
    `If this is lost  ${chanceText(chances.failsInWindow)} that a restore fails within 7 days${when}${guessed}`,
    `                 ${chanceText(chances.failsNow)} that it has to wait for partners`,
    `Within a year    ${chanceText(chances.lostInYear)} that this computer is lost and cannot be restored`,
  );
  return lines;
}

/** `1 in 20,000`: one digit, rounded to the worse side. */
export function chanceText(chance: number): string {
  if (chance <= leastChance) return 'less than 1 in a million';
  if (chance > 1 / 2) return 'more than 1 in 2';
  const tries = 1 / chance;
  const unit = 10 ** Math.floor(Math.log10(tries));
  return `1 in ${countText(Math.floor(tries / unit + 1e-9) * unit)}`;
}

function latestText(snapshot: SnapshotAnswer): string {
  const skipped =
    snapshot.problems === 0
      ? ''
      : `, ${countedText(snapshot.problems, 'file')} not kept as they were`;
  return `${snapshot.id.slice(0, idShown)}  ${momentText(snapshot.takenAt)}  ${countedText(snapshot.files, 'file')}, ${sizeText(snapshot.bytes)}  (${snapshot.phase}${skipped})`;
}

function standingPartners(partners: readonly PartnerAnswer[]): readonly PartnerAnswer[] {
  return partners.filter(({ phase }) => phase === 'standing' || phase === 'in-commitment');
}

export function nextStep(status: StatusAnswer): string {
  const partners = standingPartners(status.partners);
  if (hinders(status, 'identity.superseded'))
    return 'begin a home of its own for this computer: `covault init --home DIR`; then this one can be deleted.';
  if (hinders(status, 'recovery.unfinished'))
    return `${status.daemon ? 'stop `covault up`, and ' : ''}run \`covault recover\` again, with the same kit or words, once more partners are up; it carries on.`;
  if (partners.length === 0 && status.search.seeks && status.search.candidates > 0)
    return status.daemon
      ? 'nothing; partners are being looked for.'
      : 'run `covault up`, so that partners are looked for.';
  if (partners.length === 0)
    return 'invite somebody with `covault invite`, or take up an invitation with `covault join CODE`.';
  if (status.latest === null) return 'back something up: `covault backup PATH`.';
  if (isStuck(status)) return unstickingStep(status.outlook);
  if (status.protection.phase !== 'complete')
    return status.daemon
      ? 'nothing; the daemon goes on sending whenever partners are reachable.'
      : 'run `covault up`, so that the rest is sent whenever partners are reachable.';
  const silent = partners.filter(({ reachable }) => reachable === false);
  if (silent.length > 0)
    return `see why ${silent.map(({ name }) => printableText(name)).join(', ')} cannot be reached: \`covault doctor\`.`;
  const helpful = outlookStep(status.outlook);
  if (helpful !== undefined) return helpful;
  return status.daemon
    ? 'nothing.'
    : 'keep `covault up` running, for your partners’ sake and yours.';
}

function hinders({ hindrances }: StatusAnswer, code: HindranceAnswer['code']): boolean {
  return hindrances.some((hindrance) => hindrance.code === code);
}

/** Packs are short of shards, all who could take some are there, and none of them takes any: waiting does not help. */
function isStuck({ daemon, rests, protection, partners }: StatusAnswer): boolean {
  const isShort = protection.phase !== 'complete' && protection.packsComplete < protection.packs;
  const someAway = standingPartners(partners).some(({ reachable }) => reachable !== true);
  return daemon && rests && isShort && !someAway;
}

/** Room for what is short: at somebody else, or at those who are full. */
function unstickingStep({ reasons }: OutlookAnswer): string {
  const find = 'find another partner (`covault invite`, or `covault search`)';
  const room = 'ask for more room (`covault partners terms ID --want SIZE`)';
  const full = reasons.find((reason) => reason.code === 'plan.partners-full');
  return full === undefined
    ? `${find}, or ${room}: what is missing has no place at those there are.`
    : `${room}: ${countedText(full.partners, 'partner')} cannot take any more; or ${find}.`;
}

/** What would help most; undefined when nothing is missing. */
function outlookStep({ next, wantedPartners }: OutlookAnswer): string | undefined {
  switch (next.type) {
    case 'find-partners':
      return `invite ${countText(next.count)} more for full protection (${countText(wantedPartners)} computers).`;
    case 'free-space':
      return `ask for more room: ${countedText(next.partners, 'partner')} cannot take any more.`;
    case 'diversify':
      return `invite partners unlike these: with ${printableText(next.domain)} ${countedText(next.count, 'shard')} more of everything could be lost at once than should be.`;
    case 'none':
      return undefined;
    default:
      return assertNever(next);
  }
}
