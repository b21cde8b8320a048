import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { importsOf, sourceText } from './source-text.ts';

function bare(text: string): string {
  return sourceText(text).bare.replaceAll(/\s+/g, ' ').trim();
}

test('comments, strings, templates and regular expressions are no code', () => {
  assert.equal(bare('a; // Date.now()\nb'), 'a; b');
  assert.equal(bare('a /* Date.now() */ + b'), 'a + b');
  assert.equal(bare(`f('Date.now()', "x\\"y")`), `f(' ', " ")`);
  assert.equal(bare('x = /[/"]Date/g.test(y)'), 'x = / /g.test(y)');
  assert.equal(bare('x = a / b / c'), 'x = a / b / c');
});

test('what stands in a substitution of a template is code', () => {
  const opening = '$' + '{';
  const text = `\`one ${opening}f({ a: \`two ${opening}g()}\` })} three\` + h`;
  assert.equal(bare(text), '` {f({ a: ` {g()}` })} ` + h');
});

test('whatever stands in a source, its lines stay where they are', () => {
  const pieces = fc.constantFrom(
    '/',
    '*',
    '`',
    '${',
    '}',
    '{',
    "'",
    '"',
    '\\',
    '\n',
    'a',
    ' ',
    '[',
  );
  fc.assert(
    fc.property(fc.array(pieces), (parts) => {
      const text = parts.join('');
      const { uncommented, bare: code } = sourceText(text);
      assert.equal(code.length, text.length);
      assert.equal(uncommented.split('\n').length, text.split('\n').length);
    }),
  );
});

test('every way to name another source is found, and none in a comment or a string', () => {
  const text = `
    import { a,
      b } from './one.ts';
    import type { C } from './two.ts';
    import './three.ts';
    export { d } from './four.ts';
    const e = await import('./five.ts');
    new Worker(new URL('./six-worker.ts', import.meta.url));
    // import './seven.ts';
    const f = "import './eight.ts'";
  `;
  assert.deepEqual(
    importsOf(text).map((found) => found.specifier),
    ['./one.ts', './two.ts', './four.ts', './three.ts', './five.ts', './six-worker.ts'],
  );
  assert.deepEqual(
    importsOf(text).filter((found) => found.typeOnly),
    [{ specifier: './two.ts', typeOnly: true }],
  );
});
