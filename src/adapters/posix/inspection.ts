/**
 * What stands at many paths of a restore's target at once.
 *
 * Most restores go into folders that hold nothing yet. Whether a folder holds anything is one question, what stands at each path in it would be many.
 */
import { type BigIntStats, lstatSync, opendirSync } from 'node:fs';
import type { Standing } from '../../ports/restore-target.ts';
import { errnoOf, fsPath } from './byte-path.ts';
import type { TargetFolders } from './target-folders.ts';

/** For fewer paths of one folder, looking into it costs more than it saves. */
const worthLookingInto = 4;

export function inspectPaths(
  folders: TargetFolders,
  paths: readonly string[],
): (Standing | undefined)[] {
  const standing: (Standing | undefined)[] = [];
  for (let start = 0; start < paths.length; ) {
    const folder = folderOf(paths[start] ?? '');
    let end = start + 1;
    while (end < paths.length && folderOf(paths[end] ?? '') === folder) end += 1;
    const isEmpty = end - start >= worthLookingInto && holdsNothing(folders, folder);
    for (const path of paths.slice(start, end))
      standing.push(isEmpty ? undefined : inspect(folders, path));
    start = end;
  }
  return standing;
}

/** What stands at an absolute path; undefined also when the system does not tell. */
export function statOf(path: string): BigIntStats | undefined {
  try {
    return lstatSync(fsPath(path), { bigint: true, throwIfNoEntry: false });
  } catch (problem) {
    errnoOf(problem);
    return undefined;
  }
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** Names are not compared: some file systems find a file under other names than the one that they list. */
function holdsNothing(folders: TargetFolders, folder: string): boolean {
  const place = folders.folder(folder);
  if (!place.ok) return false;
  try {
    const opened = opendirSync(fsPath(place.value), { bufferSize: 1, encoding: 'latin1' });
    try {
      return opened.readSync() === null;
    } finally {
      opened.closeSync();
    }
  } catch (problem) {
    errnoOf(problem);
    return false;
  }
}

function inspect(folders: TargetFolders, path: string): Standing | undefined {
  const place = folders.place(path);
  const stat = place.ok ? statOf(place.value) : undefined;
  return stat && { kind: kindOf(stat), size: Number(stat.size), mtimeNs: stat.mtimeNs };
}

function kindOf(stat: BigIntStats): Standing['kind'] {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'directory';
  return stat.isSymbolicLink() ? 'symlink' : 'other';
}
