/**
 * Files that are not whole yet: where they lie, and how bytes get into them.
 *
 * An unfinished file stands beside its place under a name that nobody can guess, so nothing that was there before is ever written into, and
 * what stands in its place stays whole until the new file is.
 */
import {
  closeSync,
  constants,
  ftruncateSync,
  lstatSync,
  openSync,
  readdirSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { hexText } from '../../base/bytes.ts';
import { bytesOfText } from '../../core/scan/stat-columns.ts';
import { sha256 } from '../../primitives/hash.ts';
import { errnoOf, fsPath } from './byte-path.ts';
import type { FileToFill } from './target-messages.ts';

/** Names of unfinished files begin like this. */
const unfinishedPrefix = '.covault-partial-';
/** An unfinished file that nobody wrote to for so long belongs to a restore that was broken off, wherever it ran. */
const abandonedAfterMs = 86_400_000;
/** Whose process writes it: names of another computer's tell nothing about processes here. */
const ownComputer = hexText(sha256(bytesOfText(hostname())).subarray(0, 4));
const writerPattern = /^\.covault-partial-(\d{1,10})-([0-9a-f]{8})-/;

/** Beside `place`, an absolute path. */
export function unfinishedPath(place: string, session: string): string {
  const at = place.lastIndexOf('/');
  const name = hexText(sha256(bytesOfText(`${session}/${place.slice(at + 1)}`)).subarray(0, 16));
  return `${place.slice(0, at)}/${unfinishedPrefix}${process.pid}-${ownComputer}-${name}`;
}

/** Removes from a folder what restores left behind that were broken off; what cannot be removed stays. */
export function sweepAbandoned(folder: string): void {
  try {
    const oldest = Date.now() - abandonedAfterMs;
    for (const name of readdirSync(fsPath(folder), { encoding: 'latin1' })) {
      if (!name.startsWith(unfinishedPrefix)) continue;
      const path = fsPath(`${folder}/${name}`);
      if (isOrphan(name) || lstatSync(path).mtimeMs < oldest) unlinkSync(path);
    }
  } catch (problem) {
    errnoOf(problem);
  }
}

/** Whether the process of this computer that wrote it is gone. */
function isOrphan(name: string): boolean {
  const [, processId, computer] = writerPattern.exec(name) ?? [];
  if (processId === undefined || computer !== ownComputer) return false;
  try {
    process.kill(Number(processId), 0);
    return false;
  } catch (problem) {
    return errnoOf(problem) === 'ESRCH';
  }
}

/** As many are open at once. */
const openMaximum = 64;
const holeBytes = 4_096;
const zeros: Buffer = Buffer.alloc(holeBytes);

export interface UnfinishedFile {
  readonly handle: number;
  /** Where it lies. */
  readonly path: string;
}

/** The open unfinished files of one batch. */
export class UnfinishedFiles {
  readonly #session: string;
  readonly #open = new Map<string, UnfinishedFile>();

  constructor(session: string) {
    this.#session = session;
  }

  /** Writes `bytes` at `position`; throws what the system says. */
  write(place: string, file: FileToFill, at: { position: number; bytes: Uint8Array }): void {
    const { handle } = this.open(place, file);
    if (!file.sparse) {
      writeFully(handle, at.bytes, at.position);
      return;
    }
    for (const { start, end } of filledParts(at.bytes, at.position))
      writeFully(handle, at.bytes.subarray(start, end), at.position + start);
  }

  close(): void {
    for (const { handle } of this.#open.values()) closeSync(handle);
    this.#open.clear();
  }

  /** Closes the one beside `place`, if it is open. */
  closeOne(place: string): void {
    const known = this.#open.get(place);
    if (known === undefined) return;
    this.#open.delete(place);
    closeSync(known.handle);
  }

  open(place: string, file: FileToFill): UnfinishedFile {
    const known = this.#open.get(place);
    if (known !== undefined) return known;
    if (this.#open.size >= openMaximum) this.close();
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW;
    const path = unfinishedPath(place, this.#session);
    const unfinished = { handle: openSync(fsPath(path), flags, 0o600), path };
    this.#open.set(place, unfinished);
    // Holes are what is never written; they count towards the length all the same.
    if (file.sparse) ftruncateSync(unfinished.handle, file.size);
    return unfinished;
  }
}

function writeFully(handle: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; )
    done += writeSync(handle, bytes, done, bytes.length - done, position + done);
}

/** The parts of `bytes` between holes: whole blocks of zeros that are aligned in the file. */
function* filledParts(
  bytes: Uint8Array,
  position: number,
): Generator<{ readonly start: number; readonly end: number }> {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let start = 0;
  let at = (holeBytes - (position % holeBytes)) % holeBytes;
  for (; at + holeBytes <= view.length; at += holeBytes) {
    if (zeros.compare(view, at, at + holeBytes) !== 0) continue;
    if (start < at) yield { start, end: at };
    start = at + holeBytes;
  }
  if (start < view.length) yield { start, end: view.length };
}
