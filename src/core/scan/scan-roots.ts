/**
 * What a scan was asked for, as one tree of ways from `/` down to the roots.
 *
 * Roots may lie inside each other, be named twice or be reached through links; in the tree every place stands once, under its real path. A root
 * that is itself a link is kept as the link.
 */
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import type { ScanSource, SourceFailure } from './scan-source.ts';

/** A place on the way to a root, or a root. */
export interface Way {
  /** Everything below belongs to the scan, not only the ways further down. */
  isRoot: boolean;
  readonly further: Map<string, Way>;
}

export function newWay(): Way {
  return { isRoot: false, further: new Map() };
}

/** Marks `root`, a real path, in the tree. */
export function addRoot(top: Way, root: string): void {
  let way = top;
  for (const name of root.split('/').filter((part) => part !== '')) {
    const next = way.further.get(name) ?? newWay();
    way.further.set(name, next);
    way = next;
  }
  way.isRoot = true;
}

/** The real path of a root: its folder's real path and its own name. */
export function realRoot(source: ScanSource, root: string): Outcome<string, SourceFailure> {
  if (!root.startsWith('/') || root.includes('\0'))
    return failed({ problem: 'unreadable', detail: 'not an absolute path' });
  const trimmed = root.replace(/\/+$/, '');
  const at = trimmed.lastIndexOf('/');
  const name = trimmed.slice(at + 1);
  if (name === '' || name === '.' || name === '..') return source.realPath(`${trimmed}/`);
  const folder = source.realPath(trimmed.slice(0, at) || '/');
  if (!folder.ok) return folder;
  return succeeded(folder.value === '/' ? `/${name}` : `${folder.value}/${name}`);
}
