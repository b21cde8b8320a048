import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type GearTable,
  gearHistoryBytes,
  type Kernels,
  type Matrix,
} from '../../primitives/kernels/kernels.ts';
import { plainKernels } from '../../primitives/kernels/plain-kernels.ts';
import { wasmKernels } from '../../primitives/kernels/wasm-kernels.ts';
import { loadKernels, readKernelFiles } from './kernel-files.ts';

const files = readKernelFiles();
const plain = plainKernels();
const twins: readonly { readonly name: string; readonly kernels: Kernels }[] = [
  { name: 'the kernels chosen for this engine', kernels: loadKernels() },
  // As on an engine that does not know the relaxed instructions.
  {
    name: 'the plain SIMD kernels',
    kernels: wasmKernels({ simd: files.simd, relaxedSimd: new Uint8Array(8) }),
  },
];

const byte = fc.integer({ min: 0, max: 255 });

/** Bytes that look random and cost fast-check nothing. */
function noise(seed: number, length: number): Uint8Array<ArrayBuffer> {
  let state = seed | 1;
  return Uint8Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 255;
  });
}

const gfCase = fc
  .record({
    columns: fc.integer({ min: 1, max: 20 }),
    rows: fc.integer({ min: 1, max: 13 }),
    spare: fc.integer({ min: 0, max: 2 }),
    capacity: fc.integer({ min: 1, max: 300 }),
    seed: fc.integer(),
  })
  .chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      length: fc.integer({ min: 0, max: shape.capacity }),
      coefficients: fc.uint8Array({
        minLength: shape.rows * shape.columns,
        maxLength: shape.rows * shape.columns,
      }),
    }),
  );

for (const { name, kernels } of twins) {
  test(`${name} multiply exactly as the reference, at every size and shape`, () => {
    fc.assert(
      fc.property(gfCase, ({ shape, length, coefficients }) => {
        const { columns, rows } = shape;
        const size = {
          inputCount: columns,
          outputCount: rows + shape.spare,
          capacityBytes: shape.capacity,
        };
        const matrix: Matrix = { rows, columns, coefficients };
        const results = [plain, kernels].map((each) => {
          const workspace = each.gf256.workspace(size);
          workspace.inputs.forEach((input, index) => {
            input.set(noise(shape.seed + index * 977, input.length));
          });
          workspace.multiply(matrix, length);
          return workspace.outputs.slice(0, rows).map((output) => output.slice(0, length));
        });
        assert.deepEqual(results[1], results[0]);
      }),
      { numRuns: 300 },
    );
  });

  test(`${name} multiply every pair of bytes as the reference does`, () => {
    const all = Uint8Array.from({ length: 256 }, (_, value) => value);
    const size = { inputCount: 1, outputCount: 256, capacityBytes: 256 };
    const results = [plain, kernels].map((each) => {
      const workspace = each.gf256.workspace(size);
      workspace.inputs[0]?.set(all);
      workspace.multiply({ rows: 256, columns: 1, coefficients: all }, 256);
      return workspace.outputs;
    });
    assert.deepEqual(results[1], results[0]);
  });

  test(`${name} follow a change of matrix`, () => {
    const size = { inputCount: 2, outputCount: 2, capacityBytes: 100 };
    const workspace = kernels.gf256.workspace(size);
    workspace.inputs.forEach((input, index) => {
      input.set(noise(index + 5, 100));
    });
    const identity: Matrix = { rows: 2, columns: 2, coefficients: Uint8Array.of(1, 0, 0, 1) };
    const swap: Matrix = { rows: 2, columns: 2, coefficients: Uint8Array.of(0, 1, 1, 0) };
    workspace.multiply(identity, 100);
    assert.deepEqual(workspace.outputs[0], workspace.inputs[0]);
    workspace.multiply(swap, 100);
    assert.deepEqual(workspace.outputs[0], workspace.inputs[1]);
  });

  test(`${name} fold exactly as the reference, at every size`, () => {
    fc.assert(
      fc.property(
        fc.record({
          inputCount: fc.integer({ min: 1, max: 20 }),
          capacityBytes: fc.integer({ min: 1, max: 300 }),
          part: fc.double({ min: 0, max: 1, noNaN: true }),
          seed: fc.integer(),
        }),
        ({ inputCount, capacityBytes, part, seed }) => {
          const length = Math.floor(capacityBytes * part);
          const results = [plain, kernels].map((each) => {
            const workspace = each.xor.workspace({ inputCount, capacityBytes });
            workspace.inputs.forEach((input, index) => {
              input.set(noise(seed + index * 131, input.length));
            });
            workspace.fold(length);
            return workspace.output.slice(0, length);
          });
          assert.deepEqual(results[1], results[0]);
        },
      ),
    );
  });

  test(`${name} find the same cut positions as the reference`, () => {
    const areaBytes = 70_000;
    const gearCase = fc.record({
      table: fc.bigUint64Array({ minLength: 256, maxLength: 256 }),
      filler: fc.option(byte),
      seed: fc.integer(),
      start: fc.integer({ min: gearHistoryBytes, max: areaBytes }),
      length: fc.integer({ min: 0, max: areaBytes }),
      bits: fc.integer({ min: 0, max: 20 }),
    });
    fc.assert(
      fc.property(gearCase, ({ table, filler, seed, start, length, bits }) => {
        const bytes = noise(seed, areaBytes);
        if (filler !== null) bytes.fill(filler, 30_000, 40_000);
        const end = Math.min(areaBytes, start + length);
        const threshold = 2 ** (32 - bits) - 1;
        const found = [plain, kernels].map((each) => {
          const scanner = each.gear.scanner(new BigUint64Array(table), areaBytes);
          scanner.area.set(bytes);
          return scanner.find(start, end, threshold);
        });
        assert.equal(found[1], found[0]);
      }),
      { numRuns: 200 },
    );
  });
}

test('the gear hash is the one of its definition, in whole numbers of 64 bits', () => {
  const table: GearTable = new BigUint64Array(256);
  const entries = noise(7, 2048);
  table.forEach((_, index) => {
    const view = new DataView(entries.buffer, index * 8);
    table[index] = view.getBigUint64(0);
  });
  const bytes = noise(8, 4000);
  const threshold = 2 ** 24;
  const expected: number[] = [];
  for (let at = gearHistoryBytes; at < bytes.length; at += 1) {
    let hash = 0n;
    for (const value of bytes.subarray(at - gearHistoryBytes, at + 1))
      hash = BigInt.asUintN(64, hash * 2n + (table[value] ?? 0n));
    if (hash < BigInt(threshold) << 32n) expected.push(at);
  }
  assert.ok(expected.length > 0);
  for (const kernels of [plain, ...twins.map((twin) => twin.kernels)]) {
    const scanner = kernels.gear.scanner(table, bytes.length);
    scanner.area.set(bytes);
    const found: number[] = [];
    for (let at = gearHistoryBytes; at < bytes.length; at += 1) {
      at = scanner.find(at, bytes.length, threshold);
      if (at < bytes.length) found.push(at);
    }
    assert.deepEqual(found, expected);
  }
});

test('an engine that runs neither module is refused', () => {
  const refused = new Uint8Array(8);
  assert.throws(() => wasmKernels({ simd: refused, relaxedSimd: refused }), /SIMD/);
});
