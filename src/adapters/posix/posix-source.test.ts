/** The scan on a real file system: what only a real one has. Order, roots and exclusion stand in the pipeline's conformance suite. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { present } from '../../base/assert.ts';
import {
  bytesOfText,
  kindAt,
  nameAt,
  smallStatAt,
  statAt,
  textOfBytes,
} from '../../core/scan/stat-columns.ts';
import {
  type ReadProblem,
  type ScannedDirectory,
  type ScanRequest,
  walkTree,
} from '../../core/scan/tree-walk.ts';
import { posixSource } from './posix-source.ts';

let folder = '';

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'covault-scan-')));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Scan {
  readonly directories: Map<string, ScannedDirectory>;
  readonly problems: ReadProblem[];
}

function scan(request: Partial<ScanRequest> = {}): Scan {
  const directories = new Map<string, ScannedDirectory>();
  const problems: ReadProblem[] = [];
  const whole = {
    roots: [bytesOfText(folder)],
    excludePatterns: [],
    excludeFileNames: [],
    oneFileSystem: false,
    maximumFileBytes: undefined,
    skipCacheFolders: false,
    ...request,
  };
  for (const batch of walkTree(posixSource, whole)) {
    for (const directory of batch.directories)
      directories.set(textOfBytes(directory.path), directory);
    problems.push(...batch.problems);
  }
  return { directories, problems };
}

function entriesOf(found: Scan, path: string): ScannedDirectory['entries'] {
  return present(found.directories.get(path), `a scanned directory ${path}`).entries;
}

function namesOf(found: Scan, path = folder): string[] {
  const entries = entriesOf(found, path);
  return Array.from({ length: entries.count }, (_, row) => textOfBytes(nameAt(entries, row)));
}

/** The superuser reads every folder; the work is done as somebody else then. */
function asNobody<T>(work: () => T): T {
  if (process.geteuid?.() !== 0) return work();
  process.seteuid?.(65_534);
  try {
    return work();
  } finally {
    process.seteuid?.(0);
  }
}

test('names that are no text survive, in folders too', () => {
  const odd = Buffer.from([0x61, 0xff, 0xfe, 0x0a, 0x80]);
  const oddFolder = Buffer.concat([Buffer.from(`${folder}/`), odd]);
  mkdirSync(oddFolder);
  writeFileSync(Buffer.concat([oddFolder, Buffer.from('/ünï\n')]), 'x');
  writeFileSync(join(folder, 'n'.repeat(255)), 'x');
  const found = scan();
  assert.deepEqual(found.problems, []);
  assert.deepEqual(namesOf(found), [odd.toString('latin1'), 'n'.repeat(255)]);
  const inner = namesOf(found, `${folder}/${odd.toString('latin1')}`);
  assert.deepEqual(inner, [Buffer.from('ünï\n').toString('latin1')]);
});

test('numbers are those of lstat, to the nanosecond', () => {
  const file = join(folder, 'file');
  writeFileSync(file, 'twelve bytes');
  linkSync(file, join(folder, 'second'));
  execFileSync('touch', ['-d', '2001-02-03T04:05:06.123456789Z', file]);
  const entries = entriesOf(scan(), folder);
  const stat = lstatSync(file, { bigint: true });
  assert.equal(statAt(entries, 0, 'mtimeNs'), 981_173_106_123_456_789n);
  assert.equal(statAt(entries, 0, 'ctimeNs'), stat.ctimeNs);
  assert.equal(statAt(entries, 0, 'inode'), stat.ino);
  assert.equal(statAt(entries, 1, 'inode'), stat.ino);
  assert.equal(smallStatAt(entries, 0, 'linkCount'), 2);
  assert.equal(smallStatAt(entries, 0, 'size'), 12);
  assert.equal(smallStatAt(entries, 0, 'uid'), Number(stat.uid));
});

test('times before 1970 are kept', () => {
  const file = join(folder, 'old');
  writeFileSync(file, '');
  execFileSync('touch', ['-d', '1969-12-30T23:59:59.25Z', file]);
  assert.equal(statAt(entriesOf(scan(), folder), 0, 'mtimeNs'), -86_400_750_000_000n);
});

test('links are kept as links, whether they lead somewhere, nowhere or round in circles', () => {
  symlinkSync('nowhere', join(folder, 'dangling'));
  symlinkSync('loop', join(folder, 'loop'));
  symlinkSync('.', join(folder, 'self'));
  symlinkSync(Buffer.from([0xff, 0x2f, 0xfe]), join(folder, 'strange'));
  const found = scan();
  const entries = entriesOf(found, folder);
  assert.deepEqual(namesOf(found), ['dangling', 'loop', 'self', 'strange']);
  const targets = [0, 1, 2, 3].map((row) =>
    textOfBytes(present(entries.targets.get(row), 'a target')),
  );
  assert.deepEqual(targets, ['nowhere', 'loop', '.', '\u00ff/\u00fe']);
  assert.deepEqual(found.problems, []);
});

