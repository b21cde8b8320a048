/** One line for an entry of a snapshot, in the form that `ls -l` made familiar. */
import type { EntryAnswer } from '../daemon/answers.ts';
import { momentText } from './quantities.ts';
import { printablePath, printableText } from './text-escape.ts';

const kindLetters: Readonly<Record<string, string>> = {
  file: '-',
  directory: 'd',
  symlink: 'l',
  fifo: 'p',
  socket: 's',
  'block-device': 'b',
  'character-device': 'c',
};

export function listingLine(entry: EntryAnswer): string {
  const owner = printableText(entry.userName ?? String(entry.uid)).padEnd(8);
  const group = printableText(entry.groupName ?? String(entry.gid)).padEnd(8);
  const size = String(entry.sizeBytes).padStart(12);
  const target = entry.target === null ? '' : ` -> ${printablePath(entry.target)}`;
  const path = printablePath(entry.path);
  return `${modeText(entry)} ${owner} ${group} ${size} ${timeText(entry.modifiedNs)} ${path}${target}`;
}

function timeText(modifiedNs: string): string {
  const milliseconds = Number(BigInt(modifiedNs) / 1_000_000n);
  const moment = new Date(milliseconds);
  // Beyond the year 275760 the platform has no name for a time.
  return Number.isNaN(moment.getTime()) ? `@${modifiedNs}` : momentText(moment.toISOString());
}

/** `-rw-r--r--`, with `s`, `S`, `t`, `T` for set-uid, set-gid and sticky. */
export function modeText(entry: { readonly kind: string; readonly mode: number }): string {
  const { mode } = entry;
  const groups = [
    rights(mode >> 6, (mode & 0o4000) !== 0, 's'),
    rights(mode >> 3, (mode & 0o2000) !== 0, 's'),
    rights(mode, (mode & 0o1000) !== 0, 't'),
  ];
  return (kindLetters[entry.kind] ?? '?') + groups.join('');
}

function rights(bits: number, special: boolean, letter: string): string {
  const runs = (bits & 1) !== 0;
  const last = special ? (runs ? letter : letter.toUpperCase()) : runs ? 'x' : '-';
  return `${(bits & 4) === 0 ? '-' : 'r'}${(bits & 2) === 0 ? '-' : 'w'}${last}`;
}
