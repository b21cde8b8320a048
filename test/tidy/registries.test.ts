/** Registries that people read and the code must keep: error codes (docs/errors.md) and claims (docs/claims.md). */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { productSources, projectRoot } from './project-files.ts';
import { sourceText } from './source-text.ts';

const dotted = /^[a-z][a-z0-9-]*(?:\.[a-z][a-z0-9-]*)+$/;
const literals = String.raw`\s*\|?\s*'[^']*'(?:\s*\|\s*'[^']*')*`;
/** `code: 'a.b'`, as a value or a type, and the members of types whose name ends in `Code`. */
const codeForms: readonly RegExp[] = [
  new RegExp(String.raw`\bcode\??:(${literals})`, 'g'),
  /\btype \w*Code =([^;]*);/g,
];

function codesInSources(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const file of productSources()) {
    const text = sourceText(file.text).uncommented;
    for (const form of codeForms)
      for (const match of text.matchAll(form))
        for (const [, code = ''] of (match[1] ?? '').matchAll(/'([^']*)'/g))
          if (dotted.test(code)) found.set(code, file.path);
  }
  return found;
}

function document(name: string): string {
  return readFileSync(join(projectRoot, 'docs', name), 'utf8');
}

function codesInDocument(): readonly string[] {
  return [...document('errors.md').matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1] ?? '');
}

test('docs/errors.md has a row for every code of the sources', () => {
  const listed = new Set(codesInDocument());
  const missing = [...codesInSources()]
    .filter(([code]) => !listed.has(code))
    .map(([code, path]) => `| \`${code}\` | (${path}) |`)
    .sort();
  assert.deepEqual(missing, [], `rows missing in docs/errors.md:\n${missing.join('\n')}`);
});

test('docs/errors.md lists no code that the sources do not have, and none twice', () => {
  const known = codesInSources();
  const listed = codesInDocument();
  assert.deepEqual(
    listed.filter((code) => !known.has(code)),
    [],
  );
  assert.equal(new Set(listed).size, listed.length);
});

test('docs/claims.md has every claim once, and the tests it names exist and name the claim', () => {
  const rows = [...document('claims.md').matchAll(/^\| (C\d[^|]*?) \|.*\| ([^|]*?) \|$/gm)];
  const claims = rows.flatMap(([, ids = '']) => claimsOf(ids));
  assert.deepEqual(
    claims.toSorted((left, right) => left - right),
    Array.from({ length: 48 }, (_, index) => index + 1),
  );
  const wrong = rows.flatMap(([, ids = '', tests = '']) =>
    [...tests.matchAll(/`([^`]+)`/g)].flatMap(([, path = '']) => complaint(ids, path)),
  );
  assert.deepEqual(wrong, []);
});

/** `C8–C11, C32` → 8, 9, 10, 11, 32. */
function claimsOf(ids: string): readonly number[] {
  return ids.split(',').flatMap((part) => {
    const [first = 0, last = first] = [...part.matchAll(/C(\d+)/g)].map((match) =>
      Number(match[1]),
    );
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

function complaint(ids: string, path: string): readonly string[] {
  const file = join(projectRoot, path);
  if (!existsSync(file)) return [`${ids}: ${path} does not exist`];
  const text = readFileSync(file, 'utf8');
  return claimsOf(ids).some((claim) => new RegExp(`\\bC${claim}\\b`).test(text))
    ? []
    : [`${ids}: ${path} names none of these claims`];
}
