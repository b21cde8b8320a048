/** The kernels in plain TypeScript: the reference that the WebAssembly ones are tested against. */
import { present } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import { multiplied } from './galois-field.ts';
import {
  type GearScanner,
  type GearTable,
  type Gf256Workspace,
  gearHistoryBytes,
  type Kernels,
  type Matrix,
  type WorkspaceShape,
  type XorWorkspace,
} from './kernels.ts';
import {
  checkLength,
  checkMatrix,
  checkScanner,
  checkSearch,
  checkShape,
  checkThreshold,
} from './workspace-checks.ts';

export function plainKernels(): Kernels {
  return {
    gf256: { workspace: gf256Workspace },
    xor: { workspace: xorWorkspace },
    gear: { scanner: gearScanner },
  };
}

function areas(count: number, lengthBytes: number): readonly Bytes[] {
  return Array.from({ length: count }, () => new Uint8Array(lengthBytes));
}

function gf256Workspace(shape: WorkspaceShape): Gf256Workspace {
  checkShape(shape);
  const inputs = areas(shape.inputCount, shape.capacityBytes);
  const outputs = areas(shape.outputCount, shape.capacityBytes);
  return {
    inputs,
    outputs,
    multiply(matrix: Matrix, lengthBytes: number): void {
      checkMatrix(matrix, shape);
      checkLength(lengthBytes, shape.capacityBytes);
      for (let row = 0; row < matrix.rows; row += 1) {
        const output = present(outputs[row], 'an output for each row').subarray(0, lengthBytes);
        output.fill(0);
        inputs.forEach((input, column) => {
          const coefficient = matrix.coefficients[row * matrix.columns + column] ?? 0;
          addMultiple(output, input, coefficient);
        });
      }
    },
  };
}

const productRows = new Map<number, Bytes>();

/** The products of `factor` with every element of the field. */
function productsOf(factor: number): Bytes {
  const known = productRows.get(factor);
  if (known !== undefined) return known;
  const products = Uint8Array.from({ length: 256 }, (_, value) => multiplied(factor, value));
  productRows.set(factor, products);
  return products;
}

function addMultiple(sum: Uint8Array, input: Uint8Array, coefficient: number): void {
  const products = productsOf(coefficient);
  for (let index = 0; index < sum.length; index += 1)
    sum[index] = (sum[index] ?? 0) ^ (products[input[index] ?? 0] ?? 0);
}

function xorWorkspace(shape: Omit<WorkspaceShape, 'outputCount'>): XorWorkspace {
  checkShape({ ...shape, outputCount: 1 });
  const inputs = areas(shape.inputCount, shape.capacityBytes);
  const output = new Uint8Array(shape.capacityBytes);
  return {
    inputs,
    output,
    fold(lengthBytes: number): void {
      checkLength(lengthBytes, shape.capacityBytes);
      output.fill(0, 0, lengthBytes);
      for (const input of inputs)
        for (let index = 0; index < lengthBytes; index += 1)
          output[index] = (output[index] ?? 0) ^ (input[index] ?? 0);
    },
  };
}

/** The table's entries as their two halves, so that the hash stays within exact numbers. */
interface HalvedTable {
  readonly low: Uint32Array;
  readonly high: Uint32Array;
}

function halved(table: GearTable): HalvedTable {
  return {
    low: Uint32Array.from(table, (entry) => Number(entry & 0xffff_ffffn)),
    high: Uint32Array.from(table, (entry) => Number(entry >> 32n)),
  };
}

function gearScanner(table: GearTable, areaBytes: number): GearScanner {
  checkScanner(table, areaBytes);
  const halves = halved(table);
  const area = new Uint8Array(areaBytes);
  return {
    area,
    find(start: number, end: number, threshold: number): number {
      checkSearch(start, end, areaBytes);
      checkThreshold(threshold);
      return firstBelow(halves, area.subarray(start - gearHistoryBytes, end), threshold) + start;
    },
  };
}

/** How far behind the first window the first match lies; or how many positions there are. */
function firstBelow(table: HalvedTable, bytes: Uint8Array, threshold: number): number {
  let low = 0;
  let high = 0;
  for (let index = 0; index < bytes.length; index += 1) {
    const value = bytes[index] ?? 0;
    const sum = low * 2 + (table.low[value] ?? 0);
    low = sum >>> 0;
    const carry = (sum - low) / 2 ** 32;
    high = (high * 2 + (table.high[value] ?? 0) + carry) >>> 0;
    if (index >= gearHistoryBytes && high < threshold) return index - gearHistoryBytes;
  }
  return bytes.length - gearHistoryBytes;
}
