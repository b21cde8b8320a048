import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { bytesOfText } from '../../core/scan/stat-columns.ts';
import { posixContents } from './posix-contents.ts';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'covault-contents-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Reads a file as its bytes or the problem with it. */
function read(name: string): string {
  const handle = posixContents.open(bytesOfText(join(folder, name)));
  if (typeof handle !== 'number') return handle.problem;
  try {
    const area = new Uint8Array(100);
    const count = posixContents.read(handle, area, 0);
    return typeof count === 'number'
      ? Buffer.from(area.subarray(0, count)).toString()
      : count.problem;
  } finally {
    posixContents.close(handle);
  }
}

test('reading leaves the time of access as it was', () => {
  const path = join(folder, 'file');
  writeFileSync(path, 'bytes');
  execFileSync('touch', ['-a', '-d', '2001-02-03T04:05:06Z', path]);
  const before = lstatSync(path, { bigint: true }).atimeNs;
  assert.equal(read('file'), 'bytes');
  assert.equal(lstatSync(path, { bigint: true }).atimeNs, before);
});

test('links, folders, pipes and what is gone are no files', () => {
  symlinkSync('file', join(folder, 'link'));
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  for (const name of ['link', 'pipe', '.', 'gone', 'gone/deeper'])
    assert.equal(read(name), 'vanished', name);
});

test('files of others are read where they may be, and reported where not', (context) => {
  if (process.geteuid?.() !== 0) {
    context.skip('only the superuser can act as somebody else');
    return;
  }
  writeFileSync(join(folder, 'open'), 'bytes', { mode: 0o644 });
  writeFileSync(join(folder, 'closed'), 'bytes', { mode: 0o600 });
  chmodSync(folder, 0o755);
  process.seteuid?.(65_534);
  try {
    assert.equal(read('open'), 'bytes');
    assert.equal(read('closed'), 'unreadable');
  } finally {
    process.seteuid?.(0);
  }
});
