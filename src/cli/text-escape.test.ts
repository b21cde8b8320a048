import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { printableBytes, printableText } from './text-escape.ts';

test('an escape sequence in a name cannot reach the terminal', () => {
  assert.equal(printableText('a\u001b[2Jb\u009bc'), 'a\\x1b[2Jb\\x9bc');
  assert.equal(printableText('two\nlines\ttab'), 'two\\nlines\\ttab');
});

test('characters that turn the direction of reading are shown as escapes', () => {
  assert.equal(printableText('exe\u202efdp'), 'exe\\u{202e}fdp');
});

test('ordinary text of any script stays as it is', () => {
  assert.equal(printableText('Zoë 日本 мир'), 'Zoë 日本 мир');
});

test('no name, of whatever bytes, shows with a control or format character', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), (name) => {
      assert.doesNotMatch(printableBytes(name), /[\p{Cc}\p{Cf}]/u);
    }),
  );
});

test('two names of bytes that are UTF-8 never look alike', () => {
  const unit = fc.constantFrom('a', '\\', 'x', '1', 'b', '\u001b', '\n', 'n', 'é');
  const name = fc.array(unit, { maxLength: 6 }).map((units) => units.join(''));
  fc.assert(
    fc.property(name, name, (one, two) => {
      assert.equal(printableText(one) === printableText(two), one === two);
    }),
  );
});
