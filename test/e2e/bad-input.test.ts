/** What is damaged, full, forbidden or mistyped on this computer: a stable code, sentences for people, and no data lost. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { Prng } from '../../src/base/prng.ts';
import { instant } from '../../src/base/units.ts';
import { invitationText, parseInvitation } from '../../src/core/agreements/invitation.ts';
import {
  assertFailure,
  done,
  endAll,
  failureCode,
  type Home,
  lastWords,
  makeHome,
  on,
  up,
} from './circle.ts';
import { covault, type Daemon, type Said, temporaryFolder } from './command-line.ts';
import { isRoot } from './odd-tree.ts';
import { mountSmallDisk, noSmallDisk } from './small-disk.ts';
import { assertSameTree } from './tree-comparison.ts';

const seed = process.env['COVAULT_TEST_SEED'] ?? String(Date.now());
const chance = new Prng(seed);
const nobody = 65_534;

const folder = temporaryFolder('bad-input');
const files = join(folder.path, 'files');
const kit = join(folder.path, 'kit.json');
const daemons: Daemon[] = [];
let home: Home;

before(async () => {
  chmodSync(folder.path, 0o711);
  home = await makeHome(folder.path, 'home');
  mkdirSync(join(files, 'below'), { recursive: true });
  for (let number = 0; number < 40; number += 1)
    writeFileSync(join(files, 'below', `${number}.txt`), chance.bytes(chance.below(30_000)));
  writeFileSync(join(files, 'large.bin'), chance.bytes(3_000_000));
  await done(home, ['backup', files, '--wait', 'captured']);
  await done(home, ['kit', 'export', '--json', kit]);
});
after(async () => {
  await endAll(daemons);
  folder.remove();
});

/** The home again, to be damaged. */
function copyOfHome(name: string): Home {
  const path = join(folder.path, name);
  cpSync(home.path, path, { recursive: true });
  return { ...home, path };
}

/** A failure that was foreseen: never 70, always a code and its sentences; or it went well. */
function assertForeseen(said: Said, what: string): void {
  const { exit } = said;
  assert.ok(exit !== null && exit !== 70, `${what}: ${exit} ${lastWords(said)}`);
  if (exit === 0 || exit === 3 || exit === 4) return;
  assertFailure(said, exit, failureCode(said));
}

test('files that may not be read are listed, and the rest is kept', async (t) => {
  const source = join(folder.path, 'forbidden');
  mkdirSync(join(source, 'closed'), { recursive: true });
  for (const name of ['open', 'secret', 'closed/inside']) writeFileSync(join(source, name), name);
  chmodSync(join(source, 'secret'), 0);
  chmodSync(join(source, 'closed'), 0);
  const reader = isRoot ? nobody : undefined;
  const own = join(folder.path, 'nobodys');
  mkdirSync(own);
  if (isRoot) chownSync(own, nobody, nobody);
  const as = { user: reader };
  const made = await covault(['--home', own, 'init', '--no-passphrase'], as);
  if (made.exit !== 0) {
    t.skip(`another user cannot run the program from here: ${made.err}`);
    return;
  }
  const argv = ['--home', own, '--json', 'backup', source, '--wait', 'captured'];
  const said = await covault(argv, as);
  assert.equal(said.exit, 3, lastWords(said));
  const report = said.json()['report'] as {
    readonly problems: readonly { readonly path: string; readonly problem: string }[];
  };
  assert.deepEqual(report.problems.map(({ path, problem }) => `${problem} ${path}`).sort(), [
    `unreadable ${source}/closed`,
    `unreadable ${source}/secret`,
  ]);
  const cat = await covault(['--home', own, 'cat', `latest:${source}/open`], as);
  assert.equal(cat.out, 'open');
  chmodSync(join(source, 'closed'), 0o755);
});

test('a full disk ends a backup with 15; what was captured stays, and the next run carries on', async (t) => {
  const disk = mountSmallDisk(join(folder.path, 'full'), 24_000_000);
  if (disk === undefined) {
    t.skip(noSmallDisk);
    return;
  }
  try {
    const own = await makeHome(disk.path, 'home');
    await done(own, ['backup', files, '--wait', 'captured']);
    const source = join(folder.path, 'much');
    mkdirSync(source);
    for (const name of ['a', 'b', 'c']) writeFileSync(join(source, name), chance.bytes(20_000_000));
    const said = await on(own, ['backup', source, '--wait', 'captured']);
    assertFailure(said, 15, 'spool.no-space');
    const back = join(folder.path, 'from-full');
    await done(own, ['restore', `latest:${files}`, '--target', back, '--verify']);
    assertSameTree(back, files);
    disk.resize(200_000_000);
    await done(own, ['backup', source, '--wait', 'captured']);
    await done(own, ['restore', `latest:${source}`, '--target', join(folder.path, 'much-back')]);
    assertSameTree(join(folder.path, 'much-back'), source);
  } finally {
    disk.remove();
  }
});

