/** What is restored is what was backed up: contents, names, metadata, in every state that a folder can be in. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { growTree } from '../../src/cli/demo/generated-tree.ts';
import type { Home } from './circle.ts';
import { type Answer, assertFailure, done, eventually, lastWords, makeHome, on } from './circle.ts';
import { start, temporaryFolder } from './command-line.ts';
import { growOddTree, isRoot, sparseBytes, touch } from './odd-tree.ts';
import { assertSameFacts, assertSameTree, factsOf } from './tree-comparison.ts';

const folder = temporaryFolder('faithful');
let home: Home;
let targets = 0;

before(async () => {
  home = await makeHome(folder.path, 'home');
});
after(() => {
  // Deeper than one path may reach: only `rm` walks so far down.
  execFileSync('rm', ['-rf', folder.path]);
});

interface Problem {
  readonly path: string;
  readonly problem: string;
}

function backup(source: string, ...options: readonly string[]): Promise<Answer> {
  return done(home, ['backup', source, '--wait', 'captured', ...options]);
}

/** Into a folder of its own unless one is named; gives where. */
async function restore(what: string, ...options: readonly string[]): Promise<string> {
  targets += 1;
  const target = join(folder.path, `target-${targets}`);
  await done(home, ['restore', what, '--target', target, ...options]);
  return target;
}

function place(name: string): string {
  const path = join(folder.path, name);
  mkdirSync(path);
  return path;
}

function problemsOf(answer: Answer): readonly Problem[] {
  const report = (answer['report'] ?? answer) as { readonly problems: readonly Problem[] };
  return report.problems;
}

test('one of everything comes back as it was', async () => {
  const source = join(folder.path, 'odd');
  growOddTree(source);
  const kept = await backup(source);
  assert.deepEqual(problemsOf(kept), []);
  const target = await restore(`latest:${source}`, '--verify');
  assertSameTree(target, source);
  const sparse = lstatSync(join(target, 'sparse', 'holes'));
  assert.equal(sparse.size, sparseBytes);
  assert.ok(sparse.blocks * 512 < 4_000_000, `${sparse.blocks} blocks for a file of holes`);
  assert.ok(lstatSync(join(target, 'sparse', 'all-hole')).blocks < 1_000);
});

test('a restore that goes on joins further names to the file that stands', async () => {
  const source = join(folder.path, 'odd');
  const target = await restore(`latest:${source}`);
  rmSync(join(target, 'links', 'second'));
  rmSync(join(target, 'links', 'below'), { recursive: true });
  rmSync(join(target, 'links', 'empty-one'));
  await done(home, ['restore', `latest:${source}`, '--target', target]);
  assertSameTree(target, source);
});

test('a whole snapshot comes back below the way that led to it', async () => {
  const source = join(folder.path, 'odd');
  const target = await restore('latest');
  assertSameTree(join(target, source), source);
});

test('names that are not text reach their file by a path of bytes', async () => {
  const source = join(folder.path, 'odd');
  const listed = await done(home, ['ls', `latest:${source}/names`]);
  const paths = (listed['entries'] as { readonly path: unknown }[]).map(({ path }) => path);
  const bytes = Buffer.concat([
    Buffer.from(`${source}/names/`),
    Buffer.from([0xff, 0xfe, 0x80, 0x41]),
  ]);
  assert.ok(paths.some((path) => JSON.stringify(path).includes(bytes.toString('base64'))));
});

