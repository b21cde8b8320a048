/**
 * Runs the tests: all of them, or those in the files and folders that were named.
 *
 *   npm test
 *   npm test -- src/core test/sim/world.test.ts
 *   npm test -- --test-name-pattern=audit src/core
 */
import { spawn } from 'node:child_process';
import { globSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

/** No test, and no test file, may hang the run. */
const timeoutMs = 300_000;
const everything = ['src/**/*.test.ts', 'test/**/*.test.ts'];

function testFilesOf(path: string): string[] {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory())
    return globSync(join(path, '**/*.test.ts'));
  return globSync(path);
}

const words = process.argv.slice(2);
const options = words.filter((word) => word.startsWith('-'));
const paths = words.filter((word) => !word.startsWith('-'));
const files = (paths.length > 0 ? paths : everything).flatMap(testFilesOf).sort();

if (files.length === 0) {
  console.error(`No test file matches ${paths.join(' ')}.`);
  process.exitCode = 2;
} else {
  const run = spawn(
    process.execPath,
    [
      '--test',
      '--test-reporter=spec',
      `--test-timeout=${timeoutMs}`,
      `--test-concurrency=${Math.max(2, availableParallelism())}`,
      ...options,
      ...files,
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  run.on('exit', (code) => {
    process.exitCode = code ?? 1;
  });
}