test('pipes and sockets are entries, and nothing waits for them', async () => {
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(join(folder, 'socket'), resolve);
  });
  const found = scan({ excludeFileNames: ['pipe'] });
  server.close();
  const entries = entriesOf(found, folder);
  assert.deepEqual([kindAt(entries, 0), kindAt(entries, 1)], ['fifo', 'socket']);
});

test('patterns of files that would take too long are not followed, and reported', () => {
  writeFileSync(join(folder, '.gitignore'), '*.o\n**/x/**/y/**/z/*\n');
  writeFileSync(join(folder, 'a.o'), '');
  const found = scan({ excludeFileNames: ['.gitignore'] });
  assert.equal(entriesOf(found, folder).count, 1);
  assert.deepEqual(
    found.problems.map(({ path, problem }) => [textOfBytes(path), problem]),
    [[join(folder, '.gitignore'), 'unreadable']],
  );
});

test('sparse files are known by their blocks', () => {
  writeFileSync(join(folder, 'sparse'), '');
  truncateSync(join(folder, 'sparse'), 1 << 24);
  const entries = entriesOf(scan(), folder);
  assert.equal(smallStatAt(entries, 0, 'size'), 1 << 24);
  assert.equal(smallStatAt(entries, 0, 'blocks'), 0);
});

test('a tree of a thousand folders one in the other is scanned to its bottom', () => {
  let path = folder;
  for (let depth = 0; depth < 1_000; depth += 1) path += '/d';
  mkdirSync(path, { recursive: true });
  writeFileSync(`${path}/file`, 'x');
  const found = scan();
  assert.deepEqual(namesOf(found, path), ['file']);
  assert.deepEqual(found.problems, []);
});

test('a path that is longer than the system takes is reported', () => {
  const name = 'd'.repeat(200);
  const script = `for (let i = 0; i < 25; i += 1) { fs.mkdirSync(${JSON.stringify(name)}); process.chdir(${JSON.stringify(name)}); }`;
  execFileSync(process.execPath, ['-e', script], { cwd: folder });
  const found = scan();
  assert.deepEqual(
    found.problems.map(({ problem }) => problem),
    ['path-too-long'],
  );
  execFileSync('rm', ['-rf', join(folder, name)]);
});

test('a folder that cannot be read is reported and kept empty', () => {
  mkdirSync(join(folder, 'closed'));
  chmodSync(join(folder, 'closed'), 0);
  chmodSync(folder, 0o755);
  const found = asNobody(() => scan());
  assert.deepEqual(namesOf(found), ['closed']);
  assert.equal(entriesOf(found, `${folder}/closed`).count, 0);
  assert.deepEqual(
    found.problems.map(({ problem, detail }) => [problem, detail]),
    [['unreadable', 'EACCES']],
  );
});

test('a root is found through links on its way, and kept as a link when it is one', () => {
  mkdirSync(join(folder, 'real'));
  writeFileSync(join(folder, 'real/file'), 'x');
  symlinkSync('real', join(folder, 'link'));
  const through = scan({ roots: [bytesOfText(join(folder, 'link/file'))] });
  assert.deepEqual(namesOf(through, join(folder, 'real')), ['file']);
  assert.deepEqual(namesOf(through), ['real']);
  const itself = scan({ roots: [bytesOfText(join(folder, 'link'))] });
  assert.deepEqual(namesOf(itself), ['link']);
  assert.deepEqual([...itself.directories.keys()].at(-1), '/');
});

test('a root may have a name that is no text', () => {
  const odd = `${folder}/\u00ff\u00fe`;
  mkdirSync(Buffer.from(odd, 'latin1'));
  writeFileSync(Buffer.from(`${odd}/file`, 'latin1'), 'x');
  const found = scan({ roots: [bytesOfText(`${odd}/file`), bytesOfText(`${odd}/.`)] });
  assert.deepEqual(found.problems, []);
  assert.deepEqual(namesOf(found, odd), ['file']);
});

test('another file system inside is kept as an empty folder', (context) => {
  const outside = lstatSync('/proc').dev !== lstatSync('/').dev;
  if (!outside) {
    context.skip('no second file system at a known place');
    return;
  }
  const found = scan({
    roots: [bytesOfText('/')],
    oneFileSystem: true,
    excludePatterns: ['/*', '!/proc'],
  });
  assert.deepEqual(namesOf(found, '/'), ['proc']);
  assert.equal(entriesOf(found, '/proc').count, 0);
});