test('fifos, sockets and devices are named, and not restored as something else', async (t) => {
  const source = place('special');
  writeFileSync(join(source, 'file'), 'beside them\n');
  execFileSync('mkfifo', [join(source, 'fifo')]);
  const server = createServer().listen(join(source, 'socket'));
  t.after(() => server.close());
  try {
    execFileSync('mknod', [join(source, 'device'), 'c', '1', '3'], { stdio: 'ignore' });
  } catch {
    t.diagnostic('no device is tried: making one is not permitted');
  }
  await eventually('the socket', () => existsSync(join(source, 'socket')) || undefined);
  const kept = await backup(source);
  const special = ['fifo', 'socket', 'device'].filter((name) => existsSync(join(source, name)));
  const { specials } = kept['report'] as { readonly specials: readonly string[] };
  assert.deepEqual([...specials].sort(), special.map((name) => join(source, name)).sort());
  targets += 1;
  const target = join(folder.path, `target-${targets}`);
  const said = await on(home, ['restore', `latest:${source}`, '--target', target]);
  assert.equal(said.exit, 3, lastWords(said));
  assert.deepEqual(
    problemsOf(said.json())
      .map(({ path, problem }) => `${problem} ${path}`)
      .sort(),
    special.map((name) => `not-written ${name}`).sort(),
  );
  assert.equal(readFileSync(join(target, 'file'), 'utf8'), 'beside them\n');
  for (const name of special) assert.ok(!existsSync(join(target, name)), `${name} came back`);
});

test('a file that grows while it is read is reported, and what was kept is its beginning', async (t) => {
  const source = place('growing');
  const path = join(source, 'log');
  writeFileSync(path, Buffer.alloc(48_000_000, 'line after line\n'));
  writeFileSync(join(source, 'still'), 'still\n');
  const growing = setInterval(() => appendFileSync(path, 'more\n'.repeat(200)), 1);
  t.after(() => clearInterval(growing));
  const said = await on(home, ['backup', source, '--wait', 'captured']);
  clearInterval(growing);
  assert.equal(said.exit, 3, lastWords(said));
  assert.deepEqual(
    problemsOf(said.json()).map(({ path: named, problem }) => [named, problem]),
    [[path, 'changed-while-read']],
  );
  const target = await restore(`latest:${source}`);
  const kept = readFileSync(join(target, 'log'));
  assert.ok(kept.length >= 48_000_000);
  assert.ok(readFileSync(path).subarray(0, kept.length).equals(kept), 'a beginning of the file');
  await backup(source);
  assertSameTree(await restore(`latest:${source}`), source);
});

test('a path that is longer than the system takes is reported, and the rest is kept', async () => {
  const source = place('deep');
  const part = 'd'.repeat(240);
  const shell = `for i in $(seq 20); do mkdir ${part} && cd ${part}; done; echo deep > file`;
  execFileSync('bash', ['-c', shell], { cwd: source });
  writeFileSync(join(source, 'near'), 'near\n');
  const said = await on(home, ['backup', source, '--wait', 'captured']);
  assert.equal(said.exit, 3, lastWords(said));
  assert.deepEqual(
    problemsOf(said.json()).map(({ problem }) => problem),
    ['path-too-long'],
  );
  const target = await restore(`latest:${source}`);
  assert.equal(readFileSync(join(target, 'near'), 'utf8'), 'near\n');
});

test('every kind of change is in the next snapshot, and the one before is as it was', async () => {
  const source = place('changing');
  for (const name of ['same-size', 'sly', 'moved', 'mode', 'to-folder', 'gone', 'grown', 'kept'])
    writeFileSync(join(source, name), `${name} at first\n`);
  mkdirSync(join(source, 'to-file'));
  writeFileSync(join(source, 'to-file', 'inside'), 'inside\n');
  const first = await backup(source);
  const before = factsOf(source);

  writeFileSync(join(source, 'same-size'), 'same-size AT FIRST\n');
  const { atime, mtime } = statSync(join(source, 'sly'));
  writeFileSync(join(source, 'sly'), 'sly AT FIRST\n');
  utimesSync(join(source, 'sly'), atime, mtime);
  renameSync(join(source, 'moved'), join(source, 'moved-away'));
  chmodSync(join(source, 'mode'), 0o600);
  rmSync(join(source, 'to-folder'));
  mkdirSync(join(source, 'to-folder'));
  writeFileSync(join(source, 'to-folder', 'new'), 'new\n');
  rmSync(join(source, 'to-file'), { recursive: true });
  writeFileSync(join(source, 'to-file'), 'a file now\n');
  rmSync(join(source, 'gone'));
  appendFileSync(join(source, 'grown'), 'and more\n');
  await backup(source);
  assertSameTree(await restore(`latest:${source}`), source);
  const { snapshot } = first['report'] as { readonly snapshot: string };
  assertSameFacts(factsOf(await restore(`${snapshot}:${source}`)), before);
});

