/**
 * Bringing a catalogue file to the newest form.
 *
 * Every step runs in one transaction together with its `user_version`, so a crash leaves a catalogue of some version, never half of one. Before an older
 * catalogue is touched a copy of it is put beside it.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import type { Connection } from './connection.ts';
import { integerOf } from './values.ts';

export type MigrationFailure = {
  readonly code: 'catalogue.newer-version' | 'catalogue.damaged';
  readonly detail: string;
};

/** `cvlt` in ASCII: names the file's purpose in its header. */
const applicationId = 0x63766c74;

/** Applies the steps that the file at `path` has not seen. */
export function migrate(
  connection: Connection,
  path: string,
  steps: readonly string[],
): Outcome<void, MigrationFailure> {
  const version = numberIn(connection, 'PRAGMA user_version');
  if (version === 0 && !isEmpty(connection))
    return failed(foreign('it has tables of another kind'));
  if (version > 0 && numberIn(connection, 'PRAGMA application_id') !== applicationId)
    return failed(foreign('its application id is another'));
  if (version > steps.length) {
    const detail = `the catalogue has version ${version}; this program knows up to ${steps.length}`;
    return failed({ code: 'catalogue.newer-version', detail });
  }
  if (version > 0 && version < steps.length) keepCopy(connection, `${path}.version-${version}`);
  for (const [position, step] of steps.entries())
    if (position >= version) apply(connection, step, position + 1);
  return succeeded(undefined);
}

function foreign(reason: string): MigrationFailure {
  return { code: 'catalogue.damaged', detail: `the file is no catalogue of covault: ${reason}` };
}

function apply(connection: Connection, step: string, version: number): void {
  connection.transact(() => {
    connection.execute(step);
    connection.execute(`PRAGMA user_version = ${version}`);
    connection.execute(`PRAGMA application_id = ${applicationId}`);
  });
}

/** A copy of an earlier attempt is whole, and older or the same: it stays. */
function keepCopy(connection: Connection, path: string): void {
  if (existsSync(path)) return;
  const unfinished = `${path}.unfinished`;
  rmSync(unfinished, { force: true });
  connection.run('VACUUM INTO ?', unfinished);
  renameSync(unfinished, path);
}

function isEmpty(connection: Connection): boolean {
  return numberIn(connection, 'SELECT count(*) FROM sqlite_schema') === 0;
}

function numberIn(connection: Connection, sql: string): number {
  return integerOf(Object.values(connection.get(sql) ?? {})[0]);
}
