import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { covault, startDaemon, temporaryFolder } from './command-line.ts';

const folder = temporaryFolder('homes');
const home = join(folder.path, 'home');
const guarded = join(folder.path, 'guarded');
const kit = join(folder.path, 'kit.json');
const passphrase = { COVAULT_PASSPHRASE: 'open sesame' };

before(async () => {
  const made = await covault([
    '--home',
    home,
    'init',
    '--no-passphrase',
    '--name',
    'attic',
    '--kit',
    kit,
  ]);
  assert.equal(made.exit, 0, made.err);
  assert.match(made.out, / 1\. [a-z]+ .*\n/);
  assert.match(made.out, /24\. [a-z]+\n/);
  assert.match(made.out, /20 GB lent protects about 10 GB at 4\+4/);
  const other = await covault(['--home', guarded, 'init'], { environment: passphrase });
  assert.equal(other.exit, 0, other.err);
  for (const each of [home, guarded]) await loopbackOnly(each);
});
after(() => folder.remove());

async function loopbackOnly(each: string): Promise<void> {
  const set = ['config', 'set', 'network.listen', '["/ip4/127.0.0.1/tcp/0"]'];
  const done = await covault(['--home', each, ...set], { environment: passphrase });
  assert.equal(done.exit, 0, done.err);
}

test('the kit that init writes is for its user alone', () => {
  assert.equal(statSync(kit).mode & 0o777, 0o600);
  assert.equal(statSync(join(home, 'key')).mode & 0o777, 0o600);
  assert.equal(typeof JSON.parse(readFileSync(kit, 'utf8')), 'object');
});

test('init does not touch a home that is there', async () => {
  const key = readFileSync(join(home, 'key'));
  const again = await covault(['--home', home, '--json', 'init', '--no-passphrase']);
  assert.equal(again.exit, 1);
  assert.equal((again.json()['error'] as { code: string }).code, 'home.exists');
  assert.deepEqual(readFileSync(join(home, 'key')), key);
});

test('without a terminal init asks for a passphrase source or a clear no', async () => {
  const made = await covault(['--home', join(folder.path, 'other'), 'init']);
  assert.equal(made.exit, 2);
  assert.match(made.err, /--no-passphrase/);
});

test('status is answered in well under a second, and says what to do first', async () => {
  const status = await covault(['--home', home, 'status']);
  assert.equal(status.exit, 0, status.err);
  assert.match(status.out, /^attic/);
  assert.match(status.out, /Nothing is backed up yet/);
  assert.match(status.out, /covault invite/);
});

test('a folder that is no home ends with 10, in words and in JSON', async () => {
  const none = join(folder.path, 'none');
  const said = await covault(['--home', none, 'status']);
  assert.equal(said.exit, 10);
  assert.match(said.err, /There is no covault home here\.(.|\n)*covault init/);
  const json = await covault(['--home', none, '--json', 'status']);
  assert.equal(json.exit, 10);
  assert.equal(json.err, '');
  assert.equal((json.json()['error'] as { code: string }).code, 'home.missing');
});

test('COVAULT_HOME names the home when no option does', async () => {
  const said = await covault(['--json', 'status'], { environment: { COVAULT_HOME: home } });
  assert.equal(said.exit, 0, said.err);
  assert.equal(said.json()['name'], 'attic');
});

test('a wrong or a missing passphrase ends with 12, the right one from any source opens', async () => {
  const status = ['--home', guarded, '--json', 'status'];
  const wrong = await covault(status, { environment: { COVAULT_PASSPHRASE: 'open barley' } });
  assert.equal(wrong.exit, 12);
  assert.equal((wrong.json()['error'] as { code: string }).code, 'key.wrong-passphrase');
  const missing = await covault(status);
  assert.equal(missing.exit, 12);
  assert.equal((missing.json()['error'] as { code: string }).code, 'key.passphrase-needed');
  const file = join(folder.path, 'passphrase');
  writeFileSync(file, 'open sesame\n');
  const sources = [
    ['--passphrase-file', file],
    ['--passphrase-command', 'echo open sesame'],
    ['--passphrase-fd', '0'],
  ];
  for (const source of sources) {
    const said = await covault([...source, ...status], { input: 'open sesame\n' });
    assert.equal(said.exit, 0, said.out);
  }
});

test('mistakes in typing end with 2, and later commands say so', async () => {
  for (const argv of [
    ['stauts'],
    ['status', '--nonsense'],
    ['init', '--lend', 'plenty'],
    ['restore', 'latest'],
    ['backup', '--wait', 'forever'],
    ['up', '--http', '0.0.0.0:1'],
    ['up', '--listen', 'here'],
  ]) {
    const said = await covault(['--home', home, ...argv]);
    assert.equal(said.exit, 2, `${argv.join(' ')}: ${said.err}`);
    assert.notEqual(said.err, '');
    const json = await covault(['--home', home, '--json', ...argv]);
    assert.equal(json.exit, 2);
    assert.equal(json.err, '');
    assert.equal((json.json()['error'] as { code: string }).code, 'usage', argv.join(' '));
  }
  const later = await covault(['--home', home, 'prune']);
  assert.equal(later.exit, 2);
  assert.match(later.err, /comes in a later version/);
});

test('help tells the three steps and lists no command that is not there', async () => {
  const help = await covault(['--help']);
  assert.equal(help.exit, 0);
  assert.match(help.out, /1\. covault init/);
  assert.doesNotMatch(help.out, /^ {2}(?:prune|find|dump|forget)\b/m);
});

