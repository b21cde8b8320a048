/**
 * What `--delete` may remove: what a backup would have taken from there, and did not find.
 *
 * A snapshot lacks many things that are nobody's leftovers: whatever lies outside its roots (their folders hold only the way to them), what was
 * excluded, what could not be read. None of that was ever seen gone, so none of it is removed.
 */
import { ExclusionRules } from '../../core/scan/exclusion.ts';
import { touchesContents } from '../../core/scan/fidelity.ts';
import type { Snapshot } from '../../core/scan/snapshot.ts';
import { textOfBytes } from '../../core/scan/stat-columns.ts';
import type { RestoreRequest } from '../computer.ts';

type Seen = Pick<Snapshot, 'roots' | 'excludes' | 'fidelity'>;
type Asked = Pick<RestoreRequest, 'path' | 'include' | 'exclude'>;

/** Whether a path below the place where the restore begins, which the snapshot does not have, may be removed from the target. */
export function removableBy(asked: Asked, snapshot: Seen): (path: Uint8Array) => boolean {
  const start = plainPath(asked.path ?? new Uint8Array(0));
  const roots = snapshot.roots.map((root) => {
    const folder = plainPath(root);
    return { folder, excluded: ExclusionRules.none.within(folder, snapshot.excludes) };
  });
  const included = ExclusionRules.none.within('', asked.include);
  const excluded = ExclusionRules.none.within('', asked.exclude);
  const isUnseen = unseenIn(snapshot.fidelity);
  return (path) => {
    const below = `/${textOfBytes(path)}`;
    const absolute = `${start}${below}`;
    const around = roots.filter(({ folder }) => absolute.startsWith(`${folder}/`));
    if (around.length === 0 || around.some((root) => matches(root.excluded, absolute)))
      return false;
    if (matches(excluded, below) || isUnseen(absolute)) return false;
    return asked.include.length === 0 || matches(included, below);
  };
}

/** Whether a path, or a folder that it is in, was left out because it could not be read; anything may have been when not all are named. */
function unseenIn({ entries, counts }: Snapshot['fidelity']): (absolute: string) => boolean {
  const named = entries.filter(({ problem }) => touchesContents(problem));
  let met = 0;
  for (const [problem, count] of counts) if (touchesContents(problem)) met += count;
  if (named.length < met) return () => true;
  const paths = new Set(named.map(({ path }) => plainPath(path)));
  return (absolute) => {
    if (paths.size === 0) return false;
    for (let end = absolute.length; end > 0; end = absolute.lastIndexOf('/', end - 1))
      if (paths.has(absolute.slice(0, end))) return true;
    return paths.has('');
  };
}

function matches(rules: ExclusionRules, path: string): boolean {
  return rules.excludes(path, false) || rules.excludes(path, true);
}

/** One character for every byte, without a slash at the end: empty for the top. */
function plainPath(path: Uint8Array): string {
  const parts = textOfBytes(path)
    .split('/')
    .filter((part) => part !== '' && part !== '.');
  return parts.map((part) => `/${part}`).join('');
}
