/**
 * A restore target that is opened when it is first needed: a path that the snapshot does not have makes no folder.
 */
import type { RestoreTarget } from '../ports/restore-target.ts';

/** The target's folder can be neither found nor made; `message` is the system's. */
export class TargetUnusable extends Error {
  override readonly name = 'TargetUnusable';
  /** Its disk is full. */
  readonly isFull: boolean;

  constructor(cause: Error) {
    super(cause.message, { cause });
    const { code } = cause as NodeJS.ErrnoException;
    this.isFull = code === 'ENOSPC' || code === 'EDQUOT';
  }
}

export function createLateTarget(open: () => Promise<RestoreTarget>): RestoreTarget {
  let opened: Promise<RestoreTarget> | undefined;
  const target = (): Promise<RestoreTarget> => {
    opened ??= open().catch((problem: unknown) => {
      if (problem instanceof Error && 'syscall' in problem) throw new TargetUnusable(problem);
      throw problem;
    });
    return opened;
  };
  return {
    inspect: async (paths) => (await target()).inspect(paths),
    holds: async (files) => (await target()).holds(files),
    makeFolders: async (paths) => (await target()).makeFolders(paths),
    write: async (batch) => (await target()).write(batch),
    finish: async (entries) => (await target()).finish(entries),
    names: async (folder) => (await target()).names(folder),
    remove: async (path) => (await target()).remove(path),
    close: async () => {
      // A target that could not be opened has said so to whoever asked first.
      const [settled] = await Promise.allSettled(opened === undefined ? [] : [opened]);
      if (settled?.status === 'fulfilled') await settled.value.close();
    },
  };
}
