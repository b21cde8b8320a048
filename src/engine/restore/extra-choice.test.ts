import assert from 'node:assert/strict';
import test from 'node:test';
import { utf8Bytes } from '../../base/bytes.ts';
import { FidelityCollector, type FidelityProblem } from '../../core/scan/fidelity.ts';
import { removableBy } from './extra-choice.ts';

interface Case {
  readonly roots?: readonly string[];
  readonly excludes?: readonly string[];
  readonly unseen?: readonly (readonly [string, FidelityProblem])[];
  readonly path?: string;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
}

function removable(asked: Case, path: string): boolean {
  const fidelity = new FidelityCollector();
  for (const [unseen, problem] of asked.unseen ?? []) fidelity.note(utf8Bytes(unseen), problem);
  const { include = [], exclude = [], excludes = [], roots = ['/home/ada'] } = asked;
  return removableBy(
    { path: asked.path === undefined ? undefined : utf8Bytes(asked.path), include, exclude },
    { roots: roots.map(utf8Bytes), excludes, fidelity: fidelity.report() },
  )(utf8Bytes(path));
}

test('only what is below a root is removed, never what stands beside the way to it', () => {
  assert.equal(removable({}, 'home/ada/old'), true);
  assert.equal(removable({}, 'home/bob'), false);
  assert.equal(removable({}, 'home/adam/old'), false);
  assert.equal(removable({}, 'usr'), false);
  assert.equal(removable({ roots: ['/'] }, 'usr'), true);
  assert.equal(removable({ path: '/home/ada/docs/' }, 'old'), true);
  assert.equal(removable({ path: '/home/' }, 'bob'), false);
  assert.equal(removable({ path: '//home/./ada' }, 'old'), true);
});

test('what the backup or the restore was told to leave out stays', () => {
  assert.equal(removable({ excludes: ['.cache'] }, 'home/ada/.cache'), false);
  assert.equal(removable({ excludes: ['/build/'] }, 'home/ada/build'), false);
  assert.equal(removable({ excludes: ['/build/'] }, 'home/ada/other/build'), true);
  assert.equal(removable({ exclude: ['*.log'] }, 'home/ada/a.log'), false);
  assert.equal(removable({ include: ['*.txt'] }, 'home/ada/a.doc'), false);
  assert.equal(removable({ include: ['*.txt'] }, 'home/ada/a.txt'), true);
  assert.equal(removable({ path: '/home/ada', include: ['/docs/'] }, 'docs/old'), true);
});

test('what could not be read stays, and everything when not all of it is named', () => {
  const unseen = [['/home/ada/locked', 'unreadable']] as const;
  assert.equal(removable({ unseen }, 'home/ada/locked'), false);
  assert.equal(removable({ unseen }, 'home/ada/locked/inside'), false);
  assert.equal(removable({ unseen }, 'home/ada/locked-not'), true);
  assert.equal(removable({ unseen: [['/', 'unreadable']] }, 'home/ada/old'), false);
  const many = Array.from({ length: 10_001 }, (_, file) => [`/${file}`, 'vanished'] as const);
  assert.equal(removable({ unseen: many }, 'home/ada/old'), false);
  const unkept = [['/home/ada/fifo', 'special-not-kept']] as const;
  assert.equal(removable({ unseen: unkept }, 'home/ada/old'), true);
});
