import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SnapshotDetails } from '../daemon/answers.ts';
import { snapshotLines } from './snapshot-text.ts';

const details: SnapshotDetails = {
  id: 'ab'.repeat(32),
  takenAt: '2026-01-02T03:04:05.000Z',
  phase: 'complete',
  hostName: 'nas',
  userName: 'ada',
  roots: ['/data'],
  tags: [],
  files: 2,
  directories: 1,
  bytes: 1_000,
  newBytes: 10,
  problems: 0,
  excludes: [],
  program: '0.1.0',
  notKept: [],
  problemPaths: [],
};

test('a snapshot that kept everything says so', () => {
  const lines = snapshotLines(details);
  assert.equal(lines.at(-1), 'Everything was kept.');
  assert.ok(lines.some((line) => line.includes('ada@nas')));
});

test('what was not kept is named, and what is not named is counted', () => {
  const problemPaths = Array.from({ length: 30 }, (_, index) => ({
    path: `/data/pipe-${index}`,
    problem: 'special-not-kept' as const,
  }));
  const notKept = [{ problem: 'special-not-kept' as const, count: 40 }];
  const lines = snapshotLines({ ...details, notKept, problemPaths });
  assert.ok(lines.some((line) => line.includes('/data/pipe-0: special file')));
  assert.equal(lines.at(-1), '  … and 20 more');
});
