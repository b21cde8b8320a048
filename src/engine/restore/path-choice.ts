/** Which entries a restore takes: `--include` and `--exclude`, in gitignore syntax, relative to where the restore begins. */
import type { Bytes } from '../../base/bytes.ts';
import { ExclusionRules } from '../../core/scan/exclusion.ts';
import { textOfBytes } from '../../core/scan/stat-columns.ts';
import type { TreeEntry } from '../../core/scan/tree-entry.ts';
import type { WalkChoice } from '../backup/tree-walk.ts';

/**
 * Without `include` everything is taken that `exclude` leaves; with it, only what matches and what is below a folder that does. Folders are looked
 * into unless they are excluded.
 */
export function chosenBy(request: {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}): (path: Bytes, entry: TreeEntry) => WalkChoice {
  const included = ExclusionRules.none.within('', request.include);
  const excluded = ExclusionRules.none.within('', request.exclude);
  let below: string | undefined = request.include.length === 0 ? '' : undefined;
  return (path, entry) => {
    const text = `/${textOfBytes(path)}`;
    const isFolder = entry.kind === 'directory';
    if (excluded.excludes(text, isFolder)) return { take: false, enter: false };
    if (below !== undefined && below !== '' && !text.startsWith(below)) below = undefined;
    if (below !== undefined) return { take: true, enter: true };
    const matches = included.excludes(text, isFolder);
    if (matches && isFolder) below = `${text}/`;
    return { take: matches, enter: true };
  };
}
