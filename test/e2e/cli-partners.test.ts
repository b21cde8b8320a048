import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import {
  covault,
  type Daemon,
  gathered,
  start,
  startDaemon,
  temporaryFolder,
} from './command-line.ts';

const folder = temporaryFolder('partners');
const files = join(folder.path, 'files');
const kit = join(folder.path, 'kit.json');
const daemons: Daemon[] = [];

function home(name: string): string {
  return join(folder.path, name);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function make(name: string): Promise<void> {
  const made = await covault(['--home', home(name), 'init', '--no-passphrase', '--name', name]);
  assert.equal(made.exit, 0, made.err);
  // Partners remember addresses, so a computer that is started again must have the port that it had.
  const listen = `["/ip4/127.0.0.1/tcp/${await freePort()}"]`;
  const set = ['config', 'set', 'network.listen', listen];
  assert.equal((await covault(['--home', home(name), ...set])).exit, 0);
}

function code(said: { json(): Readonly<Record<string, unknown>> }): string {
  return String((said.json()['error'] as { code?: unknown } | undefined)?.code);
}

before(async () => {
  mkdirSync(join(files, 'below'), { recursive: true });
  writeFileSync(join(files, 'below', 'a.txt'), 'hello\n');
  writeFileSync(join(files, 'big.bin'), Buffer.alloc(3_000_000, 'covault '));
  await Promise.all(['ada', 'bea', 'cyd', 'dan'].map(make));
});
after(async () => {
  await Promise.all(
    daemons.filter(({ child }) => child.exitCode === null).map((each) => each.stop()),
  );
  folder.remove();
});

test('without partners a backup is captured, and ends with 4 saying what to do', async () => {
  const said = await covault(['--home', home('ada'), 'backup', files]);
  assert.equal(said.exit, 4, said.err);
  assert.match(said.out, /no partners yet. Invite someone/);
  const captured = ['backup', files, '--wait', 'captured'];
  assert.equal((await covault(['--home', home('ada'), ...captured])).exit, 0);
});

test('a relative path is meant from where the command is given', async () => {
  const argv = ['--home', home('ada'), '--json', 'backup', 'below', '--wait', 'captured'];
  const said = await covault(argv, { folder: files });
  assert.equal(said.exit, 0, said.out);
  const [last] = (
    (await covault(['--home', home('ada'), '--json', 'snapshots'])).json()['snapshots'] as {
      roots: string[];
    }[]
  ).slice(-1);
  assert.deepEqual(last?.roots, [join(files, 'below')]);
});

test('a dry run counts and keeps nothing', async () => {
  const argv = ['--home', home('ada'), '--json', 'backup', files, '--dry-run'];
  const said = await covault([...argv, '--exclude', '*.bin']);
  assert.equal(said.exit, 0, said.out);
  const counts = said.json()['counts'] as { files: number; bytes: number };
  assert.deepEqual([counts.files, counts.bytes], [1, 6]);
});

test('without a daemon invite answers for its code until somebody has joined', async () => {
  const inviting = start(['--home', home('ada'), '--json', 'invite', '--lend', '1GB']);
  const lines = createInterface({ input: inviting.stdout });
  const [line] = (await once(lines, 'line')) as [string];
  const { progress } = JSON.parse(line) as { progress: { code: string } };
  const ended = gathered(inviting);
  const join = ['--home', home('bea'), '--json', 'join', progress.code];
  const less = await covault([...join, '--lend', '999MB']);
  assert.equal(less.exit, 2);
  assert.equal(code(less), 'invite.lends-too-little');
  const joined = await covault(join);
  assert.equal(joined.exit, 0, joined.out);
  assert.equal(joined.json()['name'], 'ada');
  assert.equal(joined.json()['weLendBytes'], 1_000_000_000);
  assert.equal((await ended).exit, 0);
  const other = await covault(['--home', home('cyd'), '--json', 'join', 'covault1-nonsense']);
  assert.equal(other.exit, 2);
  assert.equal(code(other), 'invite.malformed');
});

test('an invitation lends a share; a command without a daemon keeps its home; Ctrl-C ends it with 130', async () => {
  const inviting = start(['--home', home('ada'), '--json', 'invite']);
  const [line] = (await once(createInterface({ input: inviting.stdout }), 'line')) as [string];
  const { progress } = JSON.parse(line) as { progress: Readonly<Record<string, number>> };
  const { lendBytes, wantBytes, shareOfBytes } = progress;
  // Eight partners are wanted, and room for four more is kept.
  assert.equal(lendBytes, Math.floor((shareOfBytes ?? 0) / 12));
  assert.ok((lendBytes ?? 0) > 0 && wantBytes === lendBytes);
  const ended = gathered(inviting);
  const meanwhile = await covault(['--home', home('ada'), '--json', 'status']);
  assert.equal(meanwhile.exit, 11);
  assert.equal(code(meanwhile), 'home.in-use');
  inviting.kill('SIGINT');
  assert.equal((await ended).exit, 130);
});

test('with daemons an invitation returns at once, serves one computer, and no other', async () => {
  for (const name of ['ada', 'bea', 'cyd']) daemons.push(await startDaemon(home(name), []));
  const invited = await covault(['--home', home('ada'), '--json', 'invite', '--lend', '1GB']);
  assert.equal(invited.exit, 0, invited.out);
  const text = String(invited.json()['code']);
  const own = await covault(['--home', home('ada'), '--json', 'join', text]);
  assert.equal(code(own), 'invite.own');
  const joined = await covault(['--home', home('cyd'), '--json', 'join', text]);
  assert.equal(joined.exit, 0, joined.out);
  const late = await covault(['--home', home('dan'), '--json', 'join', text]);
  assert.equal(late.exit, 1);
  assert.equal(code(late), 'invite.used');
  const most = 20_000_000_000 - 2_000_000_000;
  const lavish = ['--home', home('ada'), '--json', 'invite', '--lend'];
  const more = await covault([...lavish, `${most + 1}B`]);
  assert.equal(more.exit, 2, more.out);
  assert.equal(code(more), 'invite.no-space');
  assert.match(
    more.out,
    new RegExp(`${most} bytes at most`),
    'all that is lent, but for two partners',
  );
  assert.equal((await covault([...lavish, `${most}B`])).exit, 0);
});

test('a partner that is asked for more lends its part; its person lends what there is', async () => {
  const terms = (name: string, ...argv: string[]): ReturnType<typeof covault> =>
    covault(['--home', home(name), '--json', 'partners', 'terms', ...argv]);
  const asked = await terms('ada', 'cyd', '--want', '10GB');
  assert.equal(asked.exit, 4, asked.out);
  const share = Math.floor(20_000_000_000 / 12);
  const lent = ({ json }: typeof asked): unknown[] => [
    json()['lendsUsBytes'],
    json()['weLendBytes'],
  ];
  assert.deepEqual(lent(asked), [share, 1_000_000_000]);
  const words = await covault([
    '--home',
    home('ada'),
    'partners',
    'terms',
    'cyd',
    '--want',
    '10GB',
  ]);
  assert.equal(words.exit, 4);
  assert.match(words.err, /less than was asked for: it was to lend you 10 GB\./);
  const beyond = await terms('cyd', 'ada', '--lend', '21GB');
  assert.equal(beyond.exit, 2, beyond.out);
  assert.equal(code(beyond), 'partner.no-space');
  assert.match(beyond.out, /20000000000 bytes at most/);
  const raised = await terms('cyd', 'ada', '--lend', '10GB');
  assert.equal(raised.exit, 0, raised.out);
  assert.deepEqual(lent(raised), [1_000_000_000, 10_000_000_000]);
});

test('a backup through the daemon is complete at both partners', async () => {
  const said = await covault(['--home', home('ada'), 'backup', files, '--wait', 'complete']);
  assert.equal(said.exit, 0, said.out + said.err);
  assert.match(said.out, /Complete: .* at 2 partners/);
  const status = await covault(['--home', home('ada'), 'status']);
  assert.match(status.out, /Safe on (1 of )?2 computers; (any 1|none of them) may vanish/);
  const limited = ['backup', files, '--limit-upload', '5MB/s'];
  const refused = await covault(['--home', home('ada'), '--json', ...limited]);
  assert.equal(code(refused), 'backup.limit-with-daemon');
});

test('what is missing is listed, and ends the backup with 3', async () => {
  const missing = join(folder.path, 'missing');
  const said = await covault(['--home', home('ada'), 'backup', files, missing]);
  assert.equal(said.exit, 3, said.err);
  assert.match(said.err, /1 file not kept as they are:\n {2}.*missing: vanished/);
  const nothing = await covault(['--home', home('ada'), '--json', 'backup', missing]);
  assert.equal(nothing.exit, 1);
  assert.equal(code(nothing), 'backup.nothing');
});

test('ls and cat show what is there, and name what is not', async () => {
  const ada = ['--home', home('ada')];
  const listed = await covault([...ada, 'ls', '-r', `latest:${files}`]);
  assert.match(listed.out, /^-rw.* 3000000 .*big\.bin$/m);
  const json = await covault([...ada, '--json', 'ls', `latest:${files}`]);
  assert.equal((json.json()['entries'] as unknown[]).length, 2);
  const cat = await covault([...ada, 'cat', `latest:${files}/below/a.txt`]);
  assert.equal(cat.out, 'hello\n');
  const none = await covault([...ada, '--json', 'cat', `latest:${files}/none`]);
  assert.equal(none.exit, 1);
  assert.equal(code(none), 'restore.no-such-path');
  const snapshot = await covault([...ada, '--json', 'ls', 'latest~99']);
  assert.equal(code(snapshot), 'snapshot.unknown');
});

test('a partner is found by the beginning of its id or by its name, paused and resumed', async () => {
  const partners = ['--home', home('ada'), '--json', 'partners'];
  const bea = (await covault([...partners, 'show', 'bea'])).json();
  const paused = await covault([...partners, 'pause', String(bea['id']).slice(0, 8)]);
  assert.equal(paused.json()['phase'], 'paused');
  assert.equal((await covault([...partners, 'resume', 'bea'])).json()['phase'], 'standing');
  assert.equal(code(await covault([...partners, 'show', 'zoe'])), 'partner.unknown');
});

test('restore brings files back into a folder', async () => {
  const target = join(folder.path, 'back');
  const argv = ['restore', `latest:${files}/below`, '--target', target, '--verify'];
  const said = await covault(['--home', home('ada'), ...argv]);
  assert.equal(said.exit, 0, said.out + said.err);
  assert.match(said.out, /^Restored 1 file \(6 B\)/);
});

test('a lost computer comes back from its kit, and from its words and one address', async () => {
  const exported = await covault(['--home', home('ada'), 'kit', 'export', '--json', kit]);
  assert.equal(exported.exit, 0, exported.err);
  const again = await covault(['--home', home('ada'), '--json', 'kit', 'export', '--json', kit]);
  assert.equal(code(again), 'kit.not-written');
  const { words } = JSON.parse(readFileSync(kit, 'utf8')) as { words: string[] };
  await daemons[0]?.stop();
  rmSync(home('ada'), { recursive: true });
  const wordsFile = join(folder.path, 'words');
  writeFileSync(wordsFile, words.toReversed().join('\n'));
  const anew = ['--json', 'recover', '--no-passphrase', '--listen', '/ip4/127.0.0.1/tcp/0'];
  const recover = ['--home', home('new'), ...anew];
  const wrong = await covault([...recover, '--words-file', wordsFile]);
  assert.equal(wrong.exit, 12);
  writeFileSync(wordsFile, words.join('\n'));
  const nobody = await covault([...recover, '--words-file', wordsFile]);
  assert.equal(nobody.exit, 13, nobody.out);
  const [address] = (daemons[1]?.started['listening'] ?? []) as string[];
  const found = await covault([...recover, '--words-file', wordsFile, '--peer', String(address)]);
  assert.equal(found.exit, 0, found.out);
  const cat = await covault(['--home', home('new'), 'cat', `latest:${files}/below/a.txt`]);
  assert.equal(cat.out, 'hello\n');
  const other = ['--home', home('newer'), ...anew, '--kit', kit];
  const byKit = await covault(other);
  assert.equal(byKit.exit, 0, byKit.out);
  assert.ok((byKit.json()['snapshots'] as number) >= 3);
  assert.equal(byKit.json()['lendBytes'], 2_000_000_000, 'what was promised to two partners');
  const lends = ['--home', home('newer'), '--json', 'config', 'get', 'lend.spaceBytes'];
  assert.match((await covault(lends)).out, /\b2000000000\b/);
});

test('a home that has a key of its own is not overwritten by recover', async () => {
  const said = await covault(['--home', home('newer'), '--json', 'recover', '--kit', kit]);
  assert.equal(said.exit, 1, said.out);
  assert.equal(code(said), 'recover.home-not-empty');
});