test('a disk without one byte left still answers', async (t) => {
  const disk = mountSmallDisk(join(folder.path, 'fuller'), 16_000_000);
  if (disk === undefined) {
    t.skip(noSmallDisk);
    return;
  }
  try {
    const own = await makeHome(disk.path, 'home');
    await done(own, ['backup', files, '--wait', 'captured']);
    spawnSync('dd', ['if=/dev/zero', `of=${join(disk.path, 'filler')}`, 'bs=4k']);
    for (const argv of [['status'], ['snapshots'], ['ls', `latest:${files}`], ['backup', files]])
      assertForeseen(await on(own, argv), argv.join(' '));
    rmSync(join(disk.path, 'filler'));
    await done(own, ['backup', files, '--wait', 'captured']);
  } finally {
    disk.remove();
  }
});

test('a full target ends a restore with 15, and what has its name is whole', async (t) => {
  const disk = mountSmallDisk(join(folder.path, 'target'), 1_500_000);
  if (disk === undefined) {
    t.skip(noSmallDisk);
    return;
  }
  try {
    const target = join(disk.path, 'back');
    const argv = ['restore', `latest:${files}`, '--target', target];
    const said = await on(home, argv);
    assert.equal(said.exit, 15, lastWords(said));
    disk.resize(50_000_000);
    await done(home, [...argv, '--verify']);
    assertSameTree(target, files);
  } finally {
    disk.remove();
  }
});

test('a configuration that cannot be understood ends with 2', async () => {
  const own = copyOfHome('config-home');
  const config = join(own.path, 'config.json');
  const whole = readFileSync(config, 'utf8');
  const cases: readonly (readonly [string | Buffer, string])[] = [
    [whole.slice(0, -4), 'config.unreadable'],
    [Buffer.from([0xff, 0xfe, 0x00]), 'config.unreadable'],
    ['', 'config.unreadable'],
    ['[1,2]', 'config.bad-value'],
    ['{"lend":{"spaceBytes":-1}}', 'config.bad-value'],
    ['{"lend":{"spaceByte":1}}', 'config.unknown-key'],
  ];
  for (const [text, code] of cases) {
    writeFileSync(config, text);
    assertFailure(await on(own, ['snapshots']), 2, code);
  }
  rmSync(config);
  assert.equal((await on(own, ['snapshots'])).exit, 0, 'no configuration: the defaults');
});

test('a key that is damaged or gone ends with 14, whatever byte it was', async (t) => {
  t.diagnostic(`COVAULT_TEST_SEED=${seed}`);
  const own = copyOfHome('key-home');
  const path = join(own.path, 'key');
  const whole = readFileSync(path);
  for (let round = 0; round < 6; round += 1) {
    const bytes = Buffer.from(whole);
    const at = chance.below(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << chance.below(8));
    writeFileSync(path, bytes);
    assertFailure(await on(own, ['snapshots']), 14, 'key.damaged');
  }
  for (const length of [0, 1, whole.length - 1]) {
    writeFileSync(path, whole.subarray(0, length));
    assertFailure(await on(own, ['snapshots']), 14, 'key.damaged');
  }
  writeFileSync(path, Buffer.alloc(100_000));
  assertFailure(await on(own, ['snapshots']), 14, 'key-file.too-long');
  rmSync(path);
  assertFailure(await on(own, ['snapshots']), 14, 'key-file.missing');
  writeFileSync(path, whole, { mode: 0o644 });
  chmodSync(path, 0o644);
  assertFailure(await on(own, ['snapshots']), 1, 'key-file.open-to-others');
});

test('a guarded key wants the right passphrase, and is not one byte different', async () => {
  const path = join(folder.path, 'guarded');
  const right = { environment: { COVAULT_PASSPHRASE: 'open sesame' } };
  const wrong = { environment: { COVAULT_PASSPHRASE: 'open barley' } };
  assert.equal((await covault(['--home', path, 'init'], right)).exit, 0);
  const own = { ...home, path };
  assertFailure(await on(own, ['snapshots'], wrong), 12, 'key.wrong-passphrase');
  assertFailure(await on(own, ['snapshots']), 12, 'key.passphrase-needed');
  const key = readFileSync(join(path, 'key'));
  key[key.length - 1] = (key.at(-1) ?? 0) ^ 1;
  writeFileSync(join(path, 'key'), key);
  assertFailure(await on(own, ['snapshots'], right), 14, 'key.damaged');
});

