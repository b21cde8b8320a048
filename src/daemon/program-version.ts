/** The version of this program, as its package says. */
import { readFileSync } from 'node:fs';

/** The package's root is two folders up in the sources, three in what is built. */
const candidates = ['../../package.json', '../../../package.json'];

export const programVersion: string = readVersion();

function readVersion(): string {
  for (const candidate of candidates)
    try {
      const text = readFileSync(new URL(candidate, import.meta.url), 'utf8');
      const { name, version } = JSON.parse(text) as { name?: unknown; version?: unknown };
      if (name === 'covault' && typeof version === 'string') return version;
    } catch {
      // Not there: the next one is.
    }
  return 'unknown';
}
