/** A file system of a few megabytes, where the machine lets us mount one. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmdirSync } from 'node:fs';

export interface SmallDisk {
  readonly path: string;
  resize(bytes: number): void;
  remove(): void;
}

function mount(...options: readonly string[]): void {
  execFileSync('mount', ['-t', 'tmpfs', ...options], { stdio: 'pipe' });
}

/** Undefined where mounting is not permitted. */
export function mountSmallDisk(path: string, bytes: number): SmallDisk | undefined {
  mkdirSync(path);
  try {
    mount('-o', `size=${bytes}`, 'covault-test', path);
  } catch {
    rmdirSync(path);
    return undefined;
  }
  return {
    path,
    resize: (size) => mount('-o', `remount,size=${size}`, 'covault-test', path),
    remove: () => execFileSync('umount', [path], { stdio: 'pipe' }),
  };
}

export const noSmallDisk = 'mounting a small file system is not permitted here';
