/**
 * What a restore with `--delete` never removes, whatever the snapshot says: homes of covault, which no backup has, and file systems that are
 * mounted in the target, which a backup of one file system does not enter.
 */
import { lstatSync, readdirSync, rmSync } from 'node:fs';
import { homeMarkerName } from '../../core/scan/exclusion.ts';
import { fsPath } from './byte-path.ts';

/** Names in a folder that may be removed; `outer`: the folder that it is in, undefined for the target itself. Throws what the system says. */
export function removableNames(folder: string, outer: string | undefined): readonly string[] {
  if (outer !== undefined && deviceOf(folder) !== deviceOf(outer)) return [];
  return readdirSync(fsPath(folder), { encoding: 'latin1' })
    .filter((name) => !isHome(`${folder}/${name}`))
    .sort();
}

/** Removes a file, a link or a whole folder. Gives why not when something in it is to stay; throws what the system says. */
export function removeWhole(path: string): string | undefined {
  const device = deviceOf(path.slice(0, path.lastIndexOf('/')) || '/');
  const stays = whatStays(path, device);
  if (stays === undefined) rmSync(fsPath(path), { recursive: true });
  return stays;
}

function whatStays(path: string, device: bigint): string | undefined {
  const stat = lstatSync(fsPath(path), { bigint: true });
  if (!stat.isDirectory()) return undefined;
  if (stat.dev !== device) return 'another file system is mounted there';
  const names = readdirSync(fsPath(path), { encoding: 'latin1' });
  if (names.includes(homeMarkerName)) return 'a home of covault is there';
  for (const name of names) {
    const stays = whatStays(`${path}/${name}`, device);
    if (stays !== undefined) return stays;
  }
  return undefined;
}

function deviceOf(path: string): bigint {
  return lstatSync(fsPath(path), { bigint: true }).dev;
}

function isHome(folder: string): boolean {
  try {
    return lstatSync(fsPath(`${folder}/${homeMarkerName}`)).isFile();
  } catch {
    return false;
  }
}
