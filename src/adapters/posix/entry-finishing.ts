/**
 * The end of a restored entry: its name, its owner, its mode and its times (C14, C44).
 *
 * A file gets everything while it is unfinished, and its name last; so whoever looks sees the old file or the whole new one. Nothing is set by
 * way of a path that could have become a link: files and folders by their handle, links by calls that do not follow.
 */
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  lchownSync,
  linkSync,
  lstatSync,
  openSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { assertNever } from '../../base/assert.ts';
import { errnoOf, fsPath } from './byte-path.ts';
import type { OwnerMapping } from './owner-mapping.ts';
import { preciseTimes } from './precise-times.ts';
import type { TargetFolders } from './target-folders.ts';
import type { EntryToFinish, TextProblem } from './target-messages.ts';
import { type UnfinishedFile, unfinishedPath } from './unfinished-file.ts';

export interface EntryFinishingParts {
  readonly folders: TargetFolders;
  readonly session: string;
  readonly owners: OwnerMapping;
}

const cautious: number = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const setIdBits = 0o6000;
const withoutSpace: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);

/** Ends the finishing of one entry; never leaves this file. */
class NotFinished extends Error {
  override readonly name = 'NotFinished';
}

export class EntryFinishing {
  readonly #parts: EntryFinishingParts;

  constructor(parts: EntryFinishingParts) {
    this.#parts = parts;
  }

