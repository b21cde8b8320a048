import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { exitCodes } from './exit-codes.ts';

/** A process of its own, for the end of one is what is tested. */
function ended(problem: string, flags: readonly string[]): { status: number | null; out: string } {
  const load = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
  const program = `
    const { StorageDamaged, StorageFull } = await import(${load('../ports/stores.ts')});
    const { endForStorage } = await import(${load('./storage-end.ts')});
    endForStorage(new ${problem}('page 7'));
    process.exit(1);`;
  const arguments_ = ['--input-type=module', '-e', program, '--', ...flags];
  const { status, stdout, stderr } = spawnSync(process.execPath, arguments_, { encoding: 'utf8' });
  return { status, out: stdout + stderr };
}

test('a catalogue that fails where nobody waits for it ends the program as what it is', () => {
  const damaged = ended('StorageDamaged', ['--json']);
  assert.equal(damaged.status, exitCodes.integrity);
  assert.equal(JSON.parse(damaged.out).error.code, 'catalogue.damaged');
  const full = ended('StorageFull', []);
  assert.equal(full.status, exitCodes.noSpace);
  assert.match(full.out, /page 7/);
});

test('any other mistake is left to be told as one of ours', () => {
  assert.equal(ended('Error', ['--json']).status, exitCodes.failed);
});
