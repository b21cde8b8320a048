/**
 * Which fields travel between peers (docs/protocol.md), the same for every carrier and for the simulator's network. Whatever is not listed
 * is dropped on the way out and on the way in, so neither side learns or depends on what the other's HTTP library adds.
 */
import type { Fields } from './transport.ts';

const listed: ReadonlySet<string> = new Set([
  'content-type',
  'content-length',
  'range',
  'content-range',
  'retry-after',
]);
const ownPrefix = 'covault-';

export const pathMaximumLength = 256;

export function travels(name: string): boolean {
  return listed.has(name) || (name.startsWith(ownPrefix) && /^[a-z0-9-]+$/.test(name));
}

/** Only the fields that travel; values that are not one line of visible text are dropped too. */
export function travellingFields(fields: Readonly<Record<string, unknown>> = {}): Fields {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string' && travels(name) && /^[\x20-\x7e]*$/.test(value))
      kept[name] = value;
  }
  return kept;
}

/** The length that `content-length` announces; undefined when it is absent or not a number. */
export function announcedLength(fields: Fields): number | undefined {
  const text = fields['content-length'];
  if (text === undefined || !/^[0-9]{1,15}$/.test(text)) return undefined;
  return Number(text);
}

/** Whether `path` may stand in a request: begins with `/v1/`, visible ASCII, not too long. */
export function isPath(path: string): boolean {
  return path.length <= pathMaximumLength && /^\/v1\/[\x21-\x7e]*$/.test(path);
}