test('what is excluded stays out, by option, by file, by tag and by being a home', async () => {
  const source = place('excluding');
  const own = await makeHome(source, 'own-home');
  for (const name of ['keep.txt', 'drop.tmp', 'drop.log', '!odd.txt'])
    writeFileSync(join(source, name), name);
  mkdirSync(join(source, 'cache'));
  const tag = 'Signature: 8a477f597d28d172789f06886806bc55\n';
  writeFileSync(join(source, 'cache', 'CACHEDIR.TAG'), tag);
  writeFileSync(join(source, 'cache', 'heavy'), 'heavy');
  mkdirSync(join(source, 'build'));
  writeFileSync(join(source, 'build', 'result'), 'result');
  const patterns = join(folder.path, 'patterns');
  writeFileSync(patterns, '# results\n/build/\n\n*.log\n');
  await backup(source, '--exclude', '*.tmp', '--exclude-file', patterns);
  const target = await restore(`latest:${source}`);
  const names = [...factsOf(target).keys()].filter((name) => !name.startsWith('/cache'));
  assert.deepEqual(names.sort(), ['/!odd.txt', '/keep.txt']);
  assert.ok(!existsSync(join(target, 'cache', 'heavy')));

  const said = await on(own, ['backup', source, '--wait', 'captured', '--dry-run']);
  assert.equal(said.exit, 0, lastWords(said));
  await done(own, ['backup', source, '--wait', 'captured']);
  const listed = await done(own, ['ls', '-r', `latest:${source}`]);
  assert.ok(!JSON.stringify(listed['entries']).includes('own-home'), 'a home backed itself up');
});

test('overwriting is as it was asked for', async () => {
  const source = place('overwriting');
  for (const name of ['missing', 'older', 'newer', 'touched'])
    writeFileSync(join(source, name), `${name} as kept\n`);
  for (const name of ['missing', 'older', 'newer', 'touched'])
    touch(join(source, name), '2020-01-01 00:00:00.5 UTC');
  await backup(source);
  const kept = factsOf(source);
  const results = new Map<string, Record<string, string>>();
  for (const mode of ['never', 'if-newer', 'if-changed', 'always']) {
    const target = place(`over-${mode}`);
    for (const name of ['older', 'newer', 'touched'])
      writeFileSync(join(target, name), `${name} AS KEPT\n`);
    touch(join(target, 'older'), '2019-01-01 UTC');
    touch(join(target, 'newer'), '2021-01-01 UTC');
    touch(join(target, 'touched'), '2020-01-01 00:00:00.5 UTC');
    await done(home, ['restore', `latest:${source}`, '--target', target, '--overwrite', mode]);
    const facts = factsOf(target);
    results.set(
      mode,
      Object.fromEntries(
        [...kept].map(([name, fact]) => [name, facts.get(name) === fact ? 'kept' : 'standing']),
      ),
    );
  }
  const all = { '/missing': 'kept', '/older': 'kept', '/newer': 'kept', '/touched': 'kept' };
  assert.deepEqual(Object.fromEntries(results), {
    never: { ...all, '/older': 'standing', '/newer': 'standing', '/touched': 'standing' },
    'if-newer': { ...all, '/newer': 'standing', '/touched': 'standing' },
    'if-changed': { ...all, '/touched': 'standing' },
    always: all,
  });
});

