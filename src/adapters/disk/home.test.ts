import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Outcome } from '../../base/outcome.ts';
import { defaultHome, type HomeFailure, lastHolder, openHome, prepareHome } from './home.ts';
import { readKeyFile, writeKeyFile } from './key-file.ts';

const since = '2025-01-01T00:00:00.000Z';

function folderFor(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'covault-home-'));
  context.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

function codeOf<T>(outcome: Outcome<T, HomeFailure>): string {
  return outcome.ok ? 'ok' : outcome.error.code;
}

test('a prepared home is private and opens', (context) => {
  const home = join(folderFor(context), 'deep', 'home');
  assert.equal(codeOf(openHome(home, since)), 'home.missing');
  assert.equal(codeOf(prepareHome(home)), 'ok');
  assert.equal(codeOf(prepareHome(home)), 'home.exists');
  const opened = openHome(home, since);
  assert(opened.ok);
  for (const folder of [home, opened.value.spool, opened.value.held, opened.value.log])
    assert.equal(statSync(folder).mode & 0o777, 0o700);
  assert.deepEqual(lastHolder(home), { processId: process.pid, since });
  opened.value.close();
});

test('a folder that holds something else is not made a home', (context) => {
  const folder = folderFor(context);
  writeFileSync(join(folder, 'thesis.txt'), 'content');
  assert.equal(codeOf(prepareHome(folder)), 'home.not-empty');
  assert(!existsSync(join(folder, 'spool')));
});

test('a preparation that was broken off is finished by the next', (context) => {
  const home = folderFor(context);
  assert.equal(codeOf(prepareHome(home)), 'ok');
  rmSync(join(home, 'covault-home'));
  assert.equal(codeOf(openHome(home, since)), 'home.missing');
  assert.equal(codeOf(prepareHome(home)), 'ok');
});

test('a home is refused while in use, in one process as well, and free when closed', (context) => {
  const home = folderFor(context);
  prepareHome(home);
  const first = openHome(home, since);
  assert(first.ok);
  assert.equal(codeOf(openHome(home, since)), 'home.in-use');
  first.value.close();
  const second = openHome(home, since);
  assert(second.ok);
  second.value.close();
});

test('homes of a newer format or with a broken marker are refused', (context) => {
  const home = folderFor(context);
  prepareHome(home);
  writeFileSync(join(home, 'covault-home'), 'covault home, format 2\n');
  assert.equal(codeOf(openHome(home, since)), 'home.newer-version');
  writeFileSync(join(home, 'covault-home'), 'something');
  assert.equal(codeOf(openHome(home, since)), 'home.damaged');
});

test('the lock of a process that was killed is gone with it', async (context) => {
  const home = folderFor(context);
  prepareHome(home);
  const script = `
    import { openHome } from ${JSON.stringify(import.meta.resolve('./home.ts'))};
    const opened = openHome(${JSON.stringify(home)}, '${since}');
    console.log(opened.ok ? 'open' : opened.error.code);
    setInterval(() => opened, 1000);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  try {
    const [line] = await once(child.stdout, 'data');
    assert.equal(String(line), 'open\n');
    const refused = openHome(home, since);
    assert(!refused.ok);
    assert.equal(refused.error.code, 'home.in-use');
    assert.match(refused.error.detail, new RegExp(`process ${child.pid} since ${since}`));
  } finally {
    child.kill('SIGKILL');
    await exited;
  }
  const taken = openHome(home, since);
  assert(taken.ok);
  taken.value.close();
});

test('the default home follows the platform and the environment', () => {
  assert.equal(defaultHome('linux', { HOME: '/h' }), '/h/.local/share/covault');
  assert.equal(defaultHome('linux', { HOME: '/h', XDG_DATA_HOME: '/d' }), '/d/covault');
  assert.equal(defaultHome('darwin', { HOME: '/h' }), '/h/Library/Application Support/covault');
  assert.equal(defaultHome('linux', { HOME: '/h', COVAULT_HOME: '/c' }), '/c');
  assert.equal(defaultHome('linux', {}), undefined);
});

test('a key file comes back as written, is private, and is not replaced by accident', (context) => {
  const path = join(folderFor(context), 'key');
  const missing = readKeyFile(path);
  assert(!missing.ok && missing.error.code === 'key-file.missing');
  assert(writeKeyFile(path, Uint8Array.of(1, 2, 3)).ok);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const second = writeKeyFile(path, Uint8Array.of(4));
  assert(!second.ok && second.error.code === 'key-file.exists');
  assert.deepEqual(readKeyFile(path), { ok: true, value: Uint8Array.of(1, 2, 3) });
  assert(writeKeyFile(path, Uint8Array.of(4), { replace: true }).ok);
  assert.deepEqual(readKeyFile(path), { ok: true, value: Uint8Array.of(4) });
});

test('a key that others may read is refused, and so is a huge one', (context) => {
  const folder = folderFor(context);
  const open = join(folder, 'open');
  writeFileSync(open, 'key', { mode: 0o640 });
  const refused = readKeyFile(open);
  assert(!refused.ok && refused.error.code === 'key-file.open-to-others');
  const large = join(folder, 'large');
  writeFileSync(large, new Uint8Array(70_000), { mode: 0o600 });
  const tooLong = readKeyFile(large);
  assert(!tooLong.ok && tooLong.error.code === 'key-file.too-long');
});
