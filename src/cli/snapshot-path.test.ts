import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8Bytes } from '../base/bytes.ts';
import { absolutePath, parseSnapshotPath } from './snapshot-path.ts';

test('the first colon ends the snapshot; the path may hold more', () => {
  assert.deepEqual(parseSnapshotPath(utf8Bytes('latest:/a:b/c')), {
    snapshot: 'latest',
    path: '/a:b/c',
  });
  assert.deepEqual(parseSnapshotPath(utf8Bytes('latest~2')), {
    snapshot: 'latest~2',
    path: undefined,
  });
});

test('a path in a snapshot is absolute even without its slash, and its top is all of it', () => {
  assert.equal(parseSnapshotPath(utf8Bytes('ab:data/ada/')).path, '/data/ada');
  assert.equal(parseSnapshotPath(utf8Bytes('ab:/')).path, undefined);
  assert.equal(parseSnapshotPath(utf8Bytes('ab:')).path, undefined);
});

test('relative paths start where the command was given', () => {
  assert.equal(absolutePath(utf8Bytes('docs/../x//y/.'), '/data/ada'), '/data/ada/x/y');
  assert.equal(absolutePath(utf8Bytes('.'), '/data/ada'), '/data/ada');
  assert.equal(absolutePath(utf8Bytes('/../etc'), '/data/ada'), '/etc');
});

test('bytes that are not UTF-8 survive', () => {
  assert.deepEqual(absolutePath(Uint8Array.of(0x61, 0xff), '/h'), {
    base64: Buffer.from([0x2f, 0x68, 0x2f, 0x61, 0xff]).toString('base64'),
  });
});
