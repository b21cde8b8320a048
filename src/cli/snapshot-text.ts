/** One snapshot in words, with what it could not keep. */
import type { SnapshotDetails } from '../daemon/answers.ts';
import { countText, momentText, sizeText } from './quantities.ts';
import { printablePath, printableText } from './text-escape.ts';

/** So many paths are shown to people; JSON has more. */
const pathsShown = 20;

const problemTexts: Readonly<Record<SnapshotDetails['notKept'][number]['problem'], string>> = {
  unreadable: 'could not be read: left out',
  vanished: 'vanished while being read: left out',
  'changed-while-read': 'changed while being read: kept as read, which may be no state it ever had',
  'path-too-long': 'has a path that is too long: left out',
  'special-not-kept': 'special file: its name and attributes are kept, it is not restored',
  'xattrs-not-kept': 'extended attributes below it are not kept by this version',
  'acl-not-kept': 'access control lists below it are not kept by this version',
  'inode-flags-not-kept': 'inode flags below it are not kept by this version',
  'sparse-map-not-kept':
    'where the holes of sparse files lie is not kept; they are restored sparse',
  'birth-time-not-kept': 'birth times below it are not kept by this version',
};

export function snapshotLines(snapshot: SnapshotDetails): readonly string[] {
  const whose = [snapshot.userName, snapshot.hostName].filter(
    (text) => text !== null && text !== '',
  );
  return [
    `Snapshot  ${snapshot.id}`,
    `Taken     ${momentText(snapshot.takenAt)} by ${printableText(whose.join('@'))}, covault ${printableText(snapshot.program)}`,
    `State     ${snapshot.phase}`,
    `Of        ${snapshot.roots.map(printablePath).join(' ')}`,
    `Holds     ${countText(snapshot.files)} files, ${countText(snapshot.directories)} folders, ${sizeText(snapshot.bytes)}; ${sizeText(snapshot.newBytes)} of it was new`,
    ...(snapshot.tags.length === 0
      ? []
      : [`Tags      ${snapshot.tags.map((tag) => `#${printableText(tag)}`).join(' ')}`]),
    ...(snapshot.excludes.length === 0
      ? []
      : [`Left out  ${snapshot.excludes.map(printableText).join(' ')}`]),
    ...notKeptLines(snapshot),
  ];
}

function notKeptLines({ notKept, problemPaths }: SnapshotDetails): readonly string[] {
  if (notKept.length === 0) return ['Everything was kept.'];
  const total = notKept.reduce((sum, { count }) => sum + count, 0);
  const shown = problemPaths.slice(0, pathsShown);
  return [
    '',
    'Not kept:',
    ...shown.map(({ path, problem }) => `  ${printablePath(path)}: ${problemTexts[problem]}`),
    ...(total > shown.length ? [`  … and ${countText(total - shown.length)} more`] : []),
  ];
}
