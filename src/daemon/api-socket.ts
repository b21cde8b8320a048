/**
 * Where the local API's socket lies: in the home, which only its user may enter.
 *
 * The kernel takes socket paths of about a hundred bytes. A home deeper than that is reached through a handle on its folder, where the
 * platform has a short name for one.
 */
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';

export const socketName = 'api.sock';
const pathMaximumBytes = 100;

export interface SocketPath {
  readonly path: string;
  release(): void;
}

/** Whether a daemon runs on the home, or did and left its socket behind. */
export function socketStands(home: string): boolean {
  return existsSync(join(home, socketName));
}

export function socketPathOf(home: string): SocketPath {
  const path = join(home, socketName);
  if (Buffer.byteLength(path) <= pathMaximumBytes || process.platform !== 'linux')
    return { path, release: () => undefined };
  const folder = openSync(home, 'r');
  return {
    path: `/proc/self/fd/${folder}/${socketName}`,
    release: () => closeSync(folder),
  };
}
