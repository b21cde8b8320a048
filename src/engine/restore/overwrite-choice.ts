/** Whether a restore writes where something stands already. */
import type { TreeEntry } from '../../core/scan/tree-entry.ts';
import type { Standing } from '../../ports/restore-target.ts';
import type { RestoreRequest } from '../computer.ts';

export function wantsWriting(
  mode: RestoreRequest['overwrite'],
  entry: TreeEntry,
  standing: Standing | undefined,
): boolean {
  if (standing === undefined || mode === 'always') return true;
  switch (mode) {
    case 'never':
      return false;
    case 'if-newer':
      return entry.modifiedNs > standing.mtimeNs;
    case 'if-changed':
      return !(
        standing.kind === entry.kind &&
        standing.size === lengthOf(entry) &&
        standing.mtimeNs === entry.modifiedNs
      );
  }
}

/** As a file system tells it: of a link, that of what it says. */
function lengthOf({ target, sizeBytes }: TreeEntry): number {
  return target === undefined ? sizeBytes : target.length;
}
