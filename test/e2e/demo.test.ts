import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { DemoReport } from '../../src/cli/demo/demo-report.ts';
import { growDemoTree } from '../../src/cli/demo/demo-tree.ts';
import { covault, gathered, start, temporaryFolder } from './command-line.ts';

const folder = temporaryFolder('demo');
const files = join(folder.path, 'files');
const empty = join(folder.path, 'empty');
/** Where the demo has its homes: a folder of our own, to see what it leaves behind. */
const temporary = join(folder.path, 'temporary');
const environment = { TMPDIR: temporary };

before(() => {
  growDemoTree(files, 3_000_000);
  for (const path of [empty, temporary]) mkdirSync(path);
});
after(() => folder.remove());

function alive(processId: number): boolean {
  try {
    return process.kill(processId, 0);
  } catch {
    return false;
  }
}

function leftBehind(): readonly string[] {
  return readdirSync(temporary).filter((name) => name.startsWith('covault-demo-'));
}

test('eight partners, a disaster on all sides, and everything is back (C1, C14, C29, C32, C38)', async () => {
  const said = await covault(['--json', 'demo', files], { environment });
  assert.equal(said.exit, 0, said.out + said.err);
  assert.equal(said.out.trim().split('\n').length, 1, 'one JSON value');
  const report = said.json() as unknown as DemoReport;
  const { comparison } = report;
  assert.equal(report.code, '4+4');
  assert.deepEqual(comparison.differences, []);
  assert.ok(comparison.files > 100, 'many files');
  assert.equal(comparison.sparseFiles, 1);
  assert.equal(comparison.hardLinkNames, 3);
  assert.equal(comparison.symlinks, 3);
  assert.equal(comparison.special + comparison.reported + comparison.changedSince, 0);
  assert.ok(report.decodedCodewords > 0);
  assert.deepEqual(
    report.wrongBlocks.map(({ partner }) => partner),
    [report.corrupted.partner],
  );
  const fates = report.partners.map(({ fate }) => fate).sort();
  assert.deepEqual(fates, ['corrupted', 'killed', 'killed', 'killed', ...Array(4).fill('well')]);
  const held = report.partners.reduce((sum, { bytes }) => sum + bytes, 0);
  assert.ok(held >= 2 * report.bytes.stored);
  assert.equal(held, report.bytes.held);
  assert.deepEqual(
    report.partners.filter(({ processId }) => alive(processId)),
    [],
  );
  assert.deepEqual(leftBehind(), []);
});

test('the story is told as it happens, and Ctrl-C ends all of it and leaves nothing', async () => {
  const demo = start(['demo', files], { environment });
  let told = '';
  demo.stdout.on('data', (part) => {
    told += String(part);
    if (told.includes('Disaster')) demo.kill('SIGINT');
  });
  const said = await gathered(demo);
  assert.equal(said.exit, 130, said.err);
  const processIds = [...told.matchAll(/ {2}[0-9a-f]{12} +(\d+) /g)].map((match) =>
    Number(match[1]),
  );
  assert.equal(processIds.length, 8);
  assert.deepEqual(processIds.filter(alive), []);
  assert.deepEqual(leftBehind(), []);
});

test('with --keep the homes and the restored files stay', async () => {
  const small = join(folder.path, 'small');
  mkdirSync(small);
  writeFileSync(join(small, 'a.txt'), 'hello\n');
  const said = await covault(['--json', 'demo', small, '--keep'], { environment });
  assert.equal(said.exit, 0, said.out);
  const kept = String(said.json()['kept']);
  assert.ok(readdirSync(kept).includes('new-owner'));
  assert.deepEqual(readdirSync(join(kept, 'restored')), ['a.txt']);
  rmSync(kept, { recursive: true });
});

test('what is no folder is a mistake in typing, and an empty one shows nothing', async () => {
  const none = await covault(['--json', 'demo', join(folder.path, 'none')], { environment });
  assert.equal(none.exit, 2);
  const nothing = await covault(['--json', 'demo', empty], { environment });
  assert.equal(nothing.exit, 1);
  assert.equal((nothing.json()['error'] as { code: string }).code, 'demo.failed');
  assert.deepEqual(leftBehind(), []);
});
