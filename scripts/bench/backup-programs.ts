/** covault, restic and borg, each as a person would run it: make a place for backups, back up, restore. */
import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Command } from './measured-process.ts';

export interface BackupProgram {
  readonly name: 'covault' | 'restic' | 'borg';
  /** Commands that make a new place below `place`. */
  create(place: string): Command;
  /** `number` counts the backups into the place from 1. */
  backup(place: string, tree: string, number: number): Command;
  /** Of the first backup, into `target`, a folder that is there. */
  restore(place: string, target: string): Command;
  /** Where what is stored lies. */
  stored(place: string): string;
}

export const covaultMain: string = new URL('../../bin/covault.mjs', import.meta.url).pathname;

export function covaultCommand(home: string, argv: readonly string[]): Command {
  return { file: process.execPath, argv: [covaultMain, '--home', home, '--json', ...argv] };
}

export const covault: BackupProgram = {
  name: 'covault',
  create: (place) => covaultCommand(place, ['init', '--no-passphrase', '--name', 'bench']),
  backup: (place, tree) => covaultCommand(place, ['backup', tree, '--wait', 'captured']),
  restore: (place, target) => covaultCommand(place, ['restore', 'latest', '--target', target]),
  stored: (place) => join(place, 'spool'),
};

function resticCommand(place: string, argv: readonly string[]): Command {
  const environment = {
    RESTIC_REPOSITORY: join(place, 'repository'),
    RESTIC_CACHE_DIR: join(place, 'cache'),
    RESTIC_PASSWORD: 'benchmark',
    GOMAXPROCS: String(availableParallelism()),
  };
  return { file: 'restic', argv: ['--quiet', ...argv], environment };
}

export const restic: BackupProgram = {
  name: 'restic',
  create: (place) => resticCommand(place, ['init']),
  backup: (place, tree) => resticCommand(place, ['backup', tree]),
  restore: (place, target) => resticCommand(place, ['restore', 'latest', '--target', target]),
  stored: (place) => join(place, 'repository'),
};

function borgCommand(place: string, argv: readonly string[], folder?: string): Command {
  const environment = {
    BORG_REPO: join(place, 'repository'),
    BORG_BASE_DIR: join(place, 'base'),
    BORG_PASSPHRASE: 'benchmark',
  };
  return { file: 'borg', argv, environment, ...(folder === undefined ? {} : { folder }) };
}

export const borg: BackupProgram = {
  name: 'borg',
  create: (place) => borgCommand(place, ['init', '--encryption', 'repokey-blake2']),
  backup: (place, tree, number) => borgCommand(place, ['create', `::backup-${number}`, tree]),
  restore: (place, target) => borgCommand(place, ['extract', '::backup-1'], target),
  stored: (place) => join(place, 'repository'),
};

/** What a program calls its version; undefined when it is not installed. */
export function versionOf(program: 'restic' | 'borg' | 'gcc'): string | undefined {
  const argv = program === 'restic' ? ['version'] : ['--version'];
  try {
    const said = execFileSync(program, argv, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return /\d+\.\d+(?:\.\d+)*/.exec(said)?.[0];
  } catch {
    return undefined;
  }
}
