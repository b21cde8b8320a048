/** Entries of a scanned folder that have a place in its tree but no contents to come back with: fifos, sockets, devices. */
import type { Bytes } from '../../base/bytes.ts';
import { kindAt, nameAt } from '../../core/scan/stat-columns.ts';
import type { EntryKind } from '../../core/scan/tree-entry.ts';
import type { ScannedDirectory } from '../../core/scan/tree-walk.ts';
import { joinPath } from '../restore/path-join.ts';

const kept: ReadonlySet<EntryKind | undefined> = new Set<EntryKind>([
  'file',
  'directory',
  'symlink',
]);

/** Their absolute paths. */
export function specialFiles({ path, entries }: ScannedDirectory): readonly Bytes[] {
  const found: Bytes[] = [];
  for (let row = 0; row < entries.count; row += 1)
    if (!kept.has(kindAt(entries, row))) found.push(joinPath(path, nameAt(entries, row)));
  return found;
}