test('--delete removes what the snapshot does not have, --dry-run touches nothing', async () => {
  const source = place('deleting');
  mkdirSync(join(source, 'below'));
  writeFileSync(join(source, 'below', 'a'), 'a');
  writeFileSync(join(source, 'top'), 'top');
  await backup(source);
  const what = ['restore', `latest:${source}`, '--target'];
  const none = join(folder.path, 'never-made');
  const dry = await done(home, [...what, none, '--dry-run', '--delete']);
  assert.deepEqual([dry['files'], existsSync(none)], [2, false]);

  const target = await restore(`latest:${source}`);
  writeFileSync(join(target, 'below', 'extra'), 'extra');
  mkdirSync(join(target, 'extra-folder'));
  writeFileSync(join(target, 'extra-folder', 'x'), 'x');
  symlinkSync(source, join(target, 'extra-link'));
  writeFileSync(join(target, 'top'), 'changed and longer');
  const standing = factsOf(target);
  const seen = await done(home, [...what, target, '--dry-run', '--delete']);
  assert.deepEqual([seen['files'], seen['filesSkipped'], seen['removed']], [1, 1, 3]);
  assertSameFacts(factsOf(target), standing);
  const removed = await done(home, [...what, target, '--delete']);
  assert.deepEqual([removed['files'], removed['filesSkipped'], removed['removed']], [1, 1, 3]);
  assertSameTree(target, source);
});

test('--delete with a whole snapshot spares what lies beside the ways to its roots', async () => {
  const source = place('roots');
  mkdirSync(join(source, 'one'));
  writeFileSync(join(source, 'one', 'a'), 'a');
  await backup(join(source, 'one'));
  const target = await restore('latest');
  const beside = join(target, source, 'two');
  mkdirSync(beside);
  writeFileSync(join(beside, 'yours'), 'yours');
  writeFileSync(join(target, 'yours'), 'yours');
  writeFileSync(join(target, source, 'one', 'extra'), 'extra');
  const removed = await done(home, ['restore', 'latest', '--target', target, '--delete']);
  assert.equal(removed['removed'], 1);
  assert.ok(existsSync(join(beside, 'yours')), 'what was never backed up is not touched');
  assert.ok(existsSync(join(target, 'yours')));
  assertSameTree(join(target, source, 'one'), join(source, 'one'));
});

test('only what is included and not excluded comes back', async () => {
  const source = place('choosing');
  for (const name of ['a.txt', 'b.bin', 'docs/c.txt', 'docs/d.bin', 'pics/e.jpg', 'pics/f.txt']) {
    mkdirSync(join(source, name, '..'), { recursive: true });
    writeFileSync(join(source, name), name);
  }
  await backup(source);
  const filesOf = (target: string): string[] =>
    [...factsOf(target)].filter(([, fact]) => !fact.startsWith('4')).map(([name]) => name);
  const texts = await restore(`latest:${source}`, '--include', '*.txt', '--exclude', 'pics');
  assert.deepEqual(filesOf(texts).sort(), ['/a.txt', '/docs/c.txt']);
  const docs = await restore(`latest:${source}`, '--include', '/docs/');
  assert.deepEqual(filesOf(docs).sort(), ['/docs/c.txt', '/docs/d.bin']);
  const but = await restore(`latest:${source}`, '--exclude', '*.bin');
  assert.deepEqual(filesOf(but).sort(), ['/a.txt', '/docs/c.txt', '/pics/e.jpg', '/pics/f.txt']);
});

test('one file, one link and one folder come back alone', async () => {
  const source = join(folder.path, 'odd');
  await backup(source);
  const file = await restore(`latest:${source}/modes/600`);
  assert.deepEqual([...factsOf(file)], [['/600', factsOf(join(source, 'modes')).get('/600')]]);
  const link = await restore(`latest:${source}/links/dangling`);
  assert.ok(lstatSync(join(link, 'dangling')).isSymbolicLink());
  const below = await restore(`latest:${source}/links/`);
  assertSameTree(below, join(source, 'links'));
  const missing = ['restore', `latest:${source}/none`, '--target', join(folder.path, 'no-target')];
  assertFailure(await on(home, missing), 1, 'restore.no-such-path');
  assert.ok(!existsSync(join(folder.path, 'no-target')), 'nothing was made for nothing');
  const onFile = ['restore', `latest:${source}`, '--target', join(source, 'modes', '600')];
  assertFailure(await on(home, onFile), 1, 'restore.bad-target');
});

