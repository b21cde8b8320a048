import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EntryAnswer } from '../daemon/answers.ts';
import { listingLine, modeText } from './listing-text.ts';

test('permissions read as in ls, the special bits among them', () => {
  assert.equal(modeText({ kind: 'file', mode: 0o644 }), '-rw-r--r--');
  assert.equal(modeText({ kind: 'directory', mode: 0o1777 }), 'drwxrwxrwt');
  assert.equal(modeText({ kind: 'file', mode: 0o6750 }), '-rwsr-s---');
  assert.equal(modeText({ kind: 'file', mode: 0o4600 }), '-rwS------');
  assert.equal(modeText({ kind: 'symlink', mode: 0o777 }), 'lrwxrwxrwx');
});

const entry: EntryAnswer = {
  path: '/data/a\u001b[31m',
  kind: 'symlink',
  mode: 0o777,
  uid: 1000,
  gid: 100,
  userName: 'ada',
  groupName: null,
  sizeBytes: 0,
  modifiedNs: '0',
  target: { base64: Buffer.from([0x62, 0xff]).toString('base64') },
};

test('a line names owner, size, time, path and target, and hides no escape sequence', () => {
  assert.match(
    listingLine(entry),
    /^lrwxrwxrwx ada {6}100 {17}0 (1970-01-01|1969-12-31) \d\d:\d\d \/data\/a\\x1b\[31m -> b\\xff$/,
  );
});

test('a time that no calendar has is shown as its number', () => {
  assert.match(listingLine({ ...entry, modifiedNs: '9223372036854775807000000' }), / @9223372036/);
});
