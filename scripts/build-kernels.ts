/**
 * Compiles assembly/ to build/kernels/: once with the plain SIMD instructions and once with the
 * relaxed ones. `npm ci` runs it; it says nothing unless it fails.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root: string = join(import.meta.dirname, '..');
const folder: string = join(root, 'build', 'kernels');
const sources: readonly string[] = ['assembly/galois.ts', 'assembly/gear.ts'];

const variants: readonly { readonly file: string; readonly features: readonly string[] }[] = [
  { file: 'simd.wasm', features: ['simd'] },
  { file: 'relaxed-simd.wasm', features: ['simd', 'relaxed-simd'] },
];

// The host lays out the memory, so the modules need neither an allocator nor static data.
const memoryOptions: readonly string[] = [
  ...['--runtime', 'stub', '--importMemory', '--noExportMemory', '--initialMemory', '1'],
];

function compilerPath(): string {
  try {
    return createRequire(import.meta.url).resolve('assemblyscript/bin/asc.js');
  } catch {
    throw new Error('the package `assemblyscript` is not installed: run `npm ci`');
  }
}

async function compile(compiler: string, file: string, features: readonly string[]): Promise<void> {
  // Readers see the old module or the new one, never half of one.
  const unfinished = join(folder, `${file}.${process.pid}`);
  const enabled = features.flatMap((feature) => ['--enable', feature]);
  const options = [...memoryOptions, '-O3', '--noAssert', ...enabled, '--outFile', unfinished];
  try {
    await promisify(execFile)(process.execPath, [compiler, ...sources, ...options], { cwd: root });
    renameSync(unfinished, join(folder, file));
  } finally {
    rmSync(unfinished, { force: true });
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const output = 'stderr' in error ? String(error.stderr).trim() : '';
  return output === '' ? error.message : output;
}

try {
  mkdirSync(folder, { recursive: true });
  const compiler = compilerPath();
  await Promise.all(variants.map(({ file, features }) => compile(compiler, file, features)));
} catch (error) {
  process.stderr.write(`build-kernels: cannot compile assembly/:\n${reasonOf(error)}\n`);
  process.exitCode = 1;
}
