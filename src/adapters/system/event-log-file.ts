/**
 * Events as JSON lines in `covault.log` of a folder, through pino.
 *
 * A file over the limit becomes `covault.1.log`, that one `covault.2.log` and so on; what comes after the last is dropped. Whatever looks like a
 * secret by its name is struck out, in case a caller forgets the rule of the port.
 */
import { chmodSync, closeSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { mebi } from '../../base/units.ts';
import type { EventLog, LogLevel } from '../../ports/event-log.ts';

export interface EventLogFile extends EventLog {
  close(): void;
}

export interface EventLogOptions {
  readonly level?: LogLevel;
  readonly rotateBytes?: number;
}

const rotateBytesDefault: number = 16 * mebi;
/** Old files besides the one that is written. */
const keptCount = 3;
/** The size is looked at once in so many events. */
const eventsBetweenLooks = 256;

const secretNames: readonly string[] = [
  'seed',
  'words',
  'secret',
  'passphrase',
  'password',
  'key',
  'privateKey',
  'invitation',
  'inviteCode',
];

export function openEventLog(folder: string, options: EventLogOptions = {}): EventLogFile {
  const path = join(folder, 'covault.log');
  const rotateBytes = options.rotateBytes ?? rotateBytesDefault;
  rotateIfLarge(folder, rotateBytes);
  makePrivate(path);
  // Synchronous: events before a crash are those that matter most.
  const destination = pino.destination({ dest: path, sync: true });
  const logger = pino(
    {
      level: options.level ?? 'info',
      redact: { paths: [...secretNames], censor: '[secret]' },
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: 'event',
    },
    destination,
  );
  let eventCount = 0;
  return {
    write(level, event, fields = {}) {
      logger[level](fields, event);
      eventCount += 1;
      if (eventCount % eventsBetweenLooks !== 0 || !rotateIfLarge(folder, rotateBytes)) return;
      makePrivate(path);
      destination.reopen();
    },
    close: () => destination.end(),
  };
}

function rotateIfLarge(folder: string, rotateBytes: number): boolean {
  const current = join(folder, 'covault.log');
  const size = statSync(current, { throwIfNoEntry: false })?.size ?? 0;
  if (size < rotateBytes) return false;
  const numbered = (number: number): string => join(folder, `covault.${number}.log`);
  rmSync(numbered(keptCount), { force: true });
  for (let number = keptCount - 1; number >= 1; number -= 1)
    if (statSync(numbered(number), { throwIfNoEntry: false }) !== undefined)
      renameSync(numbered(number), numbered(number + 1));
  renameSync(current, numbered(1));
  return true;
}

function makePrivate(path: string): void {
  closeSync(openSync(path, 'a', 0o600));
  chmodSync(path, 0o600);
}
