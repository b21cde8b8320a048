import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RestoreResult } from '../../daemon/operations/restore.ts';
import { restoreLines } from './restore.ts';

const result: RestoreResult = {
  snapshot: 'ab'.repeat(32),
  ...{ files: 2, links: 0, filesSkipped: 43, directories: 4, bytes: 39_600_000 },
  ...{ fetchedBytes: 0, decodedCodewords: 0, wrongBlocks: [], removed: 1, verifiedFiles: 0 },
  problems: [],
};

test('a restore says what it wrote, what it left, and what it removed', () => {
  assert.deepEqual(restoreLines(result, { delete: true }), [
    'Restored 2 files (39.6 MB) and 4 folders; 43 files left as they stood.',
    'Fetched 0 B; nothing had to be decoded.',
    'Removed 1 entry.',
  ]);
  const [withLinks] = restoreLines({ ...result, links: 1 }, {});
  assert.match(withLinks ?? '', /^Restored 2 files and links \(/);
});

test('a dry run says only what would be', () => {
  assert.deepEqual(restoreLines(result, { delete: true, dryRun: true, verify: true }), [
    'Would restore 2 files (39.6 MB) and 4 folders; 43 files would stay as they stood.',
    'Would remove 1 entry.',
  ]);
});
