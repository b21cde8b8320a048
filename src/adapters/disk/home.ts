/**
 * The home of one computer: the folder that holds everything it remembers (DESIGN §6).
 *
 * One process at a time works in a home. The lock is an exclusive lock on a tiny SQLite file: the operating system drops it together with the process,
 * however that ends, so there is nothing stale to judge.
 */
import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { makeFolder, privateFolderMode, replaceFile, systemCode } from './durable-file.ts';

export type HomeFailure = {
  readonly code:
    | 'home.missing'
    | 'home.in-use'
    | 'home.newer-version'
    | 'home.damaged'
    | 'home.exists'
    | 'home.not-empty'
    | 'home.input-output';
  readonly detail: string;
};

/** Where things lie in a home. */
export interface HomePaths {
  readonly home: string;
  readonly catalogue: string;
  readonly keyFile: string;
  readonly configFile: string;
  /** There from before the key of a home that is made for a recovery until its catalogue says so. */
  readonly recoveryMark: string;
  readonly spool: string;
  readonly held: string;
  readonly log: string;
}

export interface OpenHome extends HomePaths {
  /** Lets the next process in. */
  close(): void;
}

/** Who holds a home; for messages only, the lock itself decides. */
export interface HomeHolder {
  readonly processId: number;
  /** ISO 8601. */
  readonly since: string;
}

const formatVersion = 1;
const markerName = 'covault-home';
const holderName = 'holder.json';
const lockName = 'lock.db';
/** SQLite: another connection holds the lock (https://www.sqlite.org/rescode.html#busy). */
const busyCode = 5;

export function homePaths(home: string): HomePaths {
  return {
    home,
    catalogue: join(home, 'catalog.db'),
    keyFile: join(home, 'key'),
    configFile: join(home, 'config.json'),
    recoveryMark: join(home, 'recovery'),
    spool: join(home, 'spool'),
    held: join(home, 'held'),
    log: join(home, 'log'),
  };
}

/** Where a home lies unless somebody says otherwise; undefined when the environment does not tell. */
export function defaultHome(
  platform: NodeJS.Platform,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (environment['COVAULT_HOME']) return environment['COVAULT_HOME'];
  const user = environment['HOME'];
  if (platform !== 'darwin' && environment['XDG_DATA_HOME'])
    return join(environment['XDG_DATA_HOME'], 'covault');
  if (!user) return undefined;
  const parts = platform === 'darwin' ? ['Library', 'Application Support'] : ['.local', 'share'];
  return join(user, ...parts, 'covault');
}

/** Makes a home of a folder that is missing or empty. Its marker comes last, so a home that has one is complete. */
export function prepareHome(home: string): Outcome<void, HomeFailure> {
  return guarded(() => {
    const paths = homePaths(home);
    if (existsSync(join(home, markerName)))
      return failed({ code: 'home.exists', detail: `${home} is a home already` });
    const own = ['spool', 'held', 'log', `${markerName}.unfinished`];
    const others = existsSync(home) ? readdirSync(home).filter((name) => !own.includes(name)) : [];
    if (others.length > 0)
      return failed({ code: 'home.not-empty', detail: `${home} holds ${others[0]}` });
    for (const folder of [home, paths.spool, paths.held, paths.log]) makeFolder(folder);
    chmodSync(home, privateFolderMode);
    const marked = replaceFile(join(home, markerName), markerText(formatVersion));
    if (marked.ok) return marked;
    return failed({ code: 'home.input-output', detail: marked.error.detail });
  });
}

/** Takes the home for this process, until `close` or the end of the process. `since`: the time now, ISO 8601. */
export function openHome(home: string, since: string): Outcome<OpenHome, HomeFailure> {
  return guarded(() => {
    const marker = readMarker(home);
    if (!marker.ok) return marker;
    const lock = takeLock(home);
    if (!lock.ok) return lock;
    const holder: HomeHolder = { processId: process.pid, since };
    const noted = replaceFile(join(home, holderName), `${JSON.stringify(holder)}\n`);
    // The note is for people; a home on a full disk must open all the same.
    if (!noted.ok && noted.error.code !== 'file.no-space') {
      lock.value.close();
      return failed({ code: 'home.input-output', detail: noted.error.detail });
    }
    const paths = homePaths(home);
    for (const folder of [paths.spool, paths.held, paths.log]) makeFolder(folder);
    return succeeded({ ...paths, close: () => lock.value.close() });
  });
}

/** The process that opened the home last, or undefined when its note cannot be read. */
export function lastHolder(home: string): HomeHolder | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(join(home, holderName), 'utf8'));
    if (typeof value !== 'object' || value === null) return undefined;
    if (!('processId' in value) || typeof value.processId !== 'number') return undefined;
    if (!('since' in value) || typeof value.since !== 'string') return undefined;
    return { processId: value.processId, since: value.since };
  } catch {
    return undefined;
  }
}

function markerText(version: number): string {
  return `covault home, format ${version}\n`;
}

function readMarker(home: string): Outcome<void, HomeFailure> {
  const path = join(home, markerName);
  if (!existsSync(path))
    return failed({ code: 'home.missing', detail: `${home} is no home of covault` });
  const version = /^covault home, format (\d{1,6})\n$/.exec(readFileSync(path, 'utf8'))?.[1];
  if (version === undefined)
    return failed({ code: 'home.damaged', detail: `${path} does not read as a marker` });
  if (Number(version) <= formatVersion) return succeeded(undefined);
  const detail = `${home} has format ${version}; this program knows up to ${formatVersion}`;
  return failed({ code: 'home.newer-version', detail });
}

function takeLock(home: string): Outcome<DatabaseSync, HomeFailure> {
  const lock = new DatabaseSync(join(home, lockName), { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return succeeded(lock);
  } catch (problem) {
    lock.close();
    if (sqliteCode(problem) !== busyCode) throw problem;
    const holder = lastHolder(home);
    const who = holder === undefined ? '' : ` (process ${holder.processId} since ${holder.since})`;
    return failed({ code: 'home.in-use', detail: `${home} is in use${who}` });
  }
}

function sqliteCode(problem: unknown): number | undefined {
  if (!(problem instanceof Error) || !('errcode' in problem)) return undefined;
  return typeof problem.errcode === 'number' ? problem.errcode & 0xff : undefined;
}

function guarded<T>(work: () => Outcome<T, HomeFailure>): Outcome<T, HomeFailure> {
  try {
    return work();
  } catch (problem) {
    if (!(problem instanceof Error) || systemCode(problem) === undefined) throw problem;
    return failed({ code: 'home.input-output', detail: problem.message });
  }
}