test('what stands in the way gives way, and links in the target are never followed', async () => {
  const source = place('obstacles');
  mkdirSync(join(source, 'folder'));
  writeFileSync(join(source, 'folder', 'inside'), 'inside\n');
  writeFileSync(join(source, 'file'), 'file\n');
  symlinkSync('file', join(source, 'link'));
  await backup(source);
  const outside = place('outside');
  writeFileSync(join(outside, 'precious'), 'precious\n');
  writeFileSync(join(outside, 'inside'), 'not yours\n');
  const target = place('obstructed');
  symlinkSync(outside, join(target, 'folder'));
  symlinkSync(join(outside, 'precious'), join(target, 'file'));
  writeFileSync(join(target, 'link'), 'a file here\n');
  const said = await on(home, ['restore', `latest:${source}`, '--target', target]);
  assert.ok(said.exit === 0 || said.exit === 3, lastWords(said));
  assert.equal(readFileSync(join(outside, 'precious'), 'utf8'), 'precious\n');
  assert.equal(readFileSync(join(outside, 'inside'), 'utf8'), 'not yours\n');
  if (said.exit === 0) assertSameTree(target, source);
  else assert.ok(problemsOf(said.json()).length > 0);
});

/** A file that has its name has its contents; links to it and folders' times may be missing yet. */
function assertNamedFilesAreWhole(target: string, source: string): void {
  const whole = factsOf(source);
  const contents = (fact: string | undefined): string => String(fact?.split(' ')[4]);
  for (const [name, fact] of existsSync(target) ? factsOf(target) : []) {
    const isFile = fact.startsWith('100') && whole.has(name);
    if (isFile) assert.equal(contents(fact), contents(whole.get(name)), `${name} is half`);
  }
}

test('a restore that was killed carries on to the same end', async (t) => {
  const source = join(folder.path, 'many');
  growTree(source, { seed: 3, fileCount: 3_000, totalBytes: 50_000_000 });
  await backup(source);
  const target = join(folder.path, 'interrupted');
  const argv = ['restore', `latest:${source}`, '--target', target];
  let kills = 0;
  for (const delayMs of [0, 300, 700, 'some are done'] as const) {
    const child = start(['--home', home.path, '--json', ...argv]);
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    const moment =
      delayMs === 'some are done'
        ? new Promise<void>((resolve) => {
            createInterface({ input: child.stdout }).on('line', (line) => {
              if (/"filesDone":[1-9]/.test(line)) resolve();
            });
          })
        : eventually('the restore at work', () => existsSync(target) || undefined).then(() =>
            sleep(delayMs),
          );
    await Promise.race([ended, moment]);
    if (child.exitCode === null) kills += 1;
    child.kill('SIGKILL');
    await ended;
    assertNamedFilesAreWhole(target, source);
  }
  t.diagnostic(`${kills} restores killed`);
  assert.ok(kills >= 2, 'the restore was killed at work');
  const last = await done(home, [...argv, '--verify']);
  t.diagnostic(`the last left ${String(last['filesSkipped'])} files as they stood`);
  assert.ok(Number(last['filesSkipped']) > 0, 'finished files are not fetched again');
  assertSameTree(target, source);
});

test('owners are restored as numbers and names when that is permitted', {
  skip: isRoot ? false : 'only root may give files away',
}, async () => {
  const source = place('owned');
  writeFileSync(join(source, 'named'), 'x');
  execFileSync('chown', ['daemon:daemon', join(source, 'named')]);
  await backup(source);
  assertSameTree(await restore(`latest:${source}`), source);
});
