import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DemoReport, partnersText, reportText, shortfallsOf } from './demo-report.ts';

const good: DemoReport = {
  tree: null,
  code: '4+4',
  bearableLosses: 4,
  partners: [
    { name: 'ada', id: 'a'.repeat(64), processId: 7, shards: 12, bytes: 3_000_000, fate: 'well' },
    { name: 'ben', id: 'b'.repeat(64), processId: 1_234, shards: 3, bytes: 900, fate: 'corrupted' },
  ],
  corrupted: { partner: 'ben', shard: '00', block: 3 },
  timesMs: {
    introduce: 1_000,
    capture: 2_000,
    protect: 3_000,
    complete: 4_000,
    recover: 500,
    restore: 2_500,
    compare: 0,
    total: 20_000,
  },
  bytes: { source: 100_000_000, stored: 50_000_000, held: 101_000_000, fetched: 49_000_000 },
  decodedCodewords: 1_234,
  wrongBlocks: [{ partner: 'ben', count: 1 }],
  problems: 0,
  comparison: {
    files: 10,
    folders: 2,
    symlinks: 1,
    hardLinkNames: 0,
    sparseFiles: 0,
    bytes: 100_000_000,
    special: 0,
    reported: 0,
    changedSince: 0,
    ownersNotRestored: 0,
    differences: [],
  },
};

test('times, sizes and rates stand in columns', () => {
  const lines = reportText(good).split('\n');
  assert.ok(lines.includes('  complete at partners          4.0 s  100 MB  25.0 MB/s'));
  assert.ok(lines.includes('  recovered from 24 words       0.5 s'));
  assert.ok(lines.includes('  held      101 MB  by 2 partners: 2.02 × what is stored'));
  assert.ok(lines.includes('  decoded    1,234  codewords rebuilt from parity'));
  assert.ok(lines.some((line) => /^ {2}wrong +1 {2}block from ben:/.test(line)));
  assert.deepEqual(partnersText(good.partners).split('\n'), [
    '  partner  id            process  shards    holds',
    '  ada      aaaaaaaaaaaa        7      12  3.00 MB',
    '  ben      bbbbbbbbbbbb     1234       3    900 B',
  ]);
});

test('a demo in which all went as it must falls short in nothing', () => {
  assert.deepEqual(shortfallsOf(good), []);
});

test('a wrong block that nobody noticed, or that an honest partner is blamed for, is a shortfall', () => {
  assert.deepEqual(shortfallsOf({ ...good, wrongBlocks: [] }), [
    'the corrupt block at ben was not noticed',
  ]);
  const blamed = [...good.wrongBlocks, { partner: 'ada', count: 2 }];
  assert.deepEqual(shortfallsOf({ ...good, wrongBlocks: blamed }), [
    '2 wrong blocks put down to ada, who has none',
  ]);
});

test('differences are named, the first twenty of many', () => {
  const differences = Array.from({ length: 23 }, () => ({ path: 'fü', what: 'x' }));
  const comparison = { ...good.comparison, differences };
  const shortfalls = shortfallsOf({ ...good, comparison });
  assert.equal(shortfalls.length, 21);
  assert.equal(shortfalls.at(-1), '3 more differences');
});
