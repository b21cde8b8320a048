/** How fast the kernels are on this machine, in GB of data per second on one core. */
import { readFileSync } from 'node:fs';
import type { Kernels, Matrix } from './kernels.ts';
import { plainKernels } from './plain-kernels.ts';
import { wasmKernels } from './wasm-kernels.ts';

const elementBytes = 65_520;
const folder: URL = new URL('../../../build/kernels/', import.meta.url);

function kernelFile(name: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(new URL(name, folder)));
}

/** The best of five rounds, each of at least 200 ms. */
function gigabytesPerSecond(bytes: number, work: () => void): number {
  const roundMs = 200;
  let best = 0;
  for (let round = 0; round < 5; round += 1) {
    const start = performance.now();
    let count = 0;
    do {
      work();
      count += 1;
    } while (performance.now() - start < roundMs);
    best = Math.max(best, (count * bytes) / (performance.now() - start) / 1e6);
  }
  return best;
}

function fill(areas: readonly Uint8Array[]): void {
  areas.forEach((area, number) => {
    area.forEach((_, index) => {
      area[index] = (Math.imul(index + number, 0x9e3779b1) >>> 13) & 255;
    });
  });
}

function coding(kernels: Kernels, k: number, m: number): number {
  const shape = { inputCount: k, outputCount: m, capacityBytes: elementBytes };
  const workspace = kernels.gf256.workspace(shape);
  fill(workspace.inputs);
  const coefficients = Uint8Array.from({ length: k * m }, (_, index) => index + 2);
  const matrix: Matrix = { rows: m, columns: k, coefficients };
  return gigabytesPerSecond(k * elementBytes, () => workspace.multiply(matrix, elementBytes));
}

function folding(kernels: Kernels, k: number): number {
  const workspace = kernels.xor.workspace({ inputCount: k, capacityBytes: elementBytes });
  fill(workspace.inputs);
  return gigabytesPerSecond(k * elementBytes, () => workspace.fold(elementBytes));
}

function searching(kernels: Kernels): number {
  const areaBytes = 1 << 20;
  const scanner = kernels.gear.scanner(new BigUint64Array(256).fill(3n), areaBytes);
  fill([scanner.area]);
  return gigabytesPerSecond(areaBytes, () => scanner.find(64, areaBytes, 0));
}

const wasm: Uint8Array<ArrayBuffer> = kernelFile('simd.wasm');
const kinds: readonly (readonly [string, Kernels])[] = [
  ['WebAssembly', wasmKernels({ simd: wasm, relaxedSimd: kernelFile('relaxed-simd.wasm') })],
  ['… plain SIMD', wasmKernels({ simd: wasm, relaxedSimd: new Uint8Array(0) })],
  ['plain TypeScript', plainKernels()],
];

for (const [name, kernels] of kinds) {
  const figures: readonly (readonly [string, number])[] = [
    ['RS 10+4', coding(kernels, 10, 4)],
    ['RS 4+4', coding(kernels, 4, 4)],
    ['RS 8+12', coding(kernels, 8, 12)],
    ['XOR of 4', folding(kernels, 4)],
    ['gear', searching(kernels)],
  ];
  const texts = figures.map(([what, figure]) => `${what} ${figure.toFixed(2).padStart(6)}`);
  process.stdout.write(`${name.padEnd(18)}${texts.join('   ')}   GB/s\n`);
}
