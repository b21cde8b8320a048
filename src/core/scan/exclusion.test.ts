import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cheapPatterns, ExclusionRules, isCacheTag } from './exclusion.ts';
import { textOfBytes } from './stat-columns.ts';

const byteText = (text: string): string => textOfBytes(new TextEncoder().encode(text));

test('patterns are relative to the folder that they stand in', () => {
  const rules = ExclusionRules.none.within('/home/a', ['/build', '*.o']);
  assert.equal(rules.excludes('/home/a/build', true), true);
  assert.equal(rules.excludes('/home/a/lib/build', true), false);
  assert.equal(rules.excludes('/home/a/lib/x.o', false), true);
  assert.equal(rules.excludes('/home/a/lib/X.O', false), false);
});

test('a pattern that ends in a slash is about folders only', () => {
  const rules = ExclusionRules.none.within('', ['cache/']);
  assert.equal(rules.excludes('/cache', true), true);
  assert.equal(rules.excludes('/cache', false), false);
});

test('the last pattern of a level decides, and a deeper level before a higher one', () => {
  const outer = ExclusionRules.none.within('/a', ['*.log', '!keep.log']);
  assert.equal(outer.excludes('/a/x.log', false), true);
  assert.equal(outer.excludes('/a/keep.log', false), false);
  const inner = outer.within('/a/b', ['!x.log', 'keep.log']);
  assert.equal(inner.excludes('/a/b/x.log', false), false);
  assert.equal(inner.excludes('/a/b/keep.log', false), true);
});

test('what is in a folder that a deeper level spared is judged on its own', () => {
  const rules = ExclusionRules.none
    .within('/a', ['out[1]/', 'out', '*.o'])
    .within('/a/b', ['!out']);
  assert.equal(rules.excludes('/a/b/out', true), false);
  const inside = rules.enter('/a/b/out');
  assert.equal(inside.excludes('/a/b/out/file.c', false), false);
  assert.equal(inside.excludes('/a/b/out/file.o', false), true);
});

test('a spared folder may have characters that mean something in patterns', () => {
  const rules = ExclusionRules.none.within('/a', ['*']).within('/a/b', ['!*/']);
  const inside = rules.enter('/a/b/o[u]t*? #\\x');
  assert.equal(inside.excludes('/a/b/o[u]t*? #\\x', true), false);
});

test('patterns see names as UTF-8 where they are', () => {
  const rules = ExclusionRules.none.within('', ['Größe*']);
  assert.equal(rules.excludes(`/${byteText('Größe 1')}`, false), true);
  assert.equal(rules.excludes('/\u00ff\u00fe', false), false);
});

test('comments, blank lines and empty lists leave nothing out', () => {
  const rules = ExclusionRules.none.within('', ['# *', '', '   ']);
  assert.equal(rules.excludes('/x', false), false);
  assert.equal(ExclusionRules.none.within('', []), ExclusionRules.none);
});

test('many more paths than a matcher remembers are judged alike', () => {
  const rules = ExclusionRules.none.within('', ['*7']);
  let left = 0;
  for (let file = 0; file < 60_000; file += 1) if (rules.excludes(`/f${file}`, false)) left += 1;
  assert.equal(left, 6_000);
});

test('a cache tag counts only with its signature', () => {
  const encoder = new TextEncoder();
  assert.equal(
    isCacheTag(encoder.encode('Signature: 8a477f597d28d172789f06886806bc55\n# more')),
    true,
  );
  assert.equal(isCacheTag(encoder.encode('Signature: 8a477f597d28d172789f06886806bc5')), false);
});

test('patterns that can be tried in very many ways are not followed, usual ones are', () => {
  const costly = ['**/a/**/a/**/a/b', '**/a/'.repeat(6), 'a/**/b/**/c/***/d', '*a*a*a*a*b'];
  for (const pattern of costly) {
    const found = cheapPatterns(['*.o', pattern]);
    assert.deepEqual(found.patterns, ['*.o'], pattern);
    assert.match(found.problem ?? '', /wildcards: 1 are not followed/);
  }
  const usual = [
    '',
    '# **/*/**/*/**/*/**/x',
    '*.o',
    '**/node_modules/**',
    '!/a/**/t/**/*.js',
    '*~',
  ];
  assert.deepEqual(cheapPatterns(usual), { patterns: usual, problem: undefined });
});

test('where a costly pattern would take something out, nothing is left out', () => {
  const found = cheapPatterns(['*', '!**/a/**/a/**/a/b']);
  assert.deepEqual(found.patterns, []);
  assert.match(found.problem ?? '', /none/);
});

test('the costliest of the cheap patterns take little time on a deep path', () => {
  const path = `${'/a'.repeat(200)}/x`;
  const rules = ExclusionRules.none.within('', ['**/a/**/a/b', '**/a/**/b*c*d*e']);
  const began = performance.now();
  assert.equal(rules.excludes(path, false), false);
  assert.ok(performance.now() - began < 1_000);
});