test('a daemon answers for its home, and a second one is refused with 11', async () => {
  const daemon = await startDaemon(home);
  try {
    assert.equal(daemon.started['name'], 'attic');
    const status = await covault(['--home', home, '--json', 'status']);
    assert.equal(status.exit, 0, status.out);
    assert.equal(status.json()['daemon'], true);
    const second = await covault(['--home', home, '--json', 'up']);
    assert.equal(second.exit, 11);
    assert.equal((second.json()['error'] as { code: string }).code, 'home.in-use');
  } finally {
    assert.equal(await daemon.stop('SIGTERM'), 143);
  }
  const status = await covault(['--home', home, '--json', 'status']);
  assert.equal(status.json()['daemon'], false);
});

test('after kill -9 the home opens again, whatever the daemon left behind', async () => {
  const daemon = await startDaemon(home);
  const killed = once(daemon.child, 'exit');
  daemon.child.kill('SIGKILL');
  await killed;
  const status = await covault(['--home', home, '--json', 'status']);
  assert.equal(status.exit, 0, status.out);
  assert.equal(status.json()['daemon'], false);
  const again = await startDaemon(home);
  assert.equal(await again.stop(), 143);
});

test('on HTTP the daemon answers whoever has the token of its home', async () => {
  const listen = ['--listen', '/ip4/127.0.0.1/tcp/0', '--http', '127.0.0.1:0'];
  const daemon = await startDaemon(home, listen);
  try {
    const token = readFileSync(String(daemon.started['tokenFile']), 'utf8').trim();
    const url = `${String(daemon.started['http'])}/v1/operations/status`;
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
    const answer = await fetch(url, { method: 'POST', headers, body: '{"probe":false}' });
    const { result } = JSON.parse((await answer.text()).trim()) as { result: { name: string } };
    assert.equal(result.name, 'attic');
  } finally {
    await daemon.stop();
  }
});

test('a home deep down in folders has its daemon too', {
  skip: process.platform !== 'linux',
}, async () => {
  const deep = join(folder.path, 'd'.repeat(120), 'home');
  mkdirSync(dirname(deep));
  assert.equal((await covault(['--home', deep, 'init', '--no-passphrase'])).exit, 0);
  const daemon = await startDaemon(deep);
  const status = await covault(['--home', deep, '--json', 'status']);
  assert.equal(status.json()['daemon'], true);
  assert.equal(await daemon.stop(), 143);
});

test('a name that is not UTF-8 can be typed, listed and read', {
  skip: process.platform !== 'linux',
}, async () => {
  const main = new URL('../../bin/covault.mjs', import.meta.url).pathname;
  const odd = Buffer.concat([Buffer.from(`${folder.path}/odd-`), Buffer.from([0xff])]);
  writeFileSync(odd, 'odd\n');
  const shell = `odd="${folder.path}/$(printf 'odd-\\377')"
    run() { "${process.execPath}" "${main}" --home "${home}" "$@"; }
    run backup --wait captured "$odd" >&2 && run ls "latest:$odd" && run cat "latest:$odd"`;
  const said = spawnSync('/bin/sh', ['-c', shell], { encoding: 'utf8' });
  assert.match(said.stdout, /odd-\\xff\nodd\n$/, said.stderr);
});

test('SIGINT ends the daemon cleanly with 130', async () => {
  const daemon = await startDaemon(home);
  assert.equal(await daemon.stop('SIGINT'), 130);
});

test('settings are read, changed, and refused when they make no sense', async () => {
  const config = ['--home', home, '--json', 'config'];
  assert.equal((await covault([...config, 'set', 'cache.capBytes', '1GB'])).exit, 0);
  const got = await covault([...config, 'get', 'cache.capBytes']);
  assert.equal(got.out.trim(), '1000000000');
  const unknown = await covault([...config, 'set', 'cache.capBites', '1GB']);
  assert.equal(unknown.exit, 2);
  assert.match(String((unknown.json()['error'] as { detail: string }).detail), /cache\.capBytes/);
  assert.equal((await covault([...config, 'set', 'cache.capBytes', '-7'])).exit, 2);
});

test('a backup goes by what is configured now, though a daemon runs since before', async () => {
  const daemon = await startDaemon(home);
  try {
    const dry = ['--home', home, '--json', 'backup', '--dry-run'];
    const nothing = await covault(dry);
    assert.equal(nothing.exit, 2);
    assert.equal((nothing.json()['error'] as { code: string }).code, 'backup.no-sources');
    const source = join(folder.path, 'source');
    mkdirSync(source);
    writeFileSync(join(source, 'file'), 'file');
    const set = await covault(['--home', home, 'config', 'set', 'backup.sources', source]);
    assert.match(set.err, /The next backup goes by it/);
    const counted = await covault(dry);
    assert.equal(counted.exit, 0, counted.out);
    assert.equal((counted.json()['counts'] as { files: number }).files, 1);
  } finally {
    await daemon.stop();
  }
});

test('doctor finds a key that others can read, and says how to close it', async () => {
  chmodSync(join(home, 'key'), 0o644);
  const said = await covault(['--home', home, '--json', 'doctor']);
  chmodSync(join(home, 'key'), 0o600);
  const checks = said.json()['checks'] as readonly { name: string; level: string }[];
  assert.notEqual(said.exit, 0);
  assert.ok(checks.some(({ name, level }) => name === 'key' && level !== 'ok'));
  const well = await covault(['--home', home, '--json', 'doctor']);
  assert.equal(well.exit, 0, well.out);
});

test('a reader that goes away ends the program quietly', async () => {
  const main = new URL('../../bin/covault.mjs', import.meta.url).pathname;
  const shell = `"${process.execPath}" "${main}" --help | true`;
  const said = spawnSync('/bin/sh', ['-c', shell], { encoding: 'utf8' });
  assert.equal(said.stderr, '');
});
