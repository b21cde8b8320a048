/** What can be wrong with a home, found without opening it: the platform, permissions, the catalogue, the disk. */
import { existsSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export interface Check {
  readonly name: string;
  readonly level: 'ok' | 'warn' | 'fail';
  readonly finding: string;
  /** Empty when all is well. */
  readonly advice: string;
}

const oldestNode = 24;
const tightDiskBytes = 2e9;
const fullDiskBytes = 200e6;
const othersBits = 0o077;
/** No copy of this program is older, so no true clock is behind it. */
const oldestTime: number = Date.UTC(2026, 0, 1);

export function ok(name: string, finding: string): Check {
  return { name, level: 'ok', finding, advice: '' };
}

export function homeChecks(home: string): readonly Check[] {
  const checks = [nodeCheck(process.versions.node), clockCheck(Date.now(), undefined)];
  if (!existsSync(home))
    return [
      ...checks,
      {
        name: 'home',
        level: 'fail',
        finding: `${home} is not there`,
        advice: 'Run `covault init`, or name the right home with --home DIR.',
      },
    ];
  return [
    ...checks,
    privacyCheck('home', home),
    privacyCheck('key', join(home, 'key')),
    catalogueCheck(join(home, 'catalog.db')),
    diskCheck(home),
  ];
}

export function nodeCheck(version: string): Check {
  if (Number.parseInt(version, 10) >= oldestNode) return ok('node', `Node.js ${version}`);
  return {
    name: 'node',
    level: 'fail',
    finding: `Node.js ${version}`,
    advice: `Node.js ${oldestNode} or newer is needed; \`npm ci\` brings one along.`,
  };
}

/** `seen`: the newest time that this computer remembers. */
export function clockCheck(now: number, seen: number | undefined): Check {
  const text = new Date(now).toISOString();
  if (now >= Math.max(oldestTime, seen ?? 0)) return ok('clock', text);
  return {
    name: 'clock',
    level: 'warn',
    finding: `${text} lies before what this computer remembers`,
    advice: 'Set the clock: partners judge invitations and promises by time.',
  };
}

function privacyCheck(name: string, path: string): Check {
  try {
    const { mode, uid } = statSync(path);
    const own = process.getuid === undefined || uid === process.getuid();
    if (own && (mode & othersBits) === 0) return ok(name, `${path} is yours alone`);
    return {
      name,
      level: own ? 'warn' : 'fail',
      finding: own ? `${path} is open to other users` : `${path} belongs to somebody else`,
      advice: own ? `chmod go-rwx '${path}'` : 'Run covault as the user who made this home.',
    };
  } catch (problem) {
    return {
      name,
      level: 'fail',
      finding: (problem as Error).message,
      advice: 'If it is lost, `covault recover` brings it back from the 24 words.',
    };
  }
}

function catalogueCheck(path: string): Check {
  if (!existsSync(path))
    return {
      name: 'catalogue',
      level: 'warn',
      finding: 'there is none yet',
      advice: 'A home that was used has one; if it is lost, `covault recover` rebuilds it.',
    };
  try {
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      const version = database.prepare('PRAGMA user_version').get()?.['user_version'];
      const result = database.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
      if (result === 'ok') return ok('catalogue', `version ${String(version)}, intact`);
      return damaged(String(result));
    } finally {
      database.close();
    }
  } catch (problem) {
    return damaged((problem as Error).message);
  }
}

function damaged(finding: string): Check {
  return {
    name: 'catalogue',
    level: 'fail',
    finding,
    advice: 'Your partners have what is needed to rebuild it: `covault recover --home NEW`.',
  };
}

function diskCheck(home: string): Check {
  const { bavail, bsize } = statfsSync(home);
  const free = bavail * bsize;
  const finding = `${(free / 1e9).toFixed(1)} GB free`;
  if (free >= tightDiskBytes) return ok('disk', finding);
  return {
    name: 'disk',
    level: free < fullDiskBytes ? 'fail' : 'warn',
    finding,
    advice: 'Free some space, or lend less: the spool and what you hold for others live here.',
  };
}
