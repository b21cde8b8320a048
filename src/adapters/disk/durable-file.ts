/**
 * Small files that are replaced as a whole: a reader, or the next start after a power cut, finds the old bytes or the new ones.
 *
 * Written beside its place, synced, renamed into it, and the folder synced: only then is the name durable as well.
 */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { Outcome } from '../../base/outcome.ts';
import { failed, succeeded } from '../../base/outcome.ts';

export type FileFailure = {
  readonly code: 'file.no-space' | 'file.input-output';
  readonly detail: string;
};

/** Only the user whose computer this is may read or enter. */
export const privateFileMode = 0o600;
export const privateFolderMode = 0o700;

/** Errors of the operating system that mean that there is no room. */
const noSpaceCodes: readonly string[] = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/** The system's name of an error (`ENOENT`), or undefined when it is no error of the system. */
export function systemCode(problem: unknown): string | undefined {
  if (!(problem instanceof Error) || !('code' in problem)) return undefined;
  return typeof problem.code === 'string' ? problem.code : undefined;
}

export function isNoSpace(problem: unknown): boolean {
  return noSpaceCodes.includes(systemCode(problem) ?? '');
}

export function replaceFile(
  path: string,
  content: string | Uint8Array,
): Outcome<void, FileFailure> {
  const unfinished = `${path}.unfinished`;
  try {
    rmSync(unfinished, { force: true });
    writeFileSync(unfinished, content, { mode: privateFileMode, flag: 'wx', flush: true });
    renameSync(unfinished, path);
    syncFolder(dirname(path));
    return succeeded(undefined);
  } catch (problem) {
    if (systemCode(problem) === undefined) throw problem;
    rmSync(unfinished, { force: true });
    return failed(fileFailure(problem));
  }
}

/** Makes the folder and those above it, each durable in the one that holds it. */
export function makeFolder(path: string): void {
  const first = mkdirSync(path, { recursive: true, mode: privateFolderMode });
  if (first === undefined) return;
  for (let folder = path; ; folder = dirname(folder)) {
    syncFolder(dirname(folder));
    if (folder === first || folder === dirname(folder)) return;
  }
}

export function syncFolder(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function fileFailure(problem: unknown): FileFailure {
  const detail = problem instanceof Error ? problem.message : String(problem);
  return { code: isNoSpace(problem) ? 'file.no-space' : 'file.input-output', detail };
}
