import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { pathSchema } from './path-schema.ts';
import { pathBytesOf, pathTextOf } from './path-text.ts';

test('every path comes back from JSON byte for byte', () => {
  fc.assert(
    fc.property(
      fc
        .uint8Array({ minLength: 1, maxLength: 300, min: 1 })
        .map((bytes) => Uint8Array.from(bytes)),
      (path) => {
        const sent = pathSchema.parse(JSON.parse(JSON.stringify(pathTextOf(path))));
        assert.deepEqual(pathBytesOf(sent), path);
      },
    ),
  );
});

test('a path that is UTF-8 stays readable', () => {
  assert.equal(pathTextOf(new TextEncoder().encode('/data/zoë')), '/data/zoë');
});

test('an empty path, one with NUL and one that is not text are refused', () => {
  for (const bad of ['', 'a\0b', '\ud800', 7, null, { base64: '' }, { base64: '!' }])
    assert.equal(pathSchema.safeParse(bad).success, false);
});
