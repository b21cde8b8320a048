/** The compiled kernels as `npm ci` leaves them in build/kernels/, and the kernels made of them. */
import { readFileSync } from 'node:fs';
import type { Bytes } from '../../base/bytes.ts';
import type { Kernels } from '../../primitives/kernels/kernels.ts';
import { type KernelFiles, wasmKernels } from '../../primitives/kernels/wasm-kernels.ts';

// Three folders up is the package, from src/ and from dist/ alike.
const folder: URL = new URL('../../../build/kernels/', import.meta.url);

/** Throws when the files are not there: the installation is not whole. */
export function readKernelFiles(): KernelFiles {
  return { simd: readKernel('simd.wasm'), relaxedSimd: readKernel('relaxed-simd.wasm') };
}

/** The WebAssembly kernels; compiled anew on each call, so call it once per thread. */
export function loadKernels(): Kernels {
  return wasmKernels(readKernelFiles());
}

function readKernel(file: string): Bytes {
  try {
    return new Uint8Array(readFileSync(new URL(file, folder)));
  } catch (cause) {
    throw new Error(`build/kernels/${file} cannot be read: run \`npm run prepare\``, { cause });
  }
}
