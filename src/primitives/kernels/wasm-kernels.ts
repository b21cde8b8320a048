/**
 * The kernels in WebAssembly (assembly/), and the layout of their memory.
 *
 * Each workspace has its own memory, of fixed size, so that its views never detach. Areas are padded
 * to whole vectors: a kernel may read and write the padding, and nobody looks at it.
 */
import { assert, present } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import type {
  GearScanner,
  GearTable,
  Gf256Workspace,
  Kernels,
  Matrix,
  WorkspaceShape,
  XorWorkspace,
} from './kernels.ts';
import { nibbleProducts, tableBytes } from './nibble-products.ts';
import { type KernelModule, kernelModule } from './wasm-module.ts';
import {
  checkLength,
  checkMatrix,
  checkScanner,
  checkSearch,
  checkShape,
  checkThreshold,
} from './workspace-checks.ts';

/** The compiled modules: build/kernels/simd.wasm and build/kernels/relaxed-simd.wasm. */
export interface KernelFiles {
  readonly simd: Bytes;
  /** Used where the engine knows its instructions. */
  readonly relaxedSimd: Bytes;
}

/** Compiles, which takes a few milliseconds: once per thread is enough. */
export function wasmKernels(files: KernelFiles): Kernels {
  const module = kernelModule(files.relaxedSimd) ?? kernelModule(files.simd);
  assert(module !== undefined, 'the engine runs WebAssembly SIMD');
  return {
    gf256: { workspace: (shape) => gf256Workspace(module, shape) },
    xor: { workspace: (shape) => xorWorkspace(module, shape) },
    gear: { scanner: (table, areaBytes) => gearScanner(module, table, areaBytes) },
  };
}

const vectorBytes = 32;

function padded(lengthBytes: number): number {
  return Math.ceil(lengthBytes / vectorBytes) * vectorBytes;
}

/** `count` areas of `lengthBytes`, one behind the other from `start`. */
function areas(
  buffer: ArrayBuffer,
  start: number,
  size: { readonly count: number; readonly lengthBytes: number },
): readonly Bytes[] {
  const stride = padded(size.lengthBytes);
  return Array.from(
    { length: size.count },
    (_, index) => new Uint8Array(buffer, start + index * stride, size.lengthBytes),
  );
}

function gf256Workspace(module: KernelModule, shape: WorkspaceShape): Gf256Workspace {
  checkShape(shape);
  const { inputCount, outputCount, capacityBytes } = shape;
  const stride = padded(capacityBytes);
  const inputsAt = inputCount * outputCount * tableBytes;
  const outputsAt = inputsAt + inputCount * stride;
  const { memory, run } = module.instance(outputsAt + outputCount * stride);
  const tables = new Uint8Array(memory, 0, inputsAt);
  let loaded: Matrix | undefined;
  return {
    inputs: areas(memory, inputsAt, { count: inputCount, lengthBytes: capacityBytes }),
    outputs: areas(memory, outputsAt, { count: outputCount, lengthBytes: capacityBytes }),
    multiply(matrix: Matrix, lengthBytes: number): void {
      checkMatrix(matrix, shape);
      checkLength(lengthBytes, capacityBytes);
      if (matrix !== loaded) loadTables(tables, matrix);
      loaded = matrix;
      const length = padded(lengthBytes);
      for (const { row, count } of rowGroups(matrix.rows)) {
        const table = row * inputCount * tableBytes;
        const output = outputsAt + row * stride;
        if (count === 4)
          run.multiplyFour(inputsAt, stride, inputCount, table, output, stride, length);
        else if (count === 2)
          run.multiplyTwo(inputsAt, stride, inputCount, table, output, stride, length);
        else run.multiplyOne(inputsAt, stride, inputCount, table, output, length);
      }
    },
  };
}

interface RowGroup {
  readonly row: number;
  readonly count: 1 | 2 | 4;
}

/** The rows, as the kernels take them: four in one pass, then two, then one. */
function* rowGroups(rows: number): Generator<RowGroup> {
  let row = 0;
  for (; row + 4 <= rows; row += 4) yield { row, count: 4 };
  if (row + 2 <= rows) {
    yield { row, count: 2 };
    row += 2;
  }
  if (row < rows) yield { row, count: 1 };
}

/** The nibble products, group by group, in each column by column, in each row by row. */
function loadTables(tables: Uint8Array, matrix: Matrix): void {
  let offset = 0;
  for (const { row, count } of rowGroups(matrix.rows))
    for (let column = 0; column < matrix.columns; column += 1)
      for (let below = 0; below < count; below += 1) {
        const place = (row + below) * matrix.columns + column;
        const coefficient = present(matrix.coefficients[place], 'a whole matrix');
        tables.set(nibbleProducts(coefficient), offset);
        offset += tableBytes;
      }
}

function xorWorkspace(
  module: KernelModule,
  shape: Omit<WorkspaceShape, 'outputCount'>,
): XorWorkspace {
  checkShape({ ...shape, outputCount: 1 });
  const { inputCount, capacityBytes } = shape;
  const stride = padded(capacityBytes);
  const outputAt = inputCount * stride;
  const { memory, run } = module.instance(outputAt + stride);
  return {
    inputs: areas(memory, 0, { count: inputCount, lengthBytes: capacityBytes }),
    output: new Uint8Array(memory, outputAt, capacityBytes),
    fold(lengthBytes: number): void {
      checkLength(lengthBytes, capacityBytes);
      run.fold(0, stride, inputCount, outputAt, padded(lengthBytes));
    },
  };
}

function gearScanner(module: KernelModule, table: GearTable, areaBytes: number): GearScanner {
  checkScanner(table, areaBytes);
  const areaAt = table.byteLength;
  const { memory, run } = module.instance(areaAt + areaBytes);
  const view = new DataView(memory);
  table.forEach((entry, index) => {
    view.setBigUint64(index * table.BYTES_PER_ELEMENT, entry, true);
  });
  return {
    area: new Uint8Array(memory, areaAt, areaBytes),
    find(start: number, end: number, threshold: number): number {
      checkSearch(start, end, areaBytes);
      checkThreshold(threshold);
      const limit = BigInt(threshold) << 32n;
      return run.find(0, areaAt + start, areaAt + end, limit) - areaAt;
    },
  };
}
