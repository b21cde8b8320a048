/**
 * The folders of a restore's target: which of them are real, and so may be written into.
 *
 * A path out of a tree is never handed to the system before every folder on its way was seen to be a folder and no link. What was seen is
 * remembered, for a restore comes back to each folder many times.
 */
import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { pathParts } from '../../core/scan/relative-path.ts';
import { bytesOfText } from '../../core/scan/stat-columns.ts';
import { errnoOf, type FsPath, fsPath } from './byte-path.ts';
import { sweepAbandoned } from './unfinished-file.ts';

/** Why a path cannot be used; `code` of the system where there is one. */
export interface PathRefusal {
  readonly code: string;
  readonly detail: string;
}

export class TargetFolders {
  readonly #root: string;
  readonly #seen = new Set<string>();

  /** `root`: a real path, one character for every byte. */
  constructor(root: string) {
    this.#root = root === '/' ? '' : root;
  }

  /** Forgets what was seen, because something was removed. */
  forget(): void {
    this.#seen.clear();
  }

  /** The absolute path of a relative one, whose folder was seen to be real. */
  place(path: string): Outcome<string, PathRefusal> {
    const at = path.lastIndexOf('/');
    if (pathParts(bytesOfText(path.slice(at + 1))) === undefined) return hostile;
    const refusal = at === -1 ? undefined : this.#refusalOf(path.slice(0, at));
    return refusal === undefined ? succeeded(this.absolute(path)) : failed(refusal);
  }

  /** A folder of the target that is to be looked into; empty for the target itself. */
  folder(path: string): Outcome<string, PathRefusal> {
    const refusal = path === '' ? undefined : this.#refusalOf(path);
    return refusal === undefined ? succeeded(this.absolute(path)) : failed(refusal);
  }

  absolute(path: string): string {
    return path === '' ? this.#root || '/' : `${this.#root}/${path}`;
  }

  /** Makes a folder, for its owner only until it is finished. A file in its place makes way, a link does not. */
  make(path: string): PathRefusal | undefined {
    const place = this.place(path);
    if (!place.ok) return place.error;
    const target = fsPath(place.value);
    try {
      mkdirSync(target, { mode: 0o700 });
    } catch (problem) {
      const code = errnoOf(problem);
      if (code !== 'EEXIST') return { code, detail: code };
      const refusal = takeOver(target);
      if (refusal !== undefined) return refusal;
      sweepAbandoned(place.value);
    }
    this.#seen.add(path);
    return undefined;
  }

  #refusalOf(folder: string): PathRefusal | undefined {
    if (this.#seen.has(folder)) return undefined;
    const at = folder.lastIndexOf('/');
    const outer = at === -1 ? undefined : this.#refusalOf(folder.slice(0, at));
    if (outer !== undefined) return outer;
    if (pathParts(bytesOfText(folder.slice(at + 1))) === undefined) return hostile.error;
    try {
      const stat = lstatSync(fsPath(this.absolute(folder)));
      if (stat.isSymbolicLink())
        return { code: 'ELOOP', detail: 'a link stands where a folder belongs' };
      if (!stat.isDirectory()) return { code: 'ENOTDIR', detail: 'no folder stands there' };
    } catch (problem) {
      return { code: errnoOf(problem), detail: errnoOf(problem) };
    }
    this.#seen.add(folder);
    return undefined;
  }
}

const hostile = failed<PathRefusal>({
  code: 'EINVAL',
  detail: 'the path could lead out of the target',
});

/** Makes use of what stands where a folder is to be. */
function takeOver(target: FsPath): PathRefusal | undefined {
  try {
    const stat = lstatSync(target);
    if (stat.isSymbolicLink())
      return { code: 'ELOOP', detail: 'a link stands where a folder belongs' };
    if (!stat.isDirectory()) {
      rmSync(target);
      mkdirSync(target, { mode: 0o700 });
    } else if ((stat.mode & 0o700) !== 0o700 && process.geteuid?.() === stat.uid) {
      // Its own mode comes back when it is finished.
      chmodSync(target, (stat.mode & 0o7777) | 0o700);
    }
    return undefined;
  } catch (problem) {
    return { code: errnoOf(problem), detail: errnoOf(problem) };
  }
}