test('a damaged catalogue is told, never a crash', async (t) => {
  t.diagnostic(`COVAULT_TEST_SEED=${seed}`);
  const commands = [
    ['status'],
    ['snapshots'],
    ['ls', '-r', 'latest'],
    ['backup', files, '--wait', 'captured'],
    ['restore', `latest:${files}`, '--target', join(folder.path, 'damaged-target')],
  ];
  for (let round = 0; round < 5; round += 1) {
    const own = copyOfHome(`catalogue-${round}`);
    const path = join(own.path, 'catalog.db');
    const bytes = readFileSync(path);
    // Whole stretches, as failing disks lose them; the header on the first round.
    const at = round === 0 ? 0 : chance.below(bytes.length - 4_096);
    bytes.set(chance.bytes(round === 0 ? 64 : 4_096), at);
    writeFileSync(path, bytes);
    for (const argv of commands)
      assertForeseen(await on(own, argv), `round ${round}, at ${at}: ${argv.join(' ')}`);
    rmSync(own.path, { recursive: true });
  }
  const cut = copyOfHome('catalogue-cut');
  truncateSync(join(cut.path, 'catalog.db'), 8_192 + 100);
  for (const argv of commands) assertForeseen(await on(cut, argv), `cut: ${argv.join(' ')}`);
  const other = copyOfHome('catalogue-other');
  writeFileSync(
    join(other.path, 'catalog.db'),
    'this is no database, but long enough to look at\n'.repeat(99),
  );
  assertFailure(await on(other, ['snapshots']), 14, 'catalogue.damaged');
});

test('a home of a newer version is left alone', async () => {
  const own = copyOfHome('newer');
  const database = new DatabaseSync(join(own.path, 'catalog.db'));
  database.exec('PRAGMA user_version = 99');
  database.close();
  const before = readFileSync(join(own.path, 'catalog.db'));
  assertFailure(await on(own, ['snapshots']), 1, 'catalogue.newer-version');
  assertFailure(await on(own, ['backup', files]), 1, 'catalogue.newer-version');
  assert.deepEqual(readFileSync(join(own.path, 'catalog.db')), before);
  writeFileSync(join(own.path, 'covault-home'), 'covault home, format 2\n');
  assertFailure(await on(own, ['snapshots']), 1, 'home.newer-version');
  writeFileSync(join(own.path, 'covault-home'), 'covault h');
  assertFailure(await on(own, ['snapshots']), 14, 'home.damaged');
  rmSync(join(own.path, 'covault-home'));
  assertFailure(await on(own, ['snapshots']), 10, 'home.missing');
});

test('a home is for one process at a time', async () => {
  const own = copyOfHome('busy');
  const daemon = await up(own);
  daemons.push(daemon);
  assertFailure(await on(own, ['up']), 11, 'home.in-use');
  assert.equal(await daemon.stop(), 143);
});

test('spool packs that are cut, changed or gone: nothing wrong is restored', async () => {
  const damages: readonly (readonly [string, (path: string) => void])[] = [
    ['changed', (path) => flipBytes(path, 40)],
    ['cut', (path) => truncateSync(path, Math.floor(statSync(path).size / 2))],
    ['gone', (path) => rmSync(path)],
  ];
  for (const [name, damage] of damages) {
    const own = copyOfHome(`spool-${name}`);
    for (const path of filesBelow(join(own.path, 'spool'))) damage(path);
    const target = join(folder.path, `spool-${name}-target`);
    const said = await on(own, ['restore', `latest:${files}`, '--target', target]);
    assert.ok(said.exit === 14 || said.exit === 13, `${name}: ${said.exit} ${lastWords(said)}`);
    for (const path of filesBelow(target)) {
      const original = join(files, path.slice(target.length));
      assert.deepEqual(readFileSync(path), readFileSync(original), `${path} is wrong`);
    }
    for (const argv of [['status'], ['ls', '-r', 'latest']])
      assertForeseen(await on(own, argv), `${name}: ${argv.join(' ')}`);
    // What was right is written before the rest is found out; the exit code tells.
    const cat = await on(own, ['cat', `latest:${files}/large.bin`]);
    assert.ok(cat.exit === 14 || cat.exit === 13, `${name}: cat ${cat.exit}`);
    assertForeseen(await on(own, ['backup', files, '--wait', 'captured']), `${name}: backup`);
  }
});

