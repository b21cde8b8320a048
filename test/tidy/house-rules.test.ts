/**
 * House rules that the linter cannot check. The linter holds the others: lengths of functions, kebab-case, no barrels, default exports, enums,
 * namespaces, `any` or non-null assertions.
 */
import assert from 'node:assert/strict';
import { basename, posix } from 'node:path';
import { test } from 'node:test';
import { allTexts, codeFiles, documents, isTrial, offences } from './project-files.ts';
import { sourceText } from './source-text.ts';

const sourceLinesMaximum = 400;
const trialLinesMaximum = 800;

/** Names of drawers: what lies in one could lie in any. */
const drawers = /^(utils?|helpers?|common|shared|misc|types|index|manager|service)$/;
const rulesSwitchedOff = new RegExp(
  ['@ts-(?:ignore|expect-error|nocheck)', 'biome-' + 'ignore', 'eslint-' + 'disable'].join('|'),
);
const unfinished =
  /\b(?:TODO|FIXME|XXX)\b|\bfor now\b|\bnot (?:yet )?implemented\b|\bplaceholder\b/i;
const machinePaths = /(?<![\w.~-])\/(?:work|root)\//;

test('a source keeps to 400 lines, a test to 800', () => {
  const found = offences(codeFiles(), (file) => {
    const lines = file.text.split('\n').length - 1;
    const maximum = isTrial(file.path) ? trialLinesMaximum : sourceLinesMaximum;
    return lines > maximum ? [`${lines} lines`] : [];
  });
  assert.deepEqual(found, []);
});

test('files and folders are named for what is in them', () => {
  const found = offences(codeFiles(), (file) =>
    file.path
      .split('/')
      .map((part) => part.replace(/\..*$/, ''))
      .filter((part) => drawers.test(part) || !/^[a-z0-9-]+$/.test(part)),
  );
  assert.deepEqual(found, []);
});

test('no rule is switched off in a source', () => {
  const files = codeFiles().filter((file) => basename(file.path) !== 'house-rules.test.ts');
  const found = offences(files, (file) => linesWith(file.text, rulesSwitchedOff));
  assert.deepEqual(found, []);
});

test('nothing in a source is left for later', () => {
  const files = codeFiles().filter((file) => basename(file.path) !== 'house-rules.test.ts');
  assert.deepEqual(
    offences(files, (file) => linesWith(file.text, unfinished)),
    [],
  );
});

test('no text names a path of the machine on which it was written', () => {
  const files = allTexts().filter((file) => !file.path.startsWith('test/tidy/'));
  assert.deepEqual(
    offences(files, (file) => linesWith(file.text, machinePaths)),
    [],
  );
});

test('every source begins by saying what it is', () => {
  const files = codeFiles().filter((file) => file.path.startsWith('src/') && !isTrial(file.path));
  const found = offences(files, (file) =>
    file.text.startsWith('/**') ? [] : ['has no header comment'],
  );
  assert.deepEqual(found, []);
});

test('every test runs', () => {
  const skipping = /\b(?:test|it|describe)\.(?:skip|only|todo)\b|\{\s*(?:only|todo):\s*true/;
  const found = offences(
    codeFiles().filter((file) => isTrial(file.path)),
    (file) => linesWith(sourceText(file.text).bare, skipping),
  );
  assert.deepEqual(found, []);
});

test('links between the documents lead somewhere', () => {
  const known = new Set(allTexts().map((file) => file.path));
  const found = offences(documents(), (file) =>
    [...file.text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)[^)]*\)/g)]
      .map((match) => posix.join(posix.dirname(file.path), match[1] ?? ''))
      .filter(
        (target) => !known.has(target) && !known.has(`${target}.md`) && !isFolder(target, known),
      )
      .map((target) => `leads to ${target}`),
  );
  assert.deepEqual(found, []);
});

function isFolder(target: string, known: ReadonlySet<string>): boolean {
  const folder = target.endsWith('/') ? target : `${target}/`;
  if (target === 'LICENSE') return true;
  for (const path of known) if (path.startsWith(folder)) return true;
  return false;
}

function linesWith(text: string, form: RegExp): readonly string[] {
  return text
    .split('\n')
    .flatMap((line, index) => (form.test(line) ? [`${index + 1}: ${line.trim()}`] : []));
}
