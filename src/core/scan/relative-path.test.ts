import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathParts } from './relative-path.ts';
import { bytesOfText, textOfBytes } from './stat-columns.ts';

test('a path has the names along its way as parts', () => {
  const parts = pathParts(bytesOfText('a/b\nc/\u00ff'));
  assert.deepEqual(parts?.map(textOfBytes), ['a', 'b\nc', '\u00ff']);
});

test('whatever could lead out of the folder is refused', () => {
  for (const path of ['', '/', '/a', 'a/', 'a//b', '.', '..', 'a/../b', 'a/.', 'a\0b', 'a/..'])
    assert.equal(pathParts(bytesOfText(path)), undefined, JSON.stringify(path));
  assert.equal(pathParts(bytesOfText('a'.repeat(256))), undefined);
  assert.equal(pathParts(bytesOfText('...'))?.length, 1);
});
