/** The project's own files, as the tidy tests see them: everything that would be committed. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const projectRoot: string = join(import.meta.dirname, '..', '..');

export interface ProjectFile {
  /** From the project's root, with `/`. */
  readonly path: string;
  readonly text: string;
}

const left = new Set(['node_modules', 'build', '.git']);

function read(pattern: string): readonly ProjectFile[] {
  return globSync(pattern, { cwd: projectRoot, exclude: (name) => left.has(name) })
    .map((path) => path.replaceAll('\\', '/'))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(projectRoot, path), 'utf8') }));
}

/** What does not run in the product: tests, suites that tests share, benchmarks, fuzzers. */
export function isTrial(path: string): boolean {
  return /\.(test|conformance|bench|fuzz)\.ts$/.test(path) || path.startsWith('test/');
}

/** The product's own sources. */
export function productSources(): readonly ProjectFile[] {
  return read('src/**/*.ts').filter((file) => !isTrial(file.path));
}

/** All code, tests and scripts included. */
export function codeFiles(): readonly ProjectFile[] {
  return read('{src,test,scripts,assembly,bin,web}/**/*.{ts,tsx,mjs}');
}

export function documents(): readonly ProjectFile[] {
  return [...read('*.md'), ...read('docs/**/*.md')];
}

/** Every text of the project. */
export function allTexts(): readonly ProjectFile[] {
  return [...codeFiles(), ...documents(), ...read('*.json'), ...read('.ci/*')].filter(
    (file) => file.path !== 'package-lock.json',
  );
}

/** One line for every offence, so that a failing test says all of them at once. */
export function offences(
  files: readonly ProjectFile[],
  judge: (file: ProjectFile) => readonly string[],
): readonly string[] {
  return files.flatMap((file) => judge(file).map((offence) => `${file.path}: ${offence}`));
}