  finish(entries: readonly EntryToFinish[]): readonly TextProblem[] {
    return entries.flatMap((entry) => this.#finish(entry));
  }

  #finish(entry: EntryToFinish): readonly TextProblem[] {
    const { path } = entry;
    const place = this.#parts.folders.place(path);
    if (!place.ok) return [{ path, problem: 'not-written', detail: place.error.detail }];
    return this.#told(entry, {
      work: () => this.#finishAt(entry, place.value),
      unfinished: () => unfinishedPath(place.value, this.#parts.session),
    });
  }

  /** Finishes a file whose contents were all written to `unfinished`, which is open, and stays so. Afterwards no unfinished file is left. */
  finishWritten(
    entry: EntryToFinish,
    place: string,
    unfinished: UnfinishedFile,
  ): readonly TextProblem[] {
    const work = (): readonly string[] => {
      this.#checkLength(unfinished.handle, entry);
      const lacking = this.#setOpen(unfinished.handle, entry);
      moveInto(unfinished.path, place);
      return lacking;
    };
    return this.#told(entry, { work, unfinished: () => unfinished.path });
  }

  /** What finishing an entry met with, as problems; `work` gives what of the metadata is lacking. */
  #told(
    { path }: EntryToFinish,
    finishing: { readonly work: () => readonly string[]; readonly unfinished: () => string },
  ): readonly TextProblem[] {
    try {
      const lacking = finishing.work();
      return lacking.map((detail) => ({ path, problem: 'metadata', detail }));
    } catch (reason) {
      discard(finishing.unfinished());
      if (reason instanceof NotFinished)
        return [{ path, problem: 'not-written', detail: reason.message }];
      const code = errnoOf(reason);
      const problem = withoutSpace.has(code) ? 'no-space' : 'not-written';
      return [{ path, problem, detail: code }];
    }
  }

  /** Gives what of the metadata could not be kept; throws when the entry is not there afterwards. */
  #finishAt(entry: EntryToFinish, place: string): readonly string[] {
    if (entry.linkTo !== undefined) return this.#finishLink(entry, entry.linkTo, place);
    switch (entry.kind) {
      case 'file':
        return this.#finishFile(entry, place);
      case 'directory':
        return this.#finishFolder(entry, place);
      case 'symlink':
        return this.#finishSymlink(entry, place);
      case 'fifo':
      case 'socket':
      case 'block-device':
      case 'character-device':
        throw new NotFinished('special files are not restored in this version');
      default:
        return assertNever(entry.kind);
    }
  }

  #finishFile(entry: EntryToFinish, place: string): readonly string[] {
    const unfinished = unfinishedPath(place, this.#parts.session);
    const isEmpty = entry.size === 0 && entry.written === undefined;
    // A file that holds its contents already is finished where it stands.
    const isStanding = !isEmpty && entry.written === undefined;
    if (!isStanding && !isEmpty && entry.written !== entry.size)
      throw new NotFinished(`${entry.written} of ${entry.size} bytes were written`);
    const making = isEmpty ? constants.O_CREAT | constants.O_EXCL : 0;
    const handle = openSync(fsPath(isStanding ? place : unfinished), cautious | making, 0o600);
    try {
      this.#checkLength(handle, entry);
      const lacking = this.#setOpen(handle, entry);
      if (!isStanding) moveInto(unfinished, place);
      return lacking;
    } finally {
      closeSync(handle);
    }
  }

  #checkLength(handle: number, entry: EntryToFinish): void {
    const stat = fstatSync(handle);
    if (!stat.isFile() || stat.size !== entry.size)
      throw new NotFinished('the file has another length than its contents');
  }

  #finishFolder(entry: EntryToFinish, place: string): readonly string[] {
    const handle = openFolder(place);
    try {
      return this.#setOpen(handle, entry);
    } finally {
      closeSync(handle);
    }
  }

  #finishSymlink(entry: EntryToFinish, place: string): readonly string[] {
    if (entry.target === undefined) throw new NotFinished('a link without a target');
    const unfinished = unfinishedPath(place, this.#parts.session);
    const path = Buffer.from(unfinished, 'latin1');
    symlinkSync(Buffer.from(entry.target), path);
    const { uid, gid, differs } = this.#parts.owners.of(entry);
    const lacking: string[] = [];
    if (differs) attempt(lacking, 'owner', () => lchownSync(path, uid, gid));
    const shortfall = preciseTimes().setLink(path, entry.modifiedNs);
    if (shortfall !== undefined) lacking.push(shortfall);
    moveInto(unfinished, place);
    return lacking;
  }

  #finishLink(entry: EntryToFinish, linkTo: string, place: string): readonly string[] {
    const existing = this.#parts.folders.place(linkTo);
    if (!existing.ok) throw new NotFinished(existing.error.detail);
    const unfinished = unfinishedPath(place, this.#parts.session);
    if (entry.kind === 'file' && !lstatSync(fsPath(existing.value)).isFile())
      throw new NotFinished('the file that it is a further name of is not there');
    try {
      linkSync(fsPath(existing.value), fsPath(unfinished));
    } catch (reason) {
      if (entry.kind !== 'file') throw reason;
      return this.#finishCopy(entry, { existing: existing.value, unfinished, place });
    }
    moveInto(unfinished, place);
    // Renaming one name of a file over another name of it does nothing, and leaves both.
    discard(unfinished);
    return [];
  }

  /** Where the file system has no further names for files, a copy is better than nothing. */
  #finishCopy(
    entry: EntryToFinish,
    paths: { readonly existing: string; readonly unfinished: string; readonly place: string },
  ): readonly string[] {
    copyFileSync(fsPath(paths.existing), fsPath(paths.unfinished), constants.COPYFILE_EXCL);
    const handle = openSync(fsPath(paths.unfinished), cautious);
    try {
      const lacking = this.#setOpen(handle, entry);
      moveInto(paths.unfinished, paths.place);
      return [...lacking, 'a copy, because the file system refused a further name'];
    } finally {
      closeSync(handle);
    }
  }

  /** Owner before mode, for a change of owner takes set-id bits away. */
  #setOpen(handle: number, entry: EntryToFinish): readonly string[] {
    const { uid, gid, differs } = this.#parts.owners.of(entry);
    const lacking: string[] = [];
    if (differs) attempt(lacking, 'owner', () => fchownSync(handle, uid, gid));
    const isOwned = lacking.length === 0;
    // Set-id bits mean something else under another owner.
    const mode = isOwned ? entry.mode : entry.mode & ~setIdBits;
    attempt(lacking, 'mode', () => fchmodSync(handle, mode));
    const shortfall = preciseTimes().setOpen(handle, entry.modifiedNs);
    return shortfall === undefined ? lacking : [...lacking, shortfall];
  }
}

function attempt(lacking: string[], what: string, work: () => void): void {
  try {
    work();
  } catch (problem) {
    lacking.push(`the ${what} was not set: ${errnoOf(problem)}`);
  }
}

function openFolder(place: string): number {
  const path = fsPath(place);
  const flags = cautious | constants.O_DIRECTORY;
  try {
    return openSync(path, flags);
  } catch (problem) {
    // Its mode may keep even its owner out, until it gets its own again.
    if (errnoOf(problem) !== 'EACCES' || !lstatSync(path).isDirectory()) throw problem;
    chmodSync(path, 0o700);
    return openSync(path, flags);
  }
}

/** Puts what is finished into its place. An empty folder makes way for it, one that holds something does not. */
function moveInto(unfinished: string, place: string): void {
  const from = fsPath(unfinished);
  const to = fsPath(place);
  try {
    renameSync(from, to);
  } catch (problem) {
    if (!['EISDIR', 'ENOTEMPTY', 'EEXIST'].includes(errnoOf(problem))) throw problem;
    rmdirSync(to);
    renameSync(from, to);
  }
}

/** Removes an unfinished file, if there is one; what is amiss otherwise has been found before. */
function discard(unfinished: string): void {
  try {
    unlinkSync(fsPath(unfinished));
  } catch (problem) {
    errnoOf(problem);
  }
}
