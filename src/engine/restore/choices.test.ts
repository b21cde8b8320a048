/** Which entries a restore takes, and which of them it writes over what stands there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8Bytes } from '../../base/bytes.ts';
import type { TreeEntry } from '../../core/scan/tree-entry.ts';
import { wantsWriting } from './overwrite-choice.ts';
import { chosenBy } from './path-choice.ts';

const file: TreeEntry = {
  name: utf8Bytes('name'),
  kind: 'file',
  mode: 0o644,
  uid: 0,
  gid: 0,
  modifiedNs: 1_000n,
  sizeBytes: 10,
  content: [],
};

const folder: TreeEntry = { ...file, kind: 'directory', sizeBytes: 0 };

/** Paths in the order of a walk; folders end with a slash. */
const walk = [
  'docs/',
  'docs/a.txt',
  'docs/b.jpg',
  'docs/old/',
  'docs/old/c.txt',
  'docs2/',
  'docs2/d.txt',
  'e.txt',
];

function taken(request: {
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
}): readonly string[] {
  const choose = chosenBy({ include: request.include ?? [], exclude: request.exclude ?? [] });
  const closed: string[] = [];
  return walk.filter((path) => {
    if (closed.some((prefix) => path.startsWith(prefix))) return false;
    const isFolder = path.endsWith('/');
    const choice = choose(utf8Bytes(isFolder ? path.slice(0, -1) : path), isFolder ? folder : file);
    if (isFolder && !choice.enter) closed.push(path);
    return choice.take;
  });
}

test('without patterns everything is taken; excluded folders are not even entered', () => {
  assert.deepEqual(taken({}), walk);
  assert.deepEqual(taken({ exclude: ['docs/'] }), ['docs2/', 'docs2/d.txt', 'e.txt']);
  assert.deepEqual(taken({ exclude: ['*.txt'] }), ['docs/', 'docs/b.jpg', 'docs/old/', 'docs2/']);
});

test('what is included is taken, with all below a folder, and nothing beside it', () => {
  assert.deepEqual(taken({ include: ['/docs'] }), [
    'docs/',
    'docs/a.txt',
    'docs/b.jpg',
    'docs/old/',
    'docs/old/c.txt',
  ]);
  assert.deepEqual(taken({ include: ['*.jpg'] }), ['docs/b.jpg']);
  assert.deepEqual(taken({ include: ['old/'], exclude: ['c.txt'] }), ['docs/old/']);
  assert.deepEqual(taken({ include: ['/docs', 'e.txt'], exclude: ['old'] }), [
    'docs/',
    'docs/a.txt',
    'docs/b.jpg',
    'e.txt',
  ]);
});

test('the modes of overwriting', () => {
  const same = { kind: 'file', size: 10, mtimeNs: 1_000n } as const;
  const newer = { ...same, mtimeNs: 2_000n };
  const older = { ...same, mtimeNs: 500n };
  const longer = { ...same, size: 11 };
  const link = { ...same, kind: 'symlink' } as const;
  const table = {
    always: [true, true, true, true, true, true],
    never: [true, false, false, false, false, false],
    'if-newer': [true, false, false, true, false, false],
    'if-changed': [true, false, true, true, true, true],
  } as const;
  for (const mode of ['always', 'never', 'if-newer', 'if-changed'] as const)
    assert.deepEqual(
      [undefined, same, newer, older, longer, link].map((standing) =>
        wantsWriting(mode, file, standing),
      ),
      table[mode],
      mode,
    );
});

test('a link that says as much as before, since as long, is left as it stands', () => {
  const link: TreeEntry = {
    ...file,
    kind: 'symlink',
    sizeBytes: 0,
    target: utf8Bytes('elsewhere'),
  };
  const same = { kind: 'symlink', size: 9, mtimeNs: 1_000n } as const;
  assert.equal(wantsWriting('if-changed', link, same), false);
  assert.equal(wantsWriting('if-changed', link, { ...same, size: 8 }), true);
  assert.equal(wantsWriting('if-changed', link, { ...same, mtimeNs: 2_000n }), true);
});