function filesBelow(top: string): readonly string[] {
  try {
    return readdirSync(top, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  } catch {
    return [];
  }
}

function flipBytes(path: string, count: number): void {
  const bytes = readFileSync(path);
  for (let round = 0; round < count; round += 1) {
    const at = chance.below(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 + chance.below(255));
  }
  writeFileSync(path, bytes);
}

test('an invitation that has run out, was used, or is not one', async () => {
  const inviter = copyOfHome('inviter');
  rmSync(inviter.path, { recursive: true });
  const host = await makeHome(folder.path, 'host');
  const guest = await makeHome(folder.path, 'guest');
  const late = await makeHome(folder.path, 'late');
  const daemon = await up(host);
  daemons.push(daemon);
  const code = String((await done(host, ['invite', '--lend', '1GB']))['code']);
  const parsed = parseInvitation(code);
  assert.ok(parsed.ok);
  const past = invitationText({ ...parsed.value, expiresAt: instant(Date.now() - 86_400_000) });
  assertFailure(await on(guest, ['join', past]), 1, 'invite.expired');
  const secret = new Uint8Array(parsed.value.secret.length).fill(7);
  const guessed = invitationText({ ...parsed.value, secret });
  assertFailure(await on(guest, ['join', guessed]), 1, 'invite.unknown');
  for (const text of [
    code.slice(0, -1),
    code.slice(0, 30),
    `${code.slice(0, 40)}${code[40] === 'a' ? 'b' : 'a'}${code.slice(41)}`,
    'covault1-',
    'hello',
  ])
    assertFailure(await on(guest, ['join', text]), 2, 'invite.malformed');
  await done(guest, ['join', code]);
  assert.equal((await on(guest, ['join', code])).exit, 0, 'the same computer asks again');
  assertFailure(await on(late, ['join', code]), 1, 'invite.used');

  // The inviter's own memory decides, whatever the code claims.
  const second = String((await done(host, ['invite', '--lend', '1GB']))['code']);
  await daemon.stop();
  assertFailure(await on(late, ['join', second]), 13, 'invite.inviter-unreachable');
  const database = new DatabaseSync(join(host.path, 'catalog.db'));
  database.exec('UPDATE invitation SET expires_at = 1000 WHERE redeemed_by IS NULL');
  database.close();
  daemons.push(await up(host));
  assertFailure(await on(late, ['join', second]), 1, 'invite.expired');
});

test('words and kits that are not the right ones end with 12', async () => {
  const { words } = JSON.parse(readFileSync(kit, 'utf8')) as { readonly words: readonly string[] };
  const [first = '', ...others] = words;
  const file = join(folder.path, 'words');
  const cases: readonly (readonly [string, string])[] = [
    [others.join(' '), 'words.wrong-count'],
    [[...words, first].join(' '), 'words.wrong-count'],
    [['covault', ...others].join(' '), 'words.unknown-word'],
    [words.toReversed().join(' '), 'words.bad-checksum'],
    ['', 'words.wrong-count'],
  ];
  const recover = ['recover', '--no-passphrase'];
  const fresh = { ...home, path: join(folder.path, 'never-recovered') };
  for (const [text, code] of cases) {
    writeFileSync(file, text);
    assertFailure(await on(fresh, [...recover, '--words-file', file]), 12, code);
  }
  const whole = readFileSync(kit, 'utf8');
  const document = JSON.parse(whole) as Record<string, unknown>;
  const kits: readonly (readonly [string, string])[] = [
    [whole.slice(0, 100), 'kit.malformed'],
    ['{}', 'kit.malformed'],
    [JSON.stringify({ ...document, owner: 'ab'.repeat(32) }), 'kit.wrong-owner'],
    [JSON.stringify({ ...document, words: words.toReversed() }), 'words.bad-checksum'],
  ];
  for (const [text, code] of kits) {
    writeFileSync(file, text);
    assertFailure(await on(fresh, [...recover, '--kit', file]), 12, code);
  }
});

test('what does not exist is said to, and nothing is made of it', async () => {
  const target = join(folder.path, 'nowhere');
  const restore = (what: string): Promise<Said> => on(home, ['restore', what, '--target', target]);
  assertFailure(await restore(`latest:${files}/none`), 1, 'restore.no-such-path');
  assertFailure(await restore(`latest:${files}/large.bin/below`), 1, 'restore.no-such-path');
  assertFailure(await restore('latest~7'), 1, 'snapshot.unknown');
  assertFailure(await restore('ffffffffffff'), 1, 'snapshot.unknown');
  assertFailure(await on(home, ['cat', `latest:${files}/below`]), 1, 'restore.no-such-path');
  assertFailure(await on(home, ['backup', join(folder.path, 'not-there')]), 1, 'backup.nothing');
  assert.deepEqual(filesBelow(target), []);
});
