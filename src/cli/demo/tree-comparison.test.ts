import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { growDemoTree } from './demo-tree.ts';
import { compareTrees, type TreeComparison } from './tree-comparison.ts';

const folder = mkdtempSync(join(tmpdir(), 'covault-comparison-'));
const original = join(folder, 'original');
const restored = join(folder, 'restored');

before(() => growDemoTree(original, 600_000));
beforeEach(() => {
  rmSync(restored, { recursive: true, force: true });
  execFileSync('cp', ['-a', original, restored]);
});
after(() => rmSync(folder, { recursive: true, force: true }));

async function compared(
  notKept: readonly string[] = [],
  capturedAtMs: number = Number.POSITIVE_INFINITY,
): Promise<TreeComparison> {
  return compareTrees({
    original,
    restored,
    capturedAtMs,
    notKept: new Set(notKept),
    signal: new AbortController().signal,
    progress: () => undefined,
  });
}

async function difference(): Promise<string> {
  const { differences } = await compared();
  const [first] = differences;
  assert.equal(differences.length, 1, JSON.stringify(differences));
  return `${first?.path}: ${first?.what}`;
}

test('a faithful copy differs in nothing, and everything odd was there to be compared', async () => {
  const comparison = await compared();
  assert.deepEqual(comparison.differences, []);
  assert.ok(comparison.files > 20);
  assert.ok(comparison.symlinks >= 3);
  assert.ok(comparison.hardLinkNames >= 3);
  assert.equal(comparison.sparseFiles, 1);
  assert.equal(comparison.changedSince, 0);
});

test('another byte, a byte too many, and a missing file are found', async () => {
  const path = join(restored, 'odd', 'one file');
  const { mtime } = statSync(path);
  writeFileSync(path, 'of three nameS\n');
  utimesSync(path, mtime, mtime);
  const texts = (await compared()).differences.map(({ what }) => what);
  assert.equal(texts.filter((what) => what === 'has other bytes').length, 3);
  writeFileSync(path, 'of three names\n!');
  const longer = (await compared()).differences.map(({ what }) => what);
  assert.ok(longer.includes('has 15 bytes, restored with 16'));
  rmSync(join(restored, 'odd', 'sticky'), { recursive: true });
  const missing = (await compared()).differences.filter(({ path: at }) => at === 'odd/sticky');
  assert.deepEqual(missing, [{ path: 'odd/sticky', what: 'was not restored' }]);
});

test('a file too many is found, and its folder’s time', async () => {
  writeFileSync(join(restored, 'odd', 'sticky', 'more'), '');
  const { differences } = await compared();
  assert.deepEqual(differences.map(({ path }) => path).sort(), ['odd/sticky', 'odd/sticky/more']);
});

test('a mode, a time and an owner are found', async (context) => {
  chmodSync(join(restored, 'odd', 'mode 4755'), 0o755);
  assert.equal(await difference(), 'odd/mode 4755: has mode 4755, restored as 755');
  chmodSync(join(restored, 'odd', 'mode 4755'), 0o4755);
  lutimesSync(join(restored, 'odd', 'dangling link'), 1, 1);
  assert.match(await difference(), /^odd\/dangling link: was changed at/);
  if (process.geteuid?.() !== 0) return context.skip('only the superuser gives files away');
});

test('a link that points elsewhere is found', async () => {
  const path = join(restored, 'odd', 'link');
  unlinkSync(path);
  symlinkSync('one FILE', path);
  const texts = (await compared()).differences.map(({ what }) => what);
  assert.ok(texts.includes('points elsewhere'));
});

test('a name of a file of several names that became a file of its own is found', async () => {
  const path = join(restored, 'odd', 'its second name');
  execFileSync('cp', ['-a', '--remove-destination', join(restored, 'odd', 'mode 644'), path]);
  const texts = (await compared()).differences.map(({ what }) => what);
  assert.ok(texts.includes('is a name of another file'));
});

test('holes that were filled are found', async () => {
  const from = join(original, 'odd', 'sparse.img');
  const path = join(restored, 'odd', 'sparse.img');
  execFileSync('cp', ['--sparse=never', '--preserve=all', from, path]);
  assert.match(await difference(), /^odd\/sparse\.img: .* holes were filled$/);
});

test('what the backup reported or what changed afterwards is counted, not compared', async () => {
  rmSync(join(restored, 'odd'), { recursive: true });
  mkdirSync(join(restored, 'odd'));
  const { reported, differences } = await compared(['odd']);
  assert.ok(reported > 10);
  assert.deepEqual(differences, []);
  const later = await compared([], 0);
  assert.equal(later.files, 0);
  assert.deepEqual(later.differences, []);
});
