/** Selection in plain words: why a candidate was refused, why it has its place, why more partners are sought. One clause each, without a full stop. */
import { assertNever } from '../../base/assert.ts';
import type { CandidateRefusal } from './criteria.ts';
import type { RankReason } from './ranking.ts';
import type { Disregard, SufficiencyReason } from './sufficiency.ts';

export function refusalWords(refusal: CandidateRefusal): string {
  switch (refusal.code) {
    case 'candidate.self':
      return 'this computer itself';
    case 'candidate.already-partner':
      return 'a partner already';
    case 'candidate.wrong-identity':
      return 'somebody else answers at its addresses';
    case 'candidate.recently-refused':
      return `refused a short while ago (${refusal.cause})`;
    case 'candidate.unknown':
      return 'its profile could not be read';
    case 'candidate.protocol':
      return `speaks no protocol that this computer speaks (${listed(refusal.spoken)})`;
    case 'candidate.preset':
      return `enters other kinds of agreement (${listed(refusal.entered)})`;
    case 'candidate.same-household':
      return 'in the same household or network as this computer';
    case 'candidate.schedule':
      return `${refusal.hours} h a week on line together, ${refusal.needed} h wanted`;
    case 'candidate.bandwidth':
      return `${rate(refusal.bytesPerSecond)} ${refusal.direction} on average, ${rate(refusal.needed)} wanted`;
    case 'candidate.space':
      return `offers ${size(refusal.offeredBytes)}, ${size(refusal.needed)} wanted`;
    case 'candidate.record':
      return `reneged on ${refusal.reneged} others, at most ${refusal.allowed} are accepted`;
    case 'candidate.reneged-here':
      return 'reneged on this computer; `covault partners forgive` takes it back';
    case 'candidate.false-record':
      return 'those that it names tell otherwise than it does';
    default:
      return assertNever(refusal);
  }
}

export function rankWords(reason: RankReason): string {
  switch (reason.code) {
    case 'separate-place':
      return 'in a place of its own';
    case 'shared-place':
      return `in one place with ${counted(reason.others, 'other')}`;
    case 'other-country':
      return `in another country (${reason.country})`;
    case 'shared-country':
      return `in ${reason.country}, as ${counted(reason.others, 'other')}`;
    case 'distance':
      return `${reason.km} km from the nearest`;
    case 'diversity':
      return reason.others === 0
        ? `the only one with ${reason.value}`
        : `${reason.value}, as ${reason.others} of ${reason.among}`;
    case 'schedule':
      return `${reason.hours} h a week on line together`;
    case 'bandwidth':
      return `${rate(reason.bytesPerSecond)} on average`;
    case 'proven':
      return `${counted(reason.days, 'day')} proven, by ${counted(reason.references, 'reference')}`;
    case 'reneged':
      return `reneged on ${counted(reason.times, 'other')}`;
    case 'invited':
      return 'invited';
    case 'unknown':
      return `${reason.subject} unknown`;
    default:
      return assertNever(reason);
  }
}

export function sufficiencyWords(reason: SufficiencyReason): string {
  switch (reason.code) {
    case 'enough-partners':
      return `${counted(reason.have, 'good partner')}, ${reason.wanted} wanted`;
    case 'few-partners':
      return reason.have === 0
        ? `no good partner yet, ${reason.wanted} wanted`
        : `only ${counted(reason.have, 'good partner')}, ${reason.wanted} wanted`;
    case 'not-counted':
      return `${reason.peer.slice(0, 8)} does not count: ${disregardWords(reason.cause)}`;
    case 'crowded-place':
      return `${reason.partners} partners in one place (${reason.place}), of which ${reason.counted} count`;
    case 'one-system':
      return `all ${reason.partners} partners run ${reason.system}`;
    default:
      return assertNever(reason);
  }
}

function disregardWords(cause: Disregard): string {
  switch (cause.code) {
    case 'paused':
      return 'paused';
    case 'silent':
      return 'silent for too long';
    case 'suspended':
      return 'sent wrong bytes, and has not made up for it';
    case 'leaving':
      return 'leaving';
    case 'not-in-force':
      return 'the agreement is not in force';
    case 'lends-nothing':
      return 'lends nothing to this computer';
    case 'seldom-there':
      return `there ${percent(cause.availability)} of the time, ${percent(cause.needed)} wanted`;
    case 'no-room':
      return `${size(cause.freeBytes)} free, ${size(cause.neededBytes)} needed`;
    default:
      return assertNever(cause);
  }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function listed(values: readonly (string | number)[]): string {
  return values.length === 0 ? 'none' : values.join(', ');
}

function percent(share: number): string {
  return `${Math.floor(share * 100)} %`;
}

const units = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** Decimal units, rounded down: what is there is not made more than it is. */
function size(bytes: number): string {
  let power = 0;
  while (power < units.length - 1 && bytes >= 1_000 ** (power + 1)) power += 1;
  const amount = Math.floor((bytes / 1_000 ** power) * 10) / 10;
  return `${power === 0 ? Math.floor(bytes) : amount} ${units[power] ?? 'bytes'}`;
}

function rate(bytesPerSecond: number): string {
  return `${size(bytesPerSecond)}/s`;
}
